"""The shell around a space, and the metrics' closed labels."""

import asyncio
import itertools
from typing import TypeVar

import pytest

from hub.floor.events import Ask
from hub.floor.rules import FloorRules
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.admission import Arrival
from hub.spaces.effects import Captions, Happened, Happening, Record
from hub.spaces.kept import Kept
from hub.spaces.rights import Actor
from hub.spaces.running import RunningSpace
from hub.spaces.space import Space
from stagebox.wire.acts import (
    Agree,
    MemberRemove,
    MemberVolume,
    PinAdd,
    React,
    RecordSet,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import decode_hub
from stagebox.wire.messages import (
    Done,
    Error,
    FloorGranted,
    FloorRevoked,
    MediaLost,
    Reaction,
    Snapshot,
    SpaceLeft,
)
from stagebox.wire.space import SpaceInfo, StateEvent
from stagebox.wire.terms import Gone, Kind, Mark, MemberId, Mode, Role, SpaceState
from stagebox.wire.view import SpaceView
from tests.loopback.hub.crew import FakeMedia, until

INFO = SpaceInfo(id="main", name="Main")
_M = TypeVar("_M")
ADMIN = Actor(None, "Admin", admin=True)


class Names:
    """Names that count up."""

    def __init__(self) -> None:
        self._n = itertools.count()

    def new_token(self) -> str:
        return f"{next(self._n):016}"

    def new_code(self) -> str:
        return f"{next(self._n):06}"


class Box:
    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.out = False

    def send(self, data: bytes) -> None:
        self.data.append(data)

    def put_out(self) -> None:
        self.out = True

    def last(self, kind: type[_M]) -> _M:
        return next(m for m in map(decode_hub, reversed(self.data)) if isinstance(m, kind))


class Watcher:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.changes = 0
        self.happenings: list[Happening] = []
        self.records: list[Record] = []
        self.captioned: list[Captions] = []
        self.out: list[MemberId] = []
        self.silent: list[MemberId] = []

    def changed(self, space: RunningSpace) -> None:
        self.changes += 1

    def happened(self, space: RunningSpace, happened: Happened) -> None:
        self.happenings.append(happened.kind)

    def recording(self, space: RunningSpace, record: Record) -> None:
        self.records.append(record)

    def captions(self, space: RunningSpace, captions: Captions) -> None:
        self.captioned.append(captions)

    def expelled(self, space: RunningSpace, member_id: MemberId) -> None:
        self.out.append(member_id)

    def silenced(self, member_id: MemberId) -> None:
        self.silent.append(member_id)


def _id(number: int) -> MemberId:
    return f"{number:032x}"


def _arrival(number: int, role: Role = Role.GUEST) -> Arrival:
    return Arrival(_id(number), f"Box {number}", Kind.BOX, role)


def _space(
    rules: FloorRules, media: MediaPlane | None = None, watcher: Watcher | None = None
) -> RunningSpace:
    now = asyncio.get_running_loop().time()
    core = Space(Kept.standing_space(INFO, rules), now, Names())
    return RunningSpace(core, media or FakeMedia(), Metrics(), watcher or Watcher())


def _made(state: SpaceState, media: MediaPlane, watcher: Watcher) -> RunningSpace:
    kept = Kept(
        info=SpaceInfo(id="side", name="Side", state=state), rules=FloorRules.for_mode(Mode.OPEN)
    )
    now = asyncio.get_running_loop().time()
    return RunningSpace(Space(kept, now, Names()), media, Metrics(), watcher)


async def test_an_announcement_is_encoded_once_for_everybody() -> None:
    space = _space(FloorRules.for_mode(Mode.OPEN))
    boxes = [Box() for _ in range(50)]
    for number, box in enumerate(boxes):
        space.enter(_arrival(number), "j", box)
    space.handle(Ask("0" * 32, "a1"))
    last = [box.data[-1] for box in boxes[1:]]
    assert all(one is other for one, other in itertools.pairwise(last))
    assert space.talkers == 1
    space.close()


async def test_a_newcomer_gets_its_snapshot_first() -> None:
    space, box = _space(FloorRules.for_mode(Mode.OPEN)), Box()
    space.enter(_arrival(1), "j", box)
    first = decode_hub(box.data[0])
    assert isinstance(first, Snapshot)
    assert first.req == "j"
    space.depart(_id(1))
    assert (space.members, space.has(_id(1))) == (0, False)
    space.close()


async def test_a_full_space_changes_nothing() -> None:
    space = _space(FloorRules.for_mode(Mode.OPEN, member_limit=1))
    space.enter(_arrival(1), "j", Box())
    box = Box()
    refused = space.enter(_arrival(2), "j2", box)
    assert refused is not None
    assert (refused.code, refused.req) == (ErrorCode.SPACE_FULL, "j2")
    assert (space.members, box.data) == (1, [])
    space.close()


async def test_the_timer_does_what_falls_due_and_nothing_after_close() -> None:
    rules = FloorRules.for_mode(Mode.WALKIE, talk_limit_s=1.0, grace_s=0.1, silence_s=60.0)
    space, box = _space(rules), Box()
    space.enter(_arrival(1), "j", box)
    space.handle(Ask(_id(1), "a1"))
    await until(lambda: isinstance(decode_hub(box.data[-1]), FloorRevoked))
    space.close()
    count = len(box.data)
    await asyncio.sleep(0.3)
    assert len(box.data) == count


async def test_what_a_space_wants_done_reaches_members_sound_and_observer() -> None:
    media, watcher = FakeMedia(), Watcher()
    space = _space(FloorRules.for_mode(Mode.OPEN), media, watcher)
    anna, berta = Box(), Box()
    space.enter(_arrival(1), "j", anna)
    space.enter(_arrival(2), "j", berta)
    assert space.act(ADMIN, MemberVolume(req="a", member=_id(1), volume=50)) == Done(req="a")
    assert media.calls[-1] == ("volume", "main", _id(1), "50")
    assert isinstance(space.act(Actor(_id(1), "Box 1"), React(req="b", mark=Mark.CLAP)), Done)
    assert berta.last(Reaction) == Reaction(member=_id(1), mark=Mark.CLAP)
    assert isinstance(space.act(ADMIN, RecordSet(req="c", on=True)), Done)
    assert watcher.records[-1].recording is not None
    assert isinstance(space.act(ADMIN, SpaceEdit(req="d", captions=True)), Done)
    assert isinstance(space.act(Actor(_id(2), "Box 2"), Agree(req="e", captions=True)), Done)
    assert watcher.captioned[-1].members == {_id(2)}
    assert isinstance(space.act(ADMIN, MemberRemove(req="f", member=_id(1))), Done)
    assert anna.last(SpaceLeft) == SpaceLeft(space="main", cause=Gone.REMOVED)
    assert (anna.out, watcher.out, space.members) == (True, [_id(1)], 1)
    count = len(anna.data)
    space.act(ADMIN, SpaceEdit(req="g", topic="News"))
    assert len(anna.data) == count
    assert watcher.changes > 3
    assert {Happening.REMOVED, Happening.RECORDING_STARTED} <= set(watcher.happenings)
    space.close()


async def test_who_acts_on_hearing_of_an_act_is_carried_out_after_it() -> None:
    class Meddler(Watcher):
        def happened(self, space: RunningSpace, happened: Happened) -> None:
            super().happened(space, happened)
            if happened.kind is Happening.PINNED and len(self.happenings) < 10:
                space.act(ADMIN, PinAdd(req="again", text="second"))

    space, box = _space(FloorRules.for_mode(Mode.OPEN), watcher=Meddler()), Box()
    space.enter(_arrival(1), "j", box)
    assert space.act(ADMIN, PinAdd(req="p", text="first")) == Done(req="p")
    view = SpaceView.of(box.last(Snapshot))
    for message in map(decode_hub, box.data):
        if isinstance(message, StateEvent):
            applied = view.apply(message)
            assert applied is not None, "in the order of their revisions"
            view = applied
    assert [pin.text for pin in view.pins] == ["first", "second"]
    space.close()


async def test_one_effect_that_fails_does_not_keep_the_others_from_being_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeMedia):
        def open_gate(self, space_id: str, member_id: str) -> None:
            raise ZeroDivisionError

    space, box = _space(FloorRules.for_mode(Mode.OPEN), Broken()), Box()
    space.enter(_arrival(1), "j", box)
    space.handle(Ask(_id(1), "a1"))
    assert box.last(FloorGranted) == FloorGranted(req="a1")
    assert "could not do OpenGate" in caplog.text
    space.close()


