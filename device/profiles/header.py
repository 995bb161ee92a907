"""Rows of pins, and which wire goes to which of them: a Raspberry Pi's header, and a Pico.

Keys close a pin to ground and lamps need a return, so every part wants a ground pin of its
own: the nearest free one. There are eight; when they are used up the nearest is shared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from device.config import LampKind
from device.profiles.model import FittedConfig, key_names

GROUND: Final = "GND"
# Each colour at 4 mA: red drops 2.0 V of 3.3, and the pins of a Pi give 50 mA in all.
RESISTOR: Final = "through 330 ohm"
# A wire around the header to its other side is as bad as one that is eight rows longer.
_ACROSS: Final = 8.0
_KEYS: Final = {
    "talk": "TALK key",
    "hand": "HAND key",
    "mute": "MUTE switch",
    "volume_up": "louder key",
    "volume_down": "quieter key",
    "status": "STATUS key",
}


@dataclass(frozen=True, slots=True)
class Header:
    """Two rows of 20 pins. ``pins``: what each is, from 1 on; ``zigzag``: how they are counted.

    ``word``: what stands before a number, ``supplies``: what the maker calls the supplies.
    """

    pins: tuple[str, ...]
    zigzag: bool
    word: str
    supplies: tuple[tuple[str, str], ...] = ()

    def side(self, pin: int) -> int:
        """Return 0 for the left row, 1 for the right one."""
        return (pin + 1) % 2 if self.zigzag else int(pin > len(self.pins) // 2)

    def row(self, pin: int) -> int:
        """Return how far down a pin is, 0 to 19."""
        if self.zigzag:
            return (pin - 1) // 2
        return pin - 1 if self.side(pin) == 0 else len(self.pins) - pin

    def what(self, pin: int) -> str:
        """Return what a pin is: a number or a supply."""
        return self.pins[pin - 1]

    def name(self, pin: int) -> str:
        """Return what is printed beside a pin."""
        what = self.what(pin)
        return f"{self.word}{what}" if what.isdigit() else dict(self.supplies).get(what, what)

    def all_of(self, what: str) -> list[int]:
        """Return the pins that are this."""
        return [number for number, each in enumerate(self.pins, 1) if each == what]


# The same on every model since the B+. Odd numbers are on the left, by BCM's names.
PI: Final = Header(
    (
        *("3V3", "5V", "2", "5V", "3", "GND", "4", "14", "GND", "15"),
        *("17", "18", "27", "GND", "22", "23", "3V3", "24", "10", "GND"),
        *("9", "25", "11", "8", "GND", "7", "0", "1", "5", "GND"),
        *("6", "12", "13", "GND", "19", "16", "26", "20", "GND", "21"),
    ),
    zigzag=True,
    word="GPIO",
)
# Down the left side from the USB socket, and up the right one.
PICO: Final = Header(
    (
        *("0", "1", "GND", "2", "3", "4", "5", "GND", "6", "7"),
        *("8", "9", "GND", "10", "11", "12", "13", "GND", "14", "15"),
        *("16", "17", "GND", "18", "19", "20", "21", "GND", "22", "RUN"),
        *("26", "27", "GND", "28", "VREF", "3V3", "EN", "GND", "VSYS", "5V"),
    ),
    zigzag=False,
    word="GP",
    supplies=(("5V", "VBUS"),),
)
HEADERS: Final = {"pi": PI, "pico": PICO}


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire. ``pin``: its number on the header; ``end``: the pin of the part it goes to."""

    pin: int
    part: str
    end: str
    note: str = ""
    header: Header = PI

    @property
    def what(self) -> str:
        """What the pin is: a number or a supply."""
        return self.header.what(self.pin)

    @property
    def name(self) -> str:
        """What the pin is called."""
        return self.header.name(self.pin)

    @property
    def side(self) -> int:
        """0 for a pin of the left row, 1 for one of the right row."""
        return self.header.side(self.pin)

    @property
    def row(self) -> int:
        """How far down its pin is, 0 to 19."""
        return self.header.row(self.pin)


@dataclass(frozen=True, slots=True)
class _Need:
    """A part and the pins that it wants, by what they are."""

    part: str
    ends: tuple[tuple[str, str, str], ...]  # end, what, note


def wires(config: FittedConfig) -> tuple[Wire, ...]:
    """Return all wires of a box, by part; on a HAT its own tracks."""
    loose = config.board.form != "hat"
    needs = [*_keys(config, loose=loose), *_lamps(config, loose=loose), *_modules(config)]
    if not loose:
        needs += [
            _Need(use, tuple(("", str(pin), "") for pin in pins))
            for use, pins in config.board.holds.items()
        ]
    return tuple(_placed(needs, HEADERS[config.board.header]))


def _keys(config: FittedConfig, *, loose: bool) -> Iterator[_Need]:
    for name in key_names(config):
        back = (("side B", GROUND, ""),) if loose else ()
        end = "side A" if loose else ""
        yield _Need(_KEYS[name], ((end, str(getattr(config.panel, name)), ""), *back))


def _lamps(config: FittedConfig, *, loose: bool) -> Iterator[_Need]:
    panel = config.panel
    if panel.kind == "none":
        return
    note = RESISTOR if loose else ""
    back = (("long leg", GROUND, ""),) if loose else ()
    if panel.lamp is LampKind.LED:
        named = (("red", panel.lamp_red), ("green", panel.lamp_green), ("blue", panel.lamp_blue))
        ends = [(colour, str(pin), note) for colour, pin in named if pin]
        if len(ends) == 1:  # of one colour, which nobody knows
            ends = [("other leg" if loose else "", *ends[0][1:])]
        if ends:
            yield _Need("RGB LED" if len(ends) == 3 else "lamp", (*ends, *back))
    elif panel.lamp is LampKind.DOTSTAR:
        pins = (("data", str(panel.lamp_data), ""), ("clock", str(panel.lamp_clock), ""))
        yield _Need(f"{panel.lamp_pixels} DotStar pixels", pins)
    if panel.lamp_rec:
        long = (("long leg", str(panel.lamp_rec), note),)
        yield _Need("recording LED", (*long, ("short leg", GROUND, "")))
    if panel.door:
        yield _Need("door light relay", (("IN", str(panel.door), ""), (GROUND, GROUND, "")))


def _modules(config: FittedConfig) -> Iterator[_Need]:
    for module in config.board.modules:
        yield _Need(module.name, tuple((end, str(what), "") for end, what in module.pins.items()))


def _placed(needs: Iterable[_Need], header: Header) -> Iterator[Wire]:
    """Yield the wires, each supply taken from the best pin that has it."""
    used: set[int] = set()
    for need in needs:
        fixed = [header.all_of(what)[0] for _, what, _ in need.ends if what.isdigit()]
        for end, what, note in need.ends:
            numbered = what.isdigit()
            pin = header.all_of(what)[0] if numbered else _supply(header, what, fixed, used)
            used.add(pin)
            yield Wire(pin, need.part, end, note, header)


def _supply(header: Header, what: str, near: list[int], used: set[int]) -> int:
    """Return the supply pin for a part whose other pins are ``near``."""
    usual = round(sum(map(header.side, near)) / len(near)) if near else 1
    middle = sum(map(header.row, near)) / len(near) if near else 0.0

    def cost(pin: int) -> tuple[bool, float, int]:
        across = _ACROSS if header.side(pin) != usual else 0.0
        return pin in used, abs(header.row(pin) - middle) + across, pin

    return min(header.all_of(what), key=cost)
