"""The ends that are measured: Stagebox's sender, the library's own, and the bare limit.

Each worker holds connections to receivers. ``cost`` sends frames to all of them and
returns the CPU time of each frame, by contender. The turn of the event loop that a
frame takes is within; the pause in which receivers empty their sockets is not.
"""

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av.packet import Packet
from av.stream import Stream

from bench.support import report
from bench.support.receivers import CONNECT_S, LOOPBACK
from bench.support.voice import packets, speech
from bench.support.workers import Worker
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.rtp import AudioPacket
from stagebox.rtc import addresses
from stagebox.rtc.consent import PATIENT
from stagebox.rtc.inplace import protect, workspace
from stagebox.rtc.peer import Peer, PeerState
from stagebox.rtc.sdp import only_sha256

# Between two frames, so that receivers on the other core keep up.
_PAUSE_S = 0.003
_SPEECH_S = 2.0
# A handshake waits for each side in turn, so several keep both busy; many at once
# would outlast ICE's patience.
_AT_ONCE = 10
_HEADER = struct.Struct("!BBHII")
_SSRC_AT = 8
_LOST = "a connection was lost; give the machine less to do"
_write_ssrc = struct.Struct("!I").pack_into
_TIME_BASE = Fraction(1, SAMPLE_RATE)


def connect(sender: Worker, receivers: Worker, count: int) -> None:
    """Connect ``count`` more of the sender's connections to receivers, several at once."""
    for begin in range(0, count, _AT_ONCE):
        offers = sender.ask("offers", min(_AT_ONCE, count - begin))
        sender.ask("accepts", receivers.ask("answers", offers))
    receivers.ask("drain")


async def timed(
    frames: int, pause: float = _PAUSE_S, **ways: Callable[[], Awaitable[None]]
) -> dict[str, list[float]]:
    """Send ``frames`` frames each way, in turns; return the CPU seconds of each frame.

    Turn by turn, because a process that has just run is faster than one that slept.
    """
    costs: dict[str, list[float]] = {name: [] for name in ways}
    for name in report.turns(list(ways), frames):
        before = time.process_time()
        await ways[name]()
        costs[name].append(time.process_time() - before)
        await asyncio.sleep(pause)
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

    async def offers(self, count: int) -> list[str]:
        """Make so many connections; return their offers."""
        return [await self._offer() for _ in range(count)]

    async def accepts(self, answers: list[str]) -> None:
        """Take the answers to the last offers and wait until connected."""
        fresh = self._connections[-len(answers) :]
        await asyncio.gather(*map(_settled, fresh, answers))

    async def cost(self, frames: int, pause: float = _PAUSE_S) -> dict[str, list[float]]:
        """Send so many frames to all; return the CPU seconds of each."""
        return await timed(frames, pause, aiortc=self._send)

    async def _offer(self) -> str:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.addTrack(FedTrack(self._feed))
        self._connections.append(connection)
        with addresses.gathering_on(LOOPBACK):
            await connection.setLocalDescription()
        return only_sha256(connection.localDescription.sdp)

    async def _send(self) -> None:
        self._number += 1
        payload = self._payloads[self._number % len(self._payloads)]
        packet: Packet[Stream] = Packet(payload)
        packet.pts = self._number * FRAME_SAMPLES
        packet.time_base = _TIME_BASE
        await self._feed.give(packet)
        await asyncio.sleep(0)


async def _settled(connection: RTCPeerConnection, answer: str) -> None:
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(CONNECT_S):
        while connection.connectionState != "connected":  # noqa: ASYNC110 - its event comes early
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class BarePath:
    """What sending to one receiver needs at the least; ``handle`` is libsrtp's."""

    send: Callable[[bytes | memoryview], int]
    protect: Callable[[bytes], bytes]
    handle: Any
    kind: int
    ssrc: int


class LeanSenders:
    """Stagebox's own sender, and on the same connections the limit.

    The limit is a header that is packed once a frame, the listener's SSRC in it, libsrtp
    in place, and ``send`` on the socket itself: one loop, no functions, no counters.
    """

    def __init__(self, address: str = LOOPBACK) -> None:
        self._address = address
        self.peers: list[Peer] = []
        self.payloads = packets(speech(_SPEECH_S))
        self.paths: list[BarePath] = []
        self.number = 0

    async def offers(self, count: int) -> list[str]:
        """Make so many connections; return their offers."""
        fresh = [self._peer() for _ in range(count)]
        self.peers += fresh
        return [await peer.offer() for peer in fresh]

    async def accepts(self, answers: list[str]) -> None:
        """Take the answers to the last offers and wait until connected."""
        fresh = self.peers[-len(answers) :]
        await asyncio.gather(*map(_connected, fresh, answers))
        self.paths += [_path(peer) for peer in fresh]

    async def cost(self, frames: int, pause: float = _PAUSE_S) -> dict[str, list[float]]:
        """Send so many frames to all, by ``Peer.send`` and by the bare path."""
        return await timed(
            frames, pause, stagebox=self._send, limit=partial(self.send_bare, self.paths)
        )

    async def pace(self, frames: int) -> None:
        """Send so many frames to all at their real pace."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for _ in range(frames):
            await self._send()
            due += FRAME_S
            await asyncio.sleep(due - loop.time())

    async def check(self) -> None:
        """Refuse figures of packets that were not sent.

        Raises:
            RuntimeError: a connection was lost, or a packet refused by SRTP or the kernel.
        """
        lost = sum(peer.state is not PeerState.CONNECTED for peer in self.peers)
        if lost:
            raise RuntimeError(f"{lost} times: {_LOST}")
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
        """Send one frame with nothing that can be left out.

        Raises:
            RuntimeError: a receiver has closed its socket, which the kernel tells at once.
        """
        desk, payload = workspace(), self.next_payload()
        memory, length, sealed = desk.memory, desk.length, desk.sealed
        stamp = (self.number & 0xFFFF, self.number * FRAME_SAMPLES & 0xFFFFFFFF, 0)
        frame = _HEADER.pack(0x80, paths[0].kind, *stamp) + payload
        plain = desk.plain[: len(frame)]
        for path in paths:
            plain[:] = frame
            _write_ssrc(plain, _SSRC_AT, path.ssrc)
            length[0] = len(frame)
            protect(path.handle, memory, length)
            try:
                path.send(sealed[: length[0]])
            except ConnectionRefusedError:
                raise RuntimeError(_LOST) from None
        await asyncio.sleep(0)

    def _peer(self) -> Peer:
        return Peer(
            local_address=self._address,
            direction="sendonly",
            on_packet=_ignore_packet,
            on_state=_ignore_state,
            pace=PATIENT,  # as the hub's
        )


async def _connected(peer: Peer, answer: str) -> None:
    await peer.accept(answer)
    await peer.wait_connected(CONNECT_S)
    await asyncio.sleep(0)  # the streams start in the turn after


def _path(peer: Peer) -> BarePath:
    outgoing = peer._outgoing
    assert outgoing._take(outgoing._nominated[1])
    session = outgoing._session
    assert session is not None
    send, kind = outgoing._hand_over, outgoing._type
    return BarePath(send, session.protect, outgoing._handle, kind, outgoing.ssrc)


def _ignore_packet(packet: AudioPacket, arrival: float) -> None:
    pass


def _ignore_state(state: PeerState) -> None:
    pass
