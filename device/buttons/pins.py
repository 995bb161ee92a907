"""The pins of a Raspberry Pi's header: the one home of gpiozero.

It is imported when a header is opened, and not before. Edges come on the one notification
thread of lgpio; a handler there lets nothing out that would end that thread and with it
every button. Whatever the library raises becomes a ``PanelError`` that names the part.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from device.buttons.ports import PanelError

_LOG: Final = logging.getLogger(__name__)
# Fast enough not to be seen, slow enough for pulses made in software.
PWM_HZ: Final = 200
# The kernel's own SPI: clock, data, and the chip select that it takes, wired or not.
SPI_CLOCK: Final = 11
SPI_DATA: Final = 10
SPI_SELECT: Final = 8
RUNTIME_DIR: Final = Path("/run/stagebox")


class Wires(Protocol):
    """A clock and a data line that bytes go out on."""

    def send(self, data: bytes) -> None:
        """Send bytes, highest bit first.

        Raises:
            PanelError: the pins do not obey.
        """

    def close(self) -> None:
        """Give the pins back. Safe to call twice."""


class KeyPin:
    """A key to ground, pulled up: down while the pin is low."""

    def __init__(self, what: str, device: Any) -> None:  # noqa: ANN401 - a gpiozero device
        self._what = what
        self._device = device

    @property
    def is_down(self) -> bool:
        """Read the level now.

        Raises:
            PanelError: the pin does not answer.
        """
        with plain(f"The {self._what} does not answer"):
            return bool(self._device.is_active)

    def close(self) -> None:
        """Give the pin back. Safe to call twice."""
        _release(self._device)


class OutPin:
    """A pin that drives something: from 0 to 1 where it can be dimmed, else off or on."""

    def __init__(
        self,
        what: str,
        device: Any,  # noqa: ANN401 - a gpiozero device
        *,
        dimming: bool,
    ) -> None:
        self._what = what
        self._device = device
        self._dimming = dimming

    def set(self, value: float) -> None:
        """Drive the pin.

        Raises:
            PanelError: the pin does not obey.
        """
        with plain(f"The {self._what} does not answer"):
            self._device.value = value if self._dimming else float(value > 0)

    def close(self) -> None:
        """Give the pin back. Safe to call twice."""
        _release(self._device)


class Header:
    """All pins.

    ``factory`` is a gpiozero pin factory, which stays the caller's; without one lgpio is
    opened, whose named pipe is made in ``runtime_dir``.
    """

    def __init__(
        self,
        factory: Any = None,  # noqa: ANN401 - a gpiozero Factory
        runtime_dir: Path = RUNTIME_DIR,
    ) -> None:
        self._factory = factory
        self._owns_factory = factory is None
        self._runtime_dir = runtime_dir

    def open(self) -> None:
        """Make ready to claim pins.

        Raises:
            PanelError: gpiozero or lgpio is missing, or there are no pins.
        """
        if self._factory is None:
            self._factory = _open_lgpio(self._runtime_dir)

    def key(self, what: str, pin: int, bounce_s: float, on_edge: Callable[[bool], None]) -> KeyPin:
        """Claim a pin for a key; ``on_edge(down)`` is called on lgpio's thread.

        Raises:
            PanelError: the pin cannot be had.
        """
        with plain(f"The {what} on pin {pin} cannot be used"):
            device = _import_gpiozero().DigitalInputDevice(
                pin, pull_up=True, bounce_time=bounce_s, pin_factory=self._factory
            )
            device.when_activated = partial(on_edge, True)
            device.when_deactivated = partial(on_edge, False)
        return KeyPin(what, device)

    def out(self, what: str, pin: int, *, active_high: bool = True, dimming: bool = True) -> OutPin:
        """Claim a pin for a lamp or a relay; it begins off.

        Raises:
            PanelError: the pin cannot be had.
        """
        with plain(f"The {what} on pin {pin} cannot be used"):
            gpiozero = _import_gpiozero()
            if dimming:
                device = gpiozero.PWMLED(
                    pin, active_high=active_high, frequency=PWM_HZ, pin_factory=self._factory
                )
            else:
                device = gpiozero.LED(pin, active_high=active_high, pin_factory=self._factory)
        return OutPin(what, device, dimming=dimming)

    def wires(self, what: str, clock: int, data: int) -> Wires:
        """Claim a clock and a data pin: the kernel's SPI where these are its pins and it is on.

        Raises:
            PanelError: a pin cannot be had.
        """
        if (clock, data) == (SPI_CLOCK, SPI_DATA):
            try:
                return self._spi(what)
            except PanelError as error:
                _LOG.warning("%s Its pins are driven one by one instead.", error)
        gpiozero = _import_gpiozero()
        claimed = []
        try:
            for pin in (clock, data):
                with plain(f"The {what} on pin {pin} cannot be used"):
                    claimed.append(gpiozero.LED(pin, pin_factory=self._factory))
        except PanelError:
            for device in claimed:
                _release(device)
            raise
        return PinWires(what, *claimed)

    def close(self) -> None:
        """Let the pins go. Safe to call twice."""
        if self._owns_factory and self._factory is not None:
            _release(self._factory)
            self._factory = None

    def _spi(self, what: str) -> Wires:
        with (
            plain(f"The {what} cannot use SPI (switch it on with dtparam=spi=on)"),
            warnings.catch_warnings(),
        ):
            # Where the kernel's is missing gpiozero would take one of its own, ten times slower.
            warnings.simplefilter("error", _import_gpiozero().SPISoftwareFallback)
            spi = self._factory.spi(
                clock_pin=SPI_CLOCK, mosi_pin=SPI_DATA, miso_pin=None, select_pin=SPI_SELECT
            )
        return SpiWires(what, spi)


class SpiWires:
    """The kernel's SPI."""

    def __init__(self, what: str, spi: Any) -> None:  # noqa: ANN401 - a gpiozero SPI
        self._what = what
        self._spi = spi

    def send(self, data: bytes) -> None:
        """Send bytes."""
        with plain(f"The {self._what} does not answer"):
            self._spi.write(list(data))

    def close(self) -> None:
        """Give the pins back. Safe to call twice."""
        _release(self._spi)


