"""What each mode answers to a press or a raised hand."""

from collections.abc import Callable

import pytest

from hub.floor.events import OpenGate, Tell
from hub.floor.rules import FloorRules
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import (
    Done,
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
)
from stagebox.wire.terms import Mode, Place, Role
from tests.unit.hub.floor_kit import HOST, STRANGER, A, B, C, D, Room, name_of

QUEUEING = (Mode.FIFO, Mode.MODERATED)
PRESSING = (Mode.WALKIE, Mode.OPEN, Mode.STAGE)


# --- walkie and open ------------------------------------------------------------


def test_walkie_grants_a_press_and_opens_the_gate_first() -> None:
    room = Room(Mode.WALKIE, [A, B])
    assert room.talk(A) == [FloorGranted(req="t1", duration_s=30)]
    at = room.effects.index(OpenGate(A))
    assert room.effects[at + 1] == Tell(A, FloorGranted(req="t1", duration_s=30))
    assert room.floor().talkers == (A,)
    assert room.arbiter.grant_of(A) == "t1"
    assert room.arbiter.grant_of(B) is None
    assert room.arbiter.grant_of(STRANGER) is None


def test_walkie_is_busy_for_everybody_else_and_says_who_talks() -> None:
    room = Room(Mode.WALKIE, [A, B, HOST])
    room.talk(A)
    denied = FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN, holder=name_of(A))
    assert room.talk(B) == [denied]
    assert room.talk(HOST) == [denied]
    room.release(A)
    assert room.talk(B, "t2") == [FloorGranted(req="t2", duration_s=30)]


@pytest.mark.parametrize("mode", PRESSING)
def test_without_a_queue_a_hand_is_refused(mode: Mode) -> None:
    room = Room(mode, [A])
    assert room.hand(A) == [FloorDenied(req="h1", cause=DenyCause.HANDS_OFF)]


def test_open_lets_as_many_talk_as_there_are_slots_and_names_the_longest_talker() -> None:
    room = Room(FloorRules.for_mode(Mode.OPEN, open_limit=2), [A, B, C])
    assert room.talk(A) == [FloorGranted(req="t1")]
    assert room.talk(B) == [FloorGranted(req="t1")]
    assert room.talk(C) == [FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN, holder=name_of(A))]
    assert room.floor().talkers == (A, B)


@pytest.mark.parametrize("mode", [Mode.OPEN, *QUEUEING])
def test_a_chair_may_always_talk_and_takes_no_slot(mode: Mode) -> None:
    room = Room(FloorRules.for_mode(mode, open_limit=1, talk_limit_s=60), [A, HOST])
    assert room.talk(HOST) == [FloorGranted(req="t1")]
    if mode is Mode.MODERATED:
        room.hand(A)
        room.next()
    assert room.talk(A, "t2")[-1] == FloorGranted(req="t2", duration_s=60)
    room.release(HOST)
    assert room.talk(HOST, "t3") == [FloorGranted(req="t3")]
    assert set(room.floor().talkers) == {A, HOST}


# --- override -------------------------------------------------------------------


def override_room(limit: int = 1) -> Room:
    return Room(FloorRules.for_mode(Mode.WALKIE, open_limit=limit, override=True), [A, B, C])


def test_a_break_in_waits_until_the_old_microphone_is_closed() -> None:
    room = override_room()
    room.talk(A)
    assert room.talk(B) == [FloorQueued(req="t1", position=1)]
    assert room.last(A, FloorRevoked).cause is RevokeCause.PRE_EMPTED
    assert room.gates == set()
    assert room.arbiter.grant_of(A) is None
    room.release(A)
    assert room.last(B, FloorGranted).req == "t1"
    assert room.gates == {B}


def test_a_break_in_on_a_lost_talker_comes_when_its_lease_is_over() -> None:
    room = override_room()
    room.talk(A)
    room.wait(0.5)
    room.talk(B)
    room.wait(2.99)
    assert room.gates == set()
    room.wait(0.02)
    assert room.gates == {B}


def test_a_break_in_takes_the_floor_from_the_longest_talker() -> None:
    room = override_room(limit=2)
    room.talk(A)
    room.talk(B)
    room.talk(C)
    assert room.gates == {B}
    assert room.floor().talkers == (A, B)
    assert room.floor().queue == (C,)


def test_only_one_can_break_in_on_one_talker() -> None:
    room = override_room()
    room.talk(A)
    room.talk(B)
    assert room.talk(C) == [FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN, holder=name_of(A))]


