"""Speech for the benchmarks, and its packets."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from device.config import TalkConfig
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Encoder
from stagebox.speech import read_wav, recordings, synthesise

_TEXT = "The floor is yours. Please speak now, and let the button go when you have finished."
# Recordings come with silence around the words, which would hide what a chain loses.
_QUIET = 300
# A real microphone in a quiet room, about -72 dBFS; digital silence is unknown to it.
_NOISE = 8.0


@cache
def speech(seconds: float) -> Pcm:
    """Return so much speech at 48 kHz: recorded voices, or a synthesiser's where none are.

    Raises:
        SpeechError: there is neither; the text says what to install.
    """
    words = [_trimmed(read_wav(path)) for path in recordings()] or [_synthesised()]
    once = np.concatenate(words)
    wanted = round(seconds * SAMPLE_RATE)
    noise = np.random.default_rng(1).normal(0, _NOISE, wanted)
    loud = np.tile(once, wanted // once.size + 1)[:wanted] + noise
    pcm: Pcm = np.clip(loud, -32_768, 32_767).astype(np.int16)
    return pcm


def box_encoder(bitrate: int | None = None, *, fec: bool = True) -> Encoder:
    """Return an encoder with a box's settings: 32 kb/s, voip, 20 ms, FEC on."""
    usual = TalkConfig()
    return Encoder(bitrate or usual.bitrate, usual.complexity, fec=fec)


def packets(pcm: Pcm) -> list[bytes]:
    """Encode as a box does."""
    encoder = box_encoder()
    whole = pcm[: pcm.size // FRAME_SAMPLES * FRAME_SAMPLES]
    return [encoder.encode(frame) for frame in whole.reshape(-1, FRAME_SAMPLES)]


def _trimmed(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _QUIET)
    return pcm[loud[0] : loud[-1] + 1] if loud.size else pcm


def _synthesised() -> Pcm:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        synthesise(_TEXT, path)
        return _trimmed(read_wav(path))
