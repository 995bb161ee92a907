"""Voice-like sound for tests: a gliding pitch with formants, syllables and pauses."""

from functools import cache

import numpy as np

from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder


@cache
def voice(seconds: float = 4.0, seed: int = 1) -> Pcm:
    """Vowels between 90 and 220 Hz, three syllables a second, a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 48_000)) / 48_000
    pitch = 155 + 65 * np.sin(2 * np.pi * 0.45 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 48_000
    sound = np.zeros_like(time)
    for harmonic in range(1, 26):
        frequency = pitch * harmonic
        formants = sum(np.exp(-(((frequency - f) / 250) ** 2)) for f in (500, 1_500, 2_500))
        sound += (0.1 + formants) / harmonic**0.5 * np.sin(harmonic * phase)
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time)
    noise = rng.normal(0, 0.05, time.size)
    scaled = (sound * syllables + noise) * 5_000
    return np.clip(scaled, -32_000, 32_000).astype(np.int16)


def frames(pcm: Pcm) -> list[Pcm]:
    return list(pcm[: pcm.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))


@cache
def packets(seconds: float = 4.0, seed: int = 1) -> tuple[bytes, ...]:
    encoder = Encoder()
    return tuple(encoder.encode(frame) for frame in frames(voice(seconds, seed)))
