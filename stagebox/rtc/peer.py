"""One WebRTC connection that carries one Opus stream each way.

The library does ICE, DTLS, SRTP, SDP and RTCP. Packets go around its media chain,
in ``streams``; what else is changed in it stands in ``prepare``. A peer negotiates
once: on any change of network a new one is made, which takes 30 ms.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from stagebox.media.frames import SAMPLE_RATE
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.addresses import gathering_on, usable
from stagebox.rtc.checks import checker_of
from stagebox.rtc.consent import USUAL, Pace
from stagebox.rtc.guard import drops_of, limit_datagrams
from stagebox.rtc.prepare import prepare
from stagebox.rtc.sdp import SdpError, only_sha256, screen
from stagebox.rtc.streams import Incoming, Outgoing

# Closing is one goodbye packet and a few wake-ups, 2 ms. Past the first bound it is cut
# short, past the second its sockets are closed under it.
CLOSE_TIMEOUT_S = 2.0
CUT_TIMEOUT_S = 1.0

Direction = Literal["sendrecv", "recvonly", "sendonly"]

# What the library's SDP reader raises on text that passed screening and is still wrong.
# RuntimeError is a StopIteration that left a coroutine.
_PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    InvalidAccessError,
    LookupError,
    OperationError,
    RuntimeError,
    TypeError,
    ValueError,
)


class PeerState(StrEnum):
    """The life of a peer, in this order.

    ``failed``: set-up went wrong or the peer stopped answering. ``closed``: either side
    ended it. A failed peer becomes closed by ``aclose`` and in no other way.
    """

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"


_FINAL = (PeerState.FAILED, PeerState.CLOSED)


class PeerError(Exception):
    """A connection could not be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class PeerStats:
    """Counts since the peer was made; bytes are Opus payload, times are seconds.

    ``lost`` and ``jitter`` are of the stream we receive, ``remote_lost`` and
    ``remote_fraction_lost`` (0 to 1) are what the peer reports of ours.
    """

    packets_sent: int
    bytes_sent: int
    packets_received: int
    bytes_received: int
    lost: int
    jitter: float
    rtt: float | None
    remote_lost: int
    remote_fraction_lost: float
    send_errors: int
    send_overflows: int
    dropped_type: int
    dropped_oversize: int
    dropped_ssrc: int
    guard_drops: int


