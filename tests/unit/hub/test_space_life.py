"""From draft to purged: the table, the acts that move along it, and hosts who come and go."""

import pytest

from hub.floor.events import Announce, CloseGate
from hub.floor.rules import FloorRules
from hub.spaces import hosts
from hub.spaces.effects import Expel, Happened, Happening, Silence
from hub.spaces.kept import Kept
from hub.spaces.lifecycle import LIFE, OVER, Step, after, refusal
from stagebox.wire.acts import (
    Agree,
    FloorNext,
    InviteNew,
    MemberPlace,
    MemberRemove,
    PinAdd,
    RecordSet,
    SpaceCancel,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.causes import DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import FloorDenied, FloorRevoked, MediaLost
from stagebox.wire.space import SpaceChanged
from stagebox.wire.terms import Gone, Kind, Mode, Place, Role, SpaceState
from tests.unit.hub.spaces_kit import ADMIN, HOST, A, B, C, D, Hall, ahead, fresh

S = SpaceState
BROWSER = Kind.BROWSER


def end(hall: Hall, who: object = HOST) -> None:
    confirm = hall.act(who, SpaceEnd)
    assert isinstance(confirm, SpaceConfirm)
    hall.done(who, SpaceEnd, token=confirm.token)


def named(hall: Hall, *cohosts: str) -> None:
    for member_id in cohosts:
        hall.done(HOST, MemberPlace, member=member_id, place=Place.COHOST)


# --- the table ------------------------------------------------------------------------


def test_what_is_over_never_comes_back() -> None:
    for (state, _), following in LIFE.items():
        if state in OVER:
            assert following in OVER


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in LIFE} == set(S) - {S.PURGED}
    assert set(LIFE.values()) | {S.DRAFT} == set(S)


@pytest.mark.parametrize("step", [Step.START, Step.END, Step.CANCEL, Step.SCHEDULE])
def test_what_does_not_apply_is_refused_with_a_sentence(step: Step) -> None:
    for state in S:
        if after(state, step) is None:
            code, detail = refusal(state, step)
            assert detail.endswith(".")
            assert (code is ErrorCode.SPACE_ENDED) == (state in OVER)


def test_a_space_ends_only_where_the_table_says_so() -> None:
    hall = Hall(fresh(state=S.SCHEDULED, starts_at=ahead(100)))
    with pytest.raises(AssertionError, match="scheduled"):
        hosts.end(hall.space._machine)


# --- before it begins -----------------------------------------------------------------


def test_a_draft_is_silent_until_it_is_started() -> None:
    hall = Hall(fresh(Mode.OPEN, S.DRAFT, host=HOST))
    hall.come(A)
    hall.talk(A)
    assert hall.told(A)[-1].cause is DenyCause.FROZEN
    assert not hall.space.hears(A)
    hall.done(HOST, SpaceStart)
    assert hall.state is S.LIVE
    assert hall.info.started_at == "2027-03-01T18:00:00Z"
    assert hall.told(A)[-1] == MediaLost(spread_s=0.0)
    hall.talk(A)
    assert hall.gates == {A}
    assert hall.refused(HOST, SpaceStart) is ErrorCode.ALREADY_LIVE


def test_a_host_who_comes_early_opens_the_backstage_and_one_who_looks_in_does_not() -> None:
    hall = Hall(fresh(state=S.SCHEDULED, starts_at=ahead(5), host=HOST))
    hall.come(HOST)
    assert hall.state is S.SCHEDULED
    assert hall.place(HOST) is Place.HOST
    hall.leave(HOST)
    hall.jump(4 * 3600)
    hall.come(A)
    assert hall.state is S.SCHEDULED
    hall.come(HOST)
    assert hall.state is S.BACKSTAGE
    assert Happening.BACKSTAGE_OPENED in hall.happened()


def test_backstage_the_audience_hears_nothing_until_the_start() -> None:
    hall = Hall(fresh(Mode.OPEN, S.BACKSTAGE, host=HOST, speak="known"))
    hall.come(HOST, A)
    listeners = [B, C, D]
    for member_id in listeners:
        hall.arrive(member_id, BROWSER)
    hall.arrive("e" * 32, BROWSER, admin=True)
    hall.arrive("d" * 32, hidden=True)
    hears = [hall.space.hears(each) for each in (HOST, A, B, C, D, "e" * 32, "d" * 32)]
    assert hears == [True, True, False, False, False, True, False]
    hall.talk(A, "t1")
    assert hall.gates == {A}
    hall.forget()
    hall.done(HOST, SpaceStart)
    assert hall.gates == set()
    assert hall.told(A) == [FloorRevoked(req="t1", cause=RevokeCause.FROZEN)]
    lost = [hall.told(each) for each in (*listeners, "d" * 32)]
    assert lost == [[MediaLost(spread_s=3 / 16)]] * 4
    assert all(hall.space.hears(each) for each in listeners)


