"""A linear echo canceller: it learns the way from the loudspeaker to the microphone.

Two estimates of the same way. The steady one makes what leaves: it takes the way for one
that never changes, so it gets surer with each second and a near voice hardly moves it. The
nimble one takes it for one that changes all the time. Whenever it has shown for a while that
it does better, the steady one takes over what it knows: a chair was moved, or a hand. With
both voices at once neither does better, so nothing is taken over (the idea of two paths:
Ochiai, Araseki and Ogihara, IEEE Trans. Communications 25, 1977).

It adds no delay, and it only subtracts, so the near voice stays whole.
"""

from collections import deque
from typing import Final

import numpy as np

from device.audio.estimate import (
    BINS,
    PART_SAMPLES,
    PARTS,
    TURNS,
    Block,
    Estimate,
    Pace,
    Spectra,
)
from device.audio.ports import BLOCK_SAMPLES

_STEADY: Final = Pace()
# Of four blocks one, which is enough for the one that nobody hears.
_NIMBLE: Final = Pace(kept=0.9995, every=4, share=1.4)
# What it makes louder by 2 dB for a fifth of a second it has learned wrongly: the way is
# another one (of two that have nothing in common, 3). A near voice does not do that.
_LOUDER: Final = 1.3
_LATELY: Final = 0.05
# The two are compared over a third of a second...
_COMPARED: Final = 0.12
# ...and one takes over where the other leaves 1 dB less, or is led back where it leaves 2 dB
# more. Less is chance: while both talk they differ by hundredths of that.
_BETTER: Final = 1.26
_WORSE: Final = 1.6
# Both below eight steps of 16 bits: as good as each other.
_ALIKE: Final = 64.0 * BLOCK_SAMPLES
_LEAST: Final = float(BLOCK_SAMPLES)


class AdaptiveFilter:
    """Subtracts the echo of what was played from what was heard, block by block. Pure."""

    def __init__(self, parts: int = PARTS) -> None:
        """``parts``: how many times 40 ms the way to learn is long."""
        self._parts = parts
        self._steady = Estimate(parts, _STEADY)
        self._nimble = Estimate(parts, _NIMBLE)
        lengths = (parts - 1) * TURNS + 1
        quiet: Spectra = np.zeros(BINS, np.complex64)
        self._played: deque[Spectra] = deque([quiet] * lengths, lengths)
        self._sound = np.zeros(2 * PART_SAMPLES, np.float32)
        self._heard = np.zeros(PART_SAMPLES, np.float32)
        self._before = self._after = 0.0
        self._steady_left = self._nimble_left = 0.0
        # Until then the oldest transform has some of the last sound in it.
        self._silent = self._longest = (parts + 1) * TURNS
        self._turn = 0

    def cancel(self, heard: Block, *played: Block) -> Block:
        """Take a block of 480 samples of the microphone and what was played since the last one.

        That is one block, or none that is there yet, or some that had waited: then what is
        known of the way moves along, by as many blocks as there are too few or too many.
        """
        _push(self._heard, heard)
        if len(played) != 1:
            for each in (self._steady, self._nimble):
                each.move((len(played) - 1) * BLOCK_SAMPLES)
        for block in played:
            self._note(block)
        if self._silent > self._longest:
            return heard
        spectra = np.stack([self._played[at] for at in range(0, len(self._played), TURNS)])
        left = self._steady.left(self._heard, spectra)
        if self._is_worse_than_nothing(heard, left[-BLOCK_SAMPLES:]):
            self._steady.forget()
            self._nimble.forget()
            left = self._heard.copy()
        power = spectra.real**2 + spectra.imag**2
        self._turn = (self._turn + 1) % _NIMBLE.every
        if self._turn == 0:
            other = self._nimble.left(self._heard, spectra)
            left, other = self._settle(left, other)
            self._nimble.learn(other, spectra, power)
        self._steady.learn(left, spectra, power)
        return left[-BLOCK_SAMPLES:]

    def _note(self, played: Block) -> None:
        """Remember what is played, until there is nothing left of it to hear."""
        self._silent = 0 if played.any() else self._silent + 1
        _push(self._sound, played)
        if self._silent <= self._longest:
            self._played.appendleft(np.fft.rfft(self._sound).astype(np.complex64))

    def _is_worse_than_nothing(self, heard: Block, left: Block) -> bool:
        self._before += _LATELY * (float(heard @ heard) - self._before)
        self._after += _LATELY * (float(left @ left) - self._after)
        worse = self._after > _LOUDER**2 * self._before + _LEAST
        if worse:
            self._after = self._before
        return worse

    def _settle(self, left: Block, other: Block) -> tuple[Block, Block]:
        """Compare what the two left; one takes over from the other where it is clear."""
        last, lately = left[-BLOCK_SAMPLES:], other[-BLOCK_SAMPLES:]
        self._steady_left += _COMPARED * (float(last @ last) - self._steady_left)
        self._nimble_left += _COMPARED * (float(lately @ lately) - self._nimble_left)
        if self._steady_left > _BETTER * self._nimble_left + _ALIKE:
            self._steady.take(self._nimble)
            self._steady_left = self._nimble_left
            return other, other
        if self._nimble_left > _WORSE * self._steady_left + _ALIKE:
            self._nimble.take(self._steady)
            self._nimble_left = self._steady_left
            return left, left
        return left, other


def _push(sound: Block, block: Block) -> None:
    """Move a sound on by a block."""
    sound[: -len(block)] = sound[len(block) :]
    sound[-len(block) :] = block
