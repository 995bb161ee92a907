"""What a linear canceller leaves of the echo is made quiet, where it is more than the voice.

A Wiener gain for each frequency, from the energy of echo that the adaptive filter expects
to be left, with Ephraim and Malah's decision-directed estimate (IEEE Trans. ASSP 32, 1984),
which keeps single tones from twinkling. Windows of 20 ms overlap by half, so that what
comes out is 10 ms late; where no echo is expected it is otherwise what went in.
"""

from typing import Final

import numpy as np

from device.audio.adaptive import BINS, Block, Spectrum
from device.audio.ports import BLOCK_SAMPLES

DELAY_S: Final = 0.010
# Doubt is an average; half as much again covers most of what comes.
_CAUTION: Final = 1.5
# Never to nothing: 24 dB down, the far end still hears that the line is alive.
_FLOOR: Final = 0.06
_SMOOTH: Final = 0.6
# What the filter does not reach of the room's ring fades by 60 dB within 0.4 s.
_RING: Final = 0.7
_LEAST: Final = 1e-3
_WINDOW: Final = np.sqrt(np.hanning(2 * BLOCK_SAMPLES + 1)[:-1]).astype(np.float32)


class ResidueSuppressor:
    """Works block by block. Pure."""

    def __init__(self) -> None:
        self._before = np.zeros(BLOCK_SAMPLES, np.float32)
        self._tail = np.zeros(BLOCK_SAMPLES, np.float32)
        self._voice = np.ones(BINS, np.float32)
        self._residue = np.zeros(BINS, np.float32)

    def clean(self, left: Block, residue: Spectrum) -> Block:
        """Return the block before this one, without the echo that was left in it."""
        spectrum = np.fft.rfft(np.concatenate((self._before, left)) * _WINDOW)
        self._before = left
        energy = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        spectrum *= self._gain(energy, residue)
        sound = np.fft.irfft(spectrum) * _WINDOW
        out = (sound[:BLOCK_SAMPLES] + self._tail).astype(np.float32)
        self._tail = sound[BLOCK_SAMPLES:].astype(np.float32)
        return out

    def _gain(self, energy: Spectrum, residue: Spectrum) -> Spectrum:
        self._residue = np.maximum(residue, _RING * self._residue)
        over = energy / (_CAUTION * self._residue + _LEAST)
        voice = _SMOOTH * self._voice + (1 - _SMOOTH) * np.maximum(over - 1, 0)
        gain: Spectrum = np.maximum(voice / (1 + voice), _FLOOR)
        self._voice = gain**2 * over
        return gain
