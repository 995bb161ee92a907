"""The 40-pin header, and which wire goes to which of its pins.

Keys close a pin to ground and lamps need a return, so every part wants a ground pin of its
own: the nearest free one on the side of its other pins. There are eight; when they are used
up the nearest is shared.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from device.config import LampKind
from device.profiles.model import FittedConfig, key_names

GROUND: Final = "GND"
# What each pin is, 1 to 40, the same on every model since the B+: BCM numbers and supplies.
HEADER: Final[tuple[str, ...]] = (
    *("3V3", "5V", "2", "5V", "3", "GND", "4", "14", "GND", "15"),
    *("17", "18", "27", "GND", "22", "23", "3V3", "24", "10", "GND"),
    *("9", "25", "11", "8", "GND", "7", "0", "1", "5", "GND"),
    *("6", "12", "13", "GND", "19", "16", "26", "20", "GND", "21"),
)
NUMBER_OF: Final = {what: number for number, what in reversed([*enumerate(HEADER, 1)])}
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
class Wire:
    """One wire. ``pin``: its number on the header; ``end``: the pin of the part it goes to."""

    pin: int
    part: str
    end: str
    note: str = ""

    @property
    def bcm(self) -> str:
        """What the pin is called: a BCM number or a supply."""
        return HEADER[self.pin - 1]


@dataclass(frozen=True, slots=True)
class _Need:
    """A part and the pins that it wants, by what they are."""

    part: str
    ends: tuple[tuple[str, str, str], ...]  # end, what, note


def wires(config: FittedConfig) -> tuple[Wire, ...]:
    """Return all wires of a box, by part; on a HAT its own tracks."""
    loose = config.board.form == "wires"
    needs = [*_keys(config, loose=loose), *_lamps(config, loose=loose), *_modules(config)]
    if not loose:
        needs += [
            _Need(use, tuple(("", str(pin), "") for pin in pins))
            for use, pins in config.board.holds.items()
        ]
    return tuple(_placed(needs))


def side(pin: int) -> int:
    """Return 0 for the row of odd numbers, 1 for that of even ones."""
    return (pin + 1) % 2


def row(pin: int) -> int:
    """Return which of the 20 rows a pin is in, 0 to 19."""
    return (pin - 1) // 2


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
        ends = tuple((colour, str(pin), note) for colour, pin in named if pin)
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


def _placed(needs: Iterable[_Need]) -> Iterator[Wire]:
    """Yield the wires, each supply taken from the best pin that has it."""
    used: set[int] = set()
    for need in needs:
        fixed = [NUMBER_OF[what] for _, what, _ in need.ends if what.isdigit()]
        for end, what, note in need.ends:
            pin = NUMBER_OF[what] if what.isdigit() else _supply(what, fixed, used)
            used.add(pin)
            yield Wire(pin, need.part, end, note)


def _supply(what: str, near: list[int], used: set[int]) -> int:
    """Return the supply pin for a part whose other pins are ``near``."""
    usual = round(sum(map(side, near)) / len(near)) if near else 1
    middle = sum(map(row, near)) / len(near) if near else 0.0
    pins = [number for number, each in enumerate(HEADER, 1) if each == what]
    return min(pins, key=lambda pin: (pin in used, side(pin) != usual, abs(row(pin) - middle), pin))
