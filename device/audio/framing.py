"""From blocks of 10 ms to frames of 20 ms, each with the time of its first sample.

A block comes late by whatever the thread was kept waiting, never early, so the
earliest arrivals tell the card's clock: a frame is stamped one frame after the
last one unless it came sooner. The stamp may creep later by one per cent, so
that it follows a slow card and forgets samples lost in an xrun.
"""

from dataclasses import dataclass
from typing import Final

from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES

_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
_BLOCKS_PER_FRAME: Final = FRAME_SAMPLES // BLOCK_SAMPLES
# Cards differ by 0.01 %; ten milliseconds lost in an xrun are made good in a second.
_CREEP: Final = 0.01
# More than any card's buffer: the stream stood still, so its old clock says nothing.
_RESTART_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """20 ms of 48 kHz mono int16; ``start`` is the monotonic second of its first sample."""

    pcm: bytes
    start: float


class FrameAssembler:
    """Pairs blocks. One per opened device."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._first = 0.0
        self._expected: float | None = None

    def push(self, block: bytes, now: float) -> CapturedFrame | None:
        """Take the block that ended about ``now``; return a frame when one is whole."""
        if not self._blocks:
            self._first = now - _BLOCK_S
        self._blocks.append(block)
        if len(self._blocks) < _BLOCKS_PER_FRAME:
            return None
        frame = CapturedFrame(b"".join(self._blocks), self._stamp(self._first))
        self._blocks.clear()
        return frame

    def _stamp(self, arrived: float) -> float:
        expected = self._expected
        if expected is None or arrived - expected > _RESTART_S:
            start = arrived
        else:
            start = min(arrived, expected + _CREEP * FRAME_S)
        self._expected = start + FRAME_S
        return start
