"""Hubs share a space: sound both ways in one session, no voice comes back, no ring stays."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hub.bridges import machine
from hub.bridges.behind import BEHIND, BEHIND_HEADER, WAY_HEADER
from hub.bridges.bridge import Status
from hub.bridges.guests import Guests
from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from hub.bridges.trunk import Trunk
from hub.bridges.whip_terms import MARK_HEADER
from stagebox.rtc.peer import Peer
from stagebox.wire.terms import Place
from tests.loopback.bridges.kit import Person, SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until

LIKE = 0.9


def trunk(to: SoundHub, name: str) -> Plan:
    """Return the bridge of a hub, which is called ``name`` there, to another one."""
    url = to.url(f"/whip/main?name={name}")
    token = to.invite(Place.SPEAKER)
    return Plan(name="Annex", space="main", system=System.HUB, url=url, token=token)


async def test_two_hubs_hear_each_other_and_not_themselves(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b", processes=1) as b:
        await a.joined(a.bridge(trunk(b, "House")))
        ann = await Person("Ann", number=1).here(a)
        ben = await Person("Ben", number=2).here(b)
        async with people(ann, ben):
            await until(lambda: "House" in b.members())
            heard = compare(await ann.talk(words(0)), ben.ears)
            print("there", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            assert not ann.ears.packets
            await until(lambda: not b.talkers() and not a.talkers())
            ben.ears.packets.clear()
            heard = compare(await ben.talk(words(2)), ann.ears)
            print("here", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            assert not ben.ears.packets


async def test_a_hub_that_comes_back_is_joined_again(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a:
        async with sound_hub(tmp_path / "b") as b:
            bridge = a.bridge(trunk(b, "House"))
            await a.joined(bridge)
            port = b.server.port
        await until(lambda: a.state(bridge) in {State.WAITING, State.CONNECTING})
        async with sound_hub(tmp_path / "b", port=port) as b:
            # Its invitations are kept, so the old token still opens.
            await a.joined(bridge)
            await until(lambda: "House" in b.members())


async def test_two_hubs_that_come_to_each_other_keep_one_way(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b") as b:
        ab, ba = a.bridge(trunk(b, "A")), b.bridge(trunk(a, "B"))

        def settled() -> bool:
            states = {a.state(ab), b.state(ba)}
            return states == {State.JOINED, State.REFUSED}

        await until(settled)
        hub, bridge = (a, ab) if a.state(ab) is State.REFUSED else (b, ba)
        assert seen(hub, bridge).condition.cause is Cause.RING


def seen(hub: SoundHub, bridge: str) -> Status:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status()


@contextlib.asynccontextmanager
async def three(folder: Path) -> AsyncIterator[tuple[SoundHub, SoundHub, SoundHub]]:
    async with (
        sound_hub(folder / "a") as a,
        sound_hub(folder / "b") as b,
        sound_hub(folder / "c") as c,
    ):
        yield a, b, c


async def test_the_trunk_that_would_close_a_ring_is_refused_and_is_there_when_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "RING_S", 0.3)
    async with three(tmp_path) as (a, b, c):
        ab, bc = a.bridge(trunk(b, "A")), b.bridge(trunk(c, "B"))
        await a.joined(ab)
        await b.joined(bc)
        ca = c.bridge(trunk(a, "C"))
        await until(lambda: c.state(ca) is State.REFUSED)
        how = seen(c, ca).condition
        assert how.cause is Cause.RING
        assert 'already joined by way of "B"' in how.detail
        assert "C" not in a.members(), "nobody in A sees somebody come and go"
        ann = await Person("Ann", number=1).here(a)
        cem = await Person("Cem", number=2).here(c)
        async with people(ann, cem):
            heard = compare(await ann.talk(words(0, 2.0)), cem.ears)
            print("by way of a third hub", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            assert not ann.ears.packets
            assert c.state(ca) is State.REFUSED
            # The first way is gone, so the spare one opens.
            await a.ways.bridges.remove(ab)
            await c.joined(ca)
            await until(lambda: not a.talkers() and not c.talkers())
            cem.ears.packets.clear()
            heard = compare(await ann.talk(words(2, 2.0)), cem.ears)
            assert heard.correlation > LIKE
            assert not ann.ears.packets


async def test_of_three_trunks_that_are_made_at_once_two_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "RING_S", 0.3)
    async with three(tmp_path) as (a, b, c):
        made = [
            (a, a.bridge(trunk(b, "A"))),
            (b, b.bridge(trunk(c, "B"))),
            (c, c.bridge(trunk(a, "C"))),
        ]

        def states() -> list[State]:
            return sorted(hub.state(bridge) for hub, bridge in made)

        two = [State.JOINED, State.JOINED, State.REFUSED]

        async def stays() -> bool:
            """Say whether nothing changes for longer than hubs need to tell each other."""
            for _ in range(15):
                resting = [hub.state(bridge) for hub, bridge in made]
                await asyncio.sleep(0.1)
                if resting.count(State.JOINED) != 2:
                    return False
            return True

        async with asyncio.timeout(60):
            while not await stays():  # which takes its time
                pass
        await until(lambda: states() == two)
        (refused,) = [each for each in made if each[0].state(each[1]) is State.REFUSED]
        assert seen(*refused).condition.cause is Cause.RING


async def test_hubs_that_do_not_tell_are_joined_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b") as b:
        with monkeypatch.context() as old:
            old.setattr(Trunk, "headers", property(lambda _self: {}))
            bridge = a.bridge(trunk(b, "Old caller"))
            await a.joined(bridge)
            await until(lambda: "Old caller" in b.members())
            await a.ways.bridges.remove(bridge)
        with monkeypatch.context() as old:
            old.setattr(Guests, "_join", lambda *_: None)
            await a.joined(a.bridge(trunk(b, "To an old one")))
            await until(lambda: "To an old one" in b.members())


async def test_what_a_hub_tells_is_not_believed_blindly(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "b") as b, aiohttp.ClientSession() as http:
        peer = Peer(
            local_address="127.0.0.1",
            direction="sendrecv",
            on_packet=lambda _packet, _now: None,
            on_state=lambda _state: None,
        )
        offer = await peer.offer()
        good = {
            "Authorization": f"Bearer {b.invite()}",
            "Content-Type": "application/sdp",
            MARK_HEADER: "[sb:00000001:0000000000000001]",
            BEHIND_HEADER: '{"node":"00000001:0000000000000001","clock":0}',
            WAY_HEADER: "0" * 16,
        }
        url = b.url("/whip/main?name=Liar")
        for wrong in ({BEHIND_HEADER: "{"}, {WAY_HEADER: "?"}):
            async with http.post(url, data=offer, headers=good | wrong) as answer:
                assert answer.status == 400
        assert not b.members()
        async with http.post(url, data=offer, headers=good) as answer:
            assert answer.status == 201
            assert answer.headers[BEHIND_HEADER]
            session = b.url(answer.headers["Location"])
            theirs = answer.headers[BEHIND_HEADER]
        async with http.post(url, data=offer, headers=good | {BEHIND_HEADER: theirs}) as answer:
            assert answer.status == 508, "whoever says that we are behind them would be a ring"
            assert answer.headers[BEHIND_HEADER]
        for told, status in (("nonsense", 400), (good[BEHIND_HEADER], 200)):
            async with http.patch(session, data=told, headers={"Content-Type": BEHIND}) as answer:
                assert answer.status == status
        # A session that is no trunk has nothing to tell.
        plain = {key: good[key] for key in ("Authorization", "Content-Type")}
        async with http.post(url, data=offer, headers=plain) as answer:
            assert answer.status == 201
            session = b.url(answer.headers["Location"])
        told = good[BEHIND_HEADER]
        async with http.patch(session, data=told, headers={"Content-Type": BEHIND}) as answer:
            assert answer.status == 415
        await peer.aclose()
