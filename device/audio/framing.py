"""When each block of 10 ms was captured.

A block comes late by whatever the thread was kept waiting, never early, so the
earliest arrivals tell the card's clock: a block is stamped one block after the
last one unless it came sooner. The stamp may creep later by one per cent, so
that it follows a slow card. Where none of many blocks in a row came when it was
expected, samples were lost in an xrun, and the stamps make up for them at once: a
stamp that is too early would keep a microphone open after its key was let go, and
closed after it was pressed.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE

_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
# Cards differ by 0.01 %; ten milliseconds lost in an xrun are made good in a second.
_CREEP: Final = 0.01
# A thread that was kept waiting catches up within a quarter of a second. More than three
# blocks that are late by then are lost; creeping would take three seconds for them.
_WATCHED: Final = 25
_LOST_S: Final = 0.03
# More than any card's buffer: the stream stood still, so its old clock says nothing.
_RESTART_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CapturedBlock:
    """10 ms of 48 kHz mono int16; ``start`` is the monotonic second of its first sample."""

    pcm: bytes
    start: float


class BlockClock:
    """Stamps blocks. One per opened device."""

    def __init__(self) -> None:
        self._expected: float | None = None
        self._least_s = inf
        self._watched = 0

    def stamp(self, pcm: bytes, now: float) -> CapturedBlock:
        """Take the block that ended about ``now``; return it with the time it began."""
        arrived, expected = now - _BLOCK_S, self._expected
        if expected is None or arrived - expected > _RESTART_S:
            start = arrived
            self._watch_anew()
        else:
            start = min(arrived, expected + _CREEP * _BLOCK_S + self._lost(arrived - expected))
        self._expected = start + _BLOCK_S
        return CapturedBlock(pcm, start)

    def _lost(self, late_s: float) -> float:
        """Return the seconds of sound that a block which is so late shows to be lost."""
        self._least_s = min(self._least_s, late_s)
        self._watched += 1
        if self._watched < _WATCHED:
            return 0.0
        least_s = self._least_s
        self._watch_anew()
        return least_s if least_s > _LOST_S else 0.0

    def _watch_anew(self) -> None:
        self._least_s = inf
        self._watched = 0
