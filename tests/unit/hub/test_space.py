"""What everybody is told of a space, and what a newcomer finds."""

from hub.floor.events import Announce, Ask, Enter, Next, Release, SetMuted
from hub.floor.rules import FloorRules
from hub.spaces.effects import Happened, Happening, Louder
from hub.spaces.kept import Kept
from hub.spaces.space import Space
from stagebox.wire.acts import FloorNext, MemberPlace, MemberVolume, PinAdd
from stagebox.wire.causes import DenyCause, ErrorCode
from stagebox.wire.messages import Done, Error, FloorDenied, FloorReleased, MediaLost
from stagebox.wire.space import FloorChanged, MemberChanged, MemberJoined, MemberLeft, SpaceChanged
from stagebox.wire.terms import Kind, Mode, Place, Role, Via
from tests.unit.hub.spaces_kit import ADMIN, HOST, INFO, A, B, C, CountedNames, Hall, fresh


def announced(hall: Hall) -> list[type]:
    events = [type(each.message) for each in hall.all_of(Announce)]
    hall.forget()
    return events


def test_every_change_is_announced_once_and_nothing_else_is() -> None:
    hall = Hall(Mode.FIFO)
    hall.come(A)
    assert announced(hall) == [MemberJoined]
    hall.come(A)
    assert announced(hall) == []
    hall.done(ADMIN, MemberPlace, member=A, place=Place.COHOST)
    assert announced(hall) == [MemberChanged]
    hall.mute(A)
    assert announced(hall) == [MemberChanged]
    hall.hand(A)
    hall.hand(A)
    assert announced(hall) == [FloorChanged]
    hall.lose(A)
    hall.lose(A)
    assert announced(hall) == [MemberChanged]
    hall.come(A)
    assert announced(hall) == [MemberChanged, FloorChanged]
    hall.leave(A)
    assert announced(hall) == [FloorChanged, MemberLeft]
    hall.arrive(B, hidden=True)
    assert announced(hall) == [SpaceChanged]
    hall.wait(100)
    assert announced(hall) == []


def test_audio_is_no_change() -> None:
    hall = Hall(Mode.OPEN)
    hall.come(A)
    hall.talk(A)
    hall.forget()
    hall.wait(2, speaking=[A])
    assert hall.effects == []


def test_a_revision_goes_on_from_where_it_was() -> None:
    kept = Kept(info=INFO, rules=FloorRules.for_mode(Mode.WALKIE), rev=41, standing=True)
    space = Space(kept, 0.0, CountedNames())
    space.handle(Enter(A, "Anna", Kind.BOX, Role.GUEST, Place.SPEAKER), 0)
    assert space.rev == 42
    snapshot = space.snapshot(A, "j1", 7.5, admin=True)
    assert (snapshot.rev, snapshot.req, snapshot.you, snapshot.space) == (42, "j1", A, INFO)
    assert (snapshot.clock, snapshot.admin) == (7.5, True)
    assert [member.name for member in snapshot.members] == ["Anna"]
    assert space.standing
    assert space.rules == kept.rules


def test_a_full_space_refuses_newcomers_only_and_loses_nothing() -> None:
    rules = FloorRules.for_mode(Mode.WALKIE, member_limit=2)
    hall = Hall(Kept(info=INFO, rules=rules))
    hall.come(A, B)
    refused = hall.arrive(C)
    assert isinstance(refused, Error)
    assert refused.code is ErrorCode.SPACE_FULL
    assert "2 members" in refused.detail
    hall.come(A)
    hall.leave(B)
    hall.arrive(C, hidden=True)
    assert isinstance(hall.arrive(B), Error)
    assert isinstance(hall.arrive(C), Enter)
    assert set(hall.space.members) == {A, C}


def test_who_listens_unnamed_is_counted_and_hears_and_may_ask_for_nothing() -> None:
    hall = Hall(Mode.FIFO)
    hall.arrive(A, hidden=True)
    assert hall.info.hidden == 1
    assert hall.space.members == {}
    assert hall.space.hears(A)
    assert Happened(Happening.JOINED) in hall.effects
    hall.forget()
    hall.do(Ask(A, "r1", Via.HAND))
    hall.do(Release(A, "r1"))
    hall.do(SetMuted(A, "r2", muted=True))
    hall.do(Next(A, "r3"))
    denied, released, done, refused = hall.told(A)
    assert denied == FloorDenied(req="r1", cause=DenyCause.RECEIVE_ONLY)
    assert released == FloorReleased(req="r1")
    assert done == Done(req="r2")
    assert refused.code is ErrorCode.NOT_ALLOWED
    hall.arrive(A, hidden=True)
    assert hall.info.hidden == 1
    hall.forget()
    hall.lose(A)
    assert hall.info.hidden == 0
    assert Happened(Happening.LEFT) in hall.effects
    assert not hall.space.hears(A)


def test_who_listened_unnamed_may_come_by_name_and_hide_again() -> None:
    hall = Hall()
    hall.arrive(A, hidden=True)
    hall.come(A)
    assert hall.info.hidden == 0
    assert A in hall.space.members
    hall.arrive(A, hidden=True)
    assert hall.info.hidden == 1
    assert A not in hall.space.members


def test_a_late_joiner_sees_pins_roles_and_queue() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    hall.done(HOST, PinAdd, text="Read this", url="https://example.org/")
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    hall.hand(B)
    snapshot = hall.space.snapshot(C, "j")
    assert [pin.text for pin in snapshot.pins] == ["Read this"]
    assert snapshot.floor.queue == (B,)
    assert {each.id: each.place for each in snapshot.members}[A] is Place.COHOST


def test_loudness_is_set_again_when_a_member_comes_back() -> None:
    hall = Hall()
    hall.come(A)
    hall.done(ADMIN, MemberVolume, member=A, volume=150)
    assert hall.all_of(Louder) == [Louder(A, 150)]
    hall.leave(A)
    hall.forget()
    hall.come(A)
    assert hall.space.members[A].volume == 150
    assert hall.all_of(Louder) == [Louder(A, 150)]


def test_what_a_hand_and_a_burst_come_to_is_noted() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.forget()
    hall.hand(A, "h1")
    hall.done(ADMIN, FloorNext)
    hall.talk(A)
    hall.stop(A)
    assert hall.happened() == [
        Happening.HAND_RAISED,
        Happening.CALLED,
        Happening.GRANTED,
        Happening.BURST_BEGAN,
        Happening.BURST_ENDED,
    ]


def test_coming_and_going_is_noted_once() -> None:
    hall = Hall()
    hall.come(A)
    hall.lose(A)
    hall.come(A)
    hall.leave(A)
    kinds = [each.kind for each in hall.all_of(Happened)]
    came, went = Happening.JOINED, Happening.LEFT
    assert kinds == [Happening.SPACE_STARTED, came, went, came, went]


def test_nobody_is_told_of_media_twice() -> None:
    hall = Hall(fresh())
    hall.come(A)
    assert not [each for each in hall.told(A) if isinstance(each, MediaLost)]


def test_what_is_to_be_done_first_is_due_at_once() -> None:
    assert Space(fresh(), 5.0, CountedNames()).deadline == 5.0