class PinWires:
    """Two pins driven one by one: two changes or three for each bit."""

    def __init__(self, what: str, clock: Any, data: Any) -> None:  # noqa: ANN401 - gpiozero devices
        self._what = what
        self._clock = clock
        self._data = data

    def send(self, data: bytes) -> None:
        """Send bytes; the receiver takes a bit as the clock rises."""
        with plain(f"The {self._what} does not answer"):
            clock, line = self._clock.pin, self._data.pin
            last = None
            for byte in data:
                for place in range(7, -1, -1):
                    bit = byte >> place & 1
                    if bit != last:
                        line.state = last = bit
                    clock.state = 1
                    clock.state = 0

    def close(self) -> None:
        """Give the pins back. Safe to call twice."""
        _release(self._clock)
        _release(self._data)


@contextlib.contextmanager
def plain(what: str) -> Iterator[None]:
    """Turn whatever a library or a driver raises into a PanelError that begins with ``what``."""
    try:
        yield
    except Exception as error:
        msg = f"{what}: {error}"
        raise PanelError(msg) from error


def _release(device: Any) -> None:  # noqa: ANN401 - whatever gpiozero closes
    try:
        device.close()
    except Exception:  # noqa: BLE001 - whatever it is, the other pins are to be released
        _LOG.warning("a pin was not released", exc_info=True)


def _import_gpiozero() -> Any:  # noqa: ANN401 - the module
    try:
        import gpiozero  # noqa: PLC0415 - hardware packages are optional
    except ImportError as error:
        msg = "gpiozero is missing. Install stagebox[hardware], or run with --simulate."
        raise PanelError(msg) from error
    return gpiozero


def _open_lgpio(runtime_dir: Path) -> Any:  # noqa: ANN401 - a gpiozero Factory
    """Return a new lgpio pin factory.

    At import lgpio makes a named pipe in ``LG_WD``, and moves the whole process there;
    the working directory is put back.

    Raises:
        PanelError: lgpio is missing, has no place to write, or finds no pins.
    """
    here = Path.cwd()
    _import_gpiozero()
    work_dir = os.environ.get("LG_WD", str(runtime_dir))
    if not os.access(work_dir, os.W_OK | os.X_OK):
        msg = f"lgpio needs a directory to write to, and {work_dir} is none. Make it, or set LG_WD."
        raise PanelError(msg)
    os.environ["LG_WD"] = work_dir
    try:
        with plain("No GPIO pins here (run with --simulate where there are none)"):
            from gpiozero.pins.lgpio import (  # noqa: PLC0415 - makes files and a thread
                LGPIOFactory,
            )

            return LGPIOFactory()
    finally:
        os.chdir(here)
