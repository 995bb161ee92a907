"""Sounds for tests."""

import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.speech import read_wav, recordings


def voice(seconds: float, seed: int = 0) -> Pcm:
    """Return real voices end to end where the machine has recordings, else voiced syllables."""
    paths = recordings()
    parts = [read_wav(paths[(seed + n) % len(paths)]) for n in range(len(paths))]
    speech = np.concatenate(parts) if parts else syllables(10.0, seed)
    count = round(seconds * SAMPLE_RATE)
    return np.tile(speech, count // speech.size + 1)[:count]


def syllables(seconds: float, seed: int = 0) -> Pcm:
    """Return a voiced sound: harmonics of a wandering pitch, four syllables a second."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    t = np.arange(count) / SAMPLE_RATE
    wander = np.interp(
        t,
        np.arange(0, seconds + 1, 0.3),
        rng.uniform(100, 180, round(seconds / 0.3) + 4)[: len(np.arange(0, seconds + 1, 0.3))],
    )
    phase = 2 * np.pi * np.cumsum(wander) / SAMPLE_RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * 2 * t), 0.05, 1.0)
    signal = tone * envelope
    pcm: Pcm = (9000 * signal / np.max(np.abs(signal))).astype(np.int16)
    return pcm
