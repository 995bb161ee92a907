"""Strangers on the same machine write to the media ports; the talk goes on."""

import asyncio
import random
import socket

import pytest
from aioice import stun
from aioice.ice import StunProtocol

from stagebox.rtc.datagrams import Drop
from stagebox.rtc.guard import MAX_QUEUED, counters, install
from tests.loopback.rtc.pairs import (
    CONNECT_S,
    End,
    connected,
    port_of,
    pour,
    resident_bytes,
    until,
)

ALERT = bytes.fromhex("15fefd000000000000000100020228")
CLIENT_HELLO = bytes.fromhex("16fefd0000000000000000003001000024") + bytes(40)
JUNK = b"\x80\x60" + bytes(1398)
JUNK_COUNT = 60_000
RSS_LIMIT = 20 * 2**20


async def talk(a: End, b: End) -> None:
    """Prove that the connection carries packets."""
    have = len(b.packets)
    for number in range(have, have + 20):
        assert a.peer.send(b"talk", number, number * 960, False)
    await until(lambda: len(b.packets) >= have + 20, "20 packets after the attack")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Drop.EMPTY),
        (ALERT, Drop.PLAINTEXT_ALERT),
        (CLIENT_HELLO, Drop.STRANGER),
        (b"\xff" * 20, Drop.UNKNOWN),
        (b"\x80" * 1600, Drop.OVERSIZE),
        (b"\x00\x01" + bytes(10), Drop.STUN_MALFORMED),
    ],
)
async def test_strangers_break_neither_setup_nor_talk(data: bytes, reason: Drop) -> None:
    before = counters[reason]
    a, b = End(), End()
    offer = await a.make().offer()
    await pour(data, 100, port_of(offer))
    answer = await b.make().answer(offer)
    await pour(data, 100, port_of(answer))
    await a.peer.accept(answer)
    await pour(data, 100, port_of(answer))
    await asyncio.gather(a.peer.wait_connected(CONNECT_S), b.peer.wait_connected(CONNECT_S))
    await pour(data, 100, port_of(answer))
    await talk(a, b)
    await until(lambda: counters[reason] - before == 400, "400 drops counted")
    assert b.peer.stats().guard_drops == 300
    assert a.peer.stats().guard_drops == 100
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def test_alerts_from_the_peers_own_address_do_not_fail_a_setup() -> None:
    """A forger who guessed the address: sent by the peer's own socket."""
    a, b = End(), End()
    answer = await b.make().answer(await a.make().offer())
    (protocol,) = a.peer._dtls.transport._connection._protocols
    target = ("127.0.0.1", port_of(answer))

    async def forge() -> None:
        for _ in range(200):
            protocol.transport.sendto(ALERT, target)
            await asyncio.sleep(0.0005)

    forger = asyncio.create_task(forge())
    await a.peer.accept(answer)
    await asyncio.gather(a.peer.wait_connected(CONNECT_S), b.peer.wait_connected(CONNECT_S))
    await forger
    await talk(a, b)
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def test_a_flood_neither_grows_nor_breaks() -> None:
    before, drops = resident_bytes(), counters[Drop.STRANGER]
    a, b = End(), End()
    answer = await b.make().answer(await a.make().offer())
    await pour(JUNK, JUNK_COUNT, port_of(answer))
    await a.peer.accept(answer)
    await asyncio.gather(a.peer.wait_connected(CONNECT_S), b.peer.wait_connected(CONNECT_S))
    await pour(JUNK, JUNK_COUNT, port_of(answer))
    await talk(a, b)
    # A loaded kernel may drop some before they are read.
    assert counters[Drop.STRANGER] - drops > JUNK_COUNT
    assert resident_bytes() - before < RSS_LIMIT
    await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def test_junk_from_the_peers_own_address_is_harmless() -> None:
    async with connected() as (a, b):
        pair = a.peer._outgoing._nominated[1]
        for data in (b"", JUNK, ALERT, b"\x80" * 1600, CLIENT_HELLO, b"\xc8", b"\x80"):
            pair.protocol.transport._sock.sendto(data, pair.remote_addr)
        await talk(a, b)


async def test_the_queue_is_bounded() -> None:
    async with connected() as (a, b):
        before = counters[Drop.QUEUE_FULL]
        (protocol,) = b.peer._dtls.transport._connection._protocols
        sender = b.peer._outgoing._nominated[1].remote_addr
        for _ in range(MAX_QUEUED + 7):
            protocol.datagram_received(JUNK, sender)
        assert counters[Drop.QUEUE_FULL] - before == 7
        await asyncio.sleep(0.01)
        await talk(a, b)


