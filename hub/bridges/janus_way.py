"""The two ways to speak with Janus: a WebSocket, and requests of HTTP with long polls.

Both carry the same messages. By HTTP Janus answers a request at once, and what it has to
tell later waits until it is asked for.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import aiohttp

from hub.bridges.janus_terms import Body

# A room of 200 people with a word about each is 20 KiB.
MAX_MESSAGE: Final = 256 * 1024
# Janus's side of the line is asked so often whether it is there, and half of it is the patience:
# 1.8 s at most until a cable that is out is noticed.
HEARTBEAT_S: Final = 1.2
# Janus forgets a session that says nothing for 60 s.
KEEP_ALIVE_S: Final = 25.0
ERRORS: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)

_PROTOCOL: Final = "janus-protocol"
# By HTTP nothing tells that a cable is out but a request that is not answered.
_ASK_S: Final = 0.8
_PATIENCE_S: Final = 1.0
_ANSWER_S: Final = 5.0
_PAUSE_S: Final = 0.1
# Janus answers a poll after 30 s of silence; what does not come at all is noticed sooner.
_POLL_S: Final = 45.0
_MOST_AT_ONCE: Final = 10
_HTTP: Final = ("http", "https")


class WayError(Exception):
    """The way ended; the text says how."""


class Way(Protocol):
    """One way. Use ``open`` first and ``aclose`` last. All may raise one of ``ERRORS``."""

    keep_s: float  # how often a word is needed
    is_asked: bool  # only an answer shows that Janus is there

    async def open(self) -> None:
        """Connect."""

    async def send(self, message: dict[str, Any]) -> Body | None:
        """Send a message; return what is answered at once."""

    async def read(self) -> list[Any]:
        """Wait for what Janus tells next; WayError: it ended."""

    async def aclose(self) -> None:
        """Close."""


def way_by(url: str, credential: str = "") -> Way:
    """Return the way that an address means. ``credential``: shown with each request of HTTP."""
    return PollWay(url, credential) if urlsplit(url).scheme in _HTTP else SocketWay(url)


class SocketWay:
    """A WebSocket."""

    keep_s = KEEP_ALIVE_S
    is_asked = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self) -> None:
        """See ``Way``."""
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(
            self._url, protocols=(_PROTOCOL,), heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE
        )

    async def send(self, message: dict[str, Any]) -> None:
        """See ``Way``."""
        if self._socket is None or self._socket.closed:
            raise ConnectionResetError("the connection is closed")
        await self._socket.send_str(json.dumps(message))

    async def read(self) -> list[Any]:
        """See ``Way``."""
        if self._socket is None:
            raise WayError("it was never opened")
        async for frame in self._socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                return [json.loads(frame.data)]
        raise WayError("Janus closed the connection.")

    async def aclose(self) -> None:
        """See ``Way``."""
        if self._socket is not None:
            await self._socket.close()
        if self._http is not None:
            await self._http.close()


class PollWay:
    """Requests of HTTP, one of which always waits for news."""

    keep_s = _ASK_S
    is_asked = True

    def __init__(self, url: str, credential: str = "") -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": credential} if credential else {}
        if credential:  # who gives out such a pass counts what is asked, and is far away
            self.keep_s, self.is_asked = KEEP_ALIVE_S, False
        self._http: aiohttp.ClientSession | None = None
        self._query: dict[str, str] = {}
        self._session: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """See ``Way``: nothing is sent yet."""
        self._http = aiohttp.ClientSession(auto_decompress=False, headers=self._headers)

    async def send(self, message: dict[str, Any]) -> Body | None:
        """See ``Way``."""
        is_word = message.get("janus") == "keepalive"
        parts = [message.pop(name) for name in ("session_id", "handle_id") if name in message]
        self._query = {name: message[name] for name in ("apisecret", "token") if name in message}
        url = "/".join((self._url, *map(str, parts)))
        limit_s = _PATIENCE_S if is_word else _ANSWER_S
        found = await self._asked("POST", url, limit_s, message)
        if not isinstance(found, Mapping):
            raise ValueError("this is no answer of Janus")
        if message.get("janus") == "create" and not self._session.done():
            data = found.get("data")
            if isinstance(data, Mapping):
                self._session.set_result(str(data.get("id")))
        return found

    async def read(self) -> list[Any]:
        """See ``Way``."""
        url = f"{self._url}/{await asyncio.shield(self._session)}"
        query = {"maxev": str(_MOST_AT_ONCE), **self._query}
        found = await self._asked("GET", url, _POLL_S, query=query)
        found = found if isinstance(found, list) else [found]
        # A poll that brings nothing says "keepalive"; it should have taken half a minute.
        news = [each for each in found if not _is_idle(each)]
        if not news:
            await asyncio.sleep(_PAUSE_S)
        return news

    async def aclose(self) -> None:
        """See ``Way``."""
        if self._http is not None:
            await self._http.close()

    async def _asked(
        self,
        method: str,
        url: str,
        limit_s: float,
        message: dict[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> object:
        if self._http is None:
            raise ConnectionResetError("the connection is closed")
        async with self._http.request(
            method,
            url,
            timeout=aiohttp.ClientTimeout(total=limit_s),
            allow_redirects=False,
            json=message,
            params=query,
        ) as response:
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > MAX_MESSAGE:
                    raise ValueError("this is more than Janus has to say")
            if response.status != 200:
                raise aiohttp.ClientError(f"it answers {response.status}")
            return json.loads(body)


def _is_idle(message: object) -> bool:
    return isinstance(message, Mapping) and message.get("janus") == "keepalive"


__all__ = [
    "ERRORS",
    "HEARTBEAT_S",
    "MAX_MESSAGE",
    "PollWay",
    "SocketWay",
    "Way",
    "WayError",
    "way_by",
]