def test_a_second_press_keeps_the_break_in() -> None:
    room = override_room()
    room.talk(A)
    room.talk(B)
    assert room.talk(B, "t2") == [FloorReleased(req="t1"), FloorQueued(req="t2", position=1)]
    assert room.talk(B, "t2") == [FloorQueued(req="t2", position=1)]


def test_a_break_in_ends_when_the_finger_goes_up() -> None:
    room = override_room()
    room.talk(A)
    room.talk(B)
    assert room.release(B) == [FloorReleased(req="t1")]
    assert not room.floor().queue
    room.release(A)
    assert room.gates == set()


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (lambda room: room.mute(B), CancelCause.BY_SELF),
        (lambda room: room.vanish(B), CancelCause.LEFT),
        (lambda room: room.enter(B), CancelCause.LEFT),
        (lambda room: room.depart(B), CancelCause.LEFT),
    ],
)
def test_a_break_in_does_not_outlive_the_box_that_asked(
    end: Callable[[Room], object], cause: CancelCause
) -> None:
    room = override_room()
    room.talk(A)
    room.talk(B)
    end(room)
    assert FloorCancelled(req="t1", cause=cause) in room.told[B]
    assert not room.floor().queue
    room.release(A)
    assert room.gates == set()


def test_a_break_in_also_ends_a_grace() -> None:
    room = override_room()
    room.talk(A)
    room.wait(31, speaking=[A])
    assert room.last(A, FloorRevoked).cause is RevokeCause.TOO_LONG
    assert room.gates == {A}
    room.talk(B)
    assert room.last(A, FloorRevoked).cause is RevokeCause.PRE_EMPTED
    assert room.gates == set()


# --- fifo -----------------------------------------------------------------------


def test_fifo_grants_a_press_on_an_idle_floor() -> None:
    room = Room(Mode.FIFO, [A, B])
    assert room.talk(A) == [FloorGranted(req="t1", duration_s=120)]
    assert room.talk(B) == [FloorQueued(req="t1", position=1)]


def test_fifo_offers_a_hand_an_idle_floor() -> None:
    room = Room(Mode.FIFO, [A, B])
    assert room.hand(A) == [FloorOffered(req="h1", expires_in_s=20)]
    assert room.floor().offered == (A,)
    assert room.gates == set()
    assert room.talk(B) == [FloorQueued(req="t1", position=1)]
    assert room.talk(A) == [
        FloorReleased(req="h1"),
        FloorGranted(req="t1", duration_s=120),
    ]


def test_fifo_offers_the_floor_to_the_next_and_tells_the_rest_where_they_stand() -> None:
    room = Room(Mode.FIFO, [A, B, C, D])
    for each in (A, B, C, D):
        room.talk(each)
    room.forget()
    room.release(A)
    assert room.told[B] == [FloorOffered(req="t1", expires_in_s=20)]
    assert room.told[C] == [FloorQueued(req="t1", position=1)]
    assert room.told[D] == [FloorQueued(req="t1", position=2)]
    assert room.gates == set()


def test_a_withdrawal_in_the_middle_moves_only_those_behind() -> None:
    room = Room(Mode.FIFO, [A, B, C, D])
    for each in (A, B, C, D):
        room.talk(each)
    room.forget()
    assert room.release(C) == [FloorReleased(req="t1")]
    assert room.told[B] == []
    assert room.told[D] == [FloorQueued(req="t1", position=2)]


def test_a_repeated_press_takes_up_nothing_that_was_offered_since() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.talk(A)
    room.talk(B)
    room.release(A)
    assert room.talk(B) == [FloorOffered(req="t1", expires_in_s=20)]
    assert room.gates == set()


def test_a_hand_raised_again_keeps_offer_and_place() -> None:
    room = Room(Mode.FIFO, [A, B, C])
    room.hand(A)
    assert room.hand(A, "h2") == [
        FloorReleased(req="h1"),
        FloorOffered(req="h2", expires_in_s=20),
    ]
    room.hand(B)
    room.hand(C)
    assert room.hand(B, "h2") == [FloorReleased(req="h1"), FloorQueued(req="h2", position=1)]
    assert room.talk(B, "t3") == [FloorReleased(req="h2"), FloorQueued(req="t3", position=1)]
    assert room.release(B, "h2") == [FloorReleased(req="h2")]
    assert room.floor().queue == (B, C)