async def test_backstage_hears_and_the_audience_is_told_when_it_does() -> None:
    media, watcher = FakeMedia(), Watcher()
    space = _made(SpaceState.BACKSTAGE, media, watcher)
    host, audience = Box(), Box()
    space.enter(_arrival(1, Role.STUDIO), "j", host)
    space.enter(_arrival(2, Role.SPEAKER), "j", audience)
    assert (space.hears(_id(1)), space.hears(_id(2))) == (True, False)
    assert isinstance(space.act(Actor(_id(1), "Box 1"), SpaceStart(req="s")), Done)
    assert space.hears(_id(2))
    assert isinstance(audience.last(MediaLost), MediaLost)
    confirm = space.act(Actor(_id(1), "Box 1"), SpaceEnd(req="e1"))
    assert isinstance(confirm, SpaceConfirm)
    assert confirm.members == 2
    assert isinstance(
        space.act(Actor(_id(1), "Box 1"), SpaceEnd(req="e2", token=confirm.token)), Done
    )
    assert (space.info.state, host.out, audience.out) == (SpaceState.ENDED, True, True)
    late = space.enter(_arrival(3), "j", Box())
    assert isinstance(late, Error)
    assert late.code is ErrorCode.SPACE_ENDED
    space.close()


def test_a_source_of_counters_has_its_name_to_itself() -> None:
    metrics = Metrics()
    metrics.add_source("guard", dict)
    with pytest.raises(ValueError, match="guard"):
        metrics.add_source("guard", dict)
