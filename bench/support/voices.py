"""Real voices for measures of speech quality: people reading telephone prompts, 16 kHz.

Debian's ``asterisk-core-sounds-LANGUAGE-g722`` hold the same sentences read by different
people. Sentences of one person are joined, as ITU-T P.862.3 asks of a reference, to 8 to
12 s with pauses of half a second, at one level (ITU-T P.56's usual -26 dB below full scale).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray
from scipy.signal import resample_poly

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm

SOUNDS: Final = Path("/usr/share/asterisk/sounds")
REMEDY: Final = (
    "Install real voices: apt-get install "
    + " ".join(f"asterisk-core-sounds-{language}-g722" for language in ("en", "es", "fr", "it"))
    + " asterisk-core-sounds-ru-g722"
)

# Languages of which each has one reader: three women and two men.
SPEAKERS: Final = (
    "en_US_f_Allison",
    "es_MX_f_Allison",
    "fr_CA_f_June",
    "it_IT_m_Carlo",
    "ru_RU_f_IvrvoiceRU",
)
# Whole sentences, which are 3 to 6 s long in every language; a script is 8 to 12 s.
_SCRIPTS: Final = (
    ("vm-tempgreeting", "privacy-unident"),
    ("conf-invalid", "vm-rec-name"),
    ("priv-introsaved", "pbx-invalid"),
)

_RATE: Final = 16_000
_PAUSE_S: Final = 0.5
_EDGE_S: Final = 0.5  # PESQ looks for the begin and the end of speech, so there is some silence
_FULL_SCALE: Final = 32_768.0
_LEVEL_DB: Final = -26.0
_PEAK: Final = 30_000.0
# Speech is what is less than so far below the loudest frames (P.56's margin is 15.9 dB
# below the active level; the loudest frames are some 10 dB above it).
_ACTIVE_DB: Final = 26.0
# A microphone in a quiet room, about -72 dBFS: digital silence is unknown to it.
_NOISE: Final = 8.0


class VoicesMissingError(RuntimeError):
    """No recorded voices are installed; the text says what to install."""


@dataclass(frozen=True, slots=True)
class Voice:
    """One person's utterance at 48 kHz, whole frames, with half a second of room around it."""

    name: str
    pcm: Pcm


@cache
def voices(count: int = len(SPEAKERS)) -> tuple[Voice, ...]:
    """Return ``count`` utterances, the same ones each time, a different speaker each first.

    Raises:
        VoicesMissingError: none is installed; the text says what to install.
        ValueError: ``count`` is more than there are sentences for.
    """
    speakers = [SOUNDS / name for name in SPEAKERS if (SOUNDS / name).is_dir()]
    if not speakers:
        raise VoicesMissingError(REMEDY)
    readings = [(folder, script) for script in _SCRIPTS for folder in speakers]
    if not 0 < count <= len(readings):
        msg = f"there are 1 to {len(readings)} utterances, not {count}"
        raise ValueError(msg)
    return tuple(_voice(*reading, seed) for seed, reading in enumerate(readings[:count]))


def conversation(seconds: float, utterances: tuple[Voice, ...]) -> tuple[Pcm, tuple[range, ...]]:
    """Return utterances one after the other for at least so long, and where each one lies.

    What comes again comes with new noise, as in a room: no two packets are the same.
    """
    parts: list[Pcm] = []
    places: list[range] = []
    at = 0
    while at < seconds * SAMPLE_RATE:
        part = utterances[len(parts) % len(utterances)].pcm
        places.append(range(at, at + part.size))
        parts.append(part)
        at += part.size
    whole = np.concatenate(parts)
    noise = np.random.default_rng(len(SPEAKERS)).normal(0, _NOISE, whole.size)
    return np.clip(whole + noise, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16), tuple(places)


def _voice(folder: Path, script: tuple[str, ...], seed: int) -> Voice:
    pause, edge = np.zeros(round(_PAUSE_S * _RATE)), np.zeros(round(_EDGE_S * _RATE))
    pieces = [edge]
    for name in script:
        pieces += [_read(folder / f"{name}.g722"), pause]
    narrow = np.concatenate([*pieces[:-1], edge])
    wide = resample_poly(narrow, SAMPLE_RATE, _RATE)
    wide = wide[: wide.size // FRAME_SAMPLES * FRAME_SAMPLES]
    level = 10 ** (_LEVEL_DB / 20) * _FULL_SCALE / _active_rms(wide)
    level = min(level, _PEAK / float(np.max(np.abs(wide))))
    room = np.random.default_rng(seed).normal(0, _NOISE, wide.size)
    pcm: Pcm = np.round(wide * level + room).astype(np.int16)
    return Voice(f"{folder.name} {seed // len(SPEAKERS) + 1}", pcm)


def _read(path: Path) -> NDArray[np.float64]:
    """Decode one prompt; G.722 in a file has no header, hence the explicit format."""
    try:
        with av.open(str(path), format="g722") as source:
            frames = [frame for frame in source.decode(audio=0) if isinstance(frame, AudioFrame)]
    except (OSError, av.error.FFmpegError) as error:
        msg = f"{path} cannot be read ({error}). {REMEDY}"
        raise VoicesMissingError(msg) from error
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(float)


def _active_rms(pcm: NDArray[np.float64]) -> float:
    """Return the level of the frames in which somebody speaks."""
    power = np.mean(pcm.reshape(-1, FRAME_SAMPLES) ** 2, axis=1)
    floor = np.percentile(power, 99) * 10 ** (-_ACTIVE_DB / 10)
    return float(np.sqrt(np.mean(power[power > floor])))
