"""PocketSphinx as an ``Engine``: the hub's end of ``hub.captions.recogniser``.

Starts the process, asks it one thing at a time, and kills it when it is to go, whatever
it is doing. Sound is only handed over as fast as it is worked off, so what waits waits in
the desk's bounded backlog and nowhere else.
"""

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Final

from hub.captions import recogniser
from hub.captions.ports import EngineError, Partial
from hub.captions.sampling import BYTES_PER_S

# Longer pieces would keep a partial caption waiting; a quarter of a second is shown at most.
PIECE: Final = BYTES_PER_S // 5
# A tenth of what the hub itself gets where both want the core; sound is at -10 where allowed.
NICENESS: Final = 10

_log = logging.getLogger(__name__)


def installed() -> bool:
    """Say whether PocketSphinx is there, without loading it."""
    return find_spec("pocketsphinx") is not None


class SphinxEngine:
    """Implements ``Engine`` with a process of its own, so much nicer than the hub."""

    def __init__(self, niceness: int = NICENESS) -> None:
        self.cpu_s = 0.0  # of all its processes, for the metrics
        self._niceness = niceness
        self._before_s = 0.0
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def pid(self) -> int | None:
        """The process's number while there is one."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """See ``Engine``: loading the model takes a second, several on a Pi."""
        if not installed():
            raise EngineError(recogniser.MISSING)
        await self.aclose()
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.setblocking(False)
        with its:
            descriptor = its.fileno()
            try:
                # -P: whatever lies in the present folder is not imported.
                self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - this very program, in 2 ms
                    [
                        *(sys.executable, "-P", "-m", "hub.captions.recogniser"),
                        *(str(descriptor), str(self._niceness)),
                    ],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(descriptor,),
                )
            except OSError as error:
                raise EngineError(f"PocketSphinx cannot be started: {error}") from None
        self._before_s = self.cpu_s
        await self._answer(self._line)

    async def check(self) -> None:
        """See ``Engine``."""
        if self._process is None or self._process.poll() is not None:
            raise EngineError("PocketSphinx's process is gone")

    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        """See ``Engine``."""
        line = self._line
        if line is None:
            raise EngineError("PocketSphinx was not started")
        await self._ask(line, recogniser.BEGIN)
        async for piece in sound:
            for at in range(0, len(piece), PIECE):
                question = recogniser.SOUND + piece[at : at + PIECE]
                if words := await self._ask(line, question):
                    partial(words)
        return await self._ask(line, recogniser.END)

    async def aclose(self) -> None:
        """See ``Engine``."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            # Nothing in it needs an orderly end, and it may hang.
            self._process.kill()
            self._process.wait()
            self._process = None

    async def _ask(self, line: socket.socket, question: bytes) -> str:
        try:
            await self._loop.sock_sendall(line, question)
        except OSError:
            raise EngineError("PocketSphinx's process is gone") from None
        return await self._answer(line)

    async def _answer(self, line: socket.socket) -> str:
        try:
            answer = await self._loop.sock_recv(line, recogniser.MOST_MAIL)
        except OSError:
            answer = b""
        kind, said = answer[:1], answer[1:].decode("utf-8", "replace")
        if not kind:
            raise EngineError("PocketSphinx's process is gone")
        if kind == recogniser.DYING:
            raise EngineError(said)
        used, _, words = said.partition(" ")
        if used:
            self.cpu_s = self._before_s + float(used)
        return words
