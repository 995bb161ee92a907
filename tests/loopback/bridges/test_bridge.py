"""One bridge at work, on a far side that does what the test says."""

import asyncio
import gc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.bridges import machine
from hub.bridges.bridge import Bridge
from hub.bridges.bridges import FILE, MOST
from hub.bridges.fake import FakeFar, FakeRoom
from hub.bridges.plan import Plan, PlanError
from hub.bridges.seat import Hall
from hub.bridges.terms import Cause, Person, State, System
from hub.config import SpaceConfig
from stagebox.media.rtp import AudioPacket
from stagebox.wire.acts import MemberRemove, React, RecordSet
from stagebox.wire.messages import Reaction
from stagebox.wire.terms import Kind, Mark, Mode
from tests.loopback.bridges.kit import ADMIN, SoundHub, sound_hub
from tests.loopback.hub.crew import Guest, until
from tests.unit.hub.bridge_kit import LOUD, Stream

PLAN = Plan(name="Far", space="main", system=System.JANUS, url="ws://127.0.0.1:1", room="1")


@dataclass
class Desk:
    hub: SoundHub
    room: FakeRoom
    bridge: Bridge

    @property
    def state(self) -> State:
        return self.bridge.status().condition.state

    async def joined(self) -> None:
        await until(lambda: self.state is State.JOINED)

    async def speak(self, stream: Stream, seconds: float = 0.5) -> None:
        for _ in range(round(seconds / 0.02)):
            packet, _ = stream.next(LOUD)
            self.room.say(packet, asyncio.get_running_loop().time())
            await asyncio.sleep(0.02)


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    for name in ("FIRST_S", "MOST_S", "ENDED_S"):
        monkeypatch.setattr(machine, name, 0.01)
    spaces = (SpaceConfig(id="main", name="Main", mode=Mode.OPEN),)
    async with sound_hub(tmp_path / "hub", spaces=spaces) as hub:
        room = FakeRoom()
        bridge = Bridge(PLAN, Hall(hub.spaces, hub.media), lambda: FakeFar(room), 0.0)
        bridge.start()
        made = Desk(hub, room, bridge)
        await made.joined()
        try:
            yield made
        finally:
            await bridge.stop()


async def test_a_voice_over_there_has_the_floor_here_and_gives_it_back(desk: Desk) -> None:
    assert desk.hub.members()["Far"].kind is Kind.BRIDGE
    await desk.speak(Stream())
    assert desk.hub.talkers() == {"Far"}
    assert desk.bridge.status().speaks
    await until(lambda: not desk.hub.talkers())
    assert desk.bridge.status().counts.said > 10


async def test_who_is_there_is_shown(desk: Desk) -> None:
    desk.room.show(Person("Zoe", muted=True), Person("Yan"))
    assert [each.name for each in desk.bridge.status().people] == ["Zoe", "Yan"]
    desk.room.end(Cause.LOST)
    await until(lambda: not desk.bridge.status().people)


async def test_a_hundred_losses_leave_nothing_behind(desk: Desk) -> None:
    async def lose(times: int) -> None:
        for number in range(times):
            desk.room.end((Cause.LOST, Cause.ROOM_ENDED)[number % 2])
            before = desk.bridge.status().joins
            await until(lambda: desk.bridge.status().joins > before)  # noqa: B023 - awaited here
            await desk.joined()

    await lose(10)
    gc.collect()
    tasks, objects = len(asyncio.all_tasks()), len(gc.get_objects())
    await lose(100)
    gc.collect()
    assert len(asyncio.all_tasks()) <= tasks
    # Not one object of the hub's for each loss; a library's caches may still be filling.
    assert len(gc.get_objects()) < objects + 1_000
    assert len(desk.room.here) == 1
    assert list(desk.hub.members()) == ["Far"]


async def test_a_bridge_that_is_lost_keeps_its_seat_and_shows_it(desk: Desk) -> None:
    desk.room.is_open = False
    desk.room.end(Cause.LOST)
    await until(lambda: not desk.hub.members()["Far"].connected)
    desk.room.is_open = True
    await until(lambda: desk.hub.members()["Far"].connected)


async def test_a_host_puts_it_out_and_an_admin_brings_it_back(desk: Desk) -> None:
    member = desk.hub.members()["Far"].id
    desk.hub.spaces.act("main", ADMIN, MemberRemove(req="out", member=member))
    await until(lambda: desk.state is State.OFF)
    assert desk.bridge.status().condition.cause is Cause.PUT_OUT_HERE
    assert not desk.room.here
    desk.bridge.start()
    await desk.joined()


async def test_switched_off_it_leaves_both_sides(desk: Desk) -> None:
    await desk.bridge.stop()
    assert desk.state is State.OFF
    assert not desk.room.here
    assert not desk.hub.members()
    await desk.bridge.stop()


async def test_a_recording_hears_the_far_side_only_when_they_agreed(desk: Desk) -> None:
    assert not desk.bridge.agree()
    desk.hub.spaces.act("main", ADMIN, RecordSet(req="rec", on=True))
    running = desk.hub.spaces.get("main")
    assert running is not None
    assert running.info.recording is not None
    stream = Stream()
    await desk.speak(stream)
    assert not desk.hub.talkers()
    assert desk.bridge.status().waits_for == "consent_needed"
    assert desk.bridge.agree()
    await until(lambda: not desk.bridge.status().speaks)
    await desk.speak(stream)
    assert desk.hub.talkers() == {"Far"}


