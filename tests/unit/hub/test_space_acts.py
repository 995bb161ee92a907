"""What each act does, and what it is answered where it cannot be."""

import pytest

from hub.floor.events import Announce, CloseGate, Release
from hub.spaces.effects import Broadcast, Captions, Expel, Happened, Happening, Louder, Record
from hub.spaces.settings import Facilities
from stagebox.wire.acts import (
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    Invite,
    InviteNew,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceEdit,
)
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import FloorCancelled, FloorDenied, FloorOffered, FloorRevoked
from stagebox.wire.space import Recording, SpaceChanged
from stagebox.wire.terms import Gone, Kind, Mark, Mode, Place, Role, Speak
from tests.unit.hub.spaces_kit import ADMIN, HOST, A, B, C, D, Hall, fresh, mid

E = ErrorCode
BROWSER = Kind.BROWSER


def crowd(mode: Mode = Mode.MODERATED, *members: str) -> Hall:
    """Return a space with a host and some guests."""
    hall = Hall(mode)
    hall.host()
    hall.come(*(members or (A, B, C)))
    hall.forget()
    return hall


# --- the floor ------------------------------------------------------------------------


def test_the_floor_is_given_in_order_or_out_of_it() -> None:
    hall = crowd()
    for member in (A, B, C):
        hall.hand(member)
    hall.done(HOST, FloorNext, member=C)
    hall.done(ADMIN, FloorNext)
    assert set(hall.floor.offered) == {A, C}
    assert hall.gates == set(), "an offer opens nothing"
    assert isinstance(hall.told(C)[-1], FloorOffered)
    assert hall.refused(HOST, FloorNext) is E.NOT_ALLOWED  # both microphones are spoken for


def test_the_floor_cannot_be_given_to_nobody() -> None:
    hall = crowd()
    assert hall.refused(HOST, FloorNext) is E.QUEUE_EMPTY
    assert hall.refused(HOST, FloorNext, member=D) is E.NO_SUCH_MEMBER
    assert hall.refused(HOST, FloorMove, member=D, position=1) is E.NO_SUCH_MEMBER
    assert hall.refused(HOST, FloorMove, member=A, position=1) is E.NO_SUCH_MEMBER
    assert hall.refused(HOST, FloorClear, member=D) is E.NO_SUCH_MEMBER
    assert hall.refused(HOST, FloorHold, member=D, on=True) is E.NO_SUCH_MEMBER
    assert crowd(Mode.OPEN).refused(HOST, FloorNext) is E.HANDS_OFF


def test_one_is_held_or_all_are() -> None:
    hall = crowd(Mode.OPEN)
    hall.talk(A, "t1")
    hall.talk(B, "t2")
    hall.done(HOST, FloorHold, member=A, on=True)
    assert hall.told(A)[-1] == FloorRevoked(req="t1", cause=RevokeCause.HOST_HOLD)
    hall.done(HOST, FloorHold, member=A, on=True)
    assert hall.space.members[A].held
    hall.done(HOST, FloorHold, on=True)
    hall.done(HOST, FloorHold, on=True)
    assert hall.gates == set()
    assert hall.floor.held
    hall.done(HOST, FloorHold, on=False)
    hall.done(HOST, FloorHold, member=A, on=False)
    assert hall.gates == set(), "letting go opens nothing"
    kinds = [each.kind for each in hall.all_of(Happened) if each.by]
    assert kinds == [Happening.HELD, Happening.HELD, Happening.FREED, Happening.FREED]


def test_a_chair_has_priority_and_the_host_has_it_first() -> None:
    hall = crowd(Mode.OPEN)
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    hall.talk(B)
    hall.forget()
    hall.done(A, FloorPriority, on=True)
    hall.done(A, FloorPriority, on=True)
    assert (hall.floor.priority, hall.gates) == (A, set())
    hall.done(HOST, FloorPriority, on=True)
    assert hall.refused(A, FloorPriority, on=True) is E.CHAIR_PROTECTED
    hall.done(A, FloorPriority, on=False)
    assert hall.floor.priority == HOST
    hall.done(HOST, FloorPriority, on=False)
    assert hall.floor.priority is None


