"""Fifty members act at random while the hub is killed and restarted twice.

Whatever they did, after each restart the space is what it was: the same chairs, the same
queue, the same pins; and no microphone is open that no finger holds open. It runs for some
20 s; STAGEBOX_CHAOS_S=120 makes it two minutes.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from stagebox.wire.acts import FloorHold, FloorPriority, MemberRemove, RecordSet
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import MemberId, Place, Role
from stagebox.wire.view import SpaceView
from tests.support.crew import Hub, free_port, running, wait_until
from tests.support.evening import Arena, Host, Person

MEMBERS: Final = 50
OPEN_LIMIT: Final = 3
CHAOS_S: Final = float(os.environ.get("STAGEBOX_CHAOS_S", "18"))
# What the hub was told so long before it was killed is on its disk, and known to everybody.
SETTLE_S: Final = 6.0
PATIENCE_S: Final = 40.0
HUB_S: Final = 120.0
CONFIG: Final = f"""
[limits]
sockets_per_address = 200
messages_per_s = 100
message_burst = 200

[media]
processes = 0

[[space]]
id = "main"
name = "Main"
mode = "moderated"
limits = {{ open_limit = {OPEN_LIMIT} }}
"""


class Evening:
    """The hub, its members, and what was seen before it was killed."""

    def __init__(self, folder: Path) -> None:
        (folder / "hub.toml").write_text(CONFIG)
        self.folder, self.port = folder, free_port()
        self.hub = self._start()
        self.arena = Arena(self.hub.url, "main", OPEN_LIMIT)
        guests = [Person(self.arena, number) for number in range(1, MEMBERS)]
        self.deputies, self.bully = guests[:2], guests[2]
        for each in self.deputies:
            each.counts = False
        self.host = Host(self.arena, MEMBERS, self.deputies)
        self.arena.members += [*guests, self.host]
        self.observer = Person(self.arena, MEMBERS + 1, role=Role.SPEAKER)
        self.observer._acts = lambda: None

    def _start(self) -> Hub:
        return Hub(self.folder, self.port, extra=("--config", str(self.folder / "hub.toml")))

    @contextlib.asynccontextmanager
    async def members(self) -> AsyncIterator[None]:
        """Have all members live meanwhile."""
        everybody = [*self.arena.members, self.observer]
        tasks = [asyncio.create_task(each.live()) for each in everybody]
        tasks.append(asyncio.create_task(self._watch()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _watch(self) -> None:
        while True:
            self.arena.check_microphones()
            await asyncio.sleep(0.1)

    async def hub_answers(self) -> None:
        """Wait for the hub; a full machine takes a while to import it."""
        await asyncio.to_thread(wait_until, self.hub.is_up, HUB_S, "the hub answers")

    async def everybody_in(self) -> None:
        """Wait until all are in the space that may be."""
        try:
            await until(lambda: all(each.is_in for each in [*self.expected, self.observer]))
        except TimeoutError:
            out = [each.name for each in [*self.expected, self.observer] if not each.is_in]
            raise AssertionError(f"not in: {out}; {self.arena.faults}") from None

    @property
    def is_recorded(self) -> bool:
        """Whether the observer sees that."""
        view = self.observer.view
        return view is not None and view.space.recording is not None

    @property
    def expected(self) -> list[Person]:
        """Who is not blocked."""
        return [each for each in self.arena.members if each.refused is not ErrorCode.BLOCKED]

    async def bustle(self, seconds: float) -> None:
        """Let them act at random."""
        self.arena.busy.set()
        await asyncio.sleep(seconds)

    async def kill(self) -> SpaceView:
        """Kill the hub in mid-act and start it again; return what it was before.

        Half of the members go on until the very end. The others and the host begin nothing
        for a while, so that what is known of them is on the hub's disk.
        """
        self.arena.settling = True
        await asyncio.sleep(SETTLE_S)
        before = self.observer.view
        assert before is not None
        await asyncio.to_thread(self.hub.kill)
        self.arena.busy.clear()
        self.arena.settling = False
        self.hub = self._start()
        await self.hub_answers()
        await self.everybody_in()
        return before

    def patient_hands(self, view: SpaceView) -> list[MemberId]:
        """Return those of the queue who changed nothing before the hub was killed."""
        patient = {each.id for each in self.arena.members if each.patient}
        return [each for each in view.floor.queue if each in patient]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.05)


def chairs(view: SpaceView) -> set[tuple[MemberId, Place]]:
    places = (Place.HOST, Place.COHOST)
    return {(each.id, each.place) for each in view.members.values() if each.place in places}


def held(view: SpaceView) -> set[MemberId]:
    return {each.id for each in view.members.values() if each.held}


def check_restored(evening: Evening, before: SpaceView) -> None:
    """See to it that all is as it was, but for what changed at the last moment."""
    after = evening.observer.view
    assert after is not None
    assert after.floor.talkers == (), "nobody has pressed since the hub came back"
    waited, wait = evening.patient_hands(before), evening.patient_hands(after)
    assert [each for each in wait if each in waited] == waited, "the queue, in its order"
    assert chairs(after) == chairs(before)
    assert after.pins == before.pins
    assert held(after) == held(before)
    assert replace(after.space, frozen_until=None) == replace(before.space, frozen_until=None)


async def scene(folder: Path) -> Evening:
    evening = Evening(folder)
    arena, host = evening.arena, evening.host
    with running(evening.hub):
        await evening.hub_answers()
        async with evening.members():
            await evening.everybody_in()
            for restart in range(2):
                host.do(RecordSet(req=f"record{restart}", on=restart == 1))
                await evening.bustle(CHAOS_S / 3)
                if restart == 0:
                    host.do(MemberRemove(req="block", member=evening.bully.id, block=True))
                    await until(lambda: evening.bully.refused is ErrorCode.BLOCKED)
                check_restored(evening, await evening.kill())
            assert evening.is_recorded, "the recording goes on after the restart"
            host.do(RecordSet(req="record2", on=False))
            await evening.bustle(CHAOS_S / 3)
            arena.busy.clear()
            await calm_down(evening)
    evening.hub.stop()
    return evening


async def calm_down(evening: Evening) -> None:
    """Lift all fingers; everybody must then see the same quiet floor."""
    host = evening.host
    host.do(FloorPriority(req="calm1", on=False))
    host.do(FloorHold(req="calm2", on=False))
    for each in evening.expected:
        each.let_go()
    await evening.everybody_in()
    await until(lambda: quiet(evening.observer))
    observer = evening.observer.view
    assert observer is not None
    await until(lambda: all(same(each, evening.observer) for each in evening.expected))


def quiet(observer: Person) -> bool:
    return observer.view is not None and observer.view.floor.talkers == ()


def same(person: Person, observer: Person) -> bool:
    """Tell whether both have built the same from their events."""
    if person.view is None or observer.view is None:
        return False
    mine, theirs = person.view, observer.view
    return (mine.rev, mine.members, mine.floor, mine.pins, mine.space) == (
        theirs.rev,
        theirs.members,
        theirs.floor,
        theirs.pins,
        theirs.space,
    )


@pytest.mark.slow
@pytest.mark.heavy
@pytest.mark.timeout(CHAOS_S + 600)
def test_fifty_members_and_a_hub_that_is_killed_twice(tmp_path: Path) -> None:
    evening = asyncio.run(scene(tmp_path))
    arena = evening.arena
    assert arena.faults == []
    assert evening.bully.refused is ErrorCode.BLOCKED, "blocked over both restarts"
    for kind in ("FloorGranted", "FloorQueued", "FloorOffered", "FloorRevoked", "Reaction"):
        assert arena.seen[kind] > 0, f"nobody got {kind}: {arena.seen}"
    assert "Traceback" not in evening.hub.logged()
