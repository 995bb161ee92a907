"""A member of a real hub, over the real WebSocket, for benchmarks."""

import asyncio
import base64
import secrets
from collections.abc import Callable
from typing import Final, Self, TypeVar

import aiohttp

from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer, PeerState
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.handshake import MemberHandshake
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
from stagebox.wire.terms import MEMBER_PATH, Kind, Role

ANSWER_S: Final = 20.0
# As often as a talking box: a lease is longer than two of these.
_PING_S: Final = 0.5
LOOPBACK: Final = "127.0.0.1"

M = TypeVar("M", bound=HubMessage)
OnPacket = Callable[[AudioPacket, float], None]


class MemberError(RuntimeError):
    """The hub refused or did not answer; the text holds what it said."""


class Member:
    """One member with one media connection; use as an async context."""

    def __init__(self, url: str, name: str, direction: Direction, on_packet: OnPacket) -> None:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._handshake = MemberHandshake(
            key=key,
            nonce=secrets.token_hex(32),
            name=name,
            kind=Kind.BOX,
            role=Role.GUEST,
            software="bench",
        )
        self._url = url
        self._direction: Direction = direction
        self._on_packet = on_packet
        self._answers: asyncio.Queue[HubMessage] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._presses = 0

    async def __aenter__(self) -> Self:
        """Open the line, join, connect."""
        self._http = aiohttp.ClientSession()
        self._line = await self._http.ws_connect(self._url + MEMBER_PATH)
        self._tasks.append(asyncio.create_task(self._listen()))
        while self._handshake.welcome is None:
            hello = self._handshake.receive(await self._next())
            if hello is not None:
                await self._say(hello)
        self._tasks.append(asyncio.create_task(self._ping()))
        await self._ask(Join(req="join"), Snapshot)
        self.peer = Peer(
            local_address=LOOPBACK,
            direction=self._direction,
            on_packet=self._on_packet,
            on_state=_ignore_state,
        )
        offer = MediaOffer(req="media", sdp=await self.peer.offer())
        answer = await self._ask(offer, MediaAnswer)
        await self.peer.accept(answer.sdp)
        await self.peer.wait_connected(ANSWER_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        await self.peer.aclose()
        for task in self._tasks:
            task.cancel()
        await self._line.close()
        await self._http.close()

    async def take_floor(self) -> None:
        """Ask for the floor and wait until it is there."""
        self._presses += 1
        await self._ask(FloorRequest(req=f"floor-{self._presses}"), FloorGranted)

    async def release_floor(self) -> None:
        """Give the floor back and wait until it is."""
        await self._ask(FloorRelease(req=f"floor-{self._presses}"), FloorReleased)

    async def _ask(self, message: MemberMessage, kind: type[M]) -> M:
        await self._say(message)
        while True:
            answer = await self._next()
            if isinstance(answer, kind):
                return answer
            if isinstance(answer, Error):
                raise MemberError(f"{type(message).__name__}: {answer.code}, {answer.detail}")

    async def _next(self) -> HubMessage:
        async with asyncio.timeout(ANSWER_S):
            return await self._answers.get()

    async def _say(self, message: MemberMessage) -> None:
        await self._line.send_str(encode(message))

    async def _listen(self) -> None:
        async for frame in self._line:
            self._answers.put_nowait(decode_hub(frame.data))

    async def _ping(self) -> None:
        number = 0
        while True:
            number += 1
            await self._say(Ping(n=number))
            await asyncio.sleep(_PING_S)


def _ignore_state(state: PeerState) -> None:
    pass