def test_hands_are_taken_down_and_moved() -> None:
    hall = crowd()
    for member in (A, B, C):
        hall.hand(member, "h1")
    hall.done(HOST, FloorMove, member=C, position=1)
    assert hall.floor.queue == (C, A, B)
    hall.done(HOST, FloorClear, member=A)
    assert hall.told(A)[-1] == FloorCancelled(req="h1", cause=CancelCause.BY_HOST)
    hall.done(HOST, FloorClear)
    assert hall.floor.queue == ()
    hall.forget()
    hall.done(HOST, FloorClear)
    assert hall.happened() == []


# --- members --------------------------------------------------------------------------


def test_anybody_steps_down_and_is_not_bound_by_it() -> None:
    hall = crowd(Mode.OPEN)
    hall.talk(A, "t1")
    hall.done(A, MemberPlace, member=A, place=Place.LISTENER)
    assert hall.told(A)[-1] == FloorRevoked(req="t1", cause=RevokeCause.LEFT_STAGE)
    assert hall.refused(A, MemberPlace, member=A, place=Place.SPEAKER) is E.NOT_ALLOWED
    hall.leave(A)
    hall.come(A)
    assert hall.place(A) is Place.SPEAKER


def test_a_place_that_was_given_is_kept_for_the_next_visit() -> None:
    hall = crowd(Mode.OPEN)
    hall.done(HOST, MemberPlace, member=A, place=Place.LISTENER)
    hall.leave(A)
    hall.come(A)
    assert hall.place(A) is Place.LISTENER


def test_places_have_limits() -> None:
    hall = Hall(fresh(stage_limit=4))
    hall.host()
    hall.come(A, B, C)
    hall.arrive(D, BROWSER)
    hall.arrive(mid(9), role=Role.SPEAKER)
    for member in (A, B):
        hall.done(HOST, MemberPlace, member=member, place=Place.COHOST)
    assert hall.refused(HOST, MemberPlace, member=C, place=Place.COHOST) is E.COHOST_LIMIT
    assert hall.refused(HOST, MemberPlace, member=D, place=Place.SPEAKER) is E.STAGE_FULL
    assert hall.refused(HOST, MemberPlace, member=mid(9), place=Place.SPEAKER) is E.RECEIVE_ONLY
    assert hall.refused(HOST, MemberPlace, member=mid(8), place=Place.SPEAKER) is E.NO_SUCH_MEMBER


def test_a_host_steps_down_when_somebody_follows() -> None:
    hall = crowd()
    assert hall.refused(HOST, MemberPlace, member=HOST, place=Place.SPEAKER) is E.NOT_ALLOWED
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    hall.done(HOST, MemberPlace, member=HOST, place=Place.LISTENER)
    assert [hall.place(HOST), hall.place(A), hall.info.host] == [Place.LISTENER, Place.HOST, A]
    hall.done(A, MemberPlace, member=B, place=Place.COHOST)
    hall.done(A, MemberPlace, member=A, place=Place.COHOST)
    assert [hall.place(A), hall.info.host] == [Place.COHOST, B]


def test_a_standing_space_does_without_a_host() -> None:
    kept = fresh(Mode.WALKIE)
    hall = Hall(type(kept).standing_space(kept.info, kept.rules))
    hall.host()
    hall.done(HOST, MemberPlace, member=HOST, place=Place.SPEAKER)
    assert hall.info.host is None
    assert hall.place(HOST) is Place.SPEAKER


def test_how_loud_a_member_is() -> None:
    hall = crowd()
    hall.done(HOST, MemberVolume, member=A, volume=30)
    hall.done(HOST, MemberVolume, member=A, volume=30)
    assert hall.all_of(Louder) == [Louder(A, 30)]
    assert hall.space.members[A].volume == 30
    assert hall.refused(HOST, MemberVolume, member=D, volume=30) is E.NO_SUCH_MEMBER


