"""A member that was let in and means ill: a session in the other space, and media of its own."""

import asyncio
import contextlib
import json
import re
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
from aioice import stun

from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.messages import (
    Error,
    FloorGranted,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    HubMessage,
    Join,
    MediaAnswer,
    MediaOffer,
    MemberMessage,
    Ping,
    Snapshot,
)
from tests.support.attacks import open_session

# A good one may wait while bad ones run into their deadlines.
PATIENCE_S: Final = 30.0
_PING_S: Final = 0.5
_M = TypeVar("_M", bound=HubMessage)


class Intruder:
    """Use as an async context: it is in the space then. ``packets``: what it is sent."""

    def __init__(self, url: str, address: str, name: str = "Mallory", space: str = "other") -> None:
        self._url, self._address, self._name, self._space = url, address, name, space
        self._tasks: list[asyncio.Task[None]] = []
        self._offers = self._spoken = 0
        self._messages: asyncio.Queue[HubMessage] = asyncio.Queue()
        self._peers: list[Peer] = []
        self.packets: list[AudioPacket] = []
        self.errors: list[Error] = []
        self.peer: Peer

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(local_addr=(self._address, 0))
        self.http = aiohttp.ClientSession(connector=connector)
        self.line = await open_session(self.http, self._url, self._name)
        self._tasks.append(asyncio.create_task(self._listen()))
        self._tasks.append(asyncio.create_task(self._ping()))
        await self.ask(Join(req="join", space=self._space), Snapshot)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await asyncio.gather(*(peer.aclose() for peer in self._peers))
        for task in self._tasks:
            task.cancel()
        await self.line.close()
        await self.http.close()

    async def offer(self, direction: Direction = "sendrecv") -> str:
        """Make media of our own; return the offer for it."""
        self.peer = Peer(
            local_address="127.0.0.1",
            direction=direction,
            on_packet=lambda packet, _now: self.packets.append(packet),
            on_state=lambda _state: None,
        )
        self._peers.append(self.peer)
        return await self.peer.offer()

    async def answer_to(self, sdp: str) -> MediaAnswer | Error:
        """Send an offer; return what came back."""
        self._offers += 1
        req = f"media{self._offers}"
        await self.say(MediaOffer(req=req, sdp=sdp))
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await self._messages.get()
                if isinstance(answer, MediaAnswer | Error) and answer.req == req:
                    return answer

    async def media(self) -> str:
        """Connect; return the hub's answer."""
        answer = await self.answer_to(await self.offer())
        assert isinstance(answer, MediaAnswer), answer
        await self.peer.accept(answer.sdp)
        await self.peer.wait_connected(PATIENCE_S)
        return answer.sdp

    async def take_floor(self) -> None:
        await self.ask(FloorRequest(req="floor"), FloorGranted)

    async def release_floor(self) -> None:
        await self.ask(FloorRelease(req="release"), FloorReleased)

    def speak(self, payload: bytes = b"\x78" + bytes(40)) -> bool:
        """Send a packet of sound, the next one of our stream."""
        self._spoken += 1
        return self.peer.send(payload, self._spoken & 0xFFFF, self._spoken * 960, False)

    async def say(self, message: MemberMessage) -> None:
        await self.line.send_str(encode(message))

    async def ask(self, message: MemberMessage, kind: type[_M]) -> _M:
        """Say something; return the answer, which must be of this kind."""
        await self.say(message)
        answer = await self.until(kind, Error)
        assert isinstance(answer, kind), answer
        return answer

    async def say_text(self, message: dict[str, Any]) -> None:
        """Say what no member would."""
        await self.line.send_str(json.dumps(message))

    async def until(self, *kinds: type[_M]) -> _M:
        """Return the next message of these kinds."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(message := await self._messages.get(), kinds):
                pass
        return message

    async def _listen(self) -> None:
        async for frame in self.line:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._messages.put_nowait(decode_hub(frame.data))

    async def _ping(self) -> None:
        number = 0
        with contextlib.suppress(ConnectionError):
            while True:
                number += 1
                await self.say(Ping(n=number))
                await asyncio.sleep(_PING_S)


def socket_of(peer: Peer) -> tuple[Any, tuple[str, int]]:
    """Return the socket a peer uses, and the address it sends to."""
    pair = peer._outgoing._nominated[1]
    return pair.protocol.transport._sock, pair.remote_addr


def attribute(sdp: str, name: str) -> str:
    """Return the value of a line of an SDP."""
    found = re.search(rf"^a={name}:(.*?)\r?$", sdp, re.MULTILINE)
    assert found, name
    return found[1]


def check(username: str, password: str, *, nominate: bool = False) -> bytes:
    """Return a connectivity check with these credentials."""
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    if nominate:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password.encode())
    message.add_fingerprint()
    return bytes(message)
