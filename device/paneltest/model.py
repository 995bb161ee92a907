"""What the test of a panel is told, what it does, and what it found."""

from dataclasses import dataclass
from typing import Protocol

from device.audio.earcons import Earcon
from device.buttons.lamps import Pattern
from device.buttons.ports import Key, KeyEvent


@dataclass(frozen=True, slots=True)
class Level:
    """How loud the microphone was just now, in dBFS."""

    dbfs: float


Event = KeyEvent | Level


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this aloud, and write it."""

    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write this only."""

    text: str


@dataclass(frozen=True, slots=True)
class Light:
    """Show this pattern."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class LightRecording:
    """Light the recording lamp, or not."""

    on: bool


@dataclass(frozen=True, slots=True)
class Sound:
    """Play this tone."""

    tone: Earcon


@dataclass(frozen=True, slots=True)
class Over:
    """The test is over."""


Effect = Tell | Write | Light | LightRecording | Sound | Over


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one part; ``other``: the key that answered instead."""

    part: str
    ok: bool
    sentence: str
    other: Key | None = None


class Step(Protocol):
    """One part of the test. Pure; over once ``finding`` is called for."""

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""

    @property
    def is_over(self) -> bool:
        """Whether the next step may begin."""

    def begin(self, now: float) -> list[Effect]:
        """Ask for what is to be done."""

    def take(self, event: Event, now: float) -> list[Effect]:
        """Take what happened."""

    def tick(self, now: float) -> list[Effect]:
        """Go on because of the time."""

    def finding(self) -> Finding | None:
        """Return what was found; None: nothing to report."""