def test_who_is_removed_is_silent_told_and_may_come_again() -> None:
    hall = crowd(Mode.OPEN)
    hall.talk(A)
    hall.forget()
    hall.done(HOST, MemberRemove, member=A)
    kinds = [type(each) for each in hall.effects if isinstance(each, CloseGate | Expel)]
    assert kinds == [CloseGate, Expel]
    assert hall.all_of(Expel) == [Expel(A, Gone.REMOVED)]
    assert hall.refused(HOST, MemberRemove, member=A) is E.NO_SUCH_MEMBER
    hall.come(A)


def test_who_is_gone_is_blocked_as_well_and_so_many_are() -> None:
    hall = Hall(blocked_limit=2)
    hall.host()
    hall.come(A, B, C, D)
    hall.done(HOST, MemberPlace, member=D, place=Place.COHOST)
    hall.done(HOST, FloorHold, member=A, on=True)
    hall.leave(A)
    hall.done(HOST, MemberRemove, member=A, block=True)
    hall.done(HOST, MemberRemove, member=A, block=True)
    hall.done(HOST, MemberRemove, member=B, block=True)
    assert hall.all_of(Expel) == [Expel(B, Gone.BLOCKED)]
    assert dict(hall.space.blocked) == {A: "Member a", B: "Member b"}
    assert hall.refused(HOST, MemberRemove, member=C, block=True) is E.TOO_MANY
    hall.done(HOST, MemberUnblock, member=A)
    assert Happened(Happening.UNBLOCKED, A, "Member a", by="Member f") in hall.effects
    hall.leave(D)
    assert hall.refused(D, MemberRemove, member=D) is E.BAD_VALUE
    hall.done(HOST, MemberRemove, member=D, block=True)


def test_absent_chairs_are_protected_too() -> None:
    hall = crowd()
    for member in (A, B):
        hall.done(HOST, MemberPlace, member=member, place=Place.COHOST)
    hall.leave(B)
    assert hall.refused(A, MemberRemove, member=B, block=True) is E.CHAIR_PROTECTED
    hall.done(ADMIN, MemberRemove, member=B, block=True)


# --- settings -------------------------------------------------------------------------


def test_what_is_edited_changes_and_all_else_stays() -> None:
    hall = crowd()
    hall.done(HOST, SpaceEdit, name="Yard", topic="News", tags=("a", "b"), speak=Speak.KNOWN)
    info = hall.info
    assert (info.name, info.topic, info.tags, info.speak) == ("Yard", "News", ("a", "b"), "known")
    hall.forget()
    hall.done(HOST, SpaceEdit)
    assert hall.effects == []
    assert not hall.space.rules.listeners_ask


def test_a_mode_brings_its_limits_and_a_limit_can_be_taken_away() -> None:
    hall = crowd()
    hall.done(HOST, SpaceEdit, open_limit=7, queue_limit=3, talk_limit_s=20.0, stage_limit=20)
    rules = hall.space.rules
    assert (rules.open_limit, rules.queue_limit, rules.talk_limit_s) == (7, 3, 20)
    assert rules.stage_limit == hall.info.stage_limit == 20
    hall.done(HOST, SpaceEdit, talk_limit_s=0.0, mode=Mode.MODERATED)
    assert (hall.space.rules.talk_limit_s, hall.floor.open_limit) == (None, 7)
    hall.done(HOST, SpaceEdit, mode=Mode.WALKIE)
    assert (hall.floor.mode, hall.floor.open_limit) == (Mode.WALKIE, 1)
    assert hall.space.rules.stage_limit == 20
    assert hall.refused(HOST, SpaceEdit, name="Nowhere", talk_limit_s=0.5) is E.BAD_VALUE


def test_hands_that_a_new_mode_does_not_know_are_taken_down() -> None:
    hall = crowd()
    hall.hand(A)
    hall.done(HOST, SpaceEdit, mode=Mode.OPEN)
    assert hall.floor.queue == ()