async def test_people_over_there_see_that_they_are_recorded_whenever_it_joins(desk: Desk) -> None:
    def shown() -> list[str]:
        return [far.shown for far in desk.room.here]

    assert shown() == [""]
    desk.hub.spaces.act("main", ADMIN, RecordSet(req="rec", on=True))
    desk.bridge.tell_recording(on=True)  # as the hub's wiring has it
    assert shown() == ["Far (recording)"]
    joins = desk.bridge.status().joins
    desk.room.end(Cause.LOST)
    await until(lambda: desk.bridge.status().joins > joins)
    await until(lambda: shown() == ["Far (recording)"])
    desk.bridge.tell_recording(on=False)
    assert shown() == ["Far"]


async def test_a_far_side_that_speaks_nonsense_is_not_let_through(desk: Desk) -> None:
    now = asyncio.get_running_loop().time()
    for number in range(2_000):
        desk.room.say(AudioPacket(1, number, number, b"\xff" * 50), now)
    counts = desk.bridge.status().counts
    assert counts.undecodable + counts.flooded + counts.quiet == 2_000
    assert counts.flooded > 1_800
    await desk.speak(Stream())
    assert desk.state is State.JOINED


async def test_bridges_made_on_the_console_are_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    async with sound_hub(folder) as hub:
        made = hub.bridge(PLAN)
        with pytest.raises(PlanError, match="already"):
            hub.ways.bridges.add(PLAN)
        assert hub.ways.bridges.states()
        assert (folder / FILE).stat().st_mode & 0o077 == 0  # it has secrets in it
    async with sound_hub(folder) as hub:
        assert [each.plan.id for each in hub.ways.bridges.statuses("main")] == [made]
        assert not hub.ways.bridges.is_standing(made)
        await until(lambda: hub.state(made) is State.WAITING)
        await hub.ways.bridges.switch(made, on=False)
        assert hub.state(made) is State.OFF
    async with sound_hub(folder) as hub:
        assert hub.state(made) is State.OFF, "who switched it off meant it"
        await hub.ways.bridges.switch(made, on=True)
    async with sound_hub(folder) as hub:
        await until(lambda: hub.state(made) is State.WAITING)
        await hub.ways.bridges.remove(made)
        assert not hub.ways.bridges.statuses()
    (folder / FILE).write_text("nonsense")
    async with sound_hub(folder, bridges=(PLAN,)) as hub:
        assert hub.ways.bridges.is_standing(made)
        for number in range(MOST - 1):
            hub.bridge(Plan(**{**_fields(PLAN), "room": str(number + 2), "on": False}))
        with pytest.raises(PlanError, match="all it may"):
            hub.bridge(Plan(**{**_fields(PLAN), "room": "999"}))


def _fields(plan: Plan) -> dict:
    return {name: getattr(plan, name) for name in plan.__struct_fields__}


async def test_a_server_that_is_away_is_one_line_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.room.is_open = False
    desk.room.end(Cause.LOST)
    # The first try after it says that the room is closed; those after that say it again.
    await until(lambda: "closed" in caplog.text)
    told = len(caplog.records)
    await asyncio.sleep(0.3)
    assert len(caplog.records) == told
    desk.room.is_open = True
    await desk.joined()


async def test_metrics_show_bridges(desk: Desk) -> None:
    hub = desk.hub
    hub.bridge(PLAN)
    text = hub.metrics.render().decode()
    assert 'bridge_states{state="' in text
    assert "guests" in text


async def test_who_raises_a_hand_over_there_can_be_let_speak(desk: Desk) -> None:
    desk.room.show(Person("Zoe", hand=True, may_speak=False, id="zoe"), Person("Old"))
    assert desk.bridge.permit("zoe", speaks=True)
    assert desk.room.permitted == [("zoe", True)]
    assert not desk.bridge.permit("ann", speaks=True)
    assert not desk.bridge.permit("", speaks=True)
    await desk.bridge.stop()
    assert not desk.bridge.permit("zoe", speaks=True)


async def test_what_people_should_know_is_shown_while_it_is_joined(desk: Desk) -> None:
    (far,) = desk.room.here
    assert far.ear is not None
    far.ear.note("They only listen.")
    assert desk.bridge.status().note == "They only listen."
    desk.room.end()
    await until(lambda: desk.bridge.status().note == "")


async def test_reactions_go_both_ways_and_none_comes_back(desk: Desk) -> None:
    (far,) = desk.room.here
    assert far.ear is not None
    ann = Guest("Ann", number=1)
    await ann.enter(desk.hub)
    far.ear.reacted(Mark.CLAP)
    assert (await ann.get(Reaction)).mark is Mark.CLAP
    await ann.send(React(req="wow", mark=Mark.WOW))
    await until(lambda: desk.room.marks == [Mark.WOW])
    await ann.aclose()
