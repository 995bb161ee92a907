"""A linear echo canceller: it learns the way from the loudspeaker to the microphone.

The partitioned-block Kalman filter in the frequency domain (Enzner and Vary, "Frequency-
domain adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal
Processing 86, 2006; with partitions Kuech, Mabande and Enzner, ICASSP 2014). It keeps, for
each frequency and each 10 ms of the way, an estimate and how far to trust it, so it stops
learning by itself while the near voice speaks. It adds no delay, and without an echo it
changes nothing; with both voices at once it only subtracts, so the near one stays whole.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import BLOCK_SAMPLES

Block = NDArray[np.float32]
Spectrum = NDArray[np.float32]
_Complex = NDArray[np.complex64]

BINS: Final = BLOCK_SAMPLES + 1
# 240 ms: the cards' buffers (some 40 ms), and 200 ms of the room.
PARTS: Final = 24
# The way changes: a hand before the box, a chair. A block keeps this share of what it knew.
_KEPT: Final = 0.9998
# And so much of the average part's gain may come up in any other one: a card that lost
# samples moves the whole way.
_MOVES: Final = 0.3
# What it makes louder by a tenth for a fifth of a second it has learned wrongly: the way
# is another one. A near voice does not do that, whatever it says.
_LOUDER: Final = 1.1
_LATELY: Final = 0.05
# Before anything is known: a way that loses 17 dB at first and 0.4 dB more each 10 ms.
_UNKNOWN: Final = 0.02
_FADING: Final = 0.1
# The near sound's spectrum is averaged over five blocks, the length of a vowel's onset.
_SMOOTH: Final = 0.8
# Half of each transform is the block before, so half of the energy counts.
_OVERLAP: Final = 0.5
# One step of 16 bits in each sample: below that there is nothing to learn from.
_LEAST: Final = float(BLOCK_SAMPLES)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What is left of a block, and the energy of echo expected in it, for each frequency."""

    left: Block
    residue: Spectrum


class AdaptiveFilter:
    """Subtracts the echo of what was played from what was heard, block by block. Pure."""

    def __init__(self, parts: int = PARTS) -> None:
        """``parts``: how many blocks of 10 ms the way to learn is long."""
        self._played: _Complex = np.zeros((parts, BINS), np.complex64)
        self._way: _Complex = np.zeros((parts, BINS), np.complex64)
        self._doubt: NDArray[np.float32] = np.zeros((parts, BINS), np.float32)
        self._forget()
        self._level_heard = self._level_left = 0.0
        self._near = np.zeros(BINS, np.float32)
        self._before = np.zeros(BLOCK_SAMPLES, np.float32)
        self._silent = parts

    def cancel(self, heard: Block, played: Block) -> Cancelled:
        """Take a block of the microphone and one of the loudspeaker, 480 samples each."""
        if not self._note(played):
            return Cancelled(heard, np.zeros(BINS, np.float32))
        self._age()
        power = self._played.real**2 + self._played.imag**2
        echo = np.fft.irfft((self._way * self._played).sum(axis=0))[BLOCK_SAMPLES:]
        left = heard - echo.astype(np.float32)
        if self._is_worse_than_nothing(heard, left):
            self._forget()
            left = heard
        error = np.fft.rfft(np.concatenate((np.zeros_like(left), left))).astype(np.complex64)
        residue: Spectrum = _OVERLAP * (self._doubt * power).sum(axis=0)
        self._near += (1 - _SMOOTH) * (error.real**2 + error.imag**2 - self._near)
        self._learn(error, power, residue + self._near + _LEAST)
        return Cancelled(left, residue)

    def _note(self, played: Block) -> bool:
        """Remember what is played; false when there is nothing left of it to hear."""
        self._silent = 0 if played.any() else self._silent + 1
        sounds = self._silent <= len(self._played)
        if sounds:
            self._played[1:] = self._played[:-1]
            self._played[0] = np.fft.rfft(np.concatenate((self._before, played)))
        self._before = played
        return sounds

    def _forget(self) -> None:
        fading = np.exp(-_FADING * np.arange(len(self._way)))
        self._doubt[:] = _UNKNOWN * fading[:, None]
        self._way[:] = 0

    def _is_worse_than_nothing(self, heard: Block, left: Block) -> bool:
        self._level_heard += _LATELY * (float(heard @ heard) - self._level_heard)
        self._level_left += _LATELY * (float(left @ left) - self._level_left)
        worse = self._level_left > _LOUDER**2 * self._level_heard + _LEAST
        if worse:
            self._level_left = self._level_heard
        return worse

    def _age(self) -> None:
        """Doubt more with time: each part may change, and sound may come in another one."""
        gain = self._way.real**2 + self._way.imag**2
        self._doubt *= _KEPT**2
        self._doubt += (1 - _KEPT**2) * (gain + _MOVES * gain.mean(axis=0))

    def _learn(self, error: _Complex, power: Spectrum, total: Spectrum) -> None:
        gain = self._doubt / total
        step = np.fft.irfft(gain * self._played.conj() * error, axis=1)
        # A way of 10 ms has 480 samples; the rest is the transform going round in circles.
        step[:, BLOCK_SAMPLES:] = 0
        self._way += np.fft.rfft(step, axis=1).astype(np.complex64)
        self._doubt *= 1 - _OVERLAP * gain * power