def test_a_stream_needs_a_hub_that_streams() -> None:
    hall = crowd()
    hall.space.facilities(Facilities(streams=False))
    assert hall.refused(HOST, SpaceEdit, streamed=True) is E.NO_STREAMS
    hall.done(HOST, SpaceEdit, streamed=False)
    hall.space.facilities(Facilities())
    assert hall.refused(A, SpaceEdit, streamed=True) is E.NOT_ALLOWED
    hall.done(HOST, SpaceEdit, streamed=True)
    assert hall.space.info.streamed


def test_captions_need_somebody_who_writes() -> None:
    hall = crowd()
    hall.space.facilities(Facilities(captions=False))
    assert hall.refused(HOST, SpaceEdit, captions=True) is E.NO_CAPTIONS
    hall.done(HOST, SpaceEdit, captions=False)
    hall.space.facilities(Facilities())
    hall.done(A, Agree, captions=True)
    hall.done(HOST, SpaceEdit, captions=True)
    hall.done(B, Agree, captions=True)
    hall.done(B, Agree, captions=True)
    hall.done(A, Agree, captions=False)
    written = [each.members for each in hall.all_of(Captions)]
    assert written == [frozenset({A}), frozenset({A, B}), frozenset({B})]


def test_members_are_told_that_captions_are_away_and_that_they_are_back() -> None:
    hall = crowd()

    def news() -> list[bool]:
        """Let what is due happen; return what everybody is told of it."""
        hall.forget()
        hall.wait(0)
        told = [each.message for each in hall.all_of(Announce)]
        return [each.space.captions_away for each in told if isinstance(each, SpaceChanged)]

    hall.space.facilities(Facilities(captions_away=True))
    assert news() == []  # captions are off: nobody misses them
    hall.done(HOST, SpaceEdit, captions=True)
    assert hall.snapshot().space.captions_away
    hall.space.facilities(Facilities())
    assert news() == [False]
    hall.space.facilities(Facilities(captions_away=True))
    assert news() == [True]
    assert not hall.restart().snapshot().space.captions_away
    hall.done(HOST, SpaceEdit, captions=False)
    assert not hall.snapshot().space.captions_away


def test_it_is_told_where_it_is_played() -> None:
    hall = Hall()
    hall.host()
    assert hall.snapshot().space.played_on == ()
    hall.forget()
    for names in ((), ("Kitchen", "Salon"), ("Kitchen", "Salon"), ()):
        there = {"another": ("Hall",), hall.snapshot().space.id: names}
        hall.space.facilities(Facilities(played_on=there))
        hall.wait(0)
    told = [each.message for each in hall.all_of(Announce)]
    assert [each.space.played_on for each in told if isinstance(each, SpaceChanged)] == [
        ("Kitchen", "Salon"),
        (),
    ]


# --- what a space has -----------------------------------------------------------------


def test_invitations_have_a_limit_that_those_which_are_over_do_not_count_for() -> None:
    hall = Hall(invite_limit=2)
    hall.host()
    for ttl_s in (60, 14 * 86_400):
        answer = hall.act(HOST, InviteNew, ttl_s=ttl_s)
        assert isinstance(answer, Invite)
        assert answer.expires_in_s == ttl_s
    assert hall.refused(HOST, InviteNew) is E.TOO_MANY
    hall.jump(60)
    assert isinstance(hall.act(HOST, InviteNew), Invite)


def test_pins_come_and_go_and_are_so_many() -> None:
    hall = Hall(pin_limit=2)
    hall.host()
    hall.done(HOST, PinAdd, text="One", url="https://example.org/")
    hall.done(HOST, PinAdd, text="Two")
    assert hall.refused(HOST, PinAdd, text="Three") is E.TOO_MANY
    hall.done(HOST, PinRemove, id=1)
    hall.done(HOST, PinAdd, text="Three")
    pins = hall.snapshot().pins
    assert [(pin.id, pin.text, pin.by) for pin in pins] == [
        (2, "Two", "Member f"),
        (3, "Three", "Member f"),
    ]


