"""Each kind of lamp with eyes on it, at the edge of the hardware, so that one suite tests them all.

What a chain of pixels or a chip makes of what it is sent is worked out here from its data
sheet, and shares nothing with the code that sends it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from gpiozero.pins import SPI
from gpiozero.pins.mock import MockFactory, MockPin, MockPWMPin

from device.buttons.lamps import Color
from device.buttons.lights.dotstar import DotstarLight
from device.buttons.lights.ktd2027 import Ktd2027Light
from device.buttons.lights.led import LedLight
from device.buttons.lights.port import Light
from device.buttons.lights.relay import RelayLight
from device.buttons.pins import Header

Seen = tuple[float, float, float]
DARK: Seen = (0.0, 0.0, 0.0)


class Bulb(Protocol):
    """A lamp that can be opened, looked at and broken."""

    # Whether it shows which colour it is, and whether it can be dimmed.
    tells_colors: bool
    dims: bool
    # What it is lit for.
    lit_for: frozenset[Color]

    def open(self) -> Light: ...

    def seen(self) -> Seen:
        """What comes out as red, green and blue; a lamp of one colour: that, three times."""

    def breaks(self) -> object:
        """A context in which the hardware fails."""

    def missing(self) -> object:
        """A context in which the hardware is not there, or not ours."""


EVERY = frozenset(Color) - {Color.OFF}


class Pins:
    """The rigs on pins. ``pins`` of red, green and blue."""

    tells_colors = True
    dims = True
    lit_for = EVERY
    pin_class: type[MockPin] = MockPWMPin

    def __init__(self, folder: Path) -> None:
        self.factory = MockFactory(pin_class=self.pin_class)
        self.header = Header(self.factory)

    def level(self, pin: int) -> float:
        return float(self.factory.pin(f"GPIO{pin}").state)

    @contextmanager
    def breaks(self) -> Iterator[None]:
        def broken(_pin: MockPin, _value: float) -> None:
            raise OSError("wire off")

        with patch.object(self.pin_class, "_set_state", broken):
            yield

    @contextmanager
    def missing(self) -> Iterator[None]:
        """Another part has the first pin."""
        other = self.header.out("other part", self.first, dimming=False)
        yield
        other.close()

    first = 5


class RgbBulb(Pins):
    def open(self) -> Light:
        return LedLight(self.header, (5, 6, 13))

    def seen(self) -> Seen:
        return self.level(5), self.level(6), self.level(13)


class InverseBulb(RgbBulb):
    """With a common anode."""

    def open(self) -> Light:
        return LedLight(self.header, (5, 6, 13), active_high=False)

    def seen(self) -> Seen:
        return 1 - self.level(5), 1 - self.level(6), 1 - self.level(13)


class SingleBulb(Pins):
    tells_colors = False

    def open(self) -> Light:
        return LedLight(self.header, (None, 5, None))

    def seen(self) -> Seen:
        return (self.level(5),) * 3


class TwoBulbs(Pins):
    """A red lamp beside a green one."""

    tells_colors = False

    def open(self) -> Light:
        return LedLight(self.header, (5, 6, None))

    def seen(self) -> Seen:
        return self.level(5), self.level(6), 0.0


class SwitchedBulb(Pins):
    """Pins that are only on or off."""

    dims = False
    tells_colors = False
    pin_class = MockPin

    def open(self) -> Light:
        return LedLight(self.header, (5, 6, 13), dimming=False)

    def seen(self) -> Seen:
        return self.level(5), self.level(6), self.level(13)


class Relay(Pins):
    """Its hold time has tests of its own."""

    dims = False
    tells_colors = False
    lit_for = frozenset({Color.RED})
    pin_class = MockPin

    def open(self) -> Light:
        return RelayLight(self.header, 5, hold_s=0.0)

    def seen(self) -> Seen:
        return (self.level(5),) * 3


class TracedPin(MockPin):
    """A pin that writes each change into one list of its factory's, in the order of time."""

    def _change_state(self, value: bool) -> bool:
        changed: bool = super()._change_state(value)
        if changed:
            name = int(self.info.name.removeprefix("GPIO"))
            self.factory.__dict__.setdefault("trace", []).append((name, int(value)))
        return changed


def clocked(trace: list[tuple[int, int]], clock: int, data: int) -> list[int]:
    """The bits on ``data`` at each rise of ``clock``."""
    levels, bits = {data: 0}, []
    for pin, level in trace:
        levels[pin] = level
        if pin == clock and level:
            bits.append(levels[data])
    return bits


def unpacked(data: bytes) -> list[int]:
    """The bits of bytes, highest first."""
    return [byte >> place & 1 for byte in data for place in range(7, -1, -1)]


def apa102(bits: list[int], pixels: int) -> list[Seen]:
    """What each pixel of a chain shows at last, by the data sheet, bit by bit.

    A frame begins after 32 zeros or more. Each pixel passes bits on half a clock later than
    they came; the colours are taken over only if the clock went on for long enough to carry
    the last one's through.
    """
    shown: list[Seen] = []
    at = 0
    while 1 in bits[at:]:
        begins = bits.index(1, at)
        assert begins - at >= 32, "no start of a frame"
        at = begins + 32 * pixels
        assert len(bits) - at >= pixels / 2, "the clock ends before the last pixel has its colour"
        words = [int("".join(map(str, bits[k : k + 32])), 2) for k in range(begins, at, 32)]
        shown = [_pixel(word) for word in words]
    return shown


