"""Debian's Janus on the far side: real speech both ways, and everything that goes wrong there."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hub.bridges.janus import Guard, JanusFar, Room
from hub.bridges.mark import Marks
from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from hub.bridges.voice import FarVoice
from hub.config import SpaceConfig
from stagebox import measure as m
from tests.loopback.bridges.kit import Ears, Person, SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support import janus as janus_support
from tests.support.bridge_contract import FarContract
from tests.support.bridge_cycles import by_hand, killed_again_and_again
from tests.support.crew import free_port
from tests.support.janus import Janus, Rooms, Stranger

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not janus_support.is_here(), reason="no Janus: apt install janus"),
]
LIKE = 0.9
# What is left of one's own voice on a way that must not carry it.
ECHO_DB = -40.0
NAME = "Phones"
_TRIES = 6


@pytest.fixture
async def janus() -> AsyncIterator[Janus]:
    async with Janus() as server:
        async with server.client() as rooms:
            await rooms.make()
        yield server


def plan(janus: Janus, **more: str) -> Plan:
    own = {"name": NAME, "space": "main", "url": janus.url, "room": str(janus.room)}
    return Plan(**{"system": System.JANUS, **own, **more})


def cause_of(hub: SoundHub, bridge: str) -> Cause:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().condition.cause


@pytest.mark.parametrize("processes", [0, 1])
async def test_speech_goes_both_ways(janus: Janus, tmp_path: Path, processes: int) -> None:
    async with sound_hub(tmp_path, processes=processes) as hub, janus.client() as rooms:
        bridge = hub.bridge(plan(janus))
        await hub.joined(bridge)
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann), rooms.person("Zoe") as zoe:
            await until(lambda: [p.name for p in _people(hub, bridge)] == ["Zoe"])
            there = await heard_well(lambda: ann.talk(words(0)), zoe.ears)
            print("to janus", there.correlation, there.delay_ms)
            assert there.correlation > LIKE
            assert not ann.ears.packets  # her own voice does not come back to her
            here = await heard_well(lambda: zoe.mouth.say(words(2)), ann.ears)
            print("from janus", here.correlation, here.delay_ms)
            assert here.correlation > LIKE
            # Zoe hears nothing of herself: neither by way of the hub nor of Janus.
            own = _heard_back(zoe.mouth.said, zoe.ears.recording())
            print("echo", own)
            assert own < ECHO_DB


async def heard_well(say: Callable[[], Awaitable[m.Recording]], ears: Ears) -> m.Heard:
    """Let something be said until it was heard whole, or too often.

    Janus wakes by the clock and holds two packets: on a machine that is busy with something
    else for 40 ms it mixes silence, whoever brings the packets. Once in a few is then clean.
    """
    best: m.Heard | None = None
    for _ in range(_TRIES):
        ears.packets.clear()
        heard = compare(await say(), ears)
        best = heard if best is None or heard.correlation > best.correlation else best
        if best.correlation > LIKE:
            break
    assert best is not None
    return best


def _people(hub: SoundHub, bridge: str) -> tuple:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().people


def _heard_back(said: m.Recording, heard: m.Recording) -> float:
    """Return how loud the way back was while somebody spoke, in dB of what was said."""
    begin, end = said.start + 0.5, said.start + said.samples.size / m.RATE
    return m.dbfs(heard.between(begin, end)) - m.dbfs(said.between(begin, end))


async def test_janus_is_killed_and_comes_back(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(janus))
        await hub.joined(bridge)
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann):
            assert hub.members()[NAME].connected
            at = time.monotonic()
            janus.kill()
            await until(lambda: hub.state(bridge) is not State.JOINED)
            print("state after", time.monotonic() - at)
            assert not hub.members()[NAME].connected
            await janus.again()
            async with janus.client() as rooms:
                await rooms.make()
                at = time.monotonic()
                await hub.joined(bridge)
                print("joined after", time.monotonic() - at)
                assert hub.members()[NAME].connected
                async with rooms.person("Zoe") as zoe:
                    heard = await heard_well(lambda: ann.talk(words(0)), zoe.ears)
                    assert heard.correlation > LIKE


async def test_the_room_ends_and_is_opened_again(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub, janus.client() as rooms:
        bridge = hub.bridge(plan(janus))
        await hub.joined(bridge)
        await rooms.destroy()
        await until(lambda: hub.state(bridge) is State.ENDED)
        assert cause_of(hub, bridge) in {Cause.ROOM_ENDED, Cause.NOTHING_THERE}
        await rooms.make()
        await hub.joined(bridge)


async def test_a_bridge_that_is_kicked_stays_away(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub, janus.client() as rooms:
        bridge = hub.bridge(plan(janus))
        await hub.joined(bridge)
        ((name, number),) = (await rooms.names()).items()
        assert name.startswith(f"{NAME} [sb:")
        await rooms.kick(number)
        await until(lambda: hub.state(bridge) is State.REFUSED)
        assert cause_of(hub, bridge) is Cause.REMOVED_THERE
        await asyncio.sleep(0.5)
        assert hub.state(bridge) is State.REFUSED
        await hub.ways.bridges.switch(bridge, on=True)
        await hub.joined(bridge)


async def test_a_wrong_pin_is_said_to_be_one(tmp_path: Path) -> None:
    async with Janus(pin="4711") as janus, janus.client() as rooms:
        await rooms.make()
        async with sound_hub(tmp_path) as hub:
            wrong = hub.bridge(plan(janus, pin="1234"))
            await until(lambda: hub.state(wrong) is State.REFUSED)
            assert cause_of(hub, wrong) is Cause.WRONG_SECRET
            await hub.ways.bridges.remove(wrong)
            await hub.joined(hub.bridge(plan(janus, pin="4711")))


async def test_two_spaces_of_one_hub_do_not_meet_in_a_room(janus: Janus, tmp_path: Path) -> None:
    spaces = (SpaceConfig(id="main", name="Main"), SpaceConfig(id="other", name="Other"))
    async with sound_hub(tmp_path, spaces=spaces) as hub:
        first = hub.bridge(plan(janus))
        await hub.joined(first)
        second = hub.bridge(
            Plan(
                name="Loop",
                space="other",
                system=System.JANUS,
                url=janus.url,
                room=str(janus.room),
            )
        )
        await until(lambda: hub.state(second) is State.REFUSED)
        assert cause_of(hub, second) is Cause.ALREADY_BRIDGED
        assert hub.state(first) is State.JOINED


@by_hand
@pytest.mark.timeout(1_800)
async def test_a_server_that_is_killed_a_hundred_times_costs_no_memory(
    janus: Janus, tmp_path: Path
) -> None:
    async def again() -> None:
        await janus.again()
        async with janus.client() as rooms:
            await rooms.make()

    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(janus))
        await killed_again_and_again(hub, bridge, janus.kill, again)


class JanusWorld:
    """A room of the AudioBridge."""

    speaks = listens = True

    def __init__(self, server: Janus, rooms: Rooms, stranger: Stranger, url: str) -> None:
        self._server, self._rooms, self._stranger, self._url = server, rooms, stranger, url

    def far(self) -> JanusFar:
        return self._far(self._url, self._server.pin)

    def stranger(self) -> JanusFar:
        return self._far(self._url, "wrong")

    def nowhere(self) -> JanusFar:
        scheme = self._url.partition(":")[0]
        return self._far(f"{scheme}://{self._server.address}:{free_port()}", self._server.pin)

    async def heard(self) -> int:
        """Count packets that are no silence: Janus sends those always."""
        voice = FarVoice(0.0)
        for packet, now in self._stranger.ears.packets:
            voice.packet(packet, now)
        return int(voice.speaks)

    async def say(self) -> None:
        await self._stranger.mouth.say(words(0, 0.5))

    async def end(self) -> None:
        await self._rooms.destroy()

    def _far(self, url: str, pin: str) -> JanusFar:
        marks = Marks(b"secret", "0" * 32)
        room = Room(url, self._server.room, "main", "Main", pin)
        return JanusFar(room, Guard(marks, frozenset({"main"})))


class TestJanus(FarContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[JanusWorld]:
        async with Janus(pin="4711") as server, server.client() as rooms:
            await rooms.make()
            async with rooms.person("Zoe") as zoe:
                await until(lambda: bool(zoe.ears.packets))  # its reports have begun, too
                yield JanusWorld(server, rooms, zoe, server.url)


class TestJanusByHttp(FarContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[JanusWorld]:
        async with Janus(pin="4711", http=True) as server, server.client() as rooms:
            await rooms.make()
            async with rooms.person("Zoe") as zoe:
                await until(lambda: bool(zoe.ears.packets))  # its reports have begun, too
                yield JanusWorld(server, rooms, zoe, server.http_url)


async def test_by_http_it_is_noticed_that_janus_is_gone_too(tmp_path: Path) -> None:
    async with Janus(http=True) as janus, sound_hub(tmp_path) as hub:
        async with janus.client() as rooms:
            await rooms.make()
            bridge = hub.bridge(plan(janus, url=janus.http_url))
            await hub.joined(bridge)
            ann = await Person("Ann", number=1).here(hub)
            async with people(ann), rooms.person("Zoe") as zoe:
                await until(lambda: [p.name for p in _people(hub, bridge)] == ["Zoe"])
                there = await heard_well(lambda: ann.talk(words(0)), zoe.ears)
                assert there.correlation > LIKE
        at = time.monotonic()
        janus.stop()
        try:
            await until(lambda: hub.state(bridge) is not State.JOINED)
            print("by HTTP, a Janus that hangs is noticed after", time.monotonic() - at)
        finally:
            janus.go_on()
        await hub.joined(bridge)