def test_backstage_a_place_on_the_stage_opens_the_ears_and_the_audience_closes_them() -> None:
    hall = Hall(fresh(state=S.BACKSTAGE, host=HOST))
    hall.come(HOST)
    hall.arrive(A, BROWSER)
    hall.done(HOST, MemberPlace, member=A, place=Place.SPEAKER)
    assert hall.told(A) == [MediaLost(spread_s=0.0)]
    hall.forget()
    hall.done(HOST, MemberPlace, member=A, place=Place.LISTENER)
    assert hall.all_of(Silence) == [Silence(A)]


def test_backstage_nobody_gets_in_by_a_raised_hand_and_nothing_is_written() -> None:
    hall = Hall(fresh(Mode.FIFO, S.BACKSTAGE, host=HOST, captions=True))
    hall.come(HOST)
    hall.arrive(A, BROWSER)
    hall.done(HOST, Agree, captions=True)
    hall.hand(A)
    assert hall.told(A)[-1].cause is DenyCause.NOT_INVITED
    assert hall.writes == set()
    hall.done(HOST, SpaceStart)
    hall.hand(A)
    assert hall.floor.offered == (A,)
    assert hall.writes == {HOST}


def test_an_admin_who_comes_back_as_a_guest_is_one() -> None:
    hall = Hall(fresh(state=S.BACKSTAGE, host=HOST))
    hall.arrive(A, BROWSER, admin=True)
    assert hall.space.hears(A)
    hall.forget()
    hall.arrive(A, BROWSER)
    assert not hall.space.hears(A)
    assert hall.all_of(Silence) == [Silence(A)]


def test_a_day_is_given_and_moved_within_limits() -> None:
    hall = Hall(fresh(state=S.DRAFT, host=HOST))
    assert hall.refused(HOST, SpaceEdit, starts_at=ahead(-1)) is ErrorCode.BAD_VALUE
    assert hall.refused(HOST, SpaceEdit, starts_at=ahead(15 * 24)) is ErrorCode.BAD_VALUE
    nonsense = "2027-13-40T25:00:00Z"
    assert hall.refused(HOST, SpaceEdit, starts_at=nonsense) is ErrorCode.BAD_VALUE
    hall.done(ADMIN, SpaceEdit, starts_at=ahead(5))
    assert (hall.state, hall.info.starts_at) == (S.SCHEDULED, ahead(5))
    hall.done(ADMIN, SpaceEdit, starts_at="2027-03-02T20:00:00+01:00")
    assert hall.info.starts_at == "2027-03-02T20:00:00+01:00"
    hall.done(ADMIN, SpaceStart)
    assert hall.refused(ADMIN, SpaceEdit, starts_at=ahead(5)) is ErrorCode.ALREADY_LIVE


@pytest.mark.parametrize("state", [S.DRAFT, S.SCHEDULED, S.BACKSTAGE])
def test_what_has_not_begun_is_cancelled(state: SpaceState) -> None:
    hall = Hall(fresh(state=state, host=HOST, starts_at=ahead(50)))
    hall.come(A)
    if state is S.SCHEDULED:
        assert hall.refused(ADMIN, SpaceEnd) is ErrorCode.NOT_LIVE
    hall.forget()
    hall.done(ADMIN, SpaceCancel)
    assert hall.state is S.CANCELLED
    assert hall.all_of(Expel) == [Expel(A, Gone.ENDED)]
    assert hall.happened() == [Happening.SPACE_CANCELLED]


# --- the end --------------------------------------------------------------------------


def test_the_end_takes_two_steps_closes_all_microphones_and_puts_everybody_out() -> None:
    hall = Hall(Mode.OPEN)
    hall.host()
    hall.come(A, B)
    hall.arrive(C, hidden=True)
    named(hall, A)
    hall.act(HOST, InviteNew)
    hall.talk(A)
    hall.talk(B)
    assert hall.refused(A, SpaceEnd) is ErrorCode.ONLY_HOST
    confirm = hall.act(HOST, SpaceEnd)
    assert isinstance(confirm, SpaceConfirm)
    assert (confirm.members, confirm.expires_in_s) == (4, 10.0)
    assert hall.state is S.LIVE
    hall.forget()
    hall.done(HOST, SpaceEnd, token=confirm.token)
    assert hall.state is S.ENDED
    kinds = [type(each) for each in hall.effects if isinstance(each, CloseGate | Expel)]
    assert kinds == [CloseGate, CloseGate, Expel, Expel, Expel, Expel]
    assert {each.member_id for each in hall.all_of(Expel)} == {HOST, A, B, C}
    order = [type(each) for each in hall.effects]
    first_news = hall.all_of(Announce)[0].message
    assert isinstance(first_news, SpaceChanged) or order.index(CloseGate) < order.index(Expel)
    told = [each.message for each in hall.effects[: order.index(Expel)] if type(each) is Announce]
    assert any(isinstance(each, SpaceChanged) for each in told), "all hear why before they go"
    assert not hall.told(A), "they are told that they are out, and nothing else"
    assert hall.refused(HOST, PinAdd, text="x") is ErrorCode.SPACE_ENDED
    assert hall.space.kept().invites == ()


