"""What falls due, what ends a turn, and what becomes of those who vanish."""

from itertools import pairwise

import pytest

from hub.floor.events import CloseGate
from hub.floor.rules import FloorRules
from hub.floor.seat import REMEMBERED
from stagebox.wire.causes import CancelCause, DenyCause, RevokeCause
from stagebox.wire.messages import (
    Done,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
)
from stagebox.wire.terms import Mode, Place
from tests.unit.hub.floor_kit import HOST, A, B, C, Room, mid

# --- the talk limit -------------------------------------------------------------


def test_too_long_is_told_then_cut_then_penalised() -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    room.wait(29.9, speaking=[A])
    assert isinstance(room.told[A][-1], FloorGranted)
    room.wait(0.2, speaking=[A])
    revoked = room.last(A, FloorRevoked)
    assert (revoked.cause, revoked.grace_s, revoked.retry_after_s) == (
        RevokeCause.TOO_LONG,
        3,
        8,
    )
    assert room.arbiter.grant_of(A) == "t1"
    assert room.gates == {A}
    room.wait(3, speaking=[A])
    assert room.gates == set()
    assert room.arbiter.grant_of(A) is None
    assert room.floor().talkers == (A,)
    assert room.talk(B)[0].req == "t1"
    assert room.last(B, FloorDenied).cause is DenyCause.FLOOR_TAKEN
    room.release(A)
    assert room.talk(B, "t2") == [FloorGranted(req="t2", duration_s=30)]
    denied = room.talk(A, "t2")[0]
    assert isinstance(denied, FloorDenied)
    assert denied.cause is DenyCause.RETRY_AFTER
    assert 4.8 < denied.retry_after_s < 5
    room.wait(5, speaking=[B])
    room.release(B, "t2")
    assert isinstance(room.talk(A, "t3")[0], FloorGranted)


def test_a_slot_is_free_after_grace_and_lease_even_if_the_box_says_nothing() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, talk_limit_s=10), [A, B])
    room.talk(A)
    room.talk(B)
    room.wait(10 + 3 + 2.9, speaking=[A])
    assert room.floor().talkers == (A,)
    room.wait(0.2)
    assert not room.floor().talkers
    assert room.floor().offered == (B,)


@pytest.mark.parametrize("mode", [Mode.WALKIE, Mode.FIFO])
def test_a_host_may_talk_as_long_as_it_likes(mode: Mode) -> None:
    room = Room(mode, [HOST])
    assert room.talk(HOST) == [FloorGranted(req="t1")]
    room.wait(300, speaking=[HOST])
    assert room.gates == {HOST}


def test_a_repeated_request_hears_the_time_that_is_left() -> None:
    room = Room(Mode.WALKIE, [A])
    room.talk(A)
    room.wait(10, speaking=[A])
    assert room.talk(A) == [FloorGranted(req="t1", duration_s=20)]
    room.wait(21, speaking=[A])
    (again,) = room.talk(A)
    assert again == room.last(A, FloorRevoked)
    assert again.cause is RevokeCause.TOO_LONG
    room.wait(3, speaking=[A])
    assert room.talk(A) == [again]
    room.release(A)
    assert room.talk(A) == [again]


def test_without_grace_the_gate_closes_at_the_limit() -> None:
    room = Room(FloorRules.for_mode(Mode.WALKIE, grace_s=0, penalty_s=0), [A])
    room.talk(A)
    room.wait(30, speaking=[A])
    assert room.gates == set()
    room.release(A)
    assert isinstance(room.talk(A, "t2")[0], FloorGranted)


# --- silence and loss -----------------------------------------------------------


def test_a_talker_without_audio_is_revoked() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.wait(10, speaking=[A])
    room.wait(2.9)
    assert room.gates == {A}
    room.wait(0.2)
    assert room.last(A, FloorRevoked).cause is RevokeCause.SILENCE
    assert room.gates == set()
    assert room.floor().talkers == (A,)
    room.release(A)
    assert not room.floor().talkers


def test_audio_that_arrives_late_but_before_the_tick_counts() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.now += 3.5
    room.spoke(A)
    room.jump(0.1)
    assert room.gates == {A}


