"""Many voices into one, and for each talker the same without their own.

Voices are added, never divided by their number. A limiter with one gain curve
for the whole mix keeps the sum in range, so what a talker hears is exactly the
full mix less their own voice under that gain. What is still too loud while the
limiter attacks is bent by a soft clip.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import FRAME_SAMPLES, Pcm, require_frame

_Wide = NDArray[np.float32]

_MAX_TALKERS: Final = 16
_CEILING: Final = 29_204.0  # -1 dBFS: what the limiter aims at and the soft clip leaves alone
_HEADROOM: Final = 32_767.0 - _CEILING
_STEP: Final = 120  # the limiter looks at peaks of 2.5 ms, the shortest pitch period
_STEPS: Final = FRAME_SAMPLES // _STEP
_STEP_S: Final = 0.0025
_ATTACK: Final = 1 - math.exp(-_STEP_S / 0.005)  # a time constant of 5 ms
_RELEASE: Final = 1 - math.exp(-_STEP_S / 0.200)  # slow, so that loudness does not pump
_UNITY: Final = 0.9999  # nearer to 1 than one step of 16 bit at the ceiling
_KNOTS: Final = np.arange(_STEPS + 1) * _STEP
_TIMES: Final = np.arange(1, FRAME_SAMPLES + 1)


class TooManyTalkersError(ValueError):
    """More voices than the mixer has room for; mix fewer or make it larger."""


@dataclass(frozen=True, slots=True)
class Mix:
    """One frame for all who listen, and one for each talker without their own voice."""

    full: Pcm
    minus: dict[str, Pcm]


class Mixer:
    """Adds voices frame by frame; keeps the limiter's gain from one to the next."""

    def __init__(self, max_talkers: int = _MAX_TALKERS) -> None:
        self._max = max_talkers
        self._voices = np.zeros((max_talkers, FRAME_SAMPLES), dtype=np.float32)
        # Row 0 is the full mix, the others are without one talker each.
        self._sums = np.zeros((max_talkers + 1, FRAME_SAMPLES), dtype=np.float32)
        self._gain = 1.0

    @property
    def gain(self) -> float:
        """The limiter's gain at the end of the last frame, 0 to 1."""
        return self._gain

    def mix(self, frames: Mapping[str, Pcm]) -> Mix:
        """Mix one frame of each talker.

        Raises:
            TooManyTalkersError: there are more than the mixer was made for.
            ValueError: a frame is not 960 samples of int16.
        """
        if len(frames) > self._max:
            msg = f"{len(frames)} talkers, room for {self._max}"
            raise TooManyTalkersError(msg)
        voices = self._voices[: len(frames)]
        sums = self._sums[: len(frames) + 1]
        for row, pcm in zip(voices, frames.values(), strict=True):
            require_frame(pcm)
            row[:] = pcm
        np.sum(voices, axis=0, out=sums[0])
        np.subtract(sums[0], voices, out=sums[1:])
        out = self._limited(sums)
        return Mix(out[0], dict(zip(frames, out[1:], strict=True)))

    def _limited(self, sums: _Wide) -> NDArray[np.int16]:
        # All sums share one curve, so it must hold down the loudest of them; a
        # voice that others cancel out can make a mix-minus louder than the full mix.
        peaks = np.abs(sums).reshape(-1, _STEPS, _STEP).max(axis=(0, 2))
        if self._gain < 1.0 or peaks.max() > _CEILING:
            sums *= self._curve(peaks)
            if np.abs(sums).max() > _CEILING:
                _soft_clip(sums)
        return np.rint(sums).astype(np.int16)

    def _curve(self, peaks: _Wide) -> _Wide:
        """Return the gain for every sample, and remember where it ends."""
        gain, knots = self._gain, [self._gain]
        for peak in peaks.tolist():
            wanted = min(1.0, _CEILING / max(peak, 1.0))
            gain += (wanted - gain) * (_ATTACK if wanted < gain else _RELEASE)
            knots.append(gain)
        self._gain = 1.0 if gain > _UNITY else gain
        return np.interp(_TIMES, _KNOTS, knots).astype(np.float32)


def _soft_clip(sums: _Wide) -> None:
    """Bend what is above the ceiling so that it never reaches the end of the scale."""
    over = np.abs(sums) - np.float32(_CEILING)
    loud = over > 0
    bent = _CEILING + _HEADROOM * np.tanh(over[loud] / _HEADROOM)
    sums[loud] = np.copysign(bent, sums[loud])