def test_a_confirmation_is_for_one_actor_one_use_and_ten_seconds() -> None:
    hall = Hall()
    hall.host()
    first = hall.act(HOST, SpaceEnd)
    assert isinstance(first, SpaceConfirm)
    assert hall.refused(ADMIN, SpaceEnd, token=first.token) is ErrorCode.CONFIRM_EXPIRED
    wrong = "token-of-nobody-"
    assert hall.refused(HOST, SpaceEnd, token=wrong) is ErrorCode.CONFIRM_EXPIRED
    assert hall.refused(HOST, SpaceEnd, token=first.token) is ErrorCode.CONFIRM_EXPIRED
    second = hall.act(HOST, SpaceEnd)
    assert isinstance(second, SpaceConfirm)
    assert second.token != first.token
    hall.jump(10)
    assert hall.refused(HOST, SpaceEnd, token=second.token) is ErrorCode.CONFIRM_EXPIRED
    for number in range(17):
        hall.act(type(ADMIN)(None, f"Admin {number}", admin=True), SpaceEnd)
    assert hall.state is S.LIVE


def test_a_standing_space_neither_begins_nor_ends() -> None:
    hall = Hall(Kept.standing_space(fresh().info, FloorRules.for_mode(Mode.WALKIE)))
    for act in (SpaceStart, SpaceEnd, SpaceCancel):
        assert hall.refused(ADMIN, act) is ErrorCode.STANDING
    assert hall.refused(ADMIN, SpaceEdit, starts_at=ahead(5)) is ErrorCode.STANDING
    hall.host()
    hall.talk(HOST)
    hall.lose(HOST)
    assert (hall.state, hall.info.host) == (S.LIVE, HOST)
    hall.wait(40)
    assert (hall.state, hall.info.host) == (S.LIVE, None)
    hall.arrive(A, role=Role.STUDIO)
    assert hall.info.host == A
    hall.leave(A)
    assert hall.info.host is None
    hall.jump(10_000)
    assert hall.state is S.LIVE


def test_a_space_that_everybody_forgot_ends() -> None:
    hall = Hall()
    hall.jump(899)
    hall.come(A)
    hall.leave(A)
    hall.jump(899)
    assert hall.state is S.LIVE
    hall.wait(1)
    assert hall.state is S.ENDED
    draft = Hall(fresh(state=S.DRAFT))
    assert draft.refused(ADMIN, SpaceEnd) is ErrorCode.NOT_LIVE
    draft.wait(900)
    assert draft.state is S.CANCELLED
    planned = Hall(fresh(state=S.BACKSTAGE, starts_at=ahead(100)))
    planned.jump(10_000)
    assert planned.state is S.BACKSTAGE


# --- the host -------------------------------------------------------------------------


def test_a_lost_host_freezes_the_space_and_thaws_it_on_its_return() -> None:
    hall = Hall(Mode.OPEN)
    hall.host()
    hall.come(A)
    hall.talk(A, "t1")
    hall.forget()
    hall.lose(HOST)
    assert (hall.state, hall.info.frozen_until) == (S.FROZEN, hall.now + 60)
    assert hall.told(A) == [FloorRevoked(req="t1", cause=RevokeCause.FROZEN)]
    assert hall.happened() == [Happening.BURST_ENDED, Happening.HOST_LOST]
    hall.talk(A)
    assert isinstance(hall.told(A)[-1], FloorDenied)
    assert hall.refused(ADMIN, FloorNext) is ErrorCode.NOT_LIVE
    hall.wait(59)
    hall.come(HOST)
    assert (hall.state, hall.info.host) == (S.LIVE, HOST)
    assert Happening.HOST_BACK in hall.happened()
    hall.talk(A)
    assert hall.gates == {A}


def test_the_eldest_co_host_who_is_there_takes_over() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B, C)
    named(hall, B, A)
    hall.lose(HOST)
    hall.lose(B)
    hall.wait(61)
    assert (hall.state, hall.info.host) == (S.LIVE, A)
    assert hall.place(A) is Place.HOST
    hall.come(HOST)
    assert hall.place(HOST) is Place.COHOST
    hall.come(B)
    hall.come(C)
    assert hall.state is S.LIVE


