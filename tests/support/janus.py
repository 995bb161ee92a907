"""Debian's Janus on a TCP port, to be killed and started again; and people in its rooms."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator

from bench.support.janus_client import AUDIO_BRIDGE, Client, Handle
from bench.support.janus_port import PortServer, TcpClient
from stagebox.media.frames import SAMPLE_RATE
from stagebox.rtc.peer import Peer
from tests.loopback.bridges.kit import Ears, Mouth

STREAMING = "janus.plugin.streaming"
_CONNECT_S = 20.0


def is_here() -> bool:
    """Say whether there is a Janus."""
    return shutil.which("janus") is not None


class Janus(PortServer):
    """The same with people in its rooms."""

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator["Rooms"]:
        """Ask it for rooms and people."""
        async with TcpClient(self) as client:
            yield Rooms(self, client)


class Rooms:
    """The administrator's hand in a Janus, and its people."""

    def __init__(self, janus: Janus, client: Client) -> None:
        self._janus = janus
        self._client = client

    async def make(self) -> None:
        """Make the room."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "create", "room": self._janus.room, "sampling_rate": SAMPLE_RATE}
        await handle.ask(body | pin | {"audiolevel_event": True, "audio_active_packets": 20})

    async def destroy(self) -> None:
        """End the room."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        await handle.ask({"request": "destroy", "room": self._janus.room})

    async def make_stream(self, number: int, port: int) -> None:
        """Make a stream of what comes to a UDP port as RTP."""
        handle = await self._client.attach(STREAMING)
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "create", "type": "rtp", "id": number, "audio": True, "audiopt": 111}
        kind = {"audioport": port, "audiortpmap": "opus/48000/2", "audiocodec": "opus"}
        await handle.ask(body | kind | pin | {"audioiface": self._janus.address})

    async def destroy_stream(self, number: int) -> None:
        """End a stream."""
        handle = await self._client.attach(STREAMING)
        await handle.ask({"request": "destroy", "id": number})

    async def names(self) -> dict[str, int]:
        """Return who is in the room, as shown, and their numbers."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        told = await handle.ask({"request": "listparticipants", "room": self._janus.room})
        return {each.get("display", ""): each["id"] for each in told.data["participants"]}

    async def kick(self, number: int) -> None:
        """Put somebody out."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        await handle.ask({"request": "kick", "room": self._janus.room, "id": number})

    @contextlib.asynccontextmanager
    async def person(self, display: str) -> AsyncIterator["Stranger"]:
        """Let somebody be in the room."""
        stranger = Stranger(self._janus)
        handle = await self._client.attach(AUDIO_BRIDGE)
        try:
            await stranger.join(handle, display)
            yield stranger
        finally:
            await handle.detach()
            await stranger.peer.aclose()


class Stranger:
    """Somebody in a Janus room, with a mouth and ears."""

    def __init__(self, janus: Janus) -> None:
        self._janus = janus
        self.ears = Ears()
        self.peer = Peer(
            local_address=janus.near,
            direction="sendrecv",
            on_packet=self.ears.heard,
            on_state=lambda _state: None,
        )
        self.mouth = Mouth(self.peer.send)

    async def join(self, handle: Handle, display: str) -> None:
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "join", "room": self._janus.room, "display": display, "prebuffer": 2}
        reply = await handle.ask(body | pin, offer=await self.peer.offer())
        assert reply.sdp is not None
        await self.peer.accept(reply.sdp)
        await self.peer.wait_connected(_CONNECT_S)
        await asyncio.sleep(0)
