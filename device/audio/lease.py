"""A thread's right to use a device, and its signs of life."""

import threading
import time
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """What the thread is doing."""

    OPENING = "opening"
    USING = "using"
    CLOSING = "closing"
    WAITING = "waiting"


# Without a sign of life for this long, the thread hangs. PortAudio tries every
# device of the configuration when it opens; one block takes at most a second, or
# three when the stream steps aside for a search.
LIMIT_S: Final = {
    Phase.OPENING: 10.0,
    Phase.USING: 4.0,
    Phase.CLOSING: 2.5,
    Phase.WAITING: 5.0,
}


class Lease:
    """A thread's right to act. Once it has ended, nothing that the thread does counts."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self.phase = Phase.WAITING
        self.beat_at = time.monotonic()

    def ended(self) -> bool:
        """Return whether the thread must stop."""
        return self._ended.is_set()

    def end(self) -> None:
        """Tell the thread to stop."""
        self._ended.set()

    def beat(self) -> None:
        """Give a sign of life."""
        self.beat_at = time.monotonic()

    def enter(self, phase: Phase) -> None:
        """Begin another phase."""
        self.phase = phase
        self.beat()

    def wait(self, seconds: float) -> None:
        """Sleep, or less when the lease ends."""
        self._ended.wait(seconds)
        self.beat()

    def hangs(self, now: float) -> bool:
        """Whether the last sign of life is too old for the phase."""
        return now - self.beat_at > LIMIT_S[self.phase]
