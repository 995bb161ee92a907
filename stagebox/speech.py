"""Speech for the demo, the tests and the benchmarks: real voices or a synthesiser's.

espeak-ng speaks any sentence; the recordings of real voices that ALSA's tools
bring along ("front left", "rear centre") serve where real speech matters.
"""

import shutil
import subprocess
import wave
from pathlib import Path
from typing import Final

import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm

RECORDINGS: Final = Path("/usr/share/sounds/alsa")
_SPEECH_RATE_WPM: Final = "150"


class SpeechError(Exception):
    """There is no voice on this machine; the text says what to install."""


def synthesise(text: str, path: Path, voice: str = "en-gb") -> None:
    """Speak ``text`` into a WAV file.

    Raises:
        SpeechError: espeak-ng is missing or failed.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpeechError("There is no speech synthesiser: apt-get install espeak-ng.")
    command = [program, "-v", voice, "-s", _SPEECH_RATE_WPM, "-w", str(path), text]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise SpeechError(f"espeak-ng could not speak: {done.stderr.strip()}")


def recordings() -> list[Path]:
    """Return the recordings of real voices that are on this machine."""
    names = sorted(RECORDINGS.glob("*_*.wav"))
    return [path for path in names if path.name != "Noise.wav"]


def read_wav(path: Path) -> Pcm:
    """Return a WAV file of 16-bit samples as mono at 48 kHz.

    Channels are averaged; other rates are resampled linearly, which is enough to
    measure with (a box's own microphone file goes through a proper resampler).
    """
    with wave.open(str(path), "rb") as source:
        rate, channels = source.getframerate(), source.getnchannels()
        if source.getsampwidth() != 2:
            raise ValueError(f"{path}: only 16-bit WAV files can be measured.")
        samples = np.frombuffer(source.readframes(source.getnframes()), np.int16)
    mono = samples[: samples.size // channels * channels].reshape(-1, channels).mean(axis=1)
    if rate != SAMPLE_RATE:
        count = round(mono.size * SAMPLE_RATE / rate)
        mono = np.interp(np.arange(count) * rate / SAMPLE_RATE, np.arange(mono.size), mono)
    rounded: Pcm = mono.round().astype(np.int16)
    return rounded


def write_wav(path: Path, samples: Pcm) -> None:
    """Write mono samples at 48 kHz as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(SAMPLE_RATE)
        target.writeframes(samples.tobytes())
