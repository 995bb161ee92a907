"""Takes known tones out of speech: a narrow gap in the spectrum while they sound.

A room and a loudspeaker delay a tone, change its level and let it ring, but leave it where
it is in the spectrum. So nothing about the room needs to be known or learnt, and speech,
which has little in so narrow a band, passes. The filter has minimum phase: it adds no delay.
Designed by way of the real cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing,
chapter on the complex cepstrum).
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE

Float = NDArray[np.float64]

# A tone at the level of speech is then below the noise of a quiet room.
DEPTH_DB: Final = 60.0
# A smooth tone of 60 ms has all but a thousandth of its amplitude within 40 Hz.
HALF_WIDTH_HZ: Final = 60.0
# From full depth to none on either side: steeper would ring longer than the filter is.
SLOPE_HZ: Final = 90.0
# 43 ms: the ringing of such slopes has died away.
TAPS: Final = 2_048
# Between filtered and not: too short to hear, too long to click.
FADE: Final = SAMPLE_RATE // 200

_DESIGN: Final = 1 << 14


class Notch:
    """A stream of frames, filtered while ``tones`` are set. Pure."""

    def __init__(self) -> None:
        self._past = np.zeros(TAPS - 1)
        self._wet = 0.0
        self.tones: tuple[float, ...] = ()
        self._last: tuple[float, ...] = ()

    def reset(self) -> None:
        """Forget what came before: a new burst begins."""
        self._past = np.zeros(TAPS - 1)
        self._wet = 0.0

    def apply(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the next frame without the tones; the same samples where there are none."""
        field = np.concatenate([self._past, pcm])
        self._past = field[pcm.size :]
        goal = float(bool(self.tones))
        if self._wet == goal == 0.0:
            return pcm
        self._last = self.tones or self._last
        share = np.full(pcm.size, goal)
        share[:FADE] = np.linspace(self._wet, goal, FADE)
        self._wet = goal
        mixed = pcm + share * (self._filtered(field, pcm.size) - pcm)
        filtered: NDArray[np.int16] = np.clip(np.rint(mixed), -32_768, 32_767).astype(np.int16)
        return filtered

    def _filtered(self, field: Float, samples: int) -> Float:
        # Circular: what wraps around falls on the past, which is not returned.
        size = 1 << (field.size - 1).bit_length()
        product = np.fft.rfft(field, size) * np.fft.rfft(design(self._last), size)
        return np.fft.irfft(product, size)[TAPS - 1 : TAPS - 1 + samples]


@lru_cache(maxsize=16)
def design(tones: tuple[float, ...]) -> Float:
    """Return the taps of a filter of minimum phase with a gap around each frequency (Hz)."""
    frequencies = np.fft.rfftfreq(_DESIGN, 1 / SAMPLE_RATE)
    depth = np.zeros(frequencies.size)
    for hz in tones:
        beyond = np.clip((np.abs(frequencies - hz) - HALF_WIDTH_HZ) / SLOPE_HZ, 0.0, 1.0)
        depth = np.maximum(depth, (1 + np.cos(np.pi * beyond)) / 2)
    cepstrum = np.fft.irfft(-DEPTH_DB * depth * np.log(10) / 20, _DESIGN)
    fold = np.zeros(_DESIGN)
    fold[0] = fold[_DESIGN // 2] = 1.0
    fold[1 : _DESIGN // 2] = 2.0
    taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum * fold)), _DESIGN)[:TAPS]
    taps[-FADE:] *= np.linspace(1.0, 0.0, FADE)
    return taps
