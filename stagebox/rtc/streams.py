"""The two RTP streams of a connection, without the library's own media chain.

Outgoing: the library's sender does nothing but hear of reports. A packet is a
12-byte header, SRTP in place and one ``sendto`` on the socket itself, in the caller's
turn of the event loop. What the kernel has no room for is dropped and counted.

Incoming: the library's receiver keeps parsing, statistics and receiver reports. A
tap stands where its jitter buffer was, so packets reach us in order of arrival and
no decoder thread is ever started.
"""

import asyncio
import logging
import struct
import time
from collections.abc import Callable
from typing import Any, cast

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import RtpPacket

from stagebox.media.rtp import AudioPacket
from stagebox.rtc.checks import checker_of
from stagebox.rtc.inplace import Address, direct_send, protect, workspace
from stagebox.rtc.reports import Reception, Reports, Sent

# One Opus frame is at most 1,275 bytes (RFC 6716 section 3.4) behind one byte of TOC.
MAX_PAYLOAD = 1276
# About 30 packets of 20 ms, for event loops that let us send through their buffer only.
MAX_WRITE_BUFFER = 4096
# A peer has one stream, and a few when it restarts its encoder. A report block list
# holds 31, and every stream costs memory in four places.
MAX_SSRCS = 8

_HEADER = struct.Struct("!BBHII")
_HEADER_SIZE = _HEADER.size
_write_header = _HEADER.pack_into
_VERSION_2 = 0x80
_MARKER = 0x80
_COMPONENT = 1
_NO_PAIR = object()
_REFUSED = "SRTP refused the packet"
_SEND_ERRORS = (struct.error, ValueError, TypeError, OSError)

logger = logging.getLogger(__name__)


class Outgoing:
    """Our stream to the peer: a lean sender and true sender reports about it."""

    __slots__ = (
        "_address",
        "_at",
        "_hand_over",
        "_handle",
        "_length",
        "_memory",
        "_nominated",
        "_pair",
        "_plain",
        "_sealed",
        "_sender",
        "_session",
        "_timestamp",
        "_transport",
        "_type",
        "bytes",
        "errors",
        "overflows",
        "packets",
        "reports",
        "ssrc",
    )

    def __init__(self, sender: RTCRtpSender) -> None:
        # Any: what is used here are private names, which seams.py lists and verifies.
        self._sender = cast(Any, sender)
        self._sender.send = self._start
        self.reports = Reports(sender, self._sent)
        # The pairs that ICE nominated, and the one that the next four belong to.
        self._nominated: dict[int, Any] = {}
        self._pair: Any = _NO_PAIR
        self._transport: Any = None
        self._hand_over: Callable[[Any], int] = self._by_transport
        self._address: Address = ("", 0)
        # libsrtp's own handle, which lives as long as the session.
        self._session: Any = None
        self._handle: Any = None
        # Its parts one by one, because each packet needs all of them.
        desk = workspace()
        self._memory, self._length = desk.memory, desk.length
        self._plain, self._sealed = desk.plain, desk.sealed
        self._type = 0
        self._timestamp = 0
        self._at = 0.0
        self.ssrc: int = sender._ssrc
        self.packets = 0
        self.bytes = 0
        self.errors = 0
        self.overflows = 0

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """Send one packet now; False if it could not be handed to the socket."""
        pair = self._nominated.get(_COMPONENT)
        if pair is not self._pair and not self._take(pair):
            return False
        plain, length = self._plain, self._length
        kind = self._type | _MARKER if marker else self._type
        try:
            size = _HEADER_SIZE + len(payload)
            _write_header(
                plain, 0, _VERSION_2, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.ssrc
            )
            plain[_HEADER_SIZE:size] = payload
            length[0] = size
            if protect(self._handle, self._memory, length):
                raise ValueError(_REFUSED)
            self._hand_over(self._sealed[: length[0]])
        except BlockingIOError:
            # The kernel holds about 4 s of sound for this socket; more would only be later.
            self.overflows += 1
            return False
        except _SEND_ERRORS:
            self.errors += 1
            return False
        self.packets += 1
        self.bytes += size - _HEADER_SIZE
        self._timestamp = timestamp
        self._at = time.monotonic()
        return True

    @property
    def tasks(self) -> list[asyncio.Future[None] | None]:
        """What runs for this stream."""
        return [self._sender._RTCRtpSender__rtcp_task]

    def stop(self) -> None:
        """Send nothing from now on."""
        self._nominated = {}

    def _take(self, pair: Any) -> bool:  # noqa: ANN401 - the library's own type
        """Send on the path that ICE chose from now on; False if there is none."""
        if pair is None:
            return False
        self._pair, self._transport = pair, pair.protocol.transport
        self._address = pair.remote_addr
        # A peer with one address has one path, so ICE will never choose another one.
        alone = len(pair.protocol.receiver._remote_candidates) == 1
        straight = direct_send(self._transport, self._address, alone=alone)
        self._hand_over = straight or self._by_transport
        return True

    def _by_transport(self, datagram: memoryview) -> int:
        """Stands for the socket's ``send`` on an event loop that hides its sockets.

        Raises:
            BlockingIOError: the transport holds as much as is worth sending.
        """
        if self._transport.get_write_buffer_size() > MAX_WRITE_BUFFER:
            raise BlockingIOError
        self._transport.sendto(
            bytes(datagram), self._address
        )  # it keeps what it cannot send at once
        return len(datagram)

    async def _start(self, parameters: Any) -> None:  # noqa: ANN401 - the library's own type
        """Stands for ``RTCRtpSender.send``: register and report, but run no media task."""
        sender = self._sender
        if sender._RTCRtpSender__started:
            return
        transport = sender.transport
        transport._register_rtp_sender(sender, parameters)
        # stop() cancels this task and waits for these two events.
        sender._RTCRtpSender__rtp_task = asyncio.get_running_loop().create_future()
        sender._RTCRtpSender__rtp_started.set()
        sender._RTCRtpSender__rtp_exited.set()
        sender._RTCRtpSender__rtcp_task = asyncio.ensure_future(
            self.reports.run(parameters.rtcp.cname)
        )
        sender._RTCRtpSender__started = True
        self._type = parameters.codecs[0].payloadType
        self._session = transport._tx_srtp
        self._handle = self._session._srtp[0]
        self._nominated = transport.transport._connection._nominated

    def _sent(self) -> Sent:
        return Sent(self.packets, self.bytes, self._timestamp, self._at)


