"""Lamp patterns: what each state of the box looks like.

Colour is never alone: every pattern has a rhythm of its own, and none flashes
more than twice in any second. Red is not in the table of states, because red
belongs to the transmitter: it is lit exactly while audio frames leave.
"""

from dataclasses import dataclass
from enum import StrEnum


class Color(StrEnum):
    """Colours a lamp can have. A single LED shows every colour but OFF as lit."""

    OFF = "off"
    WHITE = "white"
    BLUE = "blue"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Step:
    """Show ``color`` at ``level`` (0 to 1) for ``ms`` milliseconds."""

    color: Color
    ms: int
    level: float = 1.0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named rhythm. ``steps`` repeat, or play once and hold ``then``."""

    name: str
    color: Color
    steps: tuple[Step, ...]
    once: bool = False