def test_a_full_queue_refuses() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, queue_limit=1), [A, B, C])
    room.talk(A)
    room.talk(B)
    assert room.talk(C) == [FloorDenied(req="t1", cause=DenyCause.QUEUE_FULL)]
    assert room.talk(B, "t2")[-1] == FloorQueued(req="t2", position=1)


def test_the_host_gets_an_offer_beside_the_talker_when_it_raises_a_hand() -> None:
    room = Room(Mode.FIFO, [A, HOST])
    room.talk(A)
    assert room.hand(HOST) == [FloorOffered(req="h1", expires_in_s=20)]


# --- moderated ------------------------------------------------------------------


def test_moderated_waits_for_the_host() -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    assert room.talk(A) == [FloorQueued(req="t1", position=1)]
    assert room.hand(B) == [FloorQueued(req="h1", position=2)]
    room.wait(60)
    assert room.floor().queue == (A, B)
    assert room.next(req="n1") == [Done(req="n1")]
    assert room.last(A, FloorOffered).req == "t1"
    assert room.last(B, FloorQueued).position == 1
    assert room.talk(A, "t2")[-1] == FloorGranted(req="t2", duration_s=120)


def test_the_host_may_call_out_of_order() -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    room.hand(A)
    room.hand(B)
    room.next(B)
    assert room.floor().offered == (B,)
    assert room.floor().queue == (A,)


def test_a_cohost_may_call_and_talks_over_a_raised_hand() -> None:
    room = Room(Mode.MODERATED, [A])
    room.enter(B, Place.COHOST)
    room.hand(A)
    room.next(by=B)
    assert room.floor().offered == (A,)
    room.hand(B)
    assert room.floor().queue == (B,)
    assert room.talk(B) == [FloorReleased(req="h1"), FloorGranted(req="t1")]
    assert not room.floor().queue


def error(answers: list[object]) -> tuple[ErrorCode, str]:
    (answer,) = answers
    assert isinstance(answer, Error)
    return answer.code, answer.detail


def test_next_says_what_is_wrong() -> None:
    room = Room(FloorRules.for_mode(Mode.MODERATED, open_limit=1), [A, B, C, HOST])
    assert error([*room.next(by=A)])[0] is ErrorCode.NOT_ALLOWED
    assert error([*room.next(req="1")]) == (ErrorCode.QUEUE_EMPTY, "Nobody is waiting.")
    assert error([*room.next(STRANGER, req="2")])[0] is ErrorCode.NO_SUCH_MEMBER
    assert "no hand up" in error([*room.next(A, req="3")])[1]
    room.hand(A)
    room.mute(A)
    assert "That member is away, muted" in error([*room.next(A, req="4")])[1]
    code, detail = error([*room.next(req="5")])
    assert code is ErrorCode.NOT_ALLOWED
    assert "Those who wait are away, muted" in detail
    room.hand(B)
    room.hand(C)
    assert room.next(req="6") == [Done(req="6")]
    assert room.floor().offered == (B,)
    code, detail = error([*room.next(req="7")])
    assert code is ErrorCode.NOT_ALLOWED
    assert "taken or offered" in detail


@pytest.mark.parametrize("mode", PRESSING)
def test_next_means_nothing_without_a_queue(mode: Mode) -> None:
    code, detail = error([*Room(mode, [HOST]).next()])
    assert code is ErrorCode.HANDS_OFF
    assert mode in detail


def test_a_repeated_next_calls_only_once() -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    room.hand(A)
    room.hand(B)
    assert room.next(req="n") == room.next(req="n") == [Done(req="n")]
    assert room.floor().queue == (B,)


# --- stage ----------------------------------------------------------------------


def test_on_a_stage_the_invited_talk_whenever_they_like() -> None:
    room = Room(FloorRules.for_mode(Mode.STAGE, open_limit=2), [A, B, C, HOST])
    assert room.talk(A) == [FloorGranted(req="t1")]
    assert room.talk(B) == [FloorGranted(req="t1")]
    assert room.talk(HOST) == [FloorGranted(req="t1")]
    assert room.talk(C) == [FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN, holder=name_of(A))]


# --- listeners who ask ----------------------------------------------------------


def test_a_listener_that_is_called_comes_on_the_stage() -> None:
    room = Room(Mode.MODERATED, [HOST])
    room.enter(A, Place.LISTENER)
    assert room.talk(A) == [FloorQueued(req="t1", position=1)]
    assert room.member(A).place is Place.LISTENER
    room.next()
    assert room.member(A).place is Place.SPEAKER
    assert room.last(A, FloorOffered).req == "t1"
    assert room.talk(A, "t2")[-1] == FloorGranted(req="t2", duration_s=120)


