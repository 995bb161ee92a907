import asyncio
import gc
import os
import re
import socket
import threading
import time
from typing import Never

import pytest

from stagebox.media.rtp import AudioPacket
from stagebox.rtc.inplace import Workspace, workspace
from stagebox.rtc.peer import Peer, PeerError, PeerState
from stagebox.rtc.sdp import SdpError
from tests.loopback.rtc.pairs import CONNECT_S, End, connected, negotiate, open_sockets, until


async def test_carries_packets_both_ways_with_gaps_and_markers() -> None:
    async with connected() as (a, b):
        sequences = [n & 0xFFFF for n in range(65_400, 65_910) if n % 51]
        assert len(sequences) == 500
        begin = time.monotonic()
        for number, sequence in enumerate(sequences):
            payload = number.to_bytes(2) * 40
            assert a.peer.send(payload, sequence, number * 960, number % 100 == 0)
            assert b.peer.send(payload[::-1], number, number * 960, False)
            if number % 20 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(a.packets) == len(b.packets) == 500, "1,000 packets")
        assert [packet.sequence for packet in b.packets] == sequences
        assert [packet.timestamp for packet in b.packets] == [n * 960 for n in range(500)]
        assert [n for n, packet in enumerate(b.packets) if packet.marker] == [0, 100, 200, 300, 400]
        assert b.packets[7].payload == (7).to_bytes(2) * 40
        assert len({packet.ssrc for packet in b.packets}) == 1
        assert all(begin <= at <= time.monotonic() for at in b.arrivals)
        assert b.arrivals == sorted(b.arrivals)
        sent, received = a.peer.stats(), b.peer.stats()
        assert (sent.packets_sent, sent.bytes_sent) == (500, 40_000)
        assert (received.packets_received, received.bytes_received) == (500, 40_000)
        assert received.lost == 10
        assert received.guard_drops == sent.guard_drops == sent.send_errors == 0


async def test_states_come_once_and_in_order() -> None:
    async with connected() as (a, b):
        pass
    await until(lambda: b.states[-1] is PeerState.CLOSED, "closed")
    order = [PeerState.CONNECTING, PeerState.CONNECTED, PeerState.CLOSED]
    assert a.states == b.states == order


async def test_works_on_ipv6_loopback() -> None:
    async with connected(address="::1") as (a, b):
        assert a.peer.send(b"six", 1, 960, True)
        await until(lambda: b.packets, "a packet over IPv6")
        assert b.packets[0].payload == b"six"


async def test_gathers_on_the_chosen_address_only() -> None:
    end = End()
    offer = await end.make().offer()
    assert re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+)", offer) == ["127.0.0.1"]
    assert "a=fmtp:96 minptime=10;useinbandfec=1;stereo=0;usedtx=0" in offer
    assert re.findall(r"a=rtpmap:(.*)", offer) == ["96 opus/48000/2\r"]
    assert offer.count("a=fingerprint:") == 1
    await end.peer.aclose()


async def test_one_way_streams() -> None:
    talker, listener = End(), End()
    await negotiate(talker.make("sendonly"), listener.make("recvonly"))
    assert talker.peer.send(b"on air", 1, 960, True)
    assert not listener.peer.send(b"never", 1, 960, True)
    await until(lambda: listener.packets, "a packet to the listener")
    assert talker.packets == []
    await asyncio.gather(talker.peer.aclose(), listener.peer.aclose())


async def test_a_peer_that_hides_its_addresses_is_found_by_its_checks() -> None:
    a, b = End(), End()
    offer = await a.make().offer()
    hidden = offer.replace(" 127.0.0.1 ", " 0c8e6cd2-4f0e.local ")
    assert ".local" in hidden
    await a.peer.accept(await b.make().answer(hidden))
    await asyncio.gather(a.peer.wait_connected(CONNECT_S), b.peer.wait_connected(CONNECT_S))
    assert b.peer.send(b"found", 1, 960, False)
    await until(lambda: a.packets, "a packet to the hidden peer")
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def test_send_before_and_after_the_connection_is_refused_quietly() -> None:
    a, b = End(), End()
    assert not a.make().send(b"early", 1, 960, True)
    await negotiate(a.peer, b.make())
    await a.peer.aclose()
    assert not a.peer.send(b"late", 2, 1920, True)
    await b.peer.aclose()


async def test_send_never_raises_and_counts() -> None:
    async with connected() as (a, _):
        assert not a.peer.send(bytes(1500), 1, 960, False)
        assert not a.peer.send("text", 1, 960, False)
        assert not a.peer.send(b"x", None, 960, False)
        assert a.peer.stats().send_errors == 3
        assert a.peer.send(b"x", 2**20 + 5, 2**40 + 9, False)


async def test_what_the_kernel_has_no_room_for_is_dropped_and_counted() -> None:
    def full(_datagram: memoryview) -> Never:
        raise BlockingIOError

    async with connected() as (a, b):
        assert a.peer.send(b"x", 1, 960, False)
        outgoing = a.peer._outgoing
        outgoing._hand_over, room = full, outgoing._hand_over
        assert not a.peer.send(b"jam", 2, 1920, False)
        outgoing._hand_over = room
        assert a.peer.send(b"y", 3, 2880, False)
        await until(lambda: len(b.packets) == 2, "a packet after the jam")
        stats = a.peer.stats()
        assert (stats.packets_sent, stats.send_overflows, stats.send_errors) == (2, 1, 0)
        assert [packet.payload for packet in b.packets] == [b"x", b"y"]


