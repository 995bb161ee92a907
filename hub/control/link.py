"""One WebSocket: whole messages out through a bounded queue, frames in.

Sending never waits. A peer that does not read fills its own queue and then loses its
own connection; nobody else notices.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import WSMsgType, web
from aiohttp.http import WSMessageNoDecodeText

from hub.control.connections import Connection
from stagebox.wire.causes import CloseCode

# A peer that does not finish the closing handshake in this time is cut.
CLOSE_S: Final = 2.0
# Many members may act in one turn of the event loop, before any queue can empty: a
# queue whose peer does read may hold this many times as much.
_BURST: Final = 16


class Link:
    """A WebSocket and its way out, which works inside ``writing``."""

    def __init__(
        self, ws: web.WebSocketResponse[bool], connection: Connection, max_waiting: int
    ) -> None:
        self._ws = ws
        self._connection = connection
        self._max_waiting = max_waiting
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._code: CloseCode | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._receiving: asyncio.Timeout | None = None
        self._stuck = False
        self.overflowed = False

    @property
    def closing(self) -> bool:
        """Whether ``close`` was called or the queue overflowed: nothing more is sent."""
        return self._code is not None or self.overflowed

    @property
    def local_address(self) -> str | None:
        """Return the hub's own address on this connection."""
        name = self._ws.get_extra_info("sockname")
        return str(name[0]) if name else None

    @property
    def peer_address(self) -> str | None:
        """Return the member's address on this connection."""
        name = self._ws.get_extra_info("peername")
        return str(name[0]) if name else None

    def send(self, data: bytes) -> None:
        """Queue one message; a full queue cuts the connection."""
        if self.closing:
            return
        room = self._max_waiting if self._stuck else self._max_waiting * _BURST
        if self._queue.qsize() >= room:
            self.overflowed = True
            self._connection.abort()
            return
        self._queue.put_nowait(data)

    def close(self, code: CloseCode) -> None:
        """Send what is queued, then close; a peer that hinders that is cut after ``CLOSE_S``."""
        if self.closing:
            return
        self._code = code
        self._queue.put_nowait(None)
        loop = asyncio.get_running_loop()
        self._cut = loop.call_later(CLOSE_S, self._connection.abort)
        if self._receiving is not None:
            # aiohttp waits for the peer's close frame only while nobody else receives.
            self._receiving.reschedule(loop.time())

    async def receive(self) -> WSMessageNoDecodeText | None:
        """Return the next frame, or None when the connection is over.

        A frame that breaks the WebSocket protocol or is too large comes as type ``ERROR``.
        """
        if self.closing:
            return None
        try:
            async with asyncio.timeout(None) as self._receiving:
                frame = await self._ws.receive()
        except TimeoutError:
            return None
        finally:
            self._receiving = None
        if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
            return None
        return frame

    async def pong(self, data: bytes) -> None:
        """Answer a WebSocket ping."""
        if not self.closing:
            await self._ws.pong(data)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Send what is queued while the block runs; close when it ends."""
        task = asyncio.create_task(self._write())
        try:
            yield
        finally:
            self.close(CloseCode.OK)
            if self.overflowed:
                task.cancel()
            await asyncio.wait([task])

    async def _write(self) -> None:
        try:
            while (data := await self._queue.get()) is not None:
                self._stuck = True  # seen by others only while the peer does not read
                await self._ws.send_frame(data, WSMsgType.TEXT)
                self._stuck = False
            if self._code is not None:
                await self._ws.close(code=self._code)
        except ConnectionError:
            self._connection.abort()
        finally:
            if self._cut is not None:
                self._cut.cancel()