def test_in_a_queue_that_moves_by_itself_a_listener_presses_twice() -> None:
    room = Room(Mode.FIFO)
    room.enter(A, Place.LISTENER)
    assert room.talk(A) == [FloorOffered(req="t1", expires_in_s=20)]
    assert room.gates == set()
    assert room.member(A).place is Place.SPEAKER
    assert isinstance(room.talk(A, "t2")[-1], FloorGranted)


def test_a_full_stage_takes_no_listener_and_its_hand_stays_up() -> None:
    room = Room(FloorRules.for_mode(Mode.MODERATED, stage_limit=2), [B, HOST])
    room.enter(A, Place.LISTENER)
    room.hand(A)
    room.hand(B)
    for target in (None, A):
        code, detail = error([*room.next(target)])
        assert code is ErrorCode.STAGE_FULL
        assert "it takes 2" in detail
    assert room.floor().queue == (A, B)
    room.next(B)
    assert room.floor().offered == (B,)


def test_a_full_stage_lets_a_queue_that_moves_by_itself_pass_by() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, stage_limit=2), [B, C])
    room.talk(C)
    room.enter(A, Place.LISTENER)
    room.hand(A)
    room.hand(B)
    room.release(C)
    assert room.floor().offered == (B,)
    assert room.floor().queue == (A,)
    room.depart(C)
    room.release(B, "h1")
    assert room.floor().offered == (A,)


def test_who_waits_to_return_keeps_its_place_on_the_stage() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, stage_limit=1), [B])
    room.vanish(B)
    room.enter(A, Place.LISTENER)
    assert room.hand(A) == [FloorQueued(req="h1", position=1)]
    room.wait(30.1)
    assert room.floor().offered == (A,)


def test_a_listener_that_starts_anew_keeps_its_hand() -> None:
    room = Room(Mode.MODERATED, [HOST])
    room.enter(A, Place.LISTENER)
    room.hand(A)
    assert room.enter(A, Place.LISTENER) == [FloorQueued(req="h1", position=1)]


# --- who may not ----------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
def test_a_smart_speaker_is_a_listener_that_may_ask_for_nothing(mode: Mode) -> None:
    room = Room(mode)
    room.enter(B, Place.HOST, Role.SPEAKER)
    assert room.member(B).place is Place.LISTENER
    assert room.talk(B) == [FloorDenied(req="t1", cause=DenyCause.RECEIVE_ONLY)]
    assert room.hand(B) == [FloorDenied(req="h1", cause=DenyCause.RECEIVE_ONLY)]


@pytest.mark.parametrize("mode", PRESSING)
def test_without_a_queue_a_listener_is_not_invited(mode: Mode) -> None:
    room = Room(mode)
    room.enter(A, Place.LISTENER)
    assert room.talk(A) == [FloorDenied(req="t1", cause=DenyCause.NOT_INVITED)]
    assert room.hand(A) == [FloorDenied(req="h1", cause=DenyCause.NOT_INVITED)]


@pytest.mark.parametrize("mode", QUEUEING)
def test_where_only_the_invited_speak_a_listener_has_no_hand(mode: Mode) -> None:
    room = Room(FloorRules.for_mode(mode, listeners_ask=False))
    room.enter(A, Place.LISTENER)
    assert room.talk(A) == [FloorDenied(req="t1", cause=DenyCause.NOT_INVITED)]
    assert room.hand(A) == [FloorDenied(req="h1", cause=DenyCause.NOT_INVITED)]


def test_who_is_not_in_the_space_is_told_so_and_may_still_release() -> None:
    room = Room(Mode.FIFO, [A])
    room.vanish(A)
    for each in (A, STRANGER):
        for answers in (room.talk(each), room.next(by=each), room.mute(each)):
            assert error([*answers])[0] is ErrorCode.NOT_IN_SPACE
        assert room.release(each) == [FloorReleased(req="t1")]
    room.depart(STRANGER)
    room.vanish(STRANGER)
    room.spoke(STRANGER)
    assert room.told[STRANGER][-1] == FloorReleased(req="t1")


def test_a_second_request_beside_an_open_microphone_is_refused() -> None:
    room = Room(Mode.OPEN, [A])
    room.talk(A)
    assert room.talk(A, "t2") == [
        FloorDenied(req="t2", cause=DenyCause.FLOOR_TAKEN, holder=name_of(A))
    ]
    assert room.arbiter.grant_of(A) == "t1"
