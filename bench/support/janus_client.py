"""A small client of Janus: one session over one WebSocket, and rooms of two kinds.

``Bridge`` is an AudioBridge room, which mixes, and ``Room`` a VideoRoom with audio
only, which forwards. Only SDP texts go in and out, so the ends may live in any process.
Our own ``stagebox.rtc.peer.Peer`` is such an end, on ``Server.address``: Janus's SDP
passes its screening both ways.

Let each member connect before the next comes: a hundred DTLS handshakes at once on a
small machine outlast ICE's patience.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import aiohttp

from bench.support.janus import JanusError, Server
from stagebox.media.frames import SAMPLE_RATE

# A machine that sets up hundreds of members at once answers late.
ANSWER_S = 30.0
# Janus drops a session that says nothing for 60 s.
KEEP_ALIVE_S = 20.0

AUDIO_BRIDGE = "janus.plugin.audiobridge"
VIDEO_ROOM = "janus.plugin.videoroom"

# More than any benchmark has members who speak.
_PUBLISHERS = 500

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a plugin answered: its data, and its SDP if there was one."""

    data: Body
    sdp: str | None


class Client:
    """One session, kept alive; use as an async context. Requests may overlap."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[Body]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._session_id = 0

    async def __aenter__(self) -> Self:
        connector = aiohttp.UnixConnector(str(self._server.socket))
        self._http = aiohttp.ClientSession(connector=connector)
        self._line = await self._http.ws_connect("http://janus/", protocols=("janus-protocol",))
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_alive())]
        self._session_id = (await self.request("create"))["data"]["id"]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._line.close()
        await self._http.close()

    async def attach(self, plugin: str) -> "Handle":
        """Return a new handle of a plugin; each carries one connection at most."""
        return Handle(self, (await self.request("attach", plugin=plugin))["data"]["id"])

    async def request(self, kind: str, **fields: object) -> Body:
        """Send a request and return its last answer: an acknowledgement is not one.

        Raises:
            JanusError: an error came back, or nothing within ``ANSWER_S``.
        """
        number = str(next(self._numbers))
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        session = {"session_id": self._session_id} if self._session_id else {}
        await self._line.send_json({"janus": kind, "transaction": number} | session | fields)
        try:
            async with asyncio.timeout(ANSWER_S):
                answer: Body = await future
        except TimeoutError:
            raise JanusError(f"no answer to {kind} within {ANSWER_S:g} s") from None
        finally:
            del self._waiting[number]
        if answer["janus"] == "error":
            raise JanusError(f"{kind}: {answer['error']}")
        return answer

    async def _listen(self) -> None:
        async for message in self._line:
            body: Body = message.json()
            future = self._waiting.get(body.get("transaction", ""))
            if future is not None and not future.done() and body["janus"] != "ack":
                future.set_result(body)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_S)
            # Answered by an acknowledgement only, so nothing is waited for.
            await self._line.send_json(
                {"janus": "keepalive", "session_id": self._session_id, "transaction": "alive"}
            )


class Handle:
    """One use of a plugin."""

    def __init__(self, client: Client, number: int) -> None:
        self._client = client
        self._number = number

    async def ask(self, body: Body, *, offer: str = "", answer: str = "") -> Reply:
        """Send a plugin request, with an SDP or without, and return its answer.

        Raises:
            JanusError: Janus or the plugin refused.
        """
        fields: Body = {"handle_id": self._number, "body": body}
        if offer or answer:
            kind = "offer" if offer else "answer"
            fields["jsep"] = {"type": kind, "sdp": offer or answer, "trickle": False}
        message = await self._client.request("message", **fields)
        data = message["plugindata"]["data"]
        if "error" in data:
            raise JanusError(f"{body['request']}: {data['error']}")
        return Reply(data, message.get("jsep", {}).get("sdp"))

    async def detach(self) -> None:
        """Leave, and close the connection if there is one."""
        with contextlib.suppress(JanusError):
            await self._client.request("detach", handle_id=self._number)


def _sdp(text: str | None) -> str:
    if text is None:
        raise JanusError("an SDP was expected and none came")
    return text


@dataclass(frozen=True, slots=True)
class Bridge:
    """One AudioBridge room at 48 kHz; every setting not named here is Janus's own."""

    client: Client
    number: int

    @classmethod
    async def create(cls, client: Client, number: int = 1, *, prebuffering: int = 0) -> "Bridge":
        """Make the room; ``prebuffering`` in packets, Janus's own six if 0."""
        handle = await client.attach(AUDIO_BRIDGE)
        chosen = {"default_prebuffering": prebuffering} if prebuffering else {}
        request = {"request": "create", "room": number, "sampling_rate": SAMPLE_RATE}
        await handle.ask(request | chosen)
        return cls(client, number)

    async def join(self, offer: str, *, muted: bool = False) -> tuple[Handle, str]:
        """Let a member in; return its handle and Janus's answer."""
        handle = await self.client.attach(AUDIO_BRIDGE)
        body = {"request": "join", "room": self.number, "muted": muted}
        reply = await handle.ask(body, offer=offer)
        return handle, _sdp(reply.sdp)

    async def offer(self, *, muted: bool = True) -> tuple[Handle, str]:
        """Let a member in; return its handle and Janus's offer."""
        handle = await self.client.attach(AUDIO_BRIDGE)
        body = {"request": "join", "room": self.number, "muted": muted, "generate_offer": True}
        return handle, _sdp((await handle.ask(body)).sdp)

    async def accept(self, handle: Handle, answer: str) -> None:
        """Take the answer to an offer."""
        await handle.ask({"request": "configure"}, answer=answer)


@dataclass(frozen=True, slots=True)
class Room:
    """One VideoRoom that carries audio only."""

    client: Client
    number: int

    @classmethod
    async def create(cls, client: Client, number: int = 1) -> "Room":
        """Make the room."""
        handle = await client.attach(VIDEO_ROOM)
        body = {"request": "create", "room": number, "publishers": _PUBLISHERS}
        await handle.ask(body | {"audiocodec": "opus"})
        return cls(client, number)

    async def publish(self, offer: str) -> tuple[int, str]:
        """Publish a talker's sound; return the feed's number and Janus's answer."""
        handle = await self.client.attach(VIDEO_ROOM)
        body = {"request": "joinandconfigure", "room": self.number, "ptype": "publisher"}
        reply = await handle.ask(body, offer=offer)
        return reply.data["id"], _sdp(reply.sdp)

    async def subscribe(self, feed: int) -> tuple[Handle, str]:
        """Listen to a feed; return the handle and Janus's offer."""
        handle = await self.client.attach(VIDEO_ROOM)
        body = {"request": "join", "room": self.number, "ptype": "subscriber"}
        reply = await handle.ask(body | {"streams": [{"feed": feed}]})
        return handle, _sdp(reply.sdp)

    async def start(self, handle: Handle, answer: str) -> None:
        """Take a listener's answer; sound follows."""
        await handle.ask({"request": "start"}, answer=answer)
