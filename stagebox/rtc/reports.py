"""RTCP reports about both streams, and the round trip that they measure.

They stand for the library's own, which come five times as often as those of browsers,
tell of a stream that it did not send, and go on where nothing is received. Times come
from the monotonic clock, which RFC 3550 section 6.4 allows: a machine without a clock
battery jumps by years.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiortc.rtp import (
    RtcpByePacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from stagebox.media.frames import SAMPLE_RATE
from stagebox.rtc.naps import nap

# RFC 3550 section 6.2: 5 s, times 0.5 to 1.5 by chance.
REPORT_S = 5.0
_CNAME: Final = 1
# RFC 3550 section 4: the middle 32 bits of an NTP time, in 1/65536 s.
_SHORT: Final = 65_536
# Of a new measurement, in the smoothed one; as the library has it.
_RTT_SHARE: Final = 0.15
_NEVER: Final = -1

_chance = random.Random().random  # noqa: S311 - it spreads timers, no more


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent so far; ``timestamp`` was the RTP time at ``at`` in monotonic seconds."""

    packets: int
    bytes: int
    timestamp: int
    at: float


class Reports:
    """Reports on one stream, while there is something new to report."""

    __slots__ = ("_asked", "_asked_at", "_handle", "_reported", "_sender", "_sent", "rtt")

    def __init__(self, sender: Any, sent: Callable[[], Sent]) -> None:  # noqa: ANN401 - private names
        self._sender = sender
        self._sent = sent
        self._handle = sender._handle_rtcp_packet
        sender._handle_rtcp_packet = self._hear
        self._reported = 0
        self._asked = 0
        self._asked_at = 0.0
        # Seconds, smoothed; None until measured.
        self.rtt: float | None = None

    async def run(self, cname: str) -> None:
        """Stands for ``RTCRtpSender._run_rtcp``: report until cancelled, then say goodbye."""
        sender = self._sender
        sender._RTCRtpSender__rtcp_started.set()  # stop() waits for it, and for the other
        try:
            while True:
                await nap(REPORT_S * (0.5 + _chance()))
                await self._report(cname)
        except asyncio.CancelledError:
            if self._sent().packets:
                await sender._send_rtcp([RtcpByePacket(sources=[sender._ssrc])])
        finally:
            sender._RTCRtpSender__rtcp_exited.set()

    async def _report(self, cname: str) -> None:
        """Report, unless nothing was sent since the last time (RFC 3550 section 6.4)."""
        sent, now = self._sent(), time.monotonic()
        if sent.packets == self._reported:
            return
        ssrc, info = self._sender._ssrc, _info(sent, now)
        self._reported = sent.packets
        self._asked, self._asked_at = (info.ntp_timestamp >> 16) & 0xFFFFFFFF, now
        source = RtcpSourceInfo(ssrc=ssrc, items=[(_CNAME, cname.encode())])
        await self._sender._send_rtcp(
            [RtcpSrPacket(ssrc=ssrc, sender_info=info), RtcpSdesPacket(chunks=[source])]
        )

    async def _hear(self, packet: Any) -> None:  # noqa: ANN401 - the library's own type
        """Stands for ``RTCRtpSender._handle_rtcp_packet``: measure the round trip as well."""
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc and report.lsr == self._asked and report.dlsr:
                    self._measure(time.monotonic() - self._asked_at - report.dlsr / _SHORT)
        await self._handle(packet)

    def _measure(self, rtt: float) -> None:
        old = rtt if self.rtt is None else self.rtt
        self.rtt = old + _RTT_SHARE * (rtt - old)


class Reception:
    """Reports on the peer's streams, while there is something new to report."""

    __slots__ = ("_asked", "_handle", "_receiver", "_reported")

    def __init__(self, receiver: Any) -> None:  # noqa: ANN401 - private names
        self._receiver = receiver
        self._handle = receiver._handle_rtcp_packet
        receiver._handle_rtcp_packet = self._hear
        self._reported = _NEVER
        # By stream: the mark of the last sender report, and when it came. Only streams that
        # are known are told of, and those are bounded.
        self._asked: dict[int, tuple[int, float]] = {}

    async def run(self) -> None:
        """Stands for ``RTCRtpReceiver._run_rtcp``: report until cancelled."""
        receiver = self._receiver
        receiver._RTCRtpReceiver__rtcp_started.set()
        try:
            while True:
                await nap(REPORT_S * (0.5 + _chance()))
                await self._report()
        except asyncio.CancelledError:
            pass
        finally:
            receiver._RTCRtpReceiver__rtcp_exited.set()

    async def _report(self) -> None:
        receiver = self._receiver
        streams: dict[int, Any] = receiver._RTCRtpReceiver__remote_streams
        received = sum(stream.packets_received for stream in streams.values())
        if received == self._reported:
            return
        self._reported, now = received, time.monotonic()
        blocks = [self._block(ssrc, stream, now) for ssrc, stream in streams.items()]
        ssrc = receiver._RTCRtpReceiver__rtcp_ssrc
        await receiver._send_rtcp(RtcpRrPacket(ssrc=ssrc, reports=blocks))

    def _block(self, ssrc: int, stream: Any, now: float) -> RtcpReceiverInfo:  # noqa: ANN401 - as above
        mark, came_at = self._asked.get(ssrc, (0, now))
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=stream.fraction_lost,
            packets_lost=stream.packets_lost,
            highest_sequence=(stream.cycles + stream.max_seq) & 0xFFFFFFFF,
            jitter=stream.jitter,
            lsr=mark,
            dlsr=round((now - came_at) * _SHORT) & 0xFFFFFFFF,
        )

    async def _hear(self, packet: Any) -> None:  # noqa: ANN401 - the library's own type
        """Stands for ``RTCRtpReceiver._handle_rtcp_packet``: note when the peer reported."""
        if isinstance(packet, RtcpSrPacket):
            mark = (packet.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF
            self._asked[packet.ssrc] = mark, time.monotonic()
            self._reported = _NEVER  # a report answers it, and so measures the round trip
        await self._handle(packet)


def _info(sent: Sent, now: float) -> RtcpSenderInfo:
    """Sum up what was sent up to ``now``, with the RTP time of that same instant."""
    elapsed = int((now - sent.at) * SAMPLE_RATE)
    return RtcpSenderInfo(
        ntp_timestamp=int(now * 2**32) & 0xFFFFFFFFFFFFFFFF,
        rtp_timestamp=(sent.timestamp + elapsed) & 0xFFFFFFFF,
        packet_count=sent.packets & 0xFFFFFFFF,
        octet_count=sent.bytes & 0xFFFFFFFF,
    )
