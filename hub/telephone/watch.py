"""Whether somebody is still there, from what is heard of them. Pure.

A telephone whose program dies says nothing; the computer that it ran on refuses our sound
then, which is seen at once. One that loses its network refuses nothing: it is silent, and
silence alone proves nothing, for some telephones send nothing while nobody speaks. So the
silent are asked. Who does not answer at once is shown as silent, and given up only when a
radio gap would be over: a call that is hung up rings again.
"""

from enum import StrEnum
from typing import Final

# Longer than any comfort noise or DTX is silent (0.4 s), shorter than anybody waits.
SILENT_S: Final = 1.0
# Asked so often while it stays silent; each question is one small packet and its answer.
PROBE_S: Final = 3.0
# Answers of telephones come within tens of milliseconds. With the two before it, a cable that
# is out is shown within two seconds.
UNANSWERED_S: Final = 0.7
# A router that restarts refuses for a moment; sound that still comes is the better proof.
REFUSED_S: Final = 0.5


class Finding(StrEnum):
    """What is to be done about it."""

    FINE = "fine"
    ASK = "ask"
    GONE = "gone"


class Watch:
    """Watches one call from ``now`` on."""

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._asked_at = now
        self._is_new = True
        self._refused_at: float | None = None

    def is_silent(self, now: float) -> bool:
        """Whether nothing comes from there, and no answer either."""
        return now - self._asked_at >= UNANSWERED_S and self._asked_at > self._heard_at

    def heard(self, now: float) -> None:
        """Note that sound came, or an answer."""
        self._heard_at = now
        self._refused_at = None

    def refused(self, now: float) -> None:
        """Note that their computer refuses what is sent."""
        if self._refused_at is None:
            self._refused_at = now

    def look(self, now: float) -> Finding:
        """Return what is to be done."""
        if self._refused_at is not None and now - self._refused_at >= REFUSED_S:
            return Finding.GONE
        silent = now - self._heard_at >= SILENT_S
        is_answered = self._asked_at <= self._heard_at
        if silent and is_answered and (self._is_new or now - self._asked_at >= PROBE_S):
            self._is_new = False
            self._asked_at = now
            return Finding.ASK
        return Finding.FINE