class Peer:
    """A connection with one audio section; must be made and used on the event loop."""

    def __init__(
        self,
        *,
        local_address: str | None,
        direction: Direction,
        on_packet: Callable[[AudioPacket, float], None],
        on_state: Callable[[PeerState], None],
        anywhere: bool = False,
        pace: Pace = USUAL,
    ) -> None:
        """Prepare a connection on ``local_address`` (None: all of this machine's).

        ``anywhere``: the other side may be on the internet, not on our own network only.
        ``pace``: how soon it is noticed that nobody is there.

        ``on_packet(packet, arrival)`` gets each packet in order of arrival, ``arrival``
        in monotonic seconds. ``on_state`` gets each new state once.

        Raises:
            AddressError: ``local_address`` is not an IP address.
            SeamError: an installed library is not the pinned one.
        """
        prepare()
        self._address = usable(local_address)
        self._anywhere = anywhere
        self._pace = pace
        self._on_state = on_state
        self._state = PeerState.NEW
        self._settled = asyncio.Event()
        self._negotiating = asyncio.Lock()
        self._negotiated = False
        self._closing: asyncio.Task[None] | None = None
        self._pc = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._pc.on("connectionstatechange", self._library_state)
        transceiver = self._pc.addTransceiver("audio", direction=direction)
        capabilities = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for codec in capabilities if codec.mimeType == "audio/opus"]
        )
        self._sender = transceiver.sender
        self._dtls = transceiver.receiver.transport
        self._dtls.on("statechange", self._transport_state)
        self._outgoing = Outgoing(transceiver.sender)
        self._incoming = Incoming(transceiver.receiver, on_packet)
        # send(payload, sequence, timestamp, marker) -> bool: see Outgoing.send. Never waits,
        # never raises. The stream's own method, to save a call per packet and listener.
        self.send = self._outgoing.send

    @property
    def state(self) -> PeerState:
        """Where this peer is in its life."""
        return self._state

    @property
    def answers(self) -> bool:
        """Whether the other side is there, as far as is known: its last check was answered."""
        return not checker_of(self._dtls.transport._connection).watch.doubtful

    async def offer(self) -> str:
        """Our SDP with all candidates, to be given to the other side.

        Raises:
            PeerError: closed, negotiated before, or no socket on the local address.
        """
        async with self._negotiating:
            self._start_negotiation()
            return await self._describe()

    async def accept(self, answer_sdp: str) -> None:
        """Take the answer to our offer and start connecting.

        Raises:
            SdpError: the answer is refused.
            PeerError: closed, or there is no offer to answer.
        """
        async with self._negotiating:
            if self._closing is not None or self._pc.signalingState != "have-local-offer":
                raise PeerError("there is no open offer to accept an answer for; make an offer")
            await self._take(answer_sdp, "answer")

    async def answer(self, offer_sdp: str) -> str:
        """Take an offer, start connecting, and return our SDP with all candidates.

        Raises:
            SdpError: the offer is refused.
            PeerError: closed, negotiated before, or no socket on the local address.
        """
        async with self._negotiating:
            self._start_negotiation()
            await self._take(offer_sdp, "offer")
            return await self._describe()

    async def wait_connected(self, timeout: float) -> None:  # noqa: ASYNC109 - the caller's deadline
        """Return once connected.

        Raises:
            PeerError: failed, closed, or not connected within ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            raise PeerError(
                f"not connected within {timeout:g} s; close this peer and try a new one"
            ) from None
        if self._state is not PeerState.CONNECTED:
            raise PeerError(f"the connection is {self._state}; make a new one")

    async def aclose(self) -> None:
        """Close within 3 s whatever the other side does; leaves no task or socket behind."""
        if self._closing is None:
            self._outgoing.stop()
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def stats(self) -> PeerStats:
        """Counters as they stand now."""
        sender: Any = self._sender
        remote = sender._RTCRtpSender__stats.get(f"remote-inbound-rtp_{id(sender)}")
        streams = self._incoming.streams
        return PeerStats(
            packets_sent=self._outgoing.packets,
            bytes_sent=self._outgoing.bytes,
            packets_received=self._incoming.packets,
            bytes_received=self._incoming.bytes,
            lost=sum(stream.packets_lost for stream in streams),
            jitter=streams[-1].jitter / SAMPLE_RATE if streams else 0.0,
            rtt=self._outgoing.reports.rtt,
            remote_lost=remote.packetsLost if remote else 0,
            remote_fraction_lost=remote.fractionLost / 256 if remote else 0.0,
            send_errors=self._outgoing.errors,
            send_overflows=self._outgoing.overflows,
            dropped_type=self._incoming.dropped_type,
            dropped_oversize=self._incoming.dropped_oversize,
            dropped_ssrc=self._incoming.dropped_ssrc,
            guard_drops=drops_of(self._dtls.transport._connection),
        )

    def _start_negotiation(self) -> None:
        if self._closing is not None or self._negotiated:
            raise PeerError("this peer is closed or has negotiated before; make a new one")
        self._negotiated = True

    async def _take(self, sdp: str, kind: str) -> None:
        cleaned = screen(sdp, near=self._address, anywhere=self._anywhere)
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(sdp=cleaned, type=kind))
        except InvalidStateError:
            raise PeerError("the connection was closed meanwhile; make a new one") from None
        except _PARSE_ERRORS as error:
            raise SdpError(f"the {kind} cannot be used ({error}); send what WebRTC asks") from error

    async def _describe(self) -> str:
        with gathering_on(self._address):
            await self._pc.setLocalDescription()
        connection = self._dtls.transport._connection
        limit_datagrams(connection)
        checker_of(connection).watch.pace = self._pace
        sdp = self._pc.localDescription.sdp
        if "a=candidate:" not in sdp:
            raise PeerError(
                f"no socket could be opened on {self._address or 'any address'}; "
                "check that this machine still has it"
            )
        return only_sha256(sdp)

    def _library_state(self) -> None:
        # Deferred by one turn: the library says "connected" just before it starts our
        # streams, and must not be closed from inside its own event.
        state = PeerState(self._pc.connectionState)
        asyncio.get_running_loop().call_soon(self._enter, state)

    def _transport_state(self) -> None:
        # The library calls both "closed". Without a goodbye from either side the path
        # has gone before the transport that used it: the peer stopped answering checks.
        lost = not self._dtls.transport._connection._nominated
        if self._dtls.state == "closed" and lost and self._closing is None:
            asyncio.get_running_loop().call_soon(self._enter, PeerState.FAILED)

    def _enter(self, state: PeerState) -> None:
        if state is self._state or self._state is PeerState.CLOSED:
            return
        if self._state is PeerState.FAILED and self._closing is None:
            return
        self._state = state
        if state in _FINAL:
            self._outgoing.stop()
        if state is PeerState.CONNECTED or state in _FINAL:
            self._settled.set()
        self._on_state(state)

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S), self._negotiating:
                await self._pc.close()
        except TimeoutError:
            await self._cut()
        self._enter(PeerState.CLOSED)

    async def _cut(self) -> None:
        """End the tasks and sockets of a connection that does not close."""
        connection = self._dtls.transport._connection
        protocols = list(connection._protocols)
        for task in (self._dtls._task, *self._outgoing.tasks, *self._incoming.tasks):
            if task is not None:
                task.cancel()
        try:
            async with asyncio.timeout(CUT_TIMEOUT_S):
                await connection.close()
        except TimeoutError:
            for protocol in protocols:
                protocol.transport.abort()
