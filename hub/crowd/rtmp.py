"""The hub's end of ``hub.crowd.publisher``: a process that tells a stream on by RTMP.

It is one listener of the space's AAC, encoded once for all. It is cut like any other when
it does not take what it is sent.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from hub.crowd.fan import Answer
from hub.crowd.formats import Format
from hub.crowd.publisher import CONNECT_S, UP, Order
from hub.crowd.station import Target
from hub.crowd.streams import Streams
from stagebox.reap import reap

# Starting takes a second on a Pi, besides what the server takes.
START_S: Final = CONNECT_S + 7.0
# What a server is told at the end takes one turn; one that does not listen is left.
GOODBYE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Rtmp:
    """Implements ``Place``: one server, and the space that is heard there."""

    space: str
    target: Target
    key: str
    picture: bool

    @property
    def url(self) -> str:
        """See ``Place``."""
        return self.target.url

    async def feed(self, streams: Streams, up: Callable[[], None], title: str) -> None:  # noqa: ARG002 - the service has a title of its own
        """See ``Place``."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "hub.crowd.publisher"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            if process.stdin is not None and process.stdout is not None:
                await self._talk(streams, up, process.stdin, process.stdout)
        finally:
            await _end(process)

    async def _talk(
        self,
        streams: Streams,
        up: Callable[[], None],
        pipe: asyncio.StreamWriter,
        words: asyncio.StreamReader,
    ) -> None:
        order = Order(url=self.target.keyed(self.key), picture=self.picture)
        pipe.write(msgspec.json.encode(order) + b"\n")
        async with asyncio.timeout(START_S):
            said = await words.readline()
        if said != UP:
            raise ConnectionError(_text(said))
        pipe.write(streams.begin(self.space, Format.AAC))
        outlet = Answer(pipe.transport, chunked=False)
        gone = asyncio.ensure_future(words.readline())
        try:
            with streams.listening(self.space, outlet, Format.AAC):
                up()
                await asyncio.wait((gone, outlet.over), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise ConnectionError(_text(gone.result()))
        finally:
            gone.cancel()


def _text(said: bytes) -> str:
    return said.decode("utf-8", "replace").strip()[:200] or "the server is gone"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Have it say goodbye to the server, and end it."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE_S):
            await process.wait()
    await reap(process)
