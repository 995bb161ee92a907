"""Words that are said at a chosen instant, and how whole they are heard.

The words are digits read by five people. The microphone that hears them is the simulator's:
what it captures at an instant is what was said at that instant, whenever it was asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.support.voice import box_encoder
from bench.support.voices import REMEDY, SOUNDS, SPEAKERS, VoicesMissingError
from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE
from device.audio.wav import NullMicrophone
from stagebox.measure import best_lag
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.opus import Decoder

DIGITS: Final = 10
# So that a key pressed and released within the word is down for longer than a round trip.
SHORTEST_S: Final = 0.5
# What is compared: the first syllable, or the last one.
SYLLABLE_S: Final = 0.2

_RATE: Final = 16_000
_LEVEL_DBFS: Final = -26.0
_FULL_SCALE: Final = 32_768.0
# Where a word begins and ends: 25 dB below its loudest 5 ms, which is 10 dB over the breath.
_EDGE: Final = 10 ** (-25 / 20)
_STEP: Final = SAMPLE_RATE // 200
# A sound is there when no more than this of its level is missing.
_THERE: Final = 10 ** (-12 / 20)
# Below this likeness what was heard is not the word.
_ALIKE: Final = 0.3
# A microphone in a quiet room, about -72 dBFS.
_NOISE: Final = 8.0


@cache
def words() -> tuple[Pcm, ...]:
    """Return words at 48 kHz, cut where they begin and end.

    Raises:
        VoicesMissingError: no voices are installed; the text says what to install.
    """
    folders = [SOUNDS / name / "digits" for name in SPEAKERS if (SOUNDS / name).is_dir()]
    if not folders:
        raise VoicesMissingError(REMEDY)
    paths = [folder / f"{digit}.g722" for digit in range(DIGITS) for folder in folders]
    spoken = [_word(path) for path in paths if path.exists()]
    return tuple(word for word in spoken if word.size >= SHORTEST_S * SAMPLE_RATE)


class Mouth(NullMicrophone):
    """A microphone in a quiet room, in which words are said at given instants."""

    def __init__(self) -> None:
        super().__init__()
        self._noise = np.random.default_rng(1).normal(0, _NOISE, SAMPLE_RATE)
        self._said: tuple[float, Pcm] = (0.0, np.zeros(0, np.int16))

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return "a mouth"

    def say(self, pcm: Pcm, at: float) -> None:
        """Say this from the monotonic second ``at`` on; what was to be said before is over."""
        self._said = (at, pcm)

    def hear(self, begin: float, samples: int) -> Pcm:
        """Return what the microphone captures from the monotonic second ``begin`` on."""
        first = round(begin * SAMPLE_RATE) % (self._noise.size - samples)
        out = self._noise[first : first + samples].copy()
        at, pcm = self._said
        late = round((at - begin) * SAMPLE_RATE)
        part = pcm[max(0, -late) : max(0, samples - late)]
        out[max(0, late) : max(0, late) + part.size] += part
        heard: Pcm = np.clip(np.rint(out), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)
        return heard

    def _samples(self, block: int) -> bytes:
        if self._t_started is None:
            raise AssertionError("read before it was opened")
        begin = self._t_started + block * BLOCK_SAMPLES / SAMPLE_RATE
        return self.hear(begin, BLOCK_SAMPLES).tobytes()


@dataclass(frozen=True, slots=True)
class Wholeness:
    """How much of a syllable arrived.

    ``missing_ms``: what is missing at its open end. ``correlation``: of the whole syllable,
    0 to 1. ``level_db``: how much louder or softer it was heard than it was said.
    """

    missing_ms: float
    correlation: float
    level_db: float


NOTHING: Final = Wholeness(1000 * SYLLABLE_S, 0.0, -120.0)


def first_syllable(said: Pcm, heard: NDArray[np.float32]) -> Wholeness:
    """Compare the beginning of a word with all that was heard of the burst."""
    return _compare(said[: round(SYLLABLE_S * SAMPLE_RATE)], said, heard)


def last_syllable(said: Pcm, heard: NDArray[np.float32]) -> Wholeness:
    """Compare the end of a word with all that was heard of the burst."""
    backwards = said[::-1]
    return _compare(backwards[: round(SYLLABLE_S * SAMPLE_RATE)], backwards, heard[::-1])


def _compare(syllable: Pcm, word: Pcm, heard: NDArray[np.float32]) -> Wholeness:
    # What never arrived is as quiet as a quiet microphone, so that likeness stays a ratio.
    room = np.random.default_rng(2).normal(0, 1, heard.size + 2 * word.size).astype(np.float32)
    room[word.size : word.size + heard.size] += heard
    lag, likeness = best_lag(_scaled(word), _scaled(room))
    if likeness < _ALIKE:
        return NOTHING
    found, said = _scaled(room[lag : lag + syllable.size]), _scaled(syllable)
    own, other = float(np.dot(said, said)), float(np.dot(found, found))
    correlation = float(np.dot(said, found)) / np.sqrt(own * other)
    missing = _missing_ms(said, found)
    return Wholeness(missing, max(0.0, correlation), float(10 * np.log10(other / own)))


def _missing_ms(said: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Return how long it takes until what was heard is about as loud as what was said."""
    steps = zip(_levels(said), _levels(found), strict=True)
    silent = 0
    for spoken, arrived in steps:
        if arrived >= _THERE * spoken:
            break
        silent += 1
    return 1000 * silent * _STEP / SAMPLE_RATE


def _scaled(pcm: NDArray[np.number[Any]]) -> NDArray[np.float32]:
    return pcm.astype(np.float32) / np.float32(_FULL_SCALE)


def _levels(pcm: NDArray[np.float32]) -> NDArray[np.float64]:
    whole = pcm[: pcm.size // _STEP * _STEP].astype(np.float64).reshape(-1, _STEP)
    levels: NDArray[np.float64] = np.sqrt(np.mean(whole**2, axis=1))
    return levels


def _word(path: Path) -> Pcm:
    with av.open(str(path), format="g722") as source:
        frames = [frame for frame in source.decode(audio=0) if isinstance(frame, AudioFrame)]
    narrow = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(float)
    wide = resample_poly(narrow, SAMPLE_RATE, _RATE)
    levels = _levels(wide.astype(np.float32))
    loud = np.flatnonzero(levels > _EDGE * levels.max())
    spoken = wide[loud[0] * _STEP : (loud[-1] + 1) * _STEP]
    gain = 10 ** (_LEVEL_DBFS / 20) * _FULL_SCALE / np.sqrt(np.mean(spoken**2))
    gain = min(gain, 30_000 / float(np.abs(spoken).max()))
    pcm: Pcm = np.rint(spoken * gain).astype(np.int16)
    return pcm


def joined(parts: Iterable[Pcm]) -> NDArray[np.float32]:
    """Return the sound of decoded packets as one recording; empty where there are none."""
    return np.concatenate([np.zeros(0, np.float32), *parts])


def through_codec(pcm: Pcm) -> NDArray[np.float32]:
    """Return a word as it is after encoding and decoding alone: the best there can be."""
    encoder, decoder = box_encoder(), Decoder()
    whole = np.zeros((pcm.size // FRAME_SAMPLES + 3) * FRAME_SAMPLES, np.int16)
    whole[FRAME_SAMPLES : FRAME_SAMPLES + pcm.size] = pcm
    frames = whole.reshape(-1, FRAME_SAMPLES)
    return np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames]).astype(
        np.float32
    )
