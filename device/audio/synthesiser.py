"""espeak-ng as a process of its own, once for each thing that it says."""

import asyncio
import contextlib
import os
import shutil
from typing import Final

from stagebox.phrases import Language
from stagebox.reap import reap

PROGRAM: Final = "espeak-ng"
REMEDY: Final = f"apt-get install {PROGRAM}"
# Slower than its own 175: it is heard once, beside other people.
_WORDS_PER_MINUTE: Final = "155"
# A Raspberry Pi 3 speaks a sentence in half a second; more means that it hangs.
RENDER_S: Final = 5.0


def find() -> str | None:
    """Return where the synthesiser is, if there is one."""
    return shutil.which(PROGRAM)


def command(program: str, language: Language) -> tuple[str, ...]:
    """Return what speaks the text that it reads, as a WAV stream to standard output."""
    return program, "-v", language, "-s", _WORDS_PER_MINUTE, "--stdin", "--stdout"


async def ask(program: str, language: Language, text: str, nice: int = 0) -> bytes:
    """Return what the synthesiser says, as a WAV stream; ``nice``: how little it matters.

    Raises:
        OSError, TimeoutError: it does not start, or does not end.
    """
    process = await asyncio.create_subprocess_exec(
        *command(program, language),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if nice:
            with contextlib.suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, process.pid, max(own, nice))
        async with asyncio.timeout(RENDER_S):
            answer, _ = await process.communicate(text.encode())
            return answer
    finally:
        await reap(process)
