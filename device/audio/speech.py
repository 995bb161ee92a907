"""What a spoken phrase becomes before the box plays it, and what is kept of them.

Whoever spoke it, a synthesiser or a person into a file: a phrase is read from a WAV stream,
freed of the silence around it, converted to 48 kHz and brought to one level. Conversion goes
by the spectrum of one short piece after the other, so that whoever must not be kept waiting
can do something else in between.
"""

import struct
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from stagebox.media.frames import Pcm

Float = NDArray[np.float64]

# A voice at this peak is some 3 dB over speech at its usual -20 dBFS: it is understood over a
# ducked programme, and startles nobody.
PEAK_DBFS: Final = -9.0
# A minute of speech at 48 kHz is 5.8 MB: what a box says on most evenings, and room for the
# names of one.
MAX_SAMPLES: Final = 90 * SAMPLE_RATE
# Nothing that a box says lasts this long; a synthesiser that sends more is broken.
MAX_PHRASE_S: Final = 15.0
# What recorders and synthesisers write; each fits into 48 kHz by a small fraction.
RATES: Final = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
# Below this it is breath and rounding: it is cut off at both ends.
_SILENT: Final = 64
# Between two recorded parts of one sentence: a speaker's shortest pause.
_JOIN_S: Final = 0.06
# A piece of 0.1 s is converted in well under a millisecond on a small computer.
_PIECE_S: Final = 0.1
# On either side of a piece, and thrown away: what its edges do to it has died down by then.
_MARGIN_S: Final = 0.02
_PCM, _EXTENSIBLE = 1, 0xFFFE
_CHUNK: Final = struct.Struct("<4sI")
# A file with more chunks than this before its samples is no recording of a phrase.
_CHUNKS: Final = 32


class SpeechFormatError(ValueError):
    """What should hold a phrase does not; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One channel of samples at ``rate`` Hz, without silence around it."""

    pcm: Pcm
    rate: int


def read(wav: bytes) -> Sound:
    """Return what is said in a WAV stream of 16 bits, mono or stereo.

    The length in its header is not believed: a program that writes to a pipe cannot know it.

    Raises:
        SpeechFormatError: no such stream, or nothing is said in it.
    """
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise SpeechFormatError("it is no WAV stream")
    form, data = _chunks(wav)
    coding, channels, rate = struct.unpack_from("<HHI", form)
    (bits,) = struct.unpack_from("<H", form, 14)
    if coding not in {_PCM, _EXTENSIBLE} or bits != 16 or channels not in {1, 2}:
        raise SpeechFormatError(f"it has {channels} channels of {bits} bits, coding {coding}")
    if rate not in RATES:
        raise SpeechFormatError(f"its rate is {rate} Hz; it may be {', '.join(map(str, RATES))}")
    samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], np.int16)
    mono = samples if channels == 1 else _averaged(samples)
    loud = np.flatnonzero(np.abs(mono.astype(np.int32)) > _SILENT)
    if not len(loud):
        raise SpeechFormatError("nothing is said in it")
    return Sound(mono[loud[0] : loud[-1] + 1], rate)


def converted(sound: Sound) -> Iterator[Float]:
    """Yield the samples at 48 kHz, piece by piece."""
    if sound.rate == SAMPLE_RATE:
        yield sound.pcm.astype(np.float64)
        return
    common = gcd(sound.rate, SAMPLE_RATE)
    down, up = sound.rate // common, SAMPLE_RATE // common
    size = _multiple(_PIECE_S * sound.rate, down)
    margin = _multiple(_MARGIN_S * sound.rate, down)
    total = -(-len(sound.pcm) * up // down)
    field = np.concatenate([np.zeros(margin), sound.pcm, np.zeros(size + margin)])
    window = _window(size, margin)
    for start in range(0, len(sound.pcm), size):
        wide = len(window) // down * up
        piece = field[start : start + len(window)] * window
        whole = np.fft.irfft(np.fft.rfft(piece), wide) * (up / down)
        begin = margin // down * up
        wanted = min(size // down * up, total - start // down * up)
        yield whole[begin : begin + wanted]


def joined(parts: list[list[Float]]) -> Pcm:
    """Return phrases one after the other, each at the usual level."""
    gap: Pcm = np.zeros(round(_JOIN_S * SAMPLE_RATE), np.int16)
    said: list[Pcm] = []
    for number, pieces in enumerate(parts):
        said += [gap, _levelled(pieces)] if number else [_levelled(pieces)]
    return np.concatenate(said)


def phrase(wav: bytes) -> Pcm:
    """Return a WAV stream as samples at 48 kHz, levelled, without its silence.

    Raises:
        SpeechFormatError: no such stream, or nothing is said in it.
    """
    return joined([list(converted(cut(read(wav))))])


def cut(sound: Sound) -> Sound:
    """Return no more of it than a phrase may last."""
    return Sound(sound.pcm[: round(MAX_PHRASE_S * sound.rate)], sound.rate)


def _chunks(wav: bytes) -> tuple[bytes, bytes]:
    form, at = b"", 12
    for _ in range(_CHUNKS):
        if at + _CHUNK.size > len(wav):
            break
        name, size = _CHUNK.unpack_from(wav, at)
        at += _CHUNK.size
        if name == b"fmt ":
            form = wav[at : at + size]
        if name == b"data" and len(form) >= 16:
            return form, wav[at : at + size]
        at += size + size % 2
    raise SpeechFormatError("it is a WAV stream without samples")


def _averaged(samples: Pcm) -> Pcm:
    pairs = samples.reshape(-1, 2).astype(np.int32)
    mono: Pcm = (pairs.sum(axis=1) >> 1).astype(np.int16)
    return mono


def _multiple(samples: float, of: int) -> int:
    return -(-round(samples) // of) * of


def _window(size: int, margin: int) -> Float:
    """Return ones, with slopes in the outer half of each margin."""
    half = margin // 2
    slope = (1 - np.cos(np.pi * (np.arange(half) + 0.5) / half)) / 2
    window = np.ones(size + 2 * margin)
    window[:half], window[-half:] = slope, slope[::-1]
    return window


def _levelled(pieces: list[Float]) -> Pcm:
    pcm = np.concatenate(pieces)
    gain = 10 ** (PEAK_DBFS / 20) * 32767 / max(1.0, float(np.abs(pcm).max()))
    levelled: Pcm = np.rint(pcm * gain).astype(np.int16)
    return levelled


class Kept:
    """The phrases that were said lately. The longest unsaid gives way."""

    def __init__(self, limit: int = MAX_SAMPLES) -> None:
        self._limit = limit
        self._samples = 0
        self._phrases: OrderedDict[Hashable, Pcm] = OrderedDict()

    @property
    def samples(self) -> int:
        """How much is kept."""
        return self._samples

    def get(self, what: Hashable) -> Pcm | None:
        """Return a phrase that was kept."""
        pcm = self._phrases.get(what)
        if pcm is not None:
            self._phrases.move_to_end(what)
        return pcm

    def put(self, what: Hashable, pcm: Pcm) -> None:
        """Keep a phrase, and within the limit."""
        old = self._phrases.pop(what, None)
        self._samples += len(pcm) - (0 if old is None else len(old))
        self._phrases[what] = pcm
        while self._samples > self._limit:
            _, gone = self._phrases.popitem(last=False)
            self._samples -= len(gone)
