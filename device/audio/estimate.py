"""What is known of the way from a loudspeaker to a microphone, learned from what was heard.

The partitioned-block Kalman filter in the frequency domain (Enzner and Vary, "Frequency-
domain adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal
Processing 86, 2006; with partitions Kuech, Mabande and Enzner, ICASSP 2014), on blocks that
overlap: for each frequency of each 40 ms of the way a gain, and how far to doubt it. Long
blocks tell neighbouring tones apart, so a near voice disturbs only what is at its own tones.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import BLOCK_SAMPLES

Block = NDArray[np.float32]
Spectra = NDArray[np.complex64]
_Real = NDArray[np.float32]

# Each transform moves on by a block of 10 ms, so each sample is learned from four times.
TURNS: Final = 4
PART_SAMPLES: Final = TURNS * BLOCK_SAMPLES
BINS: Final = PART_SAMPLES + 1
# 480 ms: the cards' buffers (some 40 ms), and a room that rings for half a second.
PARTS: Final = 12
# Each time counts for half: a fourth is slow at the start, and the whole learns the near
# voice (both talk, small room: PESQ-WB 4.18 with a half, 4.08 with a fourth, 4.10 with all).
_SHARE: Final = 0.5
# Half of each transform is the part before, so half of the energy counts; and a part of what
# is learned in one step is thrown away again, as the transform going round in circles.
_OVERLAP: Final = 0.5
_LEARNED: Final = 0.33
# The near sound's spectrum is averaged over five blocks, the length of a vowel's onset.
_SMOOTH: Final = 0.8
# One step of 16 bits in each sample: below that there is nothing to learn from.
_LEAST: Final = float(PART_SAMPLES)
# Before anything is known: a way that loses 5 dB at first and 1.7 dB more each 40 ms.
_UNKNOWN: Final = 0.3
_FADING: Final = 0.4
# So much of the average part's gain may come up in any other one: a card that lost samples
# moves the whole way.
_MOVES: Final = 0.3
# So many parts each turn are held to their length; all of them would be most of the work,
# and the rest waits for 20 ms at the most.
_HELD: Final = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How an estimate learns: on each ``every``-th block, and what of it holds a block later.

    ``kept`` 1.0: the way never changes, and each second of sound makes it surer.
    """

    kept: float = 1.0
    every: int = 1


class Estimate:
    """One estimate of the way, in ``parts`` of 40 ms. Pure."""

    def __init__(self, parts: int, pace: Pace) -> None:
        self._pace = pace
        self._way: Spectra = np.zeros((parts, BINS), np.complex64)
        self._doubt: _Real = np.zeros((parts, BINS), np.float32)
        self._near: _Real = np.zeros(BINS, np.float32)
        self._held = 0
        self.forget()

    def forget(self) -> None:
        """Know nothing."""
        fading = np.exp(-_FADING * np.arange(len(self._way)))
        self._doubt[:] = _UNKNOWN * fading[:, None]
        self._way[:] = 0

    def take(self, other: "Estimate") -> None:
        """Know what the other one knows."""
        self._way[:] = other._way  # noqa: SLF001 - of its own kind
        self._doubt[:] = other._doubt  # noqa: SLF001
        self._near[:] = other._near  # noqa: SLF001

    def left(self, heard: Block, played: Spectra) -> Block:
        """Return 40 ms of the microphone without their echo. ``played``: one row for each part."""
        echo = np.fft.irfft((self._way * played).sum(axis=0))[PART_SAMPLES:]
        return heard - echo.astype(np.float32)

    def learn(self, left: Block, played: Spectra, power: _Real) -> None:
        """Learn from what ``left`` returned; ``power``: the energy of what was played."""
        self._age()
        error = np.fft.rfft(np.concatenate((np.zeros_like(left), left))).astype(np.complex64)
        smooth = _SMOOTH**self._pace.every
        self._near += (1 - smooth) * (error.real**2 + error.imag**2 - self._near)
        residue = _OVERLAP * (self._doubt * power).sum(axis=0)
        gain = self._doubt * (self._pace.every * _SHARE / (residue + self._near + _LEAST))
        self._way += gain * (played.conj() * error)
        self._doubt *= 1 - _LEARNED * gain * power
        self._hold()

    def _age(self) -> None:
        """Doubt more with time: each part may change, and sound may come in another one."""
        kept = self._pace.kept ** (2 * self._pace.every)
        if kept < 1:
            gain = self._way.real**2 + self._way.imag**2
            self._doubt *= kept
            self._doubt += (1 - kept) * (gain + _MOVES * gain.mean(axis=0))

    def _hold(self) -> None:
        """Take from some of the parts what is longer than a part: a circle, and no way."""
        parts = len(self._way)
        turn = np.arange(self._held, self._held + min(_HELD, parts)) % parts
        self._held = (self._held + _HELD) % parts
        way = np.fft.irfft(self._way[turn], axis=1)
        way[:, PART_SAMPLES:] = 0
        self._way[turn] = np.fft.rfft(way, axis=1)
