"""The ends that are measured: Stagebox's sender, the library's own, and the bare limit.

Each worker holds connections to receivers. ``cost`` sends frames to all of them and
returns the CPU time of each frame, by contender. The turn of the event loop that a
frame takes is within; the pause in which receivers empty their sockets is not.
"""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av.packet import Packet
from av.stream import Stream

from bench.support import report
from bench.support.receivers import CONNECT_S, LOOPBACK
from bench.support.voice import packets, speech
from bench.support.workers import Worker
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.rtp import AudioPacket
from stagebox.rtc import addresses
from stagebox.rtc.peer import Peer, PeerState
from stagebox.rtc.sdp import only_sha256

# Between two frames, so that receivers on the other core keep up.
_PAUSE_S = 0.003
_SPEECH_S = 2.0
_HEADER = struct.Struct("!BBHII")
_TIME_BASE = Fraction(1, SAMPLE_RATE)


def connect(sender: Worker, receivers: Worker, count: int) -> None:
    """Connect ``count`` of the sender's connections to receivers."""
    for _ in range(count):
        sender.ask("accept", receivers.ask("answer", sender.ask("offer")))


async def timed(frames: int, **ways: Callable[[], Awaitable[None]]) -> dict[str, list[float]]:
    """Send ``frames`` frames each way, in turns; return the CPU seconds of each frame.

    Turn by turn, because a process that has just run is faster than one that slept.
    """
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for name in report.turns(list(ways), frames):
        before = time.process_time()
        await ways[name]()
        costs[name].append(time.process_time() - before)
        await asyncio.sleep(_PAUSE_S)
    return costs


class Feed:
    """Gives one packet to all tracks at once; knows when all have sent it."""

    def __init__(self) -> None:
        self.tracks = 0
        self._waiting = 0
        self._next: asyncio.Future[Packet[Stream]] = asyncio.get_running_loop().create_future()
        self._all_wait = asyncio.Event()

    async def receive(self) -> "Packet[Stream]":
        """Wait for the next packet; being called says that the last one was sent."""
        self._waiting += 1
        if self._waiting == self.tracks:
            self._all_wait.set()
        return await self._next

    async def give(self, packet: "Packet[Stream]") -> None:
        """Give a packet to all tracks, and return when each has sent it."""
        await self._all_wait.wait()
        self._waiting = 0
        self._all_wait.clear()
        given, self._next = self._next, asyncio.get_running_loop().create_future()
        given.set_result(packet)
        await self._all_wait.wait()


class FedTrack(MediaStreamTrack):
    """A track of ready-made Opus packets, the cheapest source that the library takes."""

    kind = "audio"

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed
        feed.tracks += 1

    async def recv(self) -> "Packet[Stream]":
        """Return the next packet of the feed."""
        return await self._feed.receive()


class StockSenders:
    """The library as it comes: one ``RTCPeerConnection`` for each receiver."""

    def __init__(self) -> None:
        addresses.install()  # nothing else of ours: candidates on the loopback only
        self._feed = Feed()
        self._connections: list[RTCPeerConnection] = []
        self._payloads = packets(speech(_SPEECH_S))
        self._number = 0

    async def offer(self) -> str:
        """Make one connection; return its offer."""
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(FedTrack(self._feed))
        self._connections.append(connection)
        with addresses.gathering_on(LOOPBACK):
            await connection.setLocalDescription()
        return only_sha256(connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the answer to the last offer and wait until connected."""
        connection = self._connections[-1]
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(CONNECT_S):
            while connection.connectionState != "connected":  # noqa: ASYNC110 - its event comes early
                await asyncio.sleep(0.005)

    async def cost(self, frames: int) -> dict[str, list[float]]:
        """Send so many frames to all; return the CPU seconds of each."""
        return await timed(frames, aiortc=self._send)

    async def _send(self) -> None:
        self._number += 1
        payload = self._payloads[self._number % len(self._payloads)]
        packet: Packet[Stream] = Packet(payload)
        packet.pts = self._number * FRAME_SAMPLES
        packet.time_base = _TIME_BASE
        await self._feed.give(packet)
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class BarePath:
    """What sending to one receiver needs at the least."""

    send: Callable[[bytes, tuple[str, int]], int]
    protect: Callable[[bytes], bytes]
    address: tuple[str, int]
    kind: int
    ssrc: int


class LeanSenders:
    """Stagebox's own sender, and on the same connections the limit.

    The limit is a header by ``struct``, SRTP, and ``sendto`` on the socket itself.
    """

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.payloads = packets(speech(_SPEECH_S))
        self.paths: list[BarePath] = []
        self.number = 0

    async def offer(self) -> str:
        """Make one connection; return its offer."""
        peer = Peer(
            local_address=LOOPBACK,
            direction="sendonly",
            on_packet=_ignore_packet,
            on_state=_ignore_state,
        )
        self.peers.append(peer)
        return await peer.offer()

    async def accept(self, answer: str) -> None:
        """Take the answer to the last offer and wait until connected."""
        peer = self.peers[-1]
        await peer.accept(answer)
        await peer.wait_connected(CONNECT_S)
        await asyncio.sleep(0)  # the streams start in the turn after
        self.paths.append(_path(peer))

    async def cost(self, frames: int) -> dict[str, list[float]]:
        """Send so many frames to all, by ``Peer.send`` and by the bare path."""
        return await timed(frames, stagebox=self._send, limit=partial(self.send_bare, self.paths))

    async def check(self) -> None:
        """Refuse figures of packets that were not sent.

        Raises:
            RuntimeError: a packet was refused by SRTP, or by a full buffer.
        """
        stats = [peer.stats() for peer in self.peers]
        refused = sum(each.send_errors + each.send_overflows for each in stats)
        if refused:
            raise RuntimeError(f"{refused} packets were not sent; the figures mean nothing")

    def next_payload(self) -> bytes:
        """Count on; SRTP must see each number once, whoever sends."""
        self.number += 1
        return self.payloads[self.number % len(self.payloads)]

    async def _send(self) -> None:
        payload = self.next_payload()
        sequence, timestamp = self.number, self.number * FRAME_SAMPLES
        for peer in self.peers:
            peer.send(payload, sequence, timestamp, False)
        await asyncio.sleep(0)

    async def send_bare(self, paths: list[BarePath]) -> None:
        """Send one frame with nothing that can be left out."""
        payload = self.next_payload()
        sequence, timestamp = self.number & 0xFFFF, self.number * FRAME_SAMPLES & 0xFFFFFFFF
        for path in paths:
            header = _HEADER.pack(0x80, path.kind, sequence, timestamp, path.ssrc)
            path.send(path.protect(header + payload), path.address)
        await asyncio.sleep(0)


def _path(peer: Peer) -> BarePath:
    outgoing = peer._outgoing
    assert outgoing._session is not None
    pair = outgoing._nominated[1]
    descriptor = pair.protocol.transport.get_extra_info("socket").fileno()
    bare = socket.socket(fileno=os.dup(descriptor))
    protect = outgoing._session.protect
    return BarePath(bare.sendto, protect, pair.remote_addr, outgoing._type, outgoing.ssrc)


def _ignore_packet(packet: AudioPacket, arrival: float) -> None:
    pass


def _ignore_state(state: PeerState) -> None:
    pass