@pytest.mark.parametrize("ago", [0.0, 1.2, 2.9, 3.0, 60.0])
def test_a_vanished_talker_is_cut_at_once_and_its_slot_free_3_s_after_it_was_heard(
    ago: float,
) -> None:
    room = Room(Mode.FIFO, [A, B])
    room.talk(A)
    room.talk(B)
    room.wait(70, speaking=[A])
    room.forget()
    room.vanish(A, ago)
    assert CloseGate(A) in room.effects
    assert room.arbiter.grant_of(A) is None
    assert not room.member(A).connected
    left = max(3 - ago, 0)
    room.wait(max(left - 0.01, 0))
    assert bool(room.floor().talkers) == (left > 0)
    room.wait(0.02)
    assert not room.floor().talkers
    assert room.floor().offered == (B,)


def test_a_grant_is_never_taken_for_older_than_it_is() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.vanish(A, ago=10)
    assert room.floor().talkers == (A,)
    room.wait(3)
    assert not room.floor().talkers


def test_vanishing_can_shorten_a_closing_but_not_lengthen_it() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.wait(3.1)
    assert room.gates == set()
    room.wait(1)
    room.vanish(A, ago=0)
    room.wait(1.8)
    assert room.floor().talkers == (A,)
    room.wait(0.2)
    assert not room.floor().talkers
    room.enter(A)
    room.talk(A)
    room.wait(3.1)
    room.vanish(A, ago=2.5)
    room.wait(0.6)
    assert not room.floor().talkers


def test_a_talker_vanishing_in_its_grace_is_lost_too() -> None:
    room = Room(Mode.WALKIE, [A])
    room.talk(A)
    room.wait(31, speaking=[A])
    room.vanish(A)
    assert room.gates == set()
    room.wait(3)
    assert not room.floor().talkers


def test_a_vanished_talker_that_releases_or_comes_back_frees_its_slot_at_once() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.vanish(A)
    assert room.last(A, FloorRevoked).cause is RevokeCause.LOST
    room.release(A)
    assert not room.floor().talkers
    room.enter(A)
    room.talk(A)
    room.vanish(A)
    room.enter(A)
    assert not room.floor().talkers


@pytest.mark.parametrize("wait", [0.0, 31.0, 35.0])
def test_entering_again_ends_the_old_grant_whatever_state_it_is_in(wait: float) -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    room.wait(wait, speaking=[A])
    room.enter(A)
    assert room.gates == set()
    assert not room.floor().talkers
    assert isinstance(room.talk(B)[0], FloorGranted)


def test_a_penalty_outlives_a_new_session() -> None:
    room = Room(Mode.WALKIE, [A])
    room.talk(A)
    room.wait(33, speaking=[A])
    room.vanish(A)
    room.enter(A)
    (denied,) = room.talk(A)
    assert isinstance(denied, FloorDenied)
    assert (denied.cause, denied.retry_after_s) == (DenyCause.RETRY_AFTER, pytest.approx(5))
    room.wait(5.1)
    assert isinstance(room.talk(A, "t3")[0], FloorGranted)


@pytest.mark.parametrize("wait", [0.0, 31.0, 35.0])
def test_leaving_ends_everything_at_once(wait: float) -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    room.wait(wait, speaking=[A])
    room.depart(A)
    assert room.gates == set()
    assert set(room.members) == {B}
    assert isinstance(room.talk(B)[0], FloorGranted)


@pytest.mark.parametrize("wait", [0.0, 31.0, 35.0])
def test_who_is_put_out_keeps_its_slot_as_long_as_its_microphone_may_be_open(wait: float) -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    room.wait(wait, speaking=[A])
    room.depart(A, put_out=True)
    assert room.gates == set()
    assert set(room.members) == {B}
    assert not room.floor().talkers
    (denied,) = room.talk(B)
    assert denied == FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN)
    room.wait(2 if wait == 35 else 3)
    assert isinstance(room.talk(B, "t2")[0], FloorGranted)


def test_a_queue_moves_on_when_the_lease_of_one_who_was_put_out_is_over() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.talk(A)
    room.hand(B)
    room.depart(A, put_out=True)
    room.wait(2.9)
    assert room.floor().queue == (B,)
    room.wait(0.1)
    assert room.floor().offered == (B,)
    room.depart(B, put_out=True)
    assert room.arbiter.deadline is None


def test_a_chair_that_is_put_out_leaves_no_slot_behind() -> None:
    room = Room(FloorRules.for_mode(Mode.OPEN, open_limit=1), [A, HOST])
    room.talk(HOST)
    room.depart(HOST, put_out=True)
    assert isinstance(room.talk(A)[0], FloorGranted)


# --- offers ---------------------------------------------------------------------


