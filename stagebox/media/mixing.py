"""Many voices into one, and for each talker the same without their own.

Voices are added, never divided by their number. A limiter with one gain curve
for the whole mix keeps the sum in range, so what a talker hears is exactly the
full mix less their own voice under that gain.

The limiter looks ahead without delay, because a frame is known whole before it
leaves: inside it the gain is down before the peak comes. Only a peak at the very
beginning finds the gain still up. It falls there as fast as does not click, and a
soft clip bends, and counts, what is left over.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import FRAME_SAMPLES, Pcm, require_frame

_Wide = NDArray[np.float32]
# What a voice is multiplied by at the beginning and at the end of a frame.
Gain = tuple[float, float]
_PLAIN: Final[Mapping[str, Gain]] = MappingProxyType({})

_MAX_TALKERS: Final = 16
_CEILING: Final = 29_204.0  # -1 dBFS: what the limiter aims at and the soft clip leaves alone
_HEADROOM: Final = 32_767.0 - _CEILING
_STEP: Final = 120  # the limiter looks at peaks of 2.5 ms, the shortest pitch period
_STEPS: Final = FRAME_SAMPLES // _STEP
# Falling: at most 3 dB in a step, so that 16 talkers (24 dB) are down within a frame.
_FALL: Final = 10 ** (3 / 20)
# What the frame before could not foresee: down within 0.5 ms, faster would click.
_SHORTEST_FALL: Final = 24
# Rising: not within 20 ms of a peak, the period of the deepest voice (50 Hz), or the gain
# would follow the wave itself, which is distortion; then slowly, so that loudness does not
# pump: 200 ms to go 63 % of the way in dB.
_HOLD: Final = 8
_RISE: Final = 1 - math.exp(-0.0025 / 0.200)
_UNITY: Final = 0.9999  # nearer to 1 than one step of 16 bit at the ceiling
_KNOTS: Final = tuple(at * _STEP for at in range(_STEPS + 1))
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
        self._max = 0
        self.make_room(max_talkers)
        self._gain = 1.0
        # What the last steps asked for; the gain rises no higher than the least of them.
        self._held: deque[float] = deque([1.0] * _HOLD, maxlen=_HOLD)
        self._bent = 0

    @property
    def bent(self) -> int:
        """Samples that the soft clip had to bend so far, in all mixes together."""
        return self._bent

    @property
    def gain(self) -> float:
        """The limiter's gain at the end of the last frame, 0 to 1."""
        return self._gain

    def make_room(self, talkers: int) -> None:
        """Let at least so many talkers be mixed; the limiter goes on where it is."""
        if talkers > self._max:
            self._max = talkers
            self._voices = np.zeros((talkers, FRAME_SAMPLES), dtype=np.float32)
            # Row 0 is the full mix, the others are without one talker each.
            self._sums = np.zeros((talkers + 1, FRAME_SAMPLES), dtype=np.float32)

    def mix(self, frames: Mapping[str, Pcm], gains: Mapping[str, Gain] = _PLAIN) -> Mix:
        """Mix one frame of each talker, those with a gain in a straight line between both.

        Raises:
            TooManyTalkersError: there are more than the mixer was made for.
            ValueError: a frame is not 960 samples of int16.
        """
        if len(frames) > self._max:
            msg = f"{len(frames)} talkers, room for {self._max}"
            raise TooManyTalkersError(msg)
        voices = self._voices[: len(frames)]
        sums = self._sums[: len(frames) + 1]
        for row, (name, pcm) in zip(voices, frames.items(), strict=True):
            require_frame(pcm)
            row[:] = pcm
            if name in gains:
                ramp = np.linspace(*gains[name], FRAME_SAMPLES, dtype=np.float32)
                np.multiply(row, ramp, out=row)
        np.sum(voices, axis=0, out=sums[0])
        np.subtract(sums[0], voices, out=sums[1:])
        out = self._limited(sums)
        return Mix(out[0], dict(zip(frames, out[1:], strict=True)))

    def _limited(self, sums: _Wide) -> NDArray[np.int16]:
        # All sums share one curve, so it must hold down the loudest of them; a
        # voice that others cancel out can make a mix-minus louder than the full mix.
        loudest = np.abs(sums).max(axis=0)
        peaks = loudest.reshape(_STEPS, _STEP).max(axis=1)
        if self._gain < 1.0 or peaks.max() > _CEILING:
            curve = self._curve(peaks, loudest[:_STEP])
            sums *= curve
            if (loudest * curve).max() > _CEILING:
                self._bent += _soft_clip(sums)
        return np.rint(sums, out=sums).astype(np.int16)

    def _curve(self, peaks: _Wide, beginning: _Wide) -> _Wide:
        """Return the gain for every sample, and remember where it ends."""
        wanted = [min(1.0, _CEILING / max(peak, 1.0)) for peak in peaks.tolist()]
        gain, gains = self._gain, [self._gain]
        for need, most in zip(wanted, _falling(wanted), strict=True):
            self._held.append(need)
            rest = min(self._held)
            if rest > gain:
                gain *= (rest / gain) ** _RISE
            gain = min(gain, most)
            gains.append(gain)
        knots = list(_KNOTS)
        over = beginning * self._gain > _CEILING
        if over.any():  # the fall must be over when the first peak comes
            at = max(int(np.argmax(over)), _SHORTEST_FALL)
            knots.insert(1, at)
            gains.insert(1, gains[1])
        self._gain = 1.0 if gain > _UNITY else gain
        return np.interp(_TIMES, knots, gains).astype(np.float32)


def _falling(wanted: list[float]) -> list[float]:
    """Return the most that the gain may be at the end of each step.

    It must be down at both ends of a step with a peak, and is on its way in the
    steps before.
    """
    most = [wanted[-1]]
    for before, need in zip(wanted[-2::-1], wanted[:0:-1], strict=True):
        most.append(min(before, need, most[-1] * _FALL))
    return most[::-1]


def _soft_clip(sums: _Wide) -> int:
    """Bend what is above the ceiling into the headroom; return how many samples that were.

    Nothing reaches the end of the scale, and what is below the ceiling stays as it is.
    """
    over = np.abs(sums) - np.float32(_CEILING)
    # One step of 16 bit: the limiter aims at the ceiling itself, within float32's rounding.
    loud = over > 1.0
    bent = _CEILING + _HEADROOM * np.tanh(over[loud] / _HEADROOM)
    sums[loud] = np.copysign(bent, sums[loud])
    return int(np.count_nonzero(loud))
