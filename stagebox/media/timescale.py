"""Make speech a little shorter or longer without changing its pitch.

One pitch period is cut out or repeated, where sound and its own delayed copy are
most alike, and the seam is cross-faded. Idea: WSOLA (Verhelst and Roelands, 1993)
as in libwebrtc's NetEQ (Accelerate, PreemptiveExpand).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.levels import dbfs, rms

_SEAM: Final = 240  # cross-fade of 5 ms
_MIN_LAG: Final = 120  # 2.5 ms: a voice of 400 Hz
_MAX_LAG: Final = 720  # 15 ms: a voice of 67 Hz
_ALIKE: Final = 0.8  # a seam below this correlation is heard
_NEVER: Final = 2.0  # no two sounds are so much alike
_QUIET_DBFS: Final = -50.0  # below speech and above most rooms' noise: any seam will do
# In a hurry each frame loses at least a quarter, or 500 ms would take more than 2 s.
_HURRY_SHARE: Final = 4

_DOWN: Final = np.linspace(1.0, 0.0, _SEAM, dtype=np.float32)
_UP: Final = 1.0 - _DOWN


def accelerate(pcm: Pcm, most: int = _MAX_LAG, *, only_quiet: bool = False) -> Pcm:
    """Return the frame without one pitch period of 2.5 to 15 ms, ``most`` samples at most.

    Where nothing repeats the frame comes back as it is; a quiet one loses as much as
    may go. Frames under 10 ms are too short to cut.
    """
    return _cut(pcm, _MIN_LAG, most, _NEVER if only_quiet else _ALIKE)


def hurry(pcm: Pcm, most: int = _MAX_LAG) -> Pcm:
    """Return the frame, or each 20 ms of a longer one, shorter by a quarter or more.

    The cut is where sounds are most alike, however little that is. ``most`` is for all.
    """
    parts = [pcm[:0]]
    for at in range(0, pcm.size, FRAME_SAMPLES):
        part = pcm[at : at + FRAME_SAMPLES]
        shorter = _cut(part, part.size // _HURRY_SHARE, most, -1.0)
        most -= part.size - shorter.size
        parts.append(shorter)
    return np.concatenate(parts)


def _cut(pcm: Pcm, shortest: int, most: int, alike: float) -> Pcm:
    """Take out at least ``shortest`` samples if ``most`` allows it and the seam is good."""
    longest = min(_MAX_LAG, pcm.size - _SEAM, most)
    shortest = min(max(_MIN_LAG, shortest), longest)
    if shortest < _MIN_LAG:
        return pcm
    wide = pcm.astype(np.float32)
    if dbfs(rms(pcm)) < _QUIET_DBFS:
        lag = longest
    else:
        lag, likeness = _best_lag(wide, shortest, longest)
        if likeness < alike:
            return pcm
    seam = wide[:_SEAM] * _DOWN + wide[lag : lag + _SEAM] * _UP
    return _joined(pcm[:0], seam, pcm[lag + _SEAM :])


def expand(pcm: Pcm, most: int = _MAX_LAG, *, only_quiet: bool = False) -> Pcm:
    """Return the frame with one pitch period of 2.5 to 15 ms repeated, about ``most`` samples.

    Where nothing repeats the frame comes back as it is, and so does one under 10 ms.
    """
    longest = min(_MAX_LAG, pcm.size - _SEAM)
    if longest < _MIN_LAG:
        return pcm
    longest = min(longest, max(most, _MIN_LAG))
    wide = pcm.astype(np.float32)
    if dbfs(rms(pcm)) < _QUIET_DBFS:
        lag = longest
    else:
        lag, likeness = _best_lag(wide, _MIN_LAG, longest)
        if likeness < (_NEVER if only_quiet else _ALIKE):
            return pcm
    seam = wide[lag : lag + _SEAM] * _DOWN + wide[:_SEAM] * _UP
    return _joined(pcm[:lag], seam, pcm[_SEAM:])


def _joined(before: Pcm, seam: NDArray[np.float32], after: Pcm) -> Pcm:
    return np.concatenate((before, np.rint(seam).astype(np.int16), after))


def _best_lag(wide: NDArray[np.float32], shortest: int, longest: int) -> tuple[int, float]:
    """Return the lag at which the first 5 ms come back most alike, and how alike (-1 to 1)."""
    start = wide[:_SEAM]
    rest = wide[shortest : longest + _SEAM]
    products = np.correlate(rest, start, mode="valid")
    power = np.concatenate(([0.0], np.cumsum(rest * rest, dtype=np.float64)))
    energy = (power[_SEAM:] - power[:-_SEAM]) * float(np.dot(start, start))
    alike = products / np.sqrt(np.maximum(energy, 1.0))
    best = int(np.argmax(alike))
    return shortest + best, float(alike[best])
