"""A line with a delay: what a box says to its hub, and its sound, arrive later, and so do answers.

The control line is a WebSocket proxy, the media a relay of datagrams; order is kept on both.
"""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web

from tests.support.bad_line import BadLine
from tests.support.lossy_relay import LossyRelay

Source = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


class SlowLine(BadLine):
    """A ``BadLine`` on which messages, too, take ``delay_s`` each way."""

    def __init__(self, hub_url: str, relay: LossyRelay, delay_s: float) -> None:
        super().__init__(hub_url, relay)
        self._delay_s = delay_s

    async def _copy(self, source: Source, target: Source) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, aiohttp.WSMessage]] = asyncio.Queue()
        arriving = asyncio.create_task(super()._copy(_Late(under_way), target))  # type: ignore[arg-type]
        try:
            async for frame in source:
                under_way.put_nowait((loop.time() + self._delay_s, frame))
        finally:
            arriving.cancel()


class _Late:
    """The frames of a queue, each when it is due."""

    def __init__(self, queue: "asyncio.Queue[tuple[float, aiohttp.WSMessage]]") -> None:
        self._queue = queue

    def __aiter__(self) -> "_Late":
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        due, frame = await self._queue.get()
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        return frame


class Lines:
    """A process that holds lines to one hub."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    async def lay(self, hub_url: str, round_trip_s: float) -> str:
        """Return the address of a line that adds so much to each round trip."""
        one_way = round_trip_s / 2
        relay = await self._stack.enter_async_context(LossyRelay(delay_ms=1000 * one_way))
        line = await self._stack.enter_async_context(SlowLine(hub_url, relay, one_way))
        return line.url
