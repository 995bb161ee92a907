"""Ways from talkers to a listener: Stagebox's hub, Janus's two rooms, aiortc as it comes.

Each is a process of its own; the talkers and the listener are in this one, on one clock,
and are the same for all: ``stagebox.rtc.peer.Peer``, tapped before any jitter buffer.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from bench.support.janus import Server
from bench.support.janus_client import Bridge, Client, Room
from bench.support.member import LOOPBACK, Member
from bench.support.mouth import Send
from bench.support.workers import Worker
from stagebox.media.rtp import AudioPacket
from stagebox.rtc import addresses
from stagebox.rtc.peer import Direction, Peer, PeerState
from stagebox.rtc.sdp import only_sha256
from tests.support.crew import Hub, free_port, running

OnPacket = Callable[[AudioPacket, float], None]

CONNECT_S: Final = 20.0
OPEN_SPACE: Final = (
    '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n[space.limits]\ntalk_limit_s = 0\n'
)


class Way:
    """Some talkers, one listener, and what is between them; use as an async context."""

    name: str
    # Whether packets come out as they went in.
    forwards: bool

    def __init__(self, talkers: int, on_packet: OnPacket) -> None:
        self._count = talkers
        self._on_packet = on_packet
        self._stack = AsyncExitStack()
        self.sends: list[Send] = []

    async def __aenter__(self) -> Self:
        """Start and connect everybody."""
        try:
            await self._connect()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self._stack.aclose()

    async def _connect(self) -> None:
        raise NotImplementedError

    def _peer(self, direction: Direction, address: str) -> Peer:
        on_packet = _ignore_packet if direction == "sendonly" else self._on_packet
        peer = Peer(
            local_address=address, direction=direction, on_packet=on_packet, on_state=_ignore_state
        )
        self._stack.push_async_callback(peer.aclose)
        return peer


class StageboxWay(Way):
    """The hub as users start it, with members over its WebSocket."""

    name, forwards = "Stagebox hub", True

    async def _connect(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "hub.toml").write_text(OPEN_SPACE)
        hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
        self._stack.enter_context(running(hub))
        await asyncio.to_thread(hub.wait_up)
        enter = self._stack.enter_async_context
        await enter(Member(hub.http, "Listener", "recvonly", self._on_packet))
        for number in range(self._count):
            name = f"Talker {number}"
            talker = await enter(Member(hub.http, name, "sendrecv", _ignore_packet))
            await talker.take_floor()
            self.sends.append(talker.peer.send)


class BridgeWay(Way):
    """Janus's AudioBridge at 48 kHz: everything is mixed, one talker as well."""

    name, forwards = "Janus AudioBridge", False
    prebuffering = 0  # Janus's own choice, six packets

    async def _connect(self) -> None:
        server = await self._stack.enter_async_context(Server())
        client = await self._stack.enter_async_context(Client(server))
        bridge = await Bridge.create(client, prebuffering=self.prebuffering)
        for _ in range(self._count):
            peer = self._peer("sendonly", server.address)
            _, answer = await bridge.join(await peer.offer())
            await peer.accept(answer)
            await peer.wait_connected(CONNECT_S)
            self.sends.append(peer.send)
        ear = self._peer("recvonly", server.address)
        _, answer = await bridge.join(await ear.offer(), muted=True)
        await ear.accept(answer)
        await ear.wait_connected(CONNECT_S)


class TightBridgeWay(BridgeWay):
    """The AudioBridge with two packets of pre-buffering instead of six."""

    name = "Janus AudioBridge, 2 packets"
    prebuffering = 2


class RoomWay(Way):
    """Janus's VideoRoom with one talker: packets are forwarded."""

    name, forwards = "Janus VideoRoom", True

    async def _connect(self) -> None:
        server = await self._stack.enter_async_context(Server())
        client = await self._stack.enter_async_context(Client(server))
        room = await Room.create(client)
        peer = self._peer("sendonly", server.address)
        feed, answer = await room.publish(await peer.offer())
        await peer.accept(answer)
        await peer.wait_connected(CONNECT_S)
        self.sends.append(peer.send)
        ear = self._peer("recvonly", server.address)
        handle, offer = await room.subscribe(feed)
        await room.start(handle, await ear.answer(offer))
        await ear.wait_connected(CONNECT_S)


class StockRelay:
    """For a worker: aiortc's own objects, a track that comes in goes out through MediaRelay.

    It is received, held, decoded and encoded again as the library does it by itself.
    """

    def __init__(self) -> None:
        addresses.install()  # nothing else of ours: candidates on the loopback only
        self._relay = MediaRelay()
        self._incoming = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._outgoing = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def publish(self, offer: str) -> str:
        """Take the talker's offer; return the answer."""
        self._incoming.on("track", self._pass_on)
        await self._incoming.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        with addresses.gathering_on(LOOPBACK):
            await self._incoming.setLocalDescription(await self._incoming.createAnswer())
        return only_sha256(self._incoming.localDescription.sdp)

    async def offer(self) -> str:
        """Return the offer to the listener."""
        with addresses.gathering_on(LOOPBACK):
            await self._outgoing.setLocalDescription(await self._outgoing.createOffer())
        return only_sha256(self._outgoing.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the listener's answer."""
        await self._outgoing.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def _pass_on(self, track: object) -> None:
        self._outgoing.addTrack(self._relay.subscribe(track))  # type: ignore[arg-type]


class StockWay(Way):
    """aiortc with nothing of ours in between; it has no mixer, so one talker."""

    name, forwards = "aiortc relay", False

    async def _connect(self) -> None:
        worker = self._stack.enter_context(Worker(StockRelay))
        peer = self._peer("sendonly", LOOPBACK)
        await peer.accept(worker.ask("publish", await peer.offer()))
        await peer.wait_connected(CONNECT_S)
        self.sends.append(peer.send)
        ear = self._peer("recvonly", LOOPBACK)
        worker.ask("accept", await ear.answer(worker.ask("offer")))
        await ear.wait_connected(CONNECT_S)


def _ignore_packet(packet: AudioPacket, arrival: float) -> None:
    pass


def _ignore_state(state: PeerState) -> None:
    pass
