"""When each block of 10 ms was captured.

A block comes late by whatever the thread was kept waiting, never early, so the
earliest arrivals tell the card's clock: a block is stamped one block after the
last one unless it came sooner. The stamp may creep later by one per cent, so
that it follows a slow card and forgets samples lost in an xrun.
"""

from dataclasses import dataclass
from typing import Final

from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE

_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
# Cards differ by 0.01 %; ten milliseconds lost in an xrun are made good in a second.
_CREEP: Final = 0.01
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

    def stamp(self, pcm: bytes, now: float) -> CapturedBlock:
        """Take the block that ended about ``now``; return it with the time it began."""
        arrived, expected = now - _BLOCK_S, self._expected
        if expected is None or arrived - expected > _RESTART_S:
            start = arrived
        else:
            start = min(arrived, expected + _CREEP * _BLOCK_S)
        self._expected = start + _BLOCK_S
        return CapturedBlock(pcm, start)