async def test_an_event_loop_that_hides_its_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebox.rtc.streams.direct_send", lambda *_, **__: None)
    async with connected() as (a, b):
        assert a.peer.send(b"x", 1, 960, False)
        assert a.peer.send(b"y", 2, 1920, False)
        transport = a.peer._outgoing._transport
        with monkeypatch.context() as jam:
            jam.setattr(transport, "get_write_buffer_size", lambda: 10_000, raising=False)
            assert not a.peer.send(b"jam", 3, 2880, False)
        assert a.peer.stats().send_overflows == 1
        await until(lambda: len(b.packets) == 2, "packets by the transport")
        assert [packet.payload for packet in b.packets] == [b"x", b"y"]


async def test_a_file_that_takes_over_the_sockets_number_gets_nothing() -> None:
    async with connected() as (a, _):
        assert a.peer.send(b"x", 1, 960, False)
        transport = a.peer._outgoing._transport
        number = transport.get_extra_info("socket").fileno()
        transport.abort()
        await until(lambda: transport._sock is None, "the socket closed")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        if ours.fileno() != number:
            os.dup2(ours.fileno(), number)
        theirs.setblocking(False)
        assert not a.peer.send(b"private", 2, 1920, False)
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        if ours.fileno() != number:
            os.close(number)
        ours.close()
        theirs.close()


async def test_what_srtp_refuses_does_not_leave_in_the_clear() -> None:
    async with connected() as (a, b):
        assert a.peer.send(b"x", 30_000, 960, False)
        assert not a.peer.send(b"y", 10, 1920, False), "older than SRTP keeps account of"
        assert a.peer.send(b"z", 30_001, 2880, False)
        await until(lambda: len(b.packets) == 2, "the packets before and after")
        assert a.peer.stats().send_errors == 1
        assert b.peer.stats().dropped_oversize == b.peer.stats().guard_drops == 0


def test_each_event_loop_has_its_own_memory_for_packets() -> None:
    async def memory() -> Workspace:
        assert workspace() is workspace()
        return workspace()

    assert asyncio.run(memory()) is not asyncio.run(memory())


async def test_a_failing_handler_costs_only_its_packet(caplog: pytest.LogCaptureFixture) -> None:
    def fail(packet: AudioPacket, arrival: float) -> Never:
        raise RuntimeError("planted")

    async with connected() as (a, b):
        b.peer._incoming._on_packet = fail
        for number in range(3):
            a.peer.send(b"x", number, 0, False)
        await until(lambda: b.peer._incoming.callback_errors == 3, "three failures")
        assert len(caplog.records) == 1
        b.peer._incoming._on_packet = b._packet
        a.peer.send(b"x", 3, 0, False)
        await until(lambda: b.packets, "a packet after the failures")


async def test_unknown_types_oversize_and_too_many_streams_are_dropped_and_counted() -> None:
    async with connected() as (a, b):
        outgoing = a.peer._outgoing
        outgoing._type = 50
        a.peer.send(b"who", 1, 0, False)
        await until(lambda: b.peer.stats().dropped_type == 1, "an unknown payload type")
        outgoing._type = 96
        a.peer.send(bytes(1277), 2, 0, False)
        a.peer.send(b"", 3, 0, False)
        await until(lambda: b.peer.stats().dropped_oversize == 1, "an oversize packet")
        assert b.packets == []
        own = outgoing.ssrc
        for other in range(1, 41):
            outgoing.ssrc = other
            a.peer.send(b"flood", 10, 0, False)
        outgoing.ssrc = own
        a.peer.send(b"mine", 4, 0, False)
        await until(lambda: b.packets and b.packets[-1].ssrc == own, "the true stream")
        assert b.peer.stats().dropped_ssrc == 33
        assert len(b.packets) == 8


async def test_one_negotiation_each() -> None:
    a, b = End(), End()
    with pytest.raises(PeerError, match="no open offer"):
        await a.make().accept("v=0")
    offer = await a.peer.offer()
    with pytest.raises(PeerError, match="negotiated before"):
        await a.peer.offer()
    with pytest.raises(PeerError, match="negotiated before"):
        await a.peer.answer(offer)
    with pytest.raises(SdpError):
        await b.make().answer("v=0\r\n")
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())
    with pytest.raises(PeerError, match="closed"):
        await a.peer.offer()
    with pytest.raises(PeerError, match="closed"):
        await a.peer.wait_connected(1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c=IN IP4 127.0.0.1", "c=IN ATM x"),
        ("a=rtcp-mux", "a=x"),
        ("a=rtpmap:96 opus/48000/2", "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97"),
        ("a=mid:0", "a=fmtp:77 a=b"),
        ("a=extmap:1", "a=extmap:x"),
        ("SAVPF 96", "SAVPF 96 72"),
    ],
)
async def test_an_offer_that_only_the_library_can_refuse_is_refused(old: str, new: str) -> None:
    a, b = End(), End()
    offer = await a.make().offer()
    assert old in offer
    with pytest.raises(SdpError, match="the offer cannot be used"):
        await b.make().answer(offer.replace(old, new))
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def test_an_address_that_is_not_ours_is_said_so() -> None:
    end = End()
    with pytest.raises(PeerError, match=r"no socket could be opened on 192\.0\.2\.1"):
        await end.make(address="192.0.2.1").offer()
    await end.peer.aclose()


