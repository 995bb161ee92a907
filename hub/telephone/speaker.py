"""The voice that callers hear: sentences, made once and kept for the next caller."""

import asyncio
import io
import logging
import shutil
import wave
from collections import OrderedDict
from typing import Final

import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.phrases import Language, pronounced
from stagebox.reap import reap

# All sentences of one language, and numbers and names besides: 30 MB at most.
_KEPT: Final = 128
_AT_ONCE: Final = 2
_ANSWER_S: Final = 10.0
_VOICES: Final = {Language.ENGLISH: "en-gb", Language.GERMAN: "de"}
_WORDS_PER_MINUTE: Final = "150"
# Softer than people, who are to be understood over it.
_GAIN: Final = 0.6
_MOST_S: Final = 20
INSTALL: Final = "callers hear a tone and no words: install espeak-ng (apt install espeak-ng)"

log = logging.getLogger(__name__)


class Speaker:
    """Turns sentences into sound, for one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._program = shutil.which("espeak-ng")
        self._kept: OrderedDict[str, Pcm] = OrderedDict()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        if self._program is None:
            log.warning(INSTALL)

    async def pcm(self, words: str) -> Pcm:
        """Return a sentence at 48 kHz; a tone where there is no voice."""
        found = self._kept.get(words)
        if found is None:
            async with self._turn:
                found = self._kept.get(words)
                found = await self._made(words) if found is None else found
            self._kept[words] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(words)
        return found

    async def _made(self, words: str) -> Pcm:
        if self._program is None:
            return _tone()
        voice = _VOICES[self._language]
        command = (self._program, "-v", voice, "-s", _WORDS_PER_MINUTE, "--stdout", "--stdin")
        text = pronounced(words, self._language).encode()
        try:
            program = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(_ANSWER_S):
                    made, _ = await program.communicate(text)
            finally:
                await reap(program)
            return _read(made)
        except (OSError, TimeoutError, ValueError, EOFError, wave.Error) as error:
            log.warning("the synthesiser failed: %s", error)
            return _tone()


def _read(made: bytes) -> Pcm:
    """Read what the synthesiser wrote; a pipe's WAV says nothing of its length."""
    with wave.open(io.BytesIO(made), "rb") as source:
        rate = source.getframerate()
        samples = np.frombuffer(source.readframes(min(source.getnframes(), _MOST_S * rate)), "<i2")
    # Takes a moment, which only a hub with telephones has to spend.
    import av  # noqa: PLC0415

    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    parts = [
        each.to_ndarray().reshape(-1)
        for each in (*resampler.resample(frame), *resampler.resample(None))
    ]
    whole = np.concatenate(parts).astype(np.float32)
    quieter: Pcm = (whole * np.float32(_GAIN)).astype(np.int16)
    return quieter


def _tone() -> Pcm:
    """Return a fifth of a second of a soft tone."""
    at = np.arange(SAMPLE_RATE // 5) / SAMPLE_RATE
    tone: Pcm = (3_000 * np.sin(2 * np.pi * 660 * at) * np.hanning(at.size)).astype(np.int16)
    return tone
