"""What the private names do, with the real library on both ends.

The names could stay and their meaning change; then one of these fails.
"""

import asyncio
import socket
import threading
import time
from typing import Any

import pytest
from aioice import ice
from aiortc.rtp import AnyRtcpPacket, RtcpByePacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket

from stagebox.rtc import checks as checks_module
from stagebox.rtc.checks import Checker
from stagebox.rtc.consent import Pace
from stagebox.rtc.datagrams import MAX_DATAGRAM
from stagebox.rtc.inplace import protect
from tests.loopback.rtc.pairs import End, connected, until


@pytest.fixture(autouse=True)
def _quick_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both ends report about every half second, and out of step as always.

    A report that crosses the next question answers none.
    """
    monkeypatch.setattr("stagebox.rtc.reports.REPORT_S", 0.5)


def hear_reports(end: End) -> list[Any]:
    """Collect the RTCP packets that arrive at an end, as the library parses them."""
    heard: list[Any] = []
    router = end.peer._dtls._rtp_router
    route = router.route_rtcp

    def record(packet: AnyRtcpPacket) -> set[Any]:
        heard.append(packet)
        return route(packet)

    router.route_rtcp = record  # type: ignore[method-assign]
    return heard


async def test_packets_reach_the_tap_and_no_thread_is_started() -> None:
    threads = threading.active_count()
    async with connected() as (a, b):
        a.peer.send(b"tap", 9, 960, True)
        await until(lambda: b.packets, "a packet at the tap")
        packet = b.packets[0]
        assert (packet.sequence, packet.timestamp, packet.payload) == (9, 960, b"tap")
        assert packet.marker
        assert threading.active_count() == threads


async def test_sender_reports_carry_our_counts() -> None:
    async with connected() as (a, b):
        heard = hear_reports(b)
        await asyncio.sleep(0.7)
        assert heard == [], "nothing was sent, so there is nothing to report"
        for number in range(10):
            a.peer.send(b"12345", number, 4_000_000_000 + number * 960, False)
        await until(lambda: any(isinstance(p, RtcpSrPacket) for p in heard), "a sender report")
        report = next(packet for packet in heard if isinstance(packet, RtcpSrPacket))
        info = report.sender_info
        assert (info.packet_count, info.octet_count) == (10, 50)
        assert report.ssrc == b.packets[0].ssrc
        elapsed = (info.rtp_timestamp - (4_000_000_000 + 9 * 960)) & 0xFFFFFFFF
        assert elapsed < 48_000 * 5
        assert any(isinstance(packet, RtcpSdesPacket) for packet in heard)


async def test_reports_come_with_news_and_keep_one_clock_for_both_times() -> None:
    async with connected() as (a, b):
        heard = hear_reports(b)

        def reports() -> list[RtcpSrPacket]:
            return [packet for packet in heard if isinstance(packet, RtcpSrPacket)]

        a.peer.send(b"x", 1, 1000, False)
        await until(lambda: len(reports()) == 1, "a sender report")
        await asyncio.sleep(0.8)
        assert len(reports()) == 1, "nothing new was sent, so there is nothing to report"
        before = time.monotonic()
        a.peer.send(b"x", 2, 90_000, False)
        after = time.monotonic()
        await until(lambda: len(reports()) == 2, "another sender report")
        first, second = (report.sender_info for report in reports()[:2])
        assert second.ntp_timestamp > first.ntp_timestamp
        at = second.ntp_timestamp / 2**32
        elapsed = second.rtp_timestamp - 90_000
        assert (at - after) * 48_000 - 1 <= elapsed <= (at - before) * 48_000 + 1


async def test_receiver_reports_go_on() -> None:
    async with connected() as (a, b):
        heard = hear_reports(a)
        for number in (1, 2, 5, 6):
            a.peer.send(b"x", number, number * 960, False)
        await until(lambda: any(isinstance(p, RtcpRrPacket) for p in heard), "a receiver report")
        report = next(packet for packet in heard if isinstance(packet, RtcpRrPacket))
        block = report.reports[0]
        assert (block.ssrc, block.packets_lost) == (b.packets[0].ssrc, 2)
        assert block.highest_sequence == 6
        assert a.peer.stats().remote_lost == 2
        assert b.peer.stats().lost == 2
        await until(lambda: heard[-1].reports[0].lsr, "the answer to a's only sender report")
        before = len(heard)
        await asyncio.sleep(1.5)
        assert len(heard) == before, "nothing new was received, so there is nothing to report"
        a.peer.send(b"x", 7, 7 * 960, False)
        await until(lambda: len(heard) > before, "another receiver report")


async def test_reports_of_both_ends_measure_the_round_trip() -> None:
    async with connected() as (a, b):
        assert a.peer.stats().rtt is None
        for number in range(2_000):
            a.peer.send(b"x", number, number * 960, False)
            if a.peer.stats().rtt is not None:
                break
            await asyncio.sleep(0.005)
        rtt = a.peer.stats().rtt
        assert rtt is not None, "a report of b's answers one of a's"
        assert rtt < 1.0
        assert b.packets


async def test_closing_says_goodbye() -> None:
    async with connected() as (a, b):
        heard = hear_reports(b)
        a.peer.send(b"x", 1, 960, False)
        await until(lambda: b.packets, "the packet")
        await a.peer.aclose()
        await until(lambda: any(isinstance(p, RtcpByePacket) for p in heard), "a goodbye")


async def test_packets_keep_the_sequence_and_timestamp_given() -> None:
    async with connected() as (a, b):
        given = [(65_535, 4_294_967_295), (0, 959), (7, 90_000)]
        for sequence, timestamp in given:
            a.peer.send(b"x", sequence, timestamp, False)
        await until(lambda: len(b.packets) == 3, "three packets")
        assert [(packet.sequence, packet.timestamp) for packet in b.packets] == given


async def test_asyncio_reads_datagrams_without_a_huge_buffer() -> None:
    async with connected() as (a, _):
        (protocol,) = a.peer._dtls.transport._connection._protocols
        assert protocol.transport.max_size == MAX_DATAGRAM + 1  # type: ignore[attr-defined]


async def test_packets_are_written_to_the_socket_itself() -> None:
    async with connected() as (a, _):
        a.peer.send(b"x", 1, 960, False)
        (protocol,) = a.peer._dtls.transport._connection._protocols
        sock = a.peer._outgoing._hand_over.__self__
        assert isinstance(sock, socket.socket)
        assert sock.fileno() == protocol.transport.get_extra_info("socket").fileno()


def test_libsrtp_encrypts_in_place() -> None:
    signature = "srtp_err_status_t srtp_protect(struct srtp_ctx_t_ *, void *, int *);"
    assert (protect.__doc__ or "").startswith(signature)


async def test_a_peer_that_is_heard_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebox.rtc.checks.ANSWER_S", 0.05)
    checks: list[ice.Connection] = []
    answers = checks_module._answers

    async def count(connection: ice.Connection, checker: Checker) -> bool:
        checks.append(connection)
        return await answers(connection, checker)

    monkeypatch.setattr(checks_module, "_answers", count)
    async with connected() as (a, b):
        ours = a.peer._dtls.transport._connection
        theirs = b.peer._dtls.transport._connection
        for connection in (ours, theirs):
            checks_module.checker_of(connection).watch.pace = Pace(0.1, 0.1)
        await until(lambda: len(checks) > 5, "checks of a quiet path")
        watch = checks_module.checker_of(theirs).watch
        before = watch.heard_at
        a.peer.send(b"x", 1, 0, False)
        await until(lambda: watch.heard_at > before, "the peer heard by its packet")
        again = watch.heard_at
        checks_module.checker_of(ours).ask(ours)
        await until(lambda: watch.heard_at > again, "the peer heard by its check")


async def test_the_librarys_check_is_answered() -> None:
    async with connected() as (a, b):
        ours = a.peer._dtls.transport._connection
        theirs = b.peer._dtls.transport._connection
        pair = ours._nominated[1]
        watch = checks_module.checker_of(theirs).watch
        before = watch.heard_at
        response, _ = await pair.protocol.request(
            ours.build_request(pair, nominate=False),
            pair.remote_addr,
            integrity_key=(ours.remote_password or "").encode(),
        )
        assert response.attributes["XOR-MAPPED-ADDRESS"] == theirs._nominated[1].remote_addr
        assert watch.heard_at > before


async def test_our_check_is_answered_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    hear, answered = Checker.hear, 0
    async with connected() as (a, _):
        ours = a.peer._dtls.transport._connection
        checker = checks_module.checker_of(ours)

        def hear_answers(self: Checker, *heard: Any) -> bool:  # noqa: ANN401 - passed on
            """Leave all that comes to the far end to the library."""
            nonlocal answered
            is_ours = self is checker and hear(self, *heard)
            answered += is_ours
            return is_ours

        monkeypatch.setattr(Checker, "hear", hear_answers)
        assert checker.ask(ours)
        await until(lambda: answered, "an answer")
        assert checker.is_answered


async def test_an_answer_that_comes_late_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (a, b):
        ours, theirs = (end.peer._dtls.transport._connection for end in (a, b))
        checker, held = checks_module.checker_of(ours), []
        hear = Checker.hear

        def late(self: Checker, *heard: Any) -> bool:  # noqa: ANN401 - passed on
            if self is checker:
                held.append(heard)
                return True
            return hear(self, *heard)

        monkeypatch.setattr(Checker, "hear", late)
        for count in (1, 2):
            assert checker.ask(ours)
            await until(lambda count=count: len(held) >= count, "an answer, which we hold back")  # type: ignore[misc]
        assert not checker.is_answered
        assert hear(checker, *held[0])
        assert checker.is_answered
        assert theirs._nominated


async def test_only_the_settled_path_is_checked_and_answered() -> None:
    async with connected() as (_, b):
        theirs = b.peer._dtls.transport._connection
        pair = theirs._nominated[1]
        checker = checks_module.checker_of(theirs)
        assert checker.ask(theirs)
        assert not checker.hear(pair.protocol, b"", ("127.0.0.1", 1))
        nominated = dict(theirs._nominated)
        theirs._nominated.clear()
        assert not checker.hear(pair.protocol, b"", pair.remote_addr)
        assert not checker.ask(theirs)
        theirs._nominated.update(nominated)