def test_without_a_co_host_the_space_ends() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.lose(HOST)
    hall.wait(60)
    assert hall.state is S.ENDED
    assert hall.all_of(Expel) == [Expel(A, Gone.ENDED)]


def test_a_host_at_the_door_when_the_grace_is_just_over_is_late() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.lose(HOST)
    hall._pass(61)
    hall.arrive(HOST, role=Role.STUDIO)
    hall.jump(0)
    assert hall.state is S.ENDED


def test_a_host_who_leaves_hands_over_at_once_or_is_missed() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    named(hall, A)
    hall.leave(HOST)
    assert (hall.state, hall.info.host) == (S.LIVE, A)
    hall.leave(A)
    assert hall.state is S.FROZEN


def test_another_host_may_be_named_while_the_space_is_frozen() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.leave(HOST)
    assert hall.state is S.FROZEN
    hall.done(ADMIN, MemberPlace, member=A, place=Place.HOST)
    assert (hall.state, hall.info.host) == (S.LIVE, A)


def test_a_host_who_never_came_is_replaced() -> None:
    hall = Hall(fresh(host=A))
    hall.come(B)
    assert hall.state is S.LIVE
    hall.done(ADMIN, MemberPlace, member=B, place=Place.HOST)
    hall.arrive(A, BROWSER)
    assert [hall.place(A), hall.info.host] == [Place.LISTENER, B]


def test_the_host_may_hand_over() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B, C)
    hall.done(HOST, MemberPlace, member=A, place=Place.HOST)
    assert [hall.place(HOST), hall.place(A)] == [Place.COHOST, Place.HOST]
    hall.done(A, MemberPlace, member=B, place=Place.COHOST)
    hall.done(A, MemberPlace, member=C, place=Place.HOST)
    assert [hall.place(A), hall.place(C)] == [Place.SPEAKER, Place.HOST]
    assert hall.space.kept().line == (HOST, B)


def test_a_host_who_was_put_out_is_followed_or_missed() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    named(hall, A)
    hall.done(ADMIN, MemberRemove, member=HOST)
    assert hall.info.host == A
    hall.done(ADMIN, MemberRemove, member=A)
    assert (hall.state, hall.info.host) == (S.FROZEN, None)
    assert hall.refused(B, SpaceEnd) is ErrorCode.ONLY_HOST
    hall.arrive(C, role=Role.STUDIO)
    assert (hall.state, hall.info.host) == (S.LIVE, C)
    standing = Hall(Kept.standing_space(fresh().info, FloorRules.for_mode(Mode.WALKIE)))
    standing.host()
    standing.done(ADMIN, MemberRemove, member=HOST)
    assert standing.state is S.LIVE


def test_backstage_a_missing_host_is_waited_for() -> None:
    hall = Hall(fresh(state=S.BACKSTAGE, host=HOST))
    hall.come(HOST, A)
    hall.lose(HOST)
    hall.wait(100)
    assert (hall.state, hall.info.host) == (S.BACKSTAGE, HOST)
    hall.come(HOST)
    named(hall, A)
    hall.leave(HOST)
    assert hall.info.host == A


# --- the hub's restart ----------------------------------------------------------------


def test_a_space_that_is_started_without_its_host_waits_for_it() -> None:
    hall = Hall(fresh(state=S.BACKSTAGE, host=HOST))
    hall.come(HOST, A)
    hall.leave(HOST)
    hall.done(ADMIN, SpaceStart)
    hall.wait(100)
    assert hall.state is S.LIVE
    hall.come(HOST)
    hall.lose(HOST)
    assert hall.state is S.FROZEN


def test_after_a_restart_the_host_has_a_while_to_return() -> None:
    hall = Hall()
    hall.host()
    hall.come(A, B)
    hall.hand(B, "h1")
    hall.hand(A, "h2")
    again = hall.restart()
    assert again.floor.queue == (B, A)
    assert again.state is S.LIVE
    again.come(A)
    again.wait(14)
    assert again.state is S.LIVE
    again.wait(1)
    assert again.state is S.FROZEN
    again.come(HOST)
    assert again.state is S.LIVE
    assert again.floor.queue == (B, A)


def test_after_a_restart_a_frozen_space_has_its_grace_anew_and_a_recording_goes_on() -> None:
    hall = Hall()
    hall.host()
    hall.come(A)
    hall.done(HOST, RecordSet, on=True)
    hall.lose(HOST)
    again = hall.restart()
    assert again.info.frozen_until == again.now + 60
    assert again.recording == hall.recording
    again.wait(60)
    assert again.state is S.ENDED
    assert again.recording is None


def test_a_new_space_says_that_it_started_and_a_restored_one_does_not() -> None:
    hall = Hall()
    assert hall.all_of(Happened) == [Happened(Happening.SPACE_STARTED)]
    hall.host()
    assert hall.restart().all_of(Happened) == []
