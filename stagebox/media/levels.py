"""How loud a frame is, in dB of full scale (32768 is 0 dBFS; a full sine has -3 dBFS rms)."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from stagebox.media.frames import Pcm

# The least that is told apart from silence: half a step of 16 bit is -96 dBFS.
FLOOR_DBFS: Final = -96.0
_FULL_SCALE: Final = 32_768.0
# Between words a voice is 20 dB softer than in them, or as soft as a quiet room (-55 dBFS).
_LULL: Final = 0.1
_STILL: Final = 58.0
_FORGET: Final = 0.99  # per frame: the loudness of words is forgotten by half in 1.4 s


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness of some sound, both in dBFS from ``FLOOR_DBFS`` to 0."""

    peak: float
    rms: float


def peak(pcm: Pcm) -> int:
    """Return the largest magnitude, 0 to 32768. No samples have 0."""
    if pcm.size == 0:
        return 0
    return max(int(pcm.max()), -int(pcm.min()))


def rms(pcm: Pcm) -> float:
    """Return the root mean square, 0 to 32768. No samples have 0."""
    if pcm.size == 0:
        return 0.0
    wide = pcm.astype(np.float32)
    return math.sqrt(float(np.dot(wide, wide)) / pcm.size)


def dbfs(magnitude: float) -> float:
    """Return a magnitude of the int16 scale in dBFS, never below the floor."""
    if magnitude <= 0:
        return FLOOR_DBFS
    return max(FLOOR_DBFS, 20 * math.log10(magnitude / _FULL_SCALE))


def level(pcm: Pcm) -> Level:
    """Return peak and rms of the sound."""
    return Level(peak=dbfs(peak(pcm)), rms=dbfs(rms(pcm)))


class Lull:
    """Finds the moments between words, frame by frame: a change of codec is not heard there."""

    def __init__(self) -> None:
        self._loudest = 0.0

    def is_in(self, frame: Pcm) -> bool:
        """Take in the next frame; say whether it is between words."""
        loud = rms(frame)
        self._loudest = max(loud, self._loudest * _FORGET)
        return loud <= max(_STILL, _LULL * self._loudest)
