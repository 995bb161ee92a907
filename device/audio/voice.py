"""The box's voice: phrases spoken by espeak-ng, to the box's own user only.

The synthesiser runs as a process of its own, once for each phrase that is not known yet. A
machine without it has a box that speaks in tones, and says so once in its log.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable
from typing import Final

from device.audio.speech import Kept, SpeechFormatError, phrase
from stagebox.media.frames import Pcm

PROGRAM: Final = "espeak-ng"
# Slower than its own 175: it is heard once, beside other people.
_WORDS_PER_MINUTE: Final = "155"
# A Raspberry Pi 3 speaks a sentence in half a second; more means that it hangs.
RENDER_S: Final = 5.0
# What could not be said within this is no news any more.
FRESH_S: Final = 4.0
# One sentence, its answer and a question.
WAITING: Final = 3
# After so many failures in a row the synthesiser is not asked again.
MAX_FAILURES: Final = 3

_log = logging.getLogger(__name__)


class Voice:
    """Speaks one phrase after the other through ``play``. ``run`` is its one task."""

    def __init__(
        self, play: Callable[[Pcm], None], language: str, program: str | None = None
    ) -> None:
        self._play = play
        self._language = language
        self._program = program or shutil.which(PROGRAM)
        self._kept = Kept()
        self._waiting: asyncio.Queue[tuple[float, str]] = asyncio.Queue(WAITING)
        self._failures = 0
        if self._program is None:
            _log.warning("no voice: apt-get install %s. The box speaks in tones.", PROGRAM)

    def say(self, text: str) -> None:
        """Speak ``text`` soon. Where too much waits, the oldest is left unsaid."""
        if self._program is None or not text:
            return
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait((asyncio.get_running_loop().time(), text))

    def hush(self) -> None:
        """Forget what waits."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def run(self) -> None:
        """Speak until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            since, text = await self._waiting.get()
            pcm = self._kept.get(text)
            if pcm is None and self._program is not None:
                pcm = await self._render(self._program, text)
            if pcm is not None and loop.time() <= since + FRESH_S:
                self._play(pcm)

    async def _render(self, program: str, text: str) -> Pcm | None:
        try:
            pcm = phrase(await _ask(program, self._language, text))
        except (OSError, TimeoutError, SpeechFormatError) as error:
            self._fail(str(error) or "it does not answer")
            return None
        self._failures = 0
        self._kept.put(text, pcm)
        return pcm

    def _fail(self, why: str) -> None:
        self._failures += 1
        if self._failures == MAX_FAILURES:
            self._program = None
            _log.warning("no voice: %s: %s. The box speaks in tones.", PROGRAM, why)


async def _ask(program: str, language: str, text: str) -> bytes:
    """Return what the synthesiser says, as a WAV stream.

    Raises:
        OSError, TimeoutError: it does not start, or does not end.
    """
    process = await asyncio.create_subprocess_exec(
        *(program, "-v", language, "-s", _WORDS_PER_MINUTE, "--stdin", "--stdout"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(RENDER_S):
            answer, _ = await process.communicate(text.encode())
            return answer
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
