"""Debian's Janus with a VideoRoom on the far side: several people, each a connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.janus import Guard, Room
from hub.bridges.janus_video import JanusVideo
from hub.bridges.mark import Marks
from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from hub.bridges.terms import Person as FarPerson
from hub.config import SpaceConfig
from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE, silence
from tests.loopback.bridges.kit import Person, SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support import janus as janus_support
from tests.support import netns
from tests.support.bridge_contract import FarContract
from tests.support.bridge_cycles import by_hand, killed_again_and_again
from tests.support.cable import CUT_S, cable
from tests.support.crew import free_port
from tests.support.janus import Janus
from tests.support.janus_video import Publisher, VideoRooms, video_rooms
from tests.system.test_bridges_janus import LIKE, heard_well

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not janus_support.is_here(), reason="no Janus: apt install janus"),
]
NAME = "Round"


@pytest.fixture
async def rooms() -> AsyncIterator[VideoRooms]:
    async with Janus(pin="4711") as server, video_rooms(server) as rooms:
        await rooms.make()
        yield rooms


def plan(rooms: VideoRooms, **more: str) -> Plan:
    own = {"name": NAME, "space": "main", "url": rooms.janus.url, "room": str(rooms.janus.room)}
    return Plan(**{"system": System.JANUS_VIDEO, "pin": "4711", **own, **more})


def there(hub: SoundHub, bridge: str) -> tuple[FarPerson, ...]:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().people


def cause_of(hub: SoundHub, bridge: str) -> Cause:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().condition.cause


async def number_of(rooms: VideoRooms, name: str) -> int:
    (number,) = [
        number for shown, number in (await rooms.names()).items() if shown.startswith(name)
    ]
    return number


async def test_speech_goes_both_ways_and_never_back(rooms: VideoRooms, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(rooms))
        await hub.joined(bridge)
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann), rooms.person("Zoe") as zoe, rooms.person("Yan") as yan:
            await until(lambda: {each.name for each in there(hub, bridge)} == {"Zoe", "Yan"})
            await zoe.listen(await number_of(rooms, NAME))
            out = await heard_well(lambda: ann.talk(words(0)), zoe.ears)
            print("to janus", out.correlation, out.delay_ms)
            assert out.correlation > LIKE
            assert not ann.ears.packets  # her own voice does not come back to her
            for far in (zoe, yan):
                back = await heard_well(lambda far=far: far.mouth.say(words(2)), ann.ears)
                print("from janus", back.correlation, back.delay_ms)
                assert back.correlation > LIKE
            # To Zoe the hub says nothing of what came from over there.
            zoe.ears.packets.clear()
            said = await yan.mouth.say(words(2))
            own = zoe.ears.recording().between(said.start + 0.3, said.start + 1.5)
            assert m.dbfs(own) < -60.0


async def test_two_who_speak_at_once_are_both_heard(rooms: VideoRooms, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(rooms))
        await hub.joined(bridge)
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann), rooms.person("Zoe") as zoe, rooms.person("Yan") as yan:
            await until(lambda: len(there(hub, bridge)) == 2)
            best = [0.0, 0.0]
            for _ in range(6):
                ann.ears.packets.clear()
                said = await asyncio.gather(
                    zoe.mouth.say(words(0, 2.0)), yan.mouth.say(words(3, 2.0))
                )
                found = [compare(each, ann.ears).correlation for each in said]
                best = [max(pair) for pair in zip(best, found, strict=True)]
                if min(best) > 0.5:
                    break
            print("of a mix of two", best)
            # Each is some 0.7 like the sum of both.
            assert min(best) > 0.5


async def test_who_talks_and_who_leaves_is_told(rooms: VideoRooms, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(rooms))
        await hub.joined(bridge)
        async with rooms.person("Zoe") as zoe:
            await until(lambda: [each.name for each in there(hub, bridge)] == ["Zoe"])
            speaking = asyncio.create_task(zoe.mouth.say(words(0, 3.0)))
            await until(lambda: there(hub, bridge)[0].talking is True)
            await speaking
            await zoe.mouth.say(silence(SAMPLE_RATE))
            await until(lambda: there(hub, bridge)[0].talking is False)
            await zoe.unpublish()
            await until(lambda: there(hub, bridge)[0].talking is None)
        await until(lambda: not there(hub, bridge))


async def test_janus_is_killed_and_comes_back(rooms: VideoRooms, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(rooms))
        await hub.joined(bridge)
        rooms.janus.kill()
        await until(lambda: hub.state(bridge) is not State.JOINED)
        await rooms.janus.again()
        async with video_rooms(rooms.janus) as anew:
            await anew.make()
            await hub.joined(bridge)
            ann = await Person("Ann", number=1).here(hub)
            async with people(ann), anew.person("Zoe") as zoe:
                await until(lambda: len(there(hub, bridge)) == 1)
                back = await heard_well(lambda: zoe.mouth.say(words(2)), ann.ears)
                assert back.correlation > LIKE


async def test_each_refusal_has_its_cause(rooms: VideoRooms, tmp_path: Path) -> None:
    spaces = (SpaceConfig(id="main", name="Main"), SpaceConfig(id="other", name="Other"))
    async with sound_hub(tmp_path, spaces=spaces) as hub:
        wrong = hub.bridge(plan(rooms, pin="1234"))
        await until(lambda: hub.state(wrong) is State.REFUSED)
        assert cause_of(hub, wrong) is Cause.WRONG_SECRET
        await hub.ways.bridges.remove(wrong)
        nowhere = hub.bridge(plan(rooms, room="99"))
        await until(lambda: hub.state(nowhere) is State.ENDED)
        assert cause_of(hub, nowhere) is Cause.NOTHING_THERE
        await hub.ways.bridges.remove(nowhere)
        bridge = hub.bridge(plan(rooms))
        await hub.joined(bridge)
        loop = hub.bridge(plan(rooms, space="other"))
        await until(lambda: hub.state(loop) is State.REFUSED)
        assert cause_of(hub, loop) is Cause.ALREADY_BRIDGED
        await rooms.kick(await number_of(rooms, NAME))
        await until(lambda: hub.state(bridge) is State.REFUSED)
        assert cause_of(hub, bridge) is Cause.REMOVED_THERE
        await hub.ways.bridges.switch(bridge, on=True)
        await hub.joined(bridge)
        await rooms.destroy()
        await until(lambda: hub.state(bridge) is State.ENDED)


async def test_a_room_that_is_full_is_tried_again(tmp_path: Path) -> None:
    async with Janus(pin="4711") as server, video_rooms(server) as rooms:
        await rooms.make(publishers=1)
        async with sound_hub(tmp_path) as hub:
            async with rooms.person("Zoe"):
                bridge = hub.bridge(plan(rooms))
                await until(lambda: hub.state(bridge) is State.WAITING)
                assert cause_of(hub, bridge) is Cause.BUSY
            await hub.joined(bridge)


@pytest.mark.skipif(netns.why_not() is not None, reason=str(netns.why_not()))
async def test_a_cable_that_is_out(tmp_path: Path) -> None:
    with cable() as line:
        async with Janus(pin="4711", cable=line) as server, sound_hub(tmp_path) as hub:
            async with video_rooms(server) as rooms:
                await rooms.make()
                bridge = hub.bridge(plan(rooms))
                await hub.joined(bridge)
            at = time.monotonic()
            line.cut()
            await until(lambda: hub.state(bridge) is State.WAITING)
            print("a cable that is out is noticed after", time.monotonic() - at)
            assert cause_of(hub, bridge) is Cause.LOST
            assert not hub.members()[NAME].connected
            await asyncio.sleep(max(0.0, CUT_S - (time.monotonic() - at)))
            line.mend()
            at = time.monotonic()
            await hub.joined(bridge)
            print("joined after", time.monotonic() - at)
            ann = await Person("Ann", number=1).here(hub)
            async with people(ann), video_rooms(server) as anew, anew.person("Zoe") as zoe:
                await until(lambda: len(there(hub, bridge)) == 1)
                back = await heard_well(lambda: zoe.mouth.say(words(2)), ann.ears)
                assert back.correlation > LIKE


@by_hand
@pytest.mark.timeout(1_800)
async def test_a_server_that_is_killed_a_hundred_times_costs_no_memory(
    rooms: VideoRooms, tmp_path: Path
) -> None:
    async def again() -> None:
        await rooms.janus.again()
        async with video_rooms(rooms.janus) as anew:
            await anew.make()

    async with sound_hub(tmp_path) as hub:
        bridge = hub.bridge(plan(rooms))
        await killed_again_and_again(hub, bridge, rooms.janus.kill, again)


class VideoWorld:
    """A VideoRoom with somebody in it."""

    speaks = listens = True

    def __init__(self, rooms: VideoRooms, zoe: Publisher) -> None:
        self._rooms, self._zoe = rooms, zoe
        self._listens = False

    def far(self) -> JanusVideo:
        return self._far(self._rooms.janus.url, self._rooms.janus.pin)

    def stranger(self) -> JanusVideo:
        return self._far(self._rooms.janus.url, "wrong")

    def nowhere(self) -> JanusVideo:
        return self._far(f"ws://{self._rooms.janus.address}:{free_port()}", "4711")

    async def heard(self) -> int:
        if not self._listens:
            self._listens = True
            await self._zoe.listen(await number_of(self._rooms, "Main"))
        return len(self._zoe.ears.packets)

    async def say(self) -> None:
        await self._zoe.mouth.say(words(0, 0.5))

    async def end(self) -> None:
        await self._rooms.destroy()

    def _far(self, url: str, pin: str) -> JanusVideo:
        marks = Marks(b"secret", "0" * 32)
        room = Room(url, self._rooms.janus.room, "main", "Main", pin)
        return JanusVideo(room, Guard(marks, frozenset({"main"})))


class TestJanusVideo(FarContract):
    @pytest.fixture
    async def world(self, rooms: VideoRooms) -> AsyncIterator[VideoWorld]:
        async with rooms.person("Zoe") as zoe:
            yield VideoWorld(rooms, zoe)
