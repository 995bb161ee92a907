"""Kernels that are known to disturb sound or network on a Raspberry Pi."""

import re
from dataclasses import dataclass
from typing import Final

from device.checkup.finding import Finding
from device.checkup.machine import Machine


@dataclass(frozen=True, slots=True)
class Known:
    """Releases from ``first`` on to before ``next``, on models whose name has ``model`` in it."""

    first: tuple[int, int, int]
    next: tuple[int, int, int]
    model: str
    usb_sound: bool
    what: str
    source: str


KNOWN: Final = (
    Known(
        *((6, 12, 0), (6, 13, 0), "Raspberry Pi", True),
        "loses USB sound on some Pis, until the next start",
        "raspberrypi/linux #7119",
    ),
    Known(
        *((6, 18, 39), (6, 18, 40), "Pi 3 Model B Plus", False),
        "answers the network ten times as slowly on this model",
        "raspberrypi/linux #7568",
    ),
)


def kernel(machine: Machine) -> Finding:
    """Whether the kernel is one of those that are known to disturb."""
    name = "kernel"
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", machine.kernel)
    if numbers is None:
        return Finding(name, ok=True, sentence="Its release is not told.", required=False)
    release = (int(numbers[1]), int(numbers[2]), int(numbers[3] or 0))
    for known in KNOWN:
        fits = known.first <= release < known.next and known.model in machine.model
        if fits and (not known.usb_sound or _has_usb_sound(machine)):
            words = f"Linux {machine.kernel} {known.what} ({known.source})."
            mend = "Bring the system up to date: sudo apt full-upgrade, and start again."
            return Finding(name, ok=False, sentence=words, mend=mend, required=False)
    return Finding(name, ok=True, sentence=f"Linux {machine.kernel}.", required=False)


def _has_usb_sound(machine: Machine) -> bool:
    return any("USB-Audio" in said for said in machine.cards.values())