async def test_another_identity_fails_the_connection() -> None:
    a, b = End(), End()
    answer = await b.make().answer(await a.make().offer())
    forged = re.sub(r"(sha-256 )(..)", lambda m: m[1] + ("00" if m[2] != "00" else "11"), answer)
    await a.peer.accept(forged)
    with pytest.raises(PeerError, match="failed"):
        await a.peer.wait_connected(CONNECT_S)
    assert not a.peer.send(b"x", 1, 0, False)
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())
    assert a.states[-2:] == [PeerState.FAILED, PeerState.CLOSED]


async def test_a_deadline_of_the_caller() -> None:
    end = End()
    await end.make().offer()
    with pytest.raises(PeerError, match=r"not connected within 0\.05 s"):
        await end.peer.wait_connected(0.05)
    await end.peer.aclose()


async def test_twenty_connections_leave_nothing_behind() -> None:
    async with connected():
        pass  # the first one opens what the process keeps
    gc.collect()
    before = (open_sockets(), threading.active_count(), asyncio.all_tasks())
    for _ in range(20):
        async with connected() as (a, b):
            assert threading.active_count() == before[1]
            a.peer.send(b"x", 1, 0, True)
            await until(lambda b=b: b.packets, "a packet")
    await until(lambda: asyncio.all_tasks() == before[2], "all tasks ended")
    assert (open_sockets(), threading.active_count()) == before[:2]


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_closing_half_way_leaves_nothing_behind(steps: int) -> None:
    before = (open_sockets(), asyncio.all_tasks())
    a, b = End(), End()
    a.make()
    b.make()
    if steps > 0:
        offer = await a.peer.offer()
    if steps > 1:
        answer = await b.peer.answer(offer)
    if steps > 2:
        await a.peer.accept(answer)
    await asyncio.gather(a.peer.aclose(), b.peer.aclose(), a.peer.aclose())
    await until(lambda: asyncio.all_tasks() == before[1], "all tasks ended")
    assert open_sockets() == before[0]


async def test_closing_during_an_offer_leaves_nothing_behind() -> None:
    before = open_sockets()
    end = End()
    offer = asyncio.create_task(end.make().offer())
    await asyncio.sleep(0)
    await end.peer.aclose()
    await asyncio.wait([offer])
    assert open_sockets() == before
    assert isinstance(offer.exception(), PeerError) or offer.result()


async def test_a_connection_that_does_not_close_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("stagebox.rtc.peer.CLOSE_TIMEOUT_S", 0.05)
    monkeypatch.setattr("stagebox.rtc.peer.CUT_TIMEOUT_S", 0.05)
    before = (open_sockets(), asyncio.all_tasks())
    async with connected() as (a, b):
        monkeypatch.setattr(a.peer._sender, "stop", hang)
        monkeypatch.setattr(b.peer._sender, "stop", hang)
        monkeypatch.setattr(b.peer._dtls.transport._connection, "close", hang)
    await until(lambda: open_sockets() == before[0], "all sockets closed")
    assert a.states[-1] is b.states[-1] is PeerState.CLOSED
    for task in asyncio.all_tasks() - before[1]:
        task.cancel()


def test_the_send_path_is_the_stream_itself() -> None:
    assert "send" not in vars(Peer), "an extra call per packet and listener"


async def test_whoever_has_one_peer_is_deaf_to_all_others() -> None:
    async with connected() as (a, b):
        assert a.peer.send(b"x", 1, 960, False)
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with stranger:
            stranger.bind(("127.0.0.1", 0))
            port = a.peer._dtls.transport._connection.local_candidates[0].port
            stranger.connect(("127.0.0.1", port))
            stranger.send(b"\x80" * 20)
            with pytest.raises(ConnectionRefusedError):
                stranger.send(b"\x80" * 20)
        assert a.peer.stats().guard_drops == 0
        assert a.peer.send(b"y", 2, 1920, False)
        await until(lambda: len(b.packets) == 2, "both packets")


async def test_a_peer_with_several_addresses_may_move() -> None:
    """ICE may choose another of them, and is heard there."""
    async with connected() as (a, b):
        connection = a.peer._dtls.transport._connection
        connection._remote_candidates.append(connection._remote_candidates[0])
        assert a.peer.send(b"x", 1, 960, False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"\x80" * 20, ("127.0.0.1", connection.local_candidates[0].port))
        await until(lambda: a.peer.stats().guard_drops == 1, "a stranger's packet at the guard")
        await until(lambda: b.packets, "the packet")
