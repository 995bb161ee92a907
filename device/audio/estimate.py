"""What is known of the way from a loudspeaker to a microphone, learned from what was heard.

The partitioned-block Kalman filter in the frequency domain (Enzner and Vary, "Frequency-
domain adaptive Kalman filter for acoustic echo control in hands-free telephones", Signal
Processing 86, 2006; with partitions Kuech, Mabande and Enzner, ICASSP 2014), on blocks that
overlap: for each frequency of each 40 ms of the way a gain, and how far to doubt it. Long
blocks tell neighbouring tones apart, so a near voice disturbs only what is at its own tones;
and each block is learned from with soft edges, for a hard one is a click at all tones.
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
# Half of each transform is the part before, so half of the energy counts.
_OVERLAP: Final = 0.5
# Of what a step seems to have learned so much was learned: the rest is thrown away again, as
# the transform going round in circles, or was known from the same samples or the next tone.
# With twice as much the doubt is gone from the low tones before the echo is.
_LEARNED: Final = 0.17
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
# and the rest may wait.
_HELD: Final = 2
# 2 ms of soft edge at both ends of what is learned from; more lose too much of the block.
_EDGE: Final = PART_SAMPLES // 20


def _edges() -> Block:
    """Return the weight of each sample of a block that is learned from."""
    weight = np.ones(PART_SAMPLES, np.float32)
    ramp = np.sin(np.pi / 2 * (np.arange(_EDGE) + 0.5) / _EDGE) ** 2
    weight[:_EDGE], weight[-_EDGE:] = ramp, ramp[::-1]
    return weight


_EDGES: Final = _edges()


@dataclass(frozen=True, slots=True)
class Pace:
    """How an estimate learns: on each ``every``-th block, and what of it holds a block later.

    ``kept`` 1.0: the way never changes, and each second of sound makes it surer. ``share``:
    of one step; a block of 10 ms is in four of them, so with less than one each still all of
    it is learned. More is quicker, and learns more of the near voice.
    """

    kept: float = 1.0
    every: int = 1
    share: float = 0.6


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

    def move(self, samples: int) -> None:
        """Know the same of a way that is longer by so many samples, or shorter."""
        way = np.fft.irfft(self._way, axis=1)[:, :PART_SAMPLES].ravel()
        moved = np.zeros((len(self._way), 2 * PART_SAMPLES))
        moved[:, :PART_SAMPLES] = _shifted(way, samples).reshape(-1, PART_SAMPLES)
        self._way[:] = np.fft.rfft(moved)

    def left(self, heard: Block, played: Spectra) -> Block:
        """Return 40 ms of the microphone without their echo. ``played``: one row for each part."""
        echo = np.fft.irfft((self._way * played).sum(axis=0))[PART_SAMPLES:]
        return heard - echo.astype(np.float32)

    def learn(self, left: Block, played: Spectra, power: _Real) -> None:
        """Learn from what ``left`` returned; ``power``: the energy of what was played."""
        self._age()
        soft = np.concatenate((np.zeros_like(left), left * _EDGES))
        error = np.fft.rfft(soft).astype(np.complex64)
        smooth = _SMOOTH**self._pace.every
        self._near += (1 - smooth) * (error.real**2 + error.imag**2 - self._near)
        learned = self._doubt * power
        residue = _OVERLAP * learned.sum(axis=0)
        step = self._pace.share / (residue + self._near + _LEAST)
        self._way += self._doubt * played.conj() * (step * error)
        learned *= _LEARNED * step
        self._doubt *= 1 - learned
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


def _shifted(sound: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    """Return a sound that comes ``by`` samples later, and is as long; before 0 is no sound."""
    by = max(-sound.size, min(by, sound.size))
    silence = np.zeros(abs(by))
    if by < 0:
        return np.concatenate((sound[-by:], silence))
    return np.concatenate((silence, sound[: sound.size - by]))
