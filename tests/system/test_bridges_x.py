"""A Space whose stage is Debian's Janus: asked, accepted, speech both ways, muted, removed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.support.janus import JanusError
from hub.bridges.bridge import Status
from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, Part, State, System
from hub.bridges.x_machine import NOTES, Stage
from tests.loopback.bridges.kit import Person, SoundHub, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support import janus as janus_support
from tests.support.janus import Janus
from tests.support.janus_video import VideoRooms, video_rooms
from tests.support.x_double import LINK, OWN, SPACE, ZOE, Broadcast, XDouble
from tests.system.test_bridges_janus import LIKE, heard_well

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not janus_support.is_here(), reason="no Janus: apt install janus"),
]
PLAN = Plan(name="Space", space="main", system=System.X, url=LINK, part=Part.SPEAK)


@dataclass
class Evening:
    """A Space, its stage, and a hub that asks to speak there."""

    double: XDouble
    rooms: VideoRooms
    hub: SoundHub

    @property
    def status(self) -> Status:
        bridge = self.hub.ways.bridges.get(PLAN.id)
        assert bridge is not None
        return bridge.status()

    async def accept(self) -> None:
        """Let the hub speak, as a host there does, and wait until it is on the stage."""
        await self.double.tell(12, OWN, self.double.wishes[-1])
        await until(lambda: self.status.note == "")

    async def number(self) -> str:
        return str((await self.rooms.names())[OWN])


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[Evening]:
    async with (
        Janus(room=SPACE, http=True, string_ids=True) as server,
        video_rooms(server) as rooms,
        XDouble(Broadcast(1, 8.0), gateway=server.http_url).serving() as double,
        sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub,
    ):
        await rooms.make()
        hub.bridge(PLAN)
        await hub.joined(PLAN.id)
        yield Evening(double, rooms, hub)


async def test_accepted_speech_goes_both_ways_and_the_broadcast_ends(evening: Evening) -> None:
    hub, rooms = evening.hub, evening.rooms
    assert evening.status.note == NOTES[Stage.ASKED]
    async with rooms.person(ZOE) as zoe:
        await evening.accept()
        assert evening.double.unmuted == evening.double.wishes
        await until(lambda: not hub.talkers())  # the broadcast's last word has faded
        await zoe.listen(await evening.number())
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann):
            out = await heard_well(lambda: ann.talk(words(0, 2.0)), zoe.ears)
            print("to a Space", out.correlation, out.delay_ms)
            assert out.correlation > LIKE
            assert not ann.ears.packets  # neither her own voice, nor the broadcast any more
            back = await heard_well(lambda: zoe.mouth.say(words(2, 2.0)), ann.ears)
            print("from a Space", back.correlation, back.delay_ms)
            assert back.correlation > LIKE
            assert max(out.delay_ms, back.delay_ms) < 1_000
            assert [each.name for each in evening.status.people] == ["Zoe"]
            speaking = asyncio.create_task(zoe.mouth.say(words(2, 1.0)))
            await until(lambda: evening.status.people[0].talking is True)
            await speaking


async def test_who_is_muted_there_is_not_heard_until_that_ends(evening: Evening) -> None:
    async with evening.rooms.person(ZOE) as zoe:
        await evening.accept()
        await zoe.listen(await evening.number())
        ann = await Person("Ann", number=1).here(evening.hub)
        async with people(ann):
            await evening.double.tell(16, OWN)
            await until(lambda: evening.status.note == NOTES[Stage.MUTED])
            zoe.ears.packets.clear()
            await asyncio.gather(ann.talk(words(0, 1.0)), zoe.mouth.say(words(2, 1.0)))
            assert not zoe.ears.packets
            assert ann.ears.packets  # it still hears
            await evening.double.tell(17, OWN)
            await until(lambda: evening.status.note == "")
            await ann.talk(words(0, 1.0))
            assert zoe.ears.packets


async def test_a_chat_that_breaks_costs_nobody_the_stage_and_its_end_does(evening: Evening) -> None:
    async with evening.rooms.person(ZOE):
        await evening.accept()
        await evening.double.hang_up()
        await until(lambda: evening.double.chatting == 1)
        await evening.double.tell(16, OWN)
        await until(lambda: evening.status.note == NOTES[Stage.MUTED])
        assert evening.hub.state(PLAN.id) is State.JOINED
        assert len(evening.double.wishes) == 1
        await evening.rooms.destroy()
        await until(lambda: evening.hub.state(PLAN.id) is State.ENDED)
        assert evening.status.condition.cause is Cause.ROOM_ENDED


async def test_who_is_removed_there_listens_and_does_not_ask_again(evening: Evening) -> None:
    hub = evening.hub
    await evening.accept()
    await evening.rooms.kick(await evening.number())
    await until(lambda: hub.state(PLAN.id) is State.REFUSED)
    assert evening.status.condition.cause is Cause.REMOVED_THERE
    await hub.ways.bridges.switch(PLAN.id, on=True)
    await hub.joined(PLAN.id)
    assert evening.status.note == NOTES[Stage.REMOVED]
    assert len(evening.double.wishes) == 1
    assert not evening.double.withdrawn


async def test_an_account_that_is_on_the_stage_already_does_not_come_twice(
    evening: Evening,
) -> None:
    async with evening.rooms.person(OWN):
        await evening.double.tell(12, OWN, evening.double.wishes[-1])
        await until(lambda: evening.hub.state(PLAN.id) is State.REFUSED)
        assert evening.status.condition.cause is Cause.ALREADY_BRIDGED


HOSTING = Plan(
    name="Our own",
    space="main",
    system=System.X,
    url="https://x.com/i/spaces",
    part=Part.HOST,
)


@dataclass
class Hosted(Evening):
    """A Space of the hub's own."""

    @property
    def status(self) -> Status:
        bridge = self.hub.ways.bridges.get(HOSTING.id)
        assert bridge is not None
        return bridge.status()


