"""From a telephone's packets, of any length, to frames of 20 ms with the hub's numbers. Pure.

A lost packet stays a hole: numbers and times go on as if its frames had been sent, so that
whoever plays them conceals them as any other loss. What comes after its successor is late.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stagebox.media.frames import FRAME_SAMPLES, Pcm

# A longer hole is a pause: what comes after it is a talk burst of its own.
MOST_LOST: Final = 10
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame at 48 kHz. ``sequence`` has 16 bits, ``timestamp`` 32 at 48 kHz."""

    sequence: int
    timestamp: int
    marker: bool
    pcm: Pcm


class Reframer:
    """Cuts one stream. ``clock``: of its timestamps, a part of 48 kHz."""

    def __init__(self, clock: int) -> None:
        self._scale = 48_000 // clock
        self._next: int | None = None  # the timestamp that is due, in the stream's own clock
        self._time = 0
        self._sequence = 0
        self._kept = np.zeros(0, np.int16)
        self._marker = True
        self.late = 0

    def is_late(self, timestamp: int) -> bool:
        """Say whether its time is over, and count it; whoever decodes asks first."""
        gap = self._gap(timestamp)
        late = gap is not None and -MOST_LOST * FRAME_SAMPLES <= gap < 0
        self.late += late
        return late

    def take(self, timestamp: int, ticks: int, pcm: Pcm) -> list[Frame]:
        """Take in a packet's samples at 48 kHz, ``ticks`` long in its own clock."""
        gap = self._gap(timestamp)
        if gap:
            self._skip(gap)
        self._next = (timestamp + ticks) % _WRAP
        self._kept = np.concatenate((self._kept, pcm))
        frames = []
        while self._kept.size >= FRAME_SAMPLES:
            frames.append(self._cut())
        return frames

    def _gap(self, timestamp: int) -> int | None:
        if self._next is None:
            return None
        ahead = (timestamp - self._next) % _WRAP
        return (ahead - _WRAP if ahead >= _WRAP // 2 else ahead) * self._scale

    def _skip(self, gap: int) -> None:
        frames = round((gap + self._kept.size) / FRAME_SAMPLES)
        if gap > 0 and frames <= MOST_LOST:
            self._sequence += frames
            self._time += frames * FRAME_SAMPLES
        else:
            # A pause, or another stream: its own time is of no use to anybody.
            self._time += max(FRAME_SAMPLES, min(gap, _WRAP // 4))
            self._marker = True
        self._kept = self._kept[:0]

    def _cut(self) -> Frame:
        pcm, self._kept = self._kept[:FRAME_SAMPLES], self._kept[FRAME_SAMPLES:]
        frame = Frame(self._sequence & 0xFFFF, self._time % _WRAP, self._marker, pcm)
        self._sequence += 1
        self._time += FRAME_SAMPLES
        self._marker = False
        return frame