def test_an_offer_is_repeated_three_times_and_then_runs_out() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.hand(A)
    room.hand(B)
    room.wait(19.9)
    offers = [each.expires_in_s for each in room.told[A] if isinstance(each, FloorOffered)]
    assert offers == pytest.approx([20, 19, 18, 17])
    room.wait(0.1)
    assert room.last(A, FloorCancelled).cause is CancelCause.OFFER_EXPIRED
    assert room.hand(A) == [FloorCancelled(req="h1", cause=CancelCause.OFFER_EXPIRED)]
    assert room.floor().offered == (B,)
    assert isinstance(room.talk(B)[-1], FloorGranted)


def test_an_offer_that_ran_out_before_a_late_tick_is_not_repeated() -> None:
    room = Room(Mode.FIFO, [A])
    room.hand(A)
    room.forget()
    room.jump(30)
    assert room.told[A] == [FloorCancelled(req="h1", cause=CancelCause.OFFER_EXPIRED)]
    assert room.arbiter.deadline is None


def test_an_offer_can_be_declined() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.hand(A)
    room.hand(B)
    assert room.release(A, "h1") == [FloorReleased(req="h1")]
    assert room.floor().offered == (B,)


def test_an_offered_member_that_leaves_or_is_made_a_listener_passes_the_offer_on() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, listeners_ask=False), [A, B, C])
    for each in (A, B, C):
        room.hand(each)
    room.depart(A)
    assert room.last(A, FloorCancelled).cause is CancelCause.LEFT
    assert room.floor().offered == (B,)
    room.enter(B, Place.LISTENER)
    assert room.last(B, FloorCancelled).cause is CancelCause.BY_HOST
    assert room.floor().offered == (C,)


# --- a hand and a lost connection -----------------------------------------------


def test_a_vanished_hand_keeps_its_place_and_hears_it_on_its_return() -> None:
    room = Room(Mode.FIFO, [A, B, C])
    for each in (A, B, C):
        room.talk(each)
    room.vanish(B)
    room.release(A)
    assert room.floor().queue == (B,)
    assert room.floor().offered == (C,)
    room.wait(15)
    assert room.enter(B) == [FloorQueued(req="t1", position=1)]
    room.depart(C)
    assert room.last(B, FloorOffered).req == "t1"


def test_a_vanished_hand_is_dropped_after_30_s_and_the_member_with_it() -> None:
    room = Room(Mode.MODERATED, [A, B])
    room.hand(A)
    room.hand(B)
    room.vanish(A)
    room.wait(29.9)
    assert room.floor().queue == (A, B)
    room.wait(0.2)
    assert room.last(A, FloorCancelled).cause is CancelCause.LEFT
    assert room.last(B, FloorQueued).position == 1
    assert set(room.members) == {B}


def test_a_vanished_idle_member_stays_known_for_30_s() -> None:
    room = Room(Mode.WALKIE, [A])
    room.vanish(A)
    room.wait(10)
    room.vanish(A)
    room.wait(19.9)
    assert not room.member(A).connected
    room.wait(0.2)
    assert not room.members
    assert room.arbiter.deadline is None


def test_a_member_whose_place_ran_out_before_a_late_tick_is_a_stranger() -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.vanish(A)
    room.now += 40
    room.enter(A)
    assert room.member(A).connected
    room.vanish(A)
    room.now += 40
    assert room.release(A) == [FloorReleased(req="t1")]
    assert set(room.members) == {B}


def test_an_offer_to_one_who_vanished_or_entered_again_goes_back_to_the_head() -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    room.hand(A)
    room.hand(B)
    room.next()
    room.vanish(A)
    assert room.floor().queue == (A, B)
    assert room.last(B, FloorQueued).position == 2
    room.enter(A)
    room.next()
    assert room.floor().offered == (A,)
    assert room.enter(A) == [FloorQueued(req="h1", position=1)]


# --- mute -----------------------------------------------------------------------


def test_mute_closes_the_gate_but_keeps_the_slot_until_the_box_let_go() -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    assert room.mute(A, req="m1") == [FloorReleased(req="t1"), Done(req="m1")]
    assert room.gates == set()
    assert room.floor().talkers == (A,)
    assert room.member(A).muted
    assert room.talk(A) == [FloorReleased(req="t1")]
    room.release(A)
    assert isinstance(room.talk(B)[0], FloorGranted)
    assert room.mute(A, muted=False, req="m2") == [Done(req="m2")]
    assert room.gates == {B}


