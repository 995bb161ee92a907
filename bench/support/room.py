"""A room on paper: how a box's loudspeaker and a talker reach the box's microphone.

Impulse responses by the image-source method in a shoebox room (Allen and Berkley,
"Image method for efficiently simulating small-room acoustics", JASA 65(4), 1979): each
wall mirrors the source, and each image arrives late by its distance and weaker by its
distance and by the walls that it crossed. One reflection factor for all walls follows
from the reverberation time by Eyring's formula. Directions, frequencies and furniture are
left out, which makes the echo harder to cancel than a real one of the same RT60, not
easier: nothing but distance weakens its high tones.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import SAMPLE_RATE, Pcm

Samples = NDArray[np.float64]
Point = tuple[float, float, float]

SOUND_M_PER_S: Final = 343.0
# An arrival lies between two samples; it is put into the nearest sixteenth of one.
_FINE: Final = 16
# Half the width, in samples, of the windowed sinc that goes back to whole samples.
_HALF_SINC: Final = 20
_FULL_SCALE: Final = 32_767.0
_EYRING: Final = 24 * np.log(10) / SOUND_M_PER_S  # 0.161 s/m


@dataclass(frozen=True, slots=True)
class Room:
    """A room in metres, ``rt60_s`` seconds to fade by 60 dB; ``spread_m`` of loudspeaker and mic.

    The box stands on a table off the middle of the room; the talker sits before it.
    """

    size: Point = (4.2, 3.4, 2.6)
    rt60_s: float = 0.4
    box: Point = (1.7, 1.3, 0.8)
    spread_m: float = 0.15
    talker_m: float = 0.5

    def echo_path(self) -> Samples:
        """From the loudspeaker to the microphone; 1.0 is the direct sound at one metre."""
        return self._response((self.box[0] + self.spread_m, self.box[1], self.box[2]))

    def talker_path(self) -> Samples:
        """From the talker's mouth, above the table, to the microphone."""
        aside = self.talker_m * np.sqrt(0.5)
        return self._response((self.box[0], self.box[1] + aside, self.box[2] + aside))

    def _response(self, source: Point) -> Samples:
        length = round(self.rt60_s * SAMPLE_RATE)
        delays, gains = _images(self.size, source, self.box, self._reflection(), length)
        places = np.rint(delays * _FINE).astype(int)
        fine = np.bincount(places, weights=gains, minlength=length * _FINE).astype(np.float64)
        return _decimated(fine)[:length]

    def _reflection(self) -> float:
        """The share of a wave's pressure that a wall gives back."""
        x, y, z = self.size
        surface = 2 * (x * y + y * z + x * z)
        absorbed = 1 - np.exp(-_EYRING * x * y * z / (surface * self.rt60_s))
        return float(np.sqrt(1 - absorbed))


def _images(
    size: Point, source: Point, ear: Point, reflection: float, length: int
) -> tuple[Samples, Samples]:
    """Return delays in samples and gains of all images that arrive within ``length`` samples."""
    reach = length / SAMPLE_RATE * SOUND_M_PER_S
    axes = [_axis(*each, reach) for each in zip(size, source, ear, strict=True)]
    away = np.sqrt(
        axes[0][0][:, None, None] ** 2 + axes[1][0][:, None] ** 2 + axes[2][0] ** 2
    ).ravel()
    walls = (axes[0][1][:, None, None] + axes[1][1][:, None] + axes[2][1]).ravel()
    near = away < reach
    return away[near] / SOUND_M_PER_S * SAMPLE_RATE, reflection ** walls[near] / away[near]


def _axis(
    size: float, source: float, ear: float, reach: float
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """Return distances along one axis of all images, and how many walls each crossed."""
    most = int(np.ceil(reach / (2 * size))) + 1
    n = np.arange(-most, most + 1)
    straight, mirrored = 2 * n * size + source - ear, 2 * n * size - source - ear
    return np.concatenate((straight, mirrored)), np.concatenate((np.abs(2 * n), np.abs(2 * n - 1)))


def _decimated(fine: Samples) -> Samples:
    """Go from sixteenths of samples to samples, through a sinc under a Hann window."""
    off = np.arange(-_HALF_SINC * _FINE, _HALF_SINC * _FINE + 1) / _FINE
    sinc = np.sinc(off) * (0.5 + 0.5 * np.cos(np.pi * off / _HALF_SINC))
    return through(sinc, np.concatenate((fine, np.zeros(sinc.size))))[_HALF_SINC * _FINE :: _FINE]


@dataclass(frozen=True, slots=True)
class Loudspeaker:
    """A small loudspeaker: nothing below ``lowest_hz``, and bent near ``full`` (1.0: full scale).

    ``drift_ppm``: how much faster its clock runs than the microphone's.
    """

    lowest_hz: float = 250.0
    full: float | None = None
    drift_ppm: float = 0.0

    def sounds(self, pcm: Pcm) -> Samples:
        """Return the sound before its cone, as int16 figures, by the microphone's clock."""
        loud = pcm / _FULL_SCALE
        if self.drift_ppm:
            step = 1 + self.drift_ppm * 1e-6
            loud = np.interp(np.arange(loud.size) * step, np.arange(loud.size), loud)
        loud = _high_pass(loud, self.lowest_hz)
        if self.full is not None:
            loud = self.full * np.tanh(loud / self.full)
        return loud * _FULL_SCALE


def _high_pass(loud: Samples, corner_hz: float) -> Samples:
    """Second-order Butterworth: the fall of a closed box."""
    from scipy.signal import butter, sosfilt  # noqa: PLC0415 - with the benchmarks' extras

    filtered: Samples = sosfilt(butter(2, corner_hz, "high", fs=SAMPLE_RATE, output="sos"), loud)
    return filtered


def through(path: Samples, sound: NDArray[np.float64] | Pcm) -> Samples:
    """Return a sound after a path, as long as it was."""
    size = 1 << int(np.ceil(np.log2(path.size + sound.size)))
    spectrum = np.fft.rfft(path, size) * np.fft.rfft(sound.astype(float), size)
    return np.fft.irfft(spectrum, size)[: sound.size]
