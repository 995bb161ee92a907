"""Questions to X, and what is fetched from it: one at a time, with bounds on everything.

What X says when it refuses is never shown or logged: it may repeat what it was sent.
"""

import asyncio
import contextlib
import json
from typing import Final

import aiohttp

from hub.bridges.janus_way import ERRORS
from hub.bridges.terms import Cause, FarError, reason
from hub.bridges.x_answers import Door, check_status
from hub.bridges.x_chat import MAX_FRAME, Event, event_of, hello
from hub.bridges.x_terms import Request
from stagebox import __version__

# Across an ocean, with a connection of its own.
ANSWER_S: Final = 8.0
# A Space of many speakers, with all that X tells about each.
MAX_ANSWER: Final = 1024 * 1024
GOODBYE_S: Final = 1.0
_HEARTBEAT_S: Final = 20.0
_HEADERS: Final = {"User-Agent": f"Stagebox/{__version__}", "Accept-Encoding": "identity"}


class Desk:
    """One visit. Use ``aclose`` last."""

    def __init__(self) -> None:
        # Cookies are said where they belong, and none is kept.
        self._http = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
        )

    async def ask(self, request: Request) -> object:
        """Return what is answered, which may be anything that JSON has.

        Raises:
            FarError: it is refused, not answered, or no JSON.
        """
        data = await self._asked(request, MAX_ANSWER)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            why = f"X answers something else than JSON ({request.what})."
            raise FarError(Cause.BAD_ANSWER, why) from None

    async def fetch(self, what: str, url: str, most: int) -> bytes:
        """Return what is at an address, at most so many bytes.

        Raises:
            FarError: it cannot be had.
        """
        return await self._asked(Request(what, url, {}), most)

    async def chat(self, door: Door, room: str) -> "Talk":
        """Come into a chat.

        Raises:
            FarError: one cannot.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                socket = await self._http.ws_connect(
                    door.url, heartbeat=_HEARTBEAT_S, max_msg_size=MAX_FRAME
                )
                for frame in hello(door.token, room):
                    await socket.send_str(frame)
        except ERRORS as error:
            why = f"The chat of this Space cannot be joined: {_kind(error)}."
            raise FarError(Cause.NO_ANSWER, why) from None
        return Talk(socket)

    async def aclose(self) -> None:
        """End all connections."""
        await self._http.close()

    # --- private --------------------------------------------------------------

    async def _asked(self, request: Request, most: int) -> bytes:
        try:
            async with self._http.request(
                "GET" if request.body is None else "POST",
                request.url,
                params=request.query,
                headers=request.headers,
                json=request.body,
                allow_redirects=False,
            ) as response:
                check_status(request, response.status)
                data = bytearray()
                async for piece in response.content.iter_any():
                    data += piece
                    if len(data) > most:
                        why = f"X answers more than can be read ({request.what})."
                        raise FarError(Cause.BAD_ANSWER, why)
                return bytes(data)
        except ERRORS as error:
            why = f"X does not answer ({request.what}): {_kind(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None


class Talk:
    """One stay in a chat."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self) -> Event:
        """Return what is told next.

        Raises:
            FarError: the chat is over.
        """
        async for frame in self._socket:
            told = event_of(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
            if told is not None:
                return told
            await asyncio.sleep(0)  # whoever floods does not hold up the others
        raise FarError(Cause.LOST, "X closed the chat of this Space.")

    async def aclose(self) -> None:
        """Leave."""
        with contextlib.suppress(*ERRORS):
            async with asyncio.timeout(GOODBYE_S):
                await self._socket.close()


def _kind(error: Exception) -> str:
    """Return what is wrong, without what was sent: the address of a request may be a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return reason(error.os_error)
    return "not in time" if isinstance(error, TimeoutError) else type(error).__name__
