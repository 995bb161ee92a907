"""Whether a sound that is known can be found in a recording: a matched filter.

A prompt that got into a microphone would be in what others hear: late, softer, coloured by a
room and a codec. What is left of it still is alike the prompt at one moment. How alike a
recording is to a prompt at its most alike moment is its trace: 1.0 for the prompt itself.
Speech is alike to any prompt to some degree, so a trace says something only beside the traces
of sounds that were never played.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import resample_poly

from stagebox.media.frames import SAMPLE_RATE, Pcm

Float = NDArray[np.float64]

# All that a voice or an earcon is lies below 8 kHz.
RATE: Final = 16_000
# A recording this quiet counts as if it were not: a codec's rounding is no sound.
FLOOR: Final = 8.0


# A recording is looked through in blocks of 8 s, and a prompt is looked for by 4 s at most.
_BLOCK: Final = 1 << 17
_STEP: Final = _BLOCK // 2


@dataclass(frozen=True)
class Sound:
    """A recording or a prompt at ``RATE``, tilted so that no band of its spectrum decides alone."""

    pcm: Float

    @classmethod
    def of(cls, pcm: Pcm) -> "Sound":
        """Return a sound of 48 kHz."""
        return cls(np.diff(resample_poly(pcm.astype(float), RATE, SAMPLE_RATE), prepend=0.0))

    @property
    def seconds(self) -> float:
        return self.pcm.size / RATE

    def without(self, stretches: list[tuple[float, float]]) -> "Sound":
        """Return it with silence in these stretches, in seconds."""
        pcm = self.pcm.copy()
        for begin, end in stretches:
            pcm[_sample(begin) : _sample(end)] = 0.0
        return Sound(pcm)

    def between(self, begin: float, end: float) -> "Sound":
        """Return a part of it, in seconds."""
        return Sound(self.pcm[_sample(begin) : _sample(end)])

    @cached_property
    def blocks(self) -> NDArray[np.complex64]:
        """The spectra of overlapping blocks."""
        count = self.pcm.size // _STEP + 1
        padded = np.pad(self.pcm, (0, (count + 1) * _STEP - self.pcm.size)).astype(np.float32)
        return np.stack([rfft(padded[n * _STEP : n * _STEP + _BLOCK]) for n in range(count)])

    @cached_property
    def energy(self) -> Float:
        return np.concatenate(([0.0], np.cumsum(self.pcm**2)))


@dataclass(frozen=True, slots=True)
class Trace:
    """How alike at the most, 0 to 1, at which second that begins, how loud the prompt is there.

    ``level``: relative to how loud it was as it was given.
    """

    alike: float
    at: float
    level: float = 0.0


def trace(prompt: Sound, recording: Sound) -> Trace:
    """Return what there is of a prompt in a recording."""
    wanted = prompt.pcm[:_STEP].astype(np.float32)
    if recording.pcm.size < wanted.size:
        return Trace(0.0, 0.0)
    product = irfft(recording.blocks * np.conj(rfft(wanted, _BLOCK)), axis=1)[:, :_STEP]
    fitting = recording.pcm.size - wanted.size + 1
    heard = recording.energy[wanted.size :] - recording.energy[: -wanted.size]
    scale = np.sqrt(np.maximum(heard, wanted.size * FLOOR**2)) * np.linalg.norm(wanted)
    alike = np.abs(product.ravel()[:fitting]) / scale
    best = int(np.argmax(alike))
    level = float(np.abs(product.ravel()[best]) / np.sum(wanted**2))
    return Trace(float(alike[best]), best / RATE, level)


def _sample(second: float) -> int:
    return max(0, round(second * RATE))
