"""Rooms of Janus's VideoRoom, without pictures, and people in them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bench.support.janus_client import VIDEO_ROOM, Client, Handle
from bench.support.janus_port import TcpClient
from stagebox.rtc.peer import Direction, Peer
from tests.loopback.bridges.kit import Ears, Mouth
from tests.support.janus import Janus

_CONNECT_S = 20.0


class VideoRooms:
    """The administrator's hand in the VideoRooms of a Janus. ``room`` is the server's number."""

    def __init__(self, janus: Janus, client: Client) -> None:
        self.janus = janus
        self.client = client

    @property
    def room(self) -> dict[str, Any]:
        """How requests say which room."""
        return {"room": self.janus.room} | ({"pin": self.janus.pin} if self.janus.pin else {})

    async def make(self, publishers: int = 10) -> None:
        """Make the room."""
        await self._ask("create", publishers=publishers, audiocodec="opus", notify_joining=True)

    async def destroy(self) -> None:
        """End the room."""
        await self._ask("destroy")

    async def names(self) -> dict[str, Any]:
        """Return who is in the room, as shown, and their numbers."""
        told = await self._ask("listparticipants")
        return {each.get("display", ""): each["id"] for each in told["participants"]}

    async def kick(self, number: int | str) -> None:
        """Put somebody out."""
        await self._ask("kick", id=number)

    async def _ask(self, request: str, **more: object) -> Mapping[str, Any]:
        handle = await self.client.attach(VIDEO_ROOM)
        try:
            return (await handle.ask({"request": request} | self.room | more)).data
        finally:
            await handle.detach()

    @contextlib.asynccontextmanager
    async def person(self, display: str) -> AsyncIterator["Publisher"]:
        """Let somebody be in the room, with a microphone that is open."""
        person = Publisher(self)
        try:
            await person.join(display)
            yield person
        finally:
            await person.aclose()


@contextlib.asynccontextmanager
async def video_rooms(janus: Janus) -> AsyncIterator[VideoRooms]:
    """Ask a Janus for video rooms."""
    async with TcpClient(janus) as client:
        yield VideoRooms(janus, client)


class Publisher:
    """Somebody in a VideoRoom: a mouth, and ears for one other person."""

    def __init__(self, rooms: VideoRooms) -> None:
        self._rooms = rooms
        self._handles: list[Handle] = []
        self.ears = Ears()
        self._peers = [self._peer("sendonly"), self._peer("recvonly")]
        self.mouth = Mouth(self._peers[0].send)

    async def join(self, display: str) -> None:
        """Come in and publish."""
        peer = self._peers[0]
        handle = await self._handle()
        body = {"request": "joinandconfigure", "ptype": "publisher", "display": display}
        reply = await handle.ask(body | self._rooms.room, offer=await peer.offer())
        assert reply.sdp is not None
        await peer.accept(reply.sdp)
        await peer.wait_connected(_CONNECT_S)
        await asyncio.sleep(0)

    async def listen(self, feed: int | str) -> None:
        """Hear somebody from now on."""
        peer = self._peers[1]
        handle = await self._handle()
        body = {"request": "join", "ptype": "subscriber", "streams": [{"feed": feed}]}
        reply = await handle.ask(body | self._rooms.room)
        assert reply.sdp is not None
        await handle.ask({"request": "start"}, answer=await peer.answer(reply.sdp))
        await peer.wait_connected(_CONNECT_S)

    async def unpublish(self) -> None:
        """Stay, but say nothing more."""
        await self._handles[0].ask({"request": "unpublish"})

    async def aclose(self) -> None:
        """Go."""
        for handle in self._handles:
            await handle.detach()
        for peer in self._peers:
            await peer.aclose()

    async def _handle(self) -> Handle:
        self._handles.append(await self._rooms.client.attach(VIDEO_ROOM))
        return self._handles[-1]

    def _peer(self, direction: Direction) -> Peer:
        return Peer(
            local_address=self._rooms.janus.near,
            direction=direction,
            on_packet=self.ears.heard,
            on_state=lambda _state: None,
        )