@pytest.fixture
async def hosted(tmp_path: Path) -> AsyncIterator[Hosted]:
    async with (
        Janus(room=SPACE, http=True, string_ids=True) as server,
        video_rooms(server) as rooms,
        XDouble(Broadcast(1, 8.0), gateway=server.http_url).serving() as double,
        sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub,
    ):
        hub.bridge(HOSTING)
        evening = Hosted(double, rooms, hub)
        assert hub.state(HOSTING.id) is State.OFF
        assert not double.asked
        await hub.ways.bridges.switch(HOSTING.id, on=True)
        await hub.joined(HOSTING.id)
        yield evening


async def test_a_space_that_is_hosted_from_made_to_ended(hosted: Hosted) -> None:
    hub, double = hosted.hub, hosted.double
    assert f"https://x.com/i/spaces/{SPACE}" in hosted.status.note
    (published,) = double.published
    assert published["janus_publisher_id"] == await hosted.number()
    assert published["webrtc_session_id"]
    assert published["webrtc_handle_id"]
    double.wishes.append("wish-of-zoe")
    await double.tell(1, ZOE, "wish-of-zoe")
    await until(lambda: [each.hand for each in hosted.status.people] == [True])
    bridge = hub.ways.bridges.get(HOSTING.id)
    assert bridge is not None
    assert bridge.permit(ZOE, speaks=True)
    await until(lambda: double.approved == ["wish-of-zoe"])
    async with hosted.rooms.person(ZOE) as zoe:
        await double.tell(12, ZOE, "wish-of-zoe")
        await until(lambda: bool(hosted.status.people[0].may_speak))
        await zoe.listen(await hosted.number())
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann):
            out = await heard_well(lambda: ann.talk(words(0, 2.0)), zoe.ears)
            print("hosted", out.correlation, out.delay_ms)
            assert out.correlation > LIKE
        assert bridge.permit(ZOE, speaks=False)
        await until(lambda: len(double.ejected) == 1)
        numbers = await hosted.rooms.names()
        assert double.ejected[0]["janus_participant_id"] == numbers[ZOE]
        await hub.ways.bridges.switch(HOSTING.id, on=False)
        assert double.ended == [SPACE]
        with pytest.raises(JanusError, match="No such room"):
            await hosted.rooms.names()


async def test_a_hosted_space_that_is_lost_is_not_made_again_by_itself(hosted: Hosted) -> None:
    await hosted.rooms.destroy()
    await until(lambda: hosted.hub.state(HOSTING.id) is State.OFF)
    assert hosted.status.condition.cause is Cause.NOT_BEGUN_AGAIN
    assert len(hosted.double.published) == 1
