"""SIP over TCP, as a server: connections, cut into messages."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.telephone.framing import Framer
from hub.telephone.message import SipError

# Each is a PBX or a telephone that keeps its connection.
MOST: Final = 128
# A connection on which nothing comes: telephones send an empty line each two minutes.
IDLE_S: Final = 900.0
_READ: Final = 4_096
_MOST_WAITING: Final = 65_536


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message came from, and how to answer it. ``local``: our own address there."""

    host: str
    port: int
    transport: str
    local: str
    reply: Callable[[bytes], None]


class Streams:
    """All connections. ``took``: gets each message with where it came from."""

    def __init__(self, took: Callable[[bytes, Source], None]) -> None:
        self._took = took
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.malformed = 0
        self.refused = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError."""
        self._server = await asyncio.start_server(self._come, host, port, backlog=64)

    async def aclose(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= MOST:
            self.refused += 1
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._read(reader, writer)
        except (OSError, TimeoutError):
            pass  # it has gone, or it says nothing
        except SipError:
            self.malformed += 1
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def reply(data: bytes) -> None:
            if writer.is_closing():
                return
            if writer.transport.get_write_buffer_size() > _MOST_WAITING:
                writer.transport.abort()
            else:
                writer.write(data)

        peer, own = writer.get_extra_info("peername"), writer.get_extra_info("sockname")
        source = Source(str(peer[0]), int(peer[1]), "TCP", str(own[0]), reply)
        framer = Framer()
        while True:
            async with asyncio.timeout(IDLE_S):
                data = await reader.read(_READ)
            if not data:
                return
            for each in framer.take(data):
                self._took(each, source)
