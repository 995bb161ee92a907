"""The first words of every recording: a tone, and a sentence that says what this is. Pure.

Both are in the file itself, so that whoever hears it knows that its speakers were told.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Encoder
from stagebox.phrases import Language

# What telephone recorders have sounded for decades: half a second of 1400 Hz.
TONE_HZ: Final = 1_400
TONE_S: Final = 0.5
_TONE_LEVEL: Final = 3_277  # -20 dBFS: as loud as speech, no louder
_FADE: Final = 480  # 10 ms, so that it does not click
_GAP_S: Final = 0.3
# Nothing of the space is written before the notice is over. Without a synthesiser it is
# a tone and then silence, for as long as the longest tail of a voice and some more.
SHORTEST_S: Final = 2.0

_WORDS: Final[Mapping[Language, tuple[str, str]]] = MappingProxyType(
    {
        Language.ENGLISH: (
            "This is a recording of",
            "Everybody who speaks in it has agreed to that.",
        ),
        Language.GERMAN: (
            "Dies ist eine Aufnahme von",
            "Wer darin spricht, hat dem zugestimmt.",
        ),
    }
)


def sentence(title: str, language: Language = Language.ENGLISH) -> str:
    """Return what is said."""
    before, after = _WORDS[language]
    return f"{before} {title}. {after}"


def tone() -> Pcm:
    """Return the tone."""
    at = np.arange(round(TONE_S * SAMPLE_RATE))
    wave = _TONE_LEVEL * np.sin(2 * np.pi * TONE_HZ * at / SAMPLE_RATE)
    ramp = np.minimum(1.0, np.minimum(at, at[::-1]) / _FADE)
    return np.asarray(wave * ramp).astype(np.int16)


def packets(speech: Pcm | None) -> list[bytes]:
    """Return the notice, encoded; ``speech``: its sentence, if there is a voice to say it."""
    gap = np.zeros(round(_GAP_S * SAMPLE_RATE), np.int16)
    parts = [tone(), gap] if speech is None else [tone(), gap, speech, gap]
    return list(_encoded(np.concatenate(parts)))


def _encoded(pcm: Pcm) -> Iterator[bytes]:
    encoder = Encoder()
    size = max(pcm.size, round(SHORTEST_S * SAMPLE_RATE))
    size += -size % FRAME_SAMPLES
    for frame in np.pad(pcm, (0, size - pcm.size)).reshape(-1, FRAME_SAMPLES):
        yield encoder.encode(frame)
