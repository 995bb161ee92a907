"""A bad network between a box and its hub: the control line passes, the media suffers.

A WebSocket proxy that hands every message on as it is, except that the SDPs in it
are rewritten so that all media passes through a ``LossyRelay``.
"""

import asyncio
import json
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import WSMsgType, web

from stagebox.wire.codec import MAX_HUB_MESSAGE
from stagebox.wire.terms import MEMBER_PATH
from tests.support.lossy_relay import LossyRelay


class BadLine:
    """Point a box at ``url``; what happens to its media is ``relay``'s to say."""

    def __init__(self, hub_url: str, relay: LossyRelay) -> None:
        self._hub_url = hub_url
        self._relay = relay
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get(MEMBER_PATH, self._carry)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _carry(self, request: web.Request) -> web.WebSocketResponse:
        box = web.WebSocketResponse(max_msg_size=MAX_HUB_MESSAGE)
        await box.prepare(request)
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self._hub_url + MEMBER_PATH, max_msg_size=MAX_HUB_MESSAGE) as hub,
        ):
            ways = [asyncio.create_task(self._copy(*ends)) for ends in ((box, hub), (hub, box))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        return box

    async def _copy(
        self,
        source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        target: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    ) -> None:
        async for frame in source:
            if frame.type is not WSMsgType.TEXT:
                continue
            text: str = frame.data
            if '"sdp"' in text:
                message = json.loads(text)
                message["sdp"] = self._relay.rewrite(message["sdp"])
                text = json.dumps(message)
            await target.send_str(text)