def test_mute_in_the_grace_ends_the_burst_and_the_slot_frees_itself() -> None:
    room = Room(Mode.WALKIE, [A])
    room.talk(A)
    room.wait(31, speaking=[A])
    room.mute(A)
    assert room.gates == set()
    room.wait(3)
    assert not room.floor().talkers


def test_a_muted_hand_is_kept_and_skipped() -> None:
    room = Room(Mode.FIFO, [A, B, C])
    for each in (A, B, C):
        room.talk(each)
    room.mute(B)
    room.release(A)
    assert room.floor().offered == (C,)
    assert room.floor().queue == (B,)
    assert room.talk(B, "t2") == [FloorDenied(req="t2", cause=DenyCause.MUTED_AT_DEVICE)]
    room.release(C)
    assert not room.floor().offered
    room.mute(B, muted=False)
    assert room.floor().offered == (B,)
    assert room.gates == set()


def test_mute_hands_an_offer_on_and_keeps_the_head_of_the_queue() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.hand(A)
    room.hand(B)
    room.mute(A)
    assert room.told[A][-2:][0] == Done(req="req-1")
    assert room.last(A, FloorQueued).position == 1
    assert room.floor().offered == (B,)


def test_a_muted_member_may_raise_a_hand() -> None:
    room = Room(Mode.FIFO, [A])
    room.mute(A)
    assert room.hand(A) == [FloorQueued(req="h1", position=1)]


def test_a_repeated_status_does_not_undo_a_later_one() -> None:
    room = Room(Mode.OPEN, [A])
    room.mute(A, muted=True, req="m1")
    room.mute(A, muted=False, req="m2")
    assert room.mute(A, muted=True, req="m1") == [Done(req="m1")]
    assert not room.member(A).muted


# --- repetition -----------------------------------------------------------------


def test_the_same_request_four_times_is_one_request() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.talk(B)
    assert [room.talk(A) for _ in range(4)] == [[FloorQueued(req="t1", position=1)]] * 4
    assert room.floor().queue == (A,)


def test_a_release_that_overtakes_its_request_wins() -> None:
    room = Room(Mode.OPEN, [A])
    assert room.release(A) == [FloorReleased(req="t1")]
    assert room.talk(A) == [FloorReleased(req="t1")]
    assert room.release(A) == [FloorReleased(req="t1")]
    assert room.gates == set()


def test_a_denied_request_stays_denied_when_repeated() -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    denied = room.talk(B)
    room.release(A)
    assert room.talk(B) == denied
    assert room.release(B) == [FloorReleased(req="t1")]
    assert room.talk(B) == denied


def test_the_memory_of_ended_requests_is_bounded() -> None:
    room = Room(Mode.OPEN, [A])
    for number in range(REMEMBERED + 1):
        room.release(A, f"r{number}")
    assert room.talk(A, "r1") == [FloorReleased(req="r1")]
    assert isinstance(room.talk(A, "r0")[0], FloorGranted)


def test_a_new_session_starts_with_fresh_names() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    room.release(A)
    room.enter(A)
    assert room.talk(A) == [FloorGranted(req="t1")]


# --- order ----------------------------------------------------------------------


def test_a_hundred_presses_at_once_are_served_in_order_with_positions_that_add_up() -> None:
    boxes = [mid(number) for number in range(0x100, 0x100 + 100)]
    room = Room(Mode.FIFO, boxes)
    room.forget()
    for box in boxes:
        room.talk(box)
    assert isinstance(room.told[boxes[0]][-1], FloorGranted)
    positions = [room.last(box, FloorQueued).position for box in boxes[1:]]
    assert positions == list(range(1, 100))
    assert sum(len(told) for told in room.told.values()) == 100

    dropped = boxes[50]
    room.forget()
    room.release(dropped)
    assert set(room.told) == {dropped, *boxes[51:]}
    assert [room.last(box, FloorQueued).position for box in boxes[51:]] == list(range(50, 99))

    served = [boxes[0]]
    while room.floor().talkers:
        room.release(served[-1], "t1" if len(served) == 1 else "t2")
        for box in room.floor().offered:
            assert isinstance(room.talk(box, "t2")[-1], FloorGranted)
            served.append(box)
    assert served == [box for box in boxes if box != dropped]
    for box in served:
        places = [each.position for each in room.told[box] if isinstance(each, FloorQueued)]
        assert all(before == after + 1 for before, after in pairwise(places))
