"""What a synthesiser's answer becomes before the box plays it, and what is kept of it."""

import struct
from collections import OrderedDict
from typing import Final

import numpy as np

from device.audio.ports import SAMPLE_RATE
from stagebox.media.frames import Pcm

# A voice at this peak is some 3 dB over speech at its usual -20 dBFS: it is understood over a
# ducked programme, and startles nobody.
PEAK_DBFS: Final = -9.0
# A minute of speech at 48 kHz is 5.8 MB: every phrase that has no name in it, and room for
# the names of an evening.
MAX_SAMPLES: Final = 60 * SAMPLE_RATE
# Nothing that a box says lasts this long; a synthesiser that sends more is broken.
MAX_PHRASE_S: Final = 15.0
# Below this it is breath and rounding: it is cut off at both ends.
_SILENT: Final = 64
_HEADER: Final = 44


class SpeechFormatError(ValueError):
    """The synthesiser's answer is not what was asked for; the text says what is wrong."""


def phrase(wav: bytes) -> Pcm:
    """Return a WAV stream of 16-bit mono as samples at 48 kHz, levelled, without its silence.

    The length in the header is not believed: a program that writes to a pipe cannot know it.

    Raises:
        SpeechFormatError: no such stream, or nothing is said in it.
    """
    if len(wav) < _HEADER or wav[:4] != b"RIFF" or wav[8:16] != b"WAVEfmt ":
        raise SpeechFormatError("the answer is no WAV stream")
    coding, channels, rate = struct.unpack_from("<HHI", wav, 20)
    (bits,) = struct.unpack_from("<H", wav, 34)
    if (coding, channels, bits) != (1, 1, 16) or not 8_000 <= rate <= SAMPLE_RATE:
        raise SpeechFormatError(f"{channels} channels of {bits} bits at {rate} Hz cannot be played")
    data = wav[_HEADER : _HEADER + 2 * round(MAX_PHRASE_S * rate)]
    said = np.frombuffer(data[: len(data) // 2 * 2], np.int16)
    loud = np.flatnonzero(np.abs(said.astype(np.int32)) > _SILENT)
    if not len(loud):
        raise SpeechFormatError("nothing is said in the answer")
    return _levelled(_resampled(said[loud[0] : loud[-1] + 1], rate))


def _resampled(pcm: Pcm, rate: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Resample by the spectrum: exact for a whole phrase, which begins and ends in silence."""
    count = round(len(pcm) * SAMPLE_RATE / rate)
    spectrum = np.fft.rfft(pcm.astype(np.float64))
    resampled: np.ndarray[tuple[int], np.dtype[np.float64]] = np.fft.irfft(spectrum, count)
    return resampled


def _levelled(pcm: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Pcm:
    gain = 10 ** (PEAK_DBFS / 20) * 32767 / np.abs(pcm).max()
    levelled: Pcm = np.rint(pcm * gain).astype(np.int16)
    return levelled


class Kept:
    """The phrases that were said lately, by their words. The longest unsaid gives way."""

    def __init__(self, limit: int = MAX_SAMPLES) -> None:
        self._limit = limit
        self._samples = 0
        self._phrases: OrderedDict[str, Pcm] = OrderedDict()

    def get(self, text: str) -> Pcm | None:
        """Return a phrase that was kept."""
        pcm = self._phrases.get(text)
        if pcm is not None:
            self._phrases.move_to_end(text)
        return pcm

    def put(self, text: str, pcm: Pcm) -> None:
        """Keep a phrase, and within the limit."""
        old = self._phrases.pop(text, None)
        self._samples += len(pcm) - (0 if old is None else len(old))
        self._phrases[text] = pcm
        while self._samples > self._limit:
            _, gone = self._phrases.popitem(last=False)
            self._samples -= len(gone)