def test_reactions_are_shown_to_all_and_not_too_often() -> None:
    hall = crowd()
    for _ in range(3):
        hall.done(A, React, mark=Mark.CLAP)
    hall.done(B, React, mark=Mark.HEART)
    assert [each.message.member for each in hall.all_of(Broadcast)] == [A, B]
    hall.wait(2)
    hall.done(A, React, mark=Mark.CLAP)
    assert len(hall.all_of(Broadcast)) == 3


def test_a_recording_waits_for_everybodys_own_word() -> None:
    hall = crowd(Mode.OPEN)
    hall.talk(A, "t1")
    hall.forget()
    hall.done(HOST, RecordSet, on=True)
    recording = hall.info.recording
    assert recording == Recording(
        version=1, since="2027-03-01T18:00:00Z", by="Member f", keep_days=30
    )
    order = [type(each) for each in hall.effects]
    assert order.index(CloseGate) < order.index(Record)
    assert hall.told(A) == [FloorRevoked(req="t1", cause=RevokeCause.CONSENT_NEEDED)]
    hall.do(Release(A, "t1"))
    hall.talk(A, "t2")
    assert hall.told(A)[-1] == FloorDenied(req="t2", cause=DenyCause.CONSENT_NEEDED)
    hall.talk(HOST, "t3")
    assert hall.gates == set()
    assert hall.refused(A, Agree, recording=2) is E.BAD_VALUE
    hall.done(A, Agree, recording=1)
    hall.talk(A, "t4")
    assert hall.gates == {A}
    hall.forget()
    hall.done(A, Agree, recording=0)
    assert hall.gates == set()
    assert Happened(Happening.WITHDRAWN, A, "Member a", "1") in hall.effects


def test_each_recording_is_agreed_to_anew() -> None:
    hall = crowd(Mode.OPEN)
    hall.done(HOST, RecordSet, on=True)
    hall.done(HOST, RecordSet, on=True)
    hall.done(A, Agree, recording=1)
    hall.done(HOST, RecordSet, on=False)
    hall.talk(B)
    assert hall.gates == {B}
    hall.stop(B)
    hall.done(HOST, RecordSet, on=True)
    hall.talk(A)
    assert hall.gates == set()
    versions = [each.recording and each.recording.version for each in hall.all_of(Record)]
    assert versions == [1, None, 2]


def test_a_recording_needs_a_live_space_and_a_disk() -> None:
    draft = Hall(fresh(state="draft"))
    assert draft.refused(ADMIN, RecordSet, on=True) is E.NOT_LIVE
    hall = crowd()
    hall.space.facilities(Facilities(disk=False))
    assert hall.refused(HOST, RecordSet, on=True) is E.DISK_FULL


def test_nobody_is_kept_longer_than_agreed_to() -> None:
    hall = crowd()
    hall.done(HOST, SpaceEdit, keep_days=7)
    hall.done(HOST, RecordSet, on=True)
    assert hall.refused(HOST, SpaceEdit, keep_days=8) is E.BAD_VALUE
    hall.done(HOST, SpaceEdit, keep_days=3)
    assert hall.space.kept().keep_days == 3


@pytest.mark.parametrize("count", [0, 1, 50])
def test_an_empty_code_or_token_finds_nothing(count: int) -> None:
    hall = crowd()
    for _ in range(count):
        hall.act(HOST, InviteNew)
    assert hall.space.invitation(hall.utc) is None


def test_who_listens_unnamed_goes_when_all_are_to_be_named() -> None:
    hall = crowd()
    hall.arrive(D, hidden=True)
    hall.done(HOST, SpaceEdit, hidden_allowed=False)
    assert hall.all_of(Expel) == [Expel(D, Gone.REMOVED)]
    assert hall.info.hidden == 0


def test_who_is_blocked_does_not_stay_unnamed() -> None:
    hall = crowd()
    hall.done(HOST, FloorHold, member=A, on=True)
    hall.arrive(A, hidden=True)
    assert hall.refused(HOST, MemberRemove, member=A) is E.NO_SUCH_MEMBER
    hall.done(HOST, MemberRemove, member=A, block=True)
    assert hall.all_of(Expel) == [Expel(A, Gone.BLOCKED)]
    assert hall.info.hidden == 0
