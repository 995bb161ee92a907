"""Peers over a bad network, and a peer that vanishes."""

import asyncio
import time
from itertools import count, islice

import pytest

from stagebox.rtc.peer import PeerState
from tests.loopback.rtc.pairs import connected, until
from tests.support.lossy_relay import LossyRelay


async def test_loss_is_seen_by_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebox.rtc.reports.REPORT_S", 0.5)
    async with LossyRelay(loss=0.2, media_only=True, seed=1) as relay, connected(relay) as (a, b):
        for number in range(500):
            a.peer.send(b"x" * 80, number, number * 960, False)
            if number % 10 == 0:
                await asyncio.sleep(0.001)
        await until(
            lambda: len(b.packets) + relay.counters.lost >= 500, "all packets or their loss"
        )
        lost = b.peer.stats().lost
        assert 60 < lost < 140
        sequences = [packet.sequence for packet in b.packets]
        assert sequences == sorted(sequences)
        numbers = count(500)

        def reported() -> bool:
            for number in islice(numbers, 10):  # reports get lost as well
                a.peer.send(b"x" * 80, number, number * 960, False)
            stats = a.peer.stats()
            return stats.remote_lost > 50 and 0.1 < stats.remote_fraction_lost < 0.3

        await until(reported, "a receiver report")


async def test_set_up_over_loss_and_jitter() -> None:
    async with LossyRelay(loss=0.05, jitter_ms=30, seed=3) as relay, connected(relay) as (a, b):
        for number in range(50):
            a.peer.send(b"x", number, number * 960, False)
        await until(lambda: len(b.packets) >= 30, "packets over the bad network")
        sequences = [packet.sequence for packet in b.packets]
        assert sequences == sorted(set(sequences))


async def test_reordering_passes_and_duplicates_do_not() -> None:
    async with (
        LossyRelay(reorder=0.2, duplicate=0.3, media_only=True, seed=2) as relay,
        connected(relay) as (a, b),
    ):
        for number in range(100):
            a.peer.send(b"x", number, number * 960, False)
            await asyncio.sleep(0.001)
        await until(lambda: len(b.packets) == 100, "every packet once")
        await asyncio.sleep(0.1)
        sequences = [packet.sequence for packet in b.packets]
        assert sorted(sequences) == list(range(100))
        assert sequences != sorted(sequences)
        assert relay.counters.duplicated > 10


async def test_round_trip_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stagebox.rtc.reports.REPORT_S", 0.5)
    async with LossyRelay(delay_ms=20) as relay, connected(relay) as (a, _):
        assert a.peer.stats().rtt is None
        a.peer.send(b"x", 1, 960, False)

        def measured() -> bool:
            rtt = a.peer.stats().rtt
            return rtt is not None and rtt > 0.03

        await until(measured, "a round trip")
        rtt = a.peer.stats().rtt
        assert rtt is not None
        assert 0.03 < rtt < 0.5


async def test_a_dead_peer_is_noticed() -> None:
    async with LossyRelay(seed=1) as relay, connected(relay) as (a, b):
        relay.blackout = True
        begin = time.monotonic()
        await until(lambda: a.states[-1] in (PeerState.FAILED, PeerState.CLOSED), "a's notice")
        await until(lambda: b.states[-1] in (PeerState.FAILED, PeerState.CLOSED), "b's notice")
        assert PeerState.FAILED in a.states
        assert PeerState.FAILED in b.states
        assert time.monotonic() - begin > 5.0


async def test_a_peer_that_closes_is_noticed_at_once() -> None:
    async with connected() as (a, b):
        begin = time.monotonic()
        await a.peer.aclose()
        await until(lambda: b.states[-1] is PeerState.CLOSED, "the goodbye")
        assert PeerState.FAILED not in b.states
        assert time.monotonic() - begin < 5.0


async def test_the_relay_refuses_what_it_cannot_relay() -> None:
    async with LossyRelay() as relay:
        with pytest.raises(ValueError, match="no loopback host candidate"):
            relay.rewrite("a=candidate:1 1 udp 1 192.168.1.1 5000 typ host")
