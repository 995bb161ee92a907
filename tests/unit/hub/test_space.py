import pytest

from hub.floor.events import Announce, Enter
from hub.floor.rules import FloorRules
from hub.spaces.space import Space, SpaceFullError
from stagebox.wire.space import FloorChanged, MemberChanged, MemberJoined, MemberLeft
from stagebox.wire.terms import Kind, Mode, Place, Role
from tests.unit.hub.floor_kit import INFO, A, B, C, Room


def announced(room: Room) -> list[type]:
    events = [each.message for each in room.effects if isinstance(each, Announce)]
    room.forget()
    return [type(event) for event in events]


def test_every_change_is_announced_once_and_nothing_else_is() -> None:
    room = Room(Mode.FIFO)
    room.enter(A)
    assert announced(room) == [MemberJoined]
    room.enter(A)
    assert announced(room) == []
    room.enter(A, Place.COHOST)
    assert announced(room) == [MemberChanged]
    room.mute(A)
    assert announced(room) == [MemberChanged]
    room.hand(A)
    room.hand(A)
    assert announced(room) == [FloorChanged]
    room.vanish(A)
    room.vanish(A)
    assert announced(room) == [MemberChanged]
    room.enter(A)
    assert announced(room) == [MemberChanged, FloorChanged]
    room.depart(A)
    assert announced(room) == [FloorChanged, MemberLeft]
    room.wait(100)
    assert announced(room) == []


def test_audio_is_no_change() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.forget()
    room.spoke(A)
    assert not room.effects


def test_a_revision_goes_on_from_where_it_was() -> None:
    space = Space(INFO, FloorRules.for_mode(Mode.WALKIE), rev=41)
    space.handle(Enter(A, "Anna", Kind.BOX, Role.GUEST, Place.SPEAKER), 0)
    assert space.rev == 42
    snapshot = space.snapshot(A, "j1")
    assert (snapshot.rev, snapshot.req, snapshot.you, snapshot.space) == (42, "j1", A, INFO)
    assert [member.name for member in snapshot.members] == ["Anna"]


def test_a_full_space_refuses_newcomers_only_and_loses_nothing() -> None:
    room = Room(FloorRules.for_mode(Mode.WALKIE, member_limit=2), [A, B])
    with pytest.raises(SpaceFullError, match="has 2 members") as caught:
        room.enter(C)
    assert caught.value.limit == 2
    room.enter(A)
    room.check()
    room.depart(B)
    room.enter(C)
    assert set(room.space.members) == {A, C}