def _pixel(word: int) -> Seen:
    assert word >> 29 == 0b111, "a pixel's word begins with three ones"
    share = (word >> 24 & 31) / 31
    blue, green, red = (share * (word >> shift & 255) / 255 for shift in (16, 8, 0))
    return red, green, blue


class Pixels(Pins):
    """A chain of three whose pins are driven one by one."""

    pin_class = TracedPin
    clock, data, pixels = 6, 5, 3
    first = 5

    def open(self) -> Light:
        return DotstarLight(self.header, self.clock, self.data, self.pixels)

    def seen(self) -> Seen:
        trace = self.factory.__dict__.get("trace", [])
        if not trace:
            return DARK
        shown = apa102(clocked(trace, self.clock, self.data), self.pixels)
        assert len(set(shown)) == 1
        trace.clear()
        return shown[0]


class RecordingSpi(SPI):  # type: ignore[misc] # gpiozero has no types
    """A bus of the kernel's: what is written to it is kept by its factory."""

    is_open = False

    def __init__(
        self,
        clock_pin: int,
        mosi_pin: int,
        miso_pin: int | None,
        select_pin: int,
        pin_factory: Any,  # noqa: ANN401 - a gpiozero Factory
    ) -> None:
        super().__init__(pin_factory=pin_factory)
        pin_factory.reserve_pins(self, clock_pin, mosi_pin, select_pin)
        self.is_open = True

    def write(self, data: list[int]) -> int:
        if self.pin_factory.is_broken:
            raise OSError("SPI transfer error")
        self.pin_factory.sent += bytes(data)
        return len(data)

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.pin_factory.release_all(self)

    def _conflicts_with(self, other: object) -> bool:
        return True


class SpiFactory(MockFactory):  # type: ignore[misc] # gpiozero has no types
    """Pins with a bus of the kernel's."""

    is_broken = False

    def __init__(self) -> None:
        super().__init__(pin_class=MockPWMPin)
        self.sent = b""

    def _get_spi_class(self, shared: bool, hardware: bool) -> type[RecordingSpi]:
        assert hardware, "gpiozero's own would be slow"
        return RecordingSpi


class SpiPixels(Pixels):
    """The same on the pins of the kernel's SPI."""

    clock, data = 11, 10
    first = 11

    def __init__(self, folder: Path) -> None:
        self.factory = SpiFactory()
        self.header = Header(self.factory)

    def seen(self) -> Seen:
        sent, self.factory.sent = self.factory.sent, b""
        shown = apa102(unpacked(sent), 3)
        assert len(set(shown)) <= 1
        return shown[0] if shown else DARK

    @contextmanager
    def breaks(self) -> Iterator[None]:
        self.factory.is_broken = True
        yield
        self.factory.is_broken = False


class ChipBulb:
    """The chip on I2C: a file that takes messages of two bytes."""

    tells_colors = True
    dims = True
    lit_for = EVERY

    def __init__(self, folder: Path) -> None:
        self.bus, self.leds = folder / "i2c-1", folder / "leds"
        self.bus.touch()
        self.addressed: list[tuple[int, int]] = []

    def open(self) -> Light:
        def ioctl(_file: int, request: int, argument: int) -> int:
            self.addressed.append((request, argument))
            return 0

        if self.bus.exists():
            self.bus.write_bytes(b"")
        with patch.object(fcntl, "ioctl", ioctl):
            return Ktd2027Light(self.bus, self.leds)

    def seen(self) -> Seen:
        said = self.bus.read_bytes()
        registers = dict(zip(said[::2], said[1::2], strict=True))
        assert (registers[0], registers[5]) == (0, 0), "awake, no ramp"
        on = [registers.get(4, 0) >> 2 * channel & 3 for channel in range(4)]
        assert set(on) <= {0, 1}
        assert on[3] == 0
        shares = [on[at] * (registers.get(6 + at, 0x4F) + 1) / 192 for at in range(3)]
        return shares[0], shares[1], shares[2]

    @contextmanager
    def breaks(self) -> Iterator[None]:
        def broken(_file: int, _data: bytes) -> int:
            raise OSError("no acknowledge")

        with patch.object(os, "write", broken):
            yield

    @contextmanager
    def missing(self) -> Iterator[None]:
        self.bus.rename(self.bus.with_suffix(".away"))
        yield
        self.bus.with_suffix(".away").rename(self.bus)


class DriverBulb(ChipBulb):
    """The chip behind the kernel's driver: files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for channel in (1, 2, 3, 4):
            led = self.leds / f"ktd202x:led{channel}"
            led.mkdir(parents=True)
            (led / "max_brightness").write_text("255\n")
            (led / "brightness").write_text("0\n")

    def seen(self) -> Seen:
        assert self.bus.read_bytes() == b"", "the chip is its driver's alone"
        red, green, blue, other = (
            int((self.leds / f"ktd202x:led{channel}" / "brightness").read_text()) / 255
            for channel in (1, 2, 3, 4)
        )
        assert other == 0
        return red, green, blue

    @contextmanager
    def breaks(self) -> Iterator[None]:
        def broken(_path: Path, _text: str) -> int:
            raise OSError("driver is gone")

        with patch.object(Path, "write_text", broken):
            yield

    @contextmanager
    def missing(self) -> Iterator[None]:
        with self.breaks():
            yield


BULBS: list[Callable[[Path], Bulb]] = [
    RgbBulb,
    InverseBulb,
    SingleBulb,
    TwoBulbs,
    SwitchedBulb,
    Relay,
    Pixels,
    SpiPixels,
    ChipBulb,
    DriverBulb,
]