def request(username: str, password: str, *, priority: int | None = 1) -> bytes:
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = username
    if priority is not None:
        message.attributes["PRIORITY"] = priority
    message.attributes["ICE-CONTROLLING"] = 1
    message.add_message_integrity(password.encode())
    return bytes(message)


async def heard_by(data: bytes, port: int, senders: int) -> int:
    """How many of so many strangers get any answer."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(senders)]
    try:
        for stranger in sockets:
            stranger.setblocking(False)
            stranger.sendto(data, ("127.0.0.1", port))
        await asyncio.sleep(0.1)
        return sum(1 for stranger in sockets if _has_answer(stranger))
    finally:
        for stranger in sockets:
            stranger.close()


def _has_answer(stranger: socket.socket) -> bool:
    try:
        return bool(stranger.recv(2048))
    except BlockingIOError:
        return False


async def test_checks_without_credentials_get_no_answer() -> None:
    async with connected() as (a, b):
        connection = b.peer._dtls.transport._connection
        port = connection.local_candidates[0].port
        name = f"{connection.local_username}:{connection.remote_username}"
        before = counters[Drop.STUN_UNAUTHENTICATED]
        for data in (
            request(name, "wrong" * 5),
            request("nobody:nowhere", connection.local_password),
            bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)),
        ):
            assert await heard_by(data, port, 5) == 0
        assert counters[Drop.STUN_UNAUTHENTICATED] - before == 15
        await talk(a, b)


async def test_replayed_checks_teach_only_a_few_addresses() -> None:
    async with connected() as (a, b):
        connection = b.peer._dtls.transport._connection
        port = connection.local_candidates[0].port
        name = f"{connection.local_username}:{connection.remote_username}"
        data = request(name, connection.local_password)
        before = counters[Drop.STUN_RATE]
        answered = await heard_by(data, port, 100)
        assert 16 <= answered <= 20
        assert counters[Drop.STUN_RATE] - before == 100 - answered
        assert len(connection._check_list) <= 21
        await talk(a, b)


async def test_a_check_without_priority_is_malformed() -> None:
    async with connected() as (a, b):
        connection = b.peer._dtls.transport._connection
        name = f"{connection.local_username}:{connection.remote_username}"
        data = request(name, connection.local_password, priority=None)
        before = counters[Drop.STUN_MALFORMED]
        assert await heard_by(data, connection.local_candidates[0].port, 3) == 0
        assert counters[Drop.STUN_MALFORMED] - before == 3
        await talk(a, b)


async def test_the_pairs_of_a_connection_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebox.rtc.guard.MAX_PAIRS", 3)
    async with connected() as (a, b):
        connection = b.peer._dtls.transport._connection
        name = f"{connection.local_username}:{connection.remote_username}"
        data = request(name, connection.local_password)
        assert await heard_by(data, connection.local_candidates[0].port, 10) == 2
        assert len(connection._check_list) == 3
        await talk(a, b)


async def test_mutated_stun_never_raises() -> None:
    chance = random.Random(7)
    async with connected() as (a, b):
        connection = b.peer._dtls.transport._connection
        (protocol,) = connection._protocols
        name = f"{connection.local_username}:{connection.remote_username}"
        valid = request(name, connection.local_password)
        for _ in range(3000):
            data = bytearray(valid[: chance.randrange(1, len(valid) + 1)])
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            data[0] &= 3
            if bytes(data) != valid:
                protocol.datagram_received(bytes(data), ("127.0.0.1", 9))
        assert len(connection._check_list) == 1
        await talk(a, b)


async def test_other_stun_is_no_harm() -> None:
    async with connected() as (a, b):
        before = counters[Drop.STUN_UNASKED]
        port = b.peer._dtls.transport._connection.local_candidates[0].port
        answer = bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE))
        keep_alive = bytes(stun.Message(stun.Method.BINDING, stun.Class.INDICATION))
        assert await heard_by(answer, port, 1) == 0
        assert await heard_by(keep_alive, port, 1) == 0
        assert counters[Drop.STUN_UNASKED] - before == 1
        await talk(a, b)


def test_installing_again_changes_nothing() -> None:
    install()
    first = StunProtocol.datagram_received
    install()
    assert StunProtocol.datagram_received is first


def test_counters_are_readable() -> None:
    assert set(counters.as_dict()) == {reason.value for reason in Drop}
    assert counters.total == sum(counters.as_dict().values())