class Incoming:
    """The peer's stream to us, tapped before the library's jitter buffer."""

    __slots__ = (
        "_on_packet",
        "_receiver",
        "_reception",
        "_route_rtcp",
        "_route_rtp",
        "_watch",
        "bytes",
        "callback_errors",
        "dropped_oversize",
        "dropped_ssrc",
        "dropped_type",
        "packets",
    )

    def __init__(
        self, receiver: RTCRtpReceiver, on_packet: Callable[[AudioPacket, float], None]
    ) -> None:
        # Any: what is used here are private names, which seams.py lists and verifies.
        self._receiver = cast(Any, receiver)
        self._on_packet = on_packet
        self._receiver.receive = self._start
        self._reception = Reception(receiver)
        self._receiver._RTCRtpReceiver__jitter_buffer = self
        router = self._receiver.transport._rtp_router
        self._route_rtp = router.route_rtp
        router.route_rtp = self._route
        self._route_rtcp = router.route_rtcp
        router.route_rtcp = self._hear_report
        self._watch = checker_of(self._receiver.transport.transport._connection).watch
        self.packets = 0
        self.bytes = 0
        self.dropped_type = 0
        self.dropped_oversize = 0
        self.dropped_ssrc = 0
        self.callback_errors = 0

    @property
    def streams(self) -> list[Any]:
        """The library's statistics of each stream received, oldest first."""
        return list(self._receiver._RTCRtpReceiver__remote_streams.values())

    @property
    def tasks(self) -> list[asyncio.Future[None] | None]:
        """What runs for this stream."""
        return [self._receiver._RTCRtpReceiver__rtcp_task]

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Stands for ``JitterBuffer.add``: hand the packet on, keep nothing."""
        payload = packet.payload
        if not payload:
            return False, None  # a keep-alive of padding only
        if len(payload) > MAX_PAYLOAD:
            self.dropped_oversize += 1
            return False, None
        if not self.packets:
            self._report()
        self.packets += 1
        self.bytes += len(payload)
        now = self._watch.heard_at = self._watch.sound_at = time.monotonic()
        audio = AudioPacket(
            packet.ssrc, packet.sequence_number, packet.timestamp, payload, bool(packet.marker)
        )
        try:
            self._on_packet(audio, now)
        except Exception:
            # An exception here would end the library's receive loop and the connection.
            self.callback_errors += 1
            if self.callback_errors == 1:
                logger.exception("The handler of received packets failed")
        return False, None

    def _route(self, packet: RtpPacket) -> Any:  # noqa: ANN401 - the library's own type
        """Stands for ``RtpRouter.route_rtp``: bound the streams, count what is not ours."""
        transport = self._receiver.transport
        table = transport._rtp_router.ssrc_table
        if packet.ssrc not in table and len(table) >= MAX_SSRCS:
            self.dropped_ssrc += 1
            transport._rx_srtp.remove_stream(packet.ssrc)
            return None
        receiver = self._route_rtp(packet)
        if receiver is None:
            self.dropped_type += 1
        return receiver

    def _hear_report(self, packet: Any) -> Any:  # noqa: ANN401 - the library's own type
        """Stands for ``RtpRouter.route_rtcp``: a report has passed SRTCP, so the peer is there."""
        self._watch.heard_at = time.monotonic()
        return self._route_rtcp(packet)

    async def _start(self, parameters: Any) -> None:  # noqa: ANN401 - the library's own type
        """Stands for ``RTCRtpReceiver.receive``: register and report, but start no thread."""
        receiver = self._receiver
        if receiver._RTCRtpReceiver__started:
            return
        for codec in parameters.codecs:
            receiver._RTCRtpReceiver__codecs[codec.payloadType] = codec
        receiver.transport._register_rtp_receiver(receiver, parameters)
        # Reports begin with the first packet; until then stop() finds its events set. One who
        # only listens would otherwise wake the hub each second to report nothing.
        receiver._RTCRtpReceiver__rtcp_task = asyncio.get_running_loop().create_future()
        receiver._RTCRtpReceiver__rtcp_started.set()
        receiver._RTCRtpReceiver__rtcp_exited.set()
        receiver._RTCRtpReceiver__started = True

    def _report(self) -> None:
        receiver = self._receiver
        receiver._RTCRtpReceiver__rtcp_exited.clear()
        receiver._RTCRtpReceiver__rtcp_task = asyncio.ensure_future(self._reception.run())
