"""The edge to buttons and lamps.

A panel turns its hardware's edges into ``KeyEvent`` calls on the event loop's
thread and shows one lamp pattern at a time. Real panels and the simulator's
implement the same protocol and pass the same contract tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from device.buttons.lamps import Pattern


class Key(StrEnum):
    """What a finger can reach."""

    TALK = "talk"
    HAND = "hand"
    MUTE = "mute"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One debounced edge. ``at`` is monotonic seconds, as loop.time()."""

    key: Key
    down: bool
    at: float


class PanelError(Exception):
    """A panel cannot be used; the text says what to do."""


class Panel(Protocol):
    """Buttons in, lamps out."""

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to report edges, each as one call on the running loop's thread.

        A key that is already down at start is not an edge: ask ``is_down``.

        Raises:
            PanelError: the hardware, or a part of it, is not there; what is there works.
        """

    def is_down(self, key: Key) -> bool:
        """Read the level now. A key that the panel does not have is never down."""

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern until another is shown."""

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, or not. A panel without one does nothing."""

    def close(self) -> None:
        """Lamp off, pins released. Safe to call twice."""
