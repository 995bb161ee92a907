"""What hosts, co-hosts and the space decide, and what it ends."""

from dataclasses import replace

import pytest

from hub.floor.events import (
    Agreed,
    Amend,
    Clear,
    CloseGate,
    Enter,
    Freeze,
    Hold,
    HoldAll,
    Move,
    Order,
    Priority,
    RequireConsent,
    Restore,
    SetPlace,
    SetRules,
    Tell,
)
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
from stagebox.wire.space import Member
from stagebox.wire.terms import Kind, Mode, Place, Role
from tests.unit.hub.floor_kit import HOST, STRANGER, A, B, C, D, Room, mid, name_of

# What silences A, what its presses are told then, and what lets it talk again.
STOPS: list[tuple[Order, RevokeCause, DenyCause, Order]] = [
    (Hold(A, True), RevokeCause.HOST_HOLD, DenyCause.HELD, Hold(A, False)),
    (HoldAll(True), RevokeCause.HOST_HOLD, DenyCause.FROZEN, HoldAll(False)),
    (Priority(HOST, True), RevokeCause.PRE_EMPTED, DenyCause.FROZEN, Priority(HOST, False)),
    (Freeze(True), RevokeCause.FROZEN, DenyCause.FROZEN, Freeze(False)),
    (RequireConsent(7), RevokeCause.CONSENT_NEEDED, DenyCause.CONSENT_NEEDED, Agreed(A, 7)),
]
BARS_HANDS = (RevokeCause.FROZEN, RevokeCause.CONSENT_NEEDED)
NAMES = [type(stop[0]).__name__ for stop in STOPS]
stops = pytest.mark.parametrize(("stop", "revoke", "deny", "lift"), STOPS, ids=NAMES)


@stops
def test_what_silences_a_talker_closes_its_gate_first_and_it_presses_anew(
    stop: Order, revoke: RevokeCause, deny: DenyCause, lift: Order
) -> None:
    room = Room(Mode.OPEN, [A, HOST])
    room.talk(A)
    room.forget()
    room.order(stop)
    revoked = FloorRevoked(req="t1", cause=revoke)
    assert room.effects == [CloseGate(A), Tell(A, revoked)]
    assert room.arbiter.grant_of(A) is None
    assert room.floor().talkers == (A,)  # until its box or its lease says so
    room.release(A)
    assert room.talk(A, "t2") == [FloorDenied(req="t2", cause=deny)]
    room.order(lift)
    assert room.gates == set()
    assert room.talk(A) == [revoked]
    assert room.talk(A, "t3") == [FloorGranted(req="t3")]


@stops
def test_what_silences_a_member_takes_its_offer_back_and_keeps_its_hand(
    stop: Order, revoke: RevokeCause, deny: DenyCause, lift: Order
) -> None:
    room = Room(Mode.FIFO, [A, B, HOST])
    room.hand(A)
    room.hand(B)
    room.order(stop)
    if isinstance(stop, Hold):
        assert room.floor().offered == (B,)
    else:
        assert not room.floor().offered
        assert room.floor().queue == (A, B)
    assert room.last(A, FloorQueued).position == 1
    room.order(lift)
    room.release(B, "h1")
    assert room.floor().offered == (A,)


@stops
def test_a_hand_may_go_up_while_held_but_not_without_a_host_or_agreement(
    stop: Order, revoke: RevokeCause, deny: DenyCause, lift: Order
) -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    room.order(stop)
    if revoke in BARS_HANDS:
        assert room.hand(A) == [FloorDenied(req="h1", cause=deny)]
        return
    assert room.hand(A) == [FloorQueued(req="h1", position=1)]
    code, detail = refusal(room.call())
    assert code is ErrorCode.NOT_ALLOWED
    assert "held" in detail
    room.order(lift)
    assert room.call() == Done(req="c1")


def refusal(answer: Done | Error) -> tuple[ErrorCode, str]:
    assert isinstance(answer, Error)
    return answer.code, answer.detail


@stops
def test_what_silences_a_member_ends_a_press_that_waits(
    stop: Order, revoke: RevokeCause, deny: DenyCause, lift: Order
) -> None:
    room = Room(FloorRules.for_mode(Mode.WALKIE, override=True), [A, B, HOST])
    room.talk(B)
    room.talk(A)
    assert room.floor().queue == (A,)
    room.order(stop)
    assert room.last(A, FloorCancelled) == FloorCancelled(req="t1", cause=CancelCause.BY_HOST)
    assert not room.floor().queue


@stops
def test_what_silences_a_talker_also_ends_its_grace(
    stop: Order, revoke: RevokeCause, deny: DenyCause, lift: Order
) -> None:
    room = Room(Mode.WALKIE, [A, HOST])
    room.talk(A)
    room.wait(31, speaking=[A])
    assert room.last(A, FloorRevoked).cause is RevokeCause.TOO_LONG
    room.order(stop)
    assert room.last(A, FloorRevoked) == FloorRevoked(req="t1", cause=revoke)
    assert room.gates == set()


# --- hold -----------------------------------------------------------------------


def test_a_hold_is_seen_by_all_and_is_one_members_own() -> None:
    room = Room(Mode.OPEN, [A, B, HOST])
    room.hold(A)
    assert room.member(A).held
    assert not room.floor().held
    assert room.talk(B) == [FloorGranted(req="t1")]


def test_all_are_held_but_chairs() -> None:
    room = Room(Mode.OPEN, [A, B, HOST])
    room.enter(C, Place.COHOST)
    for each in (A, B, C, HOST):
        room.talk(each)
    room.order(HoldAll(True))
    assert room.floor().held
    assert not room.member(A).held
    assert room.gates == {C, HOST}


def test_all_are_held_until_the_last_chair_is_gone_for_good() -> None:
    room = Room(FloorRules.for_mode(Mode.OPEN, keep_place_s=30), [A, HOST])
    room.order(HoldAll(True))
    room.vanish(HOST)
    room.wait(29)
    assert room.floor().held
    room.wait(2)
    assert not room.floor().held
    room.order(HoldAll(True))  # an admin's word, in a floor that has no chair
    room.wait(60)
    assert room.floor().held


def test_a_member_that_becomes_a_chair_is_held_no_longer() -> None:
    room = Room(Mode.OPEN, [A, B])
    for each in (A, B):
        room.hold(each)
    room.place(A, Place.COHOST)
    room.place(B, Place.LISTENER)
    room.place(B, Place.SPEAKER)
    assert (room.member(A).held, room.member(B).held) == (False, True)
    room.hold(A)
    room.place(A, Place.SPEAKER)
    assert room.member(A).held


def test_a_hold_outlives_a_lost_connection() -> None:
    room = Room(Mode.OPEN, [A])
    room.hold(A)
    room.vanish(A)
    room.do(Enter(A, name_of(A), Kind.BOX, Role.GUEST, Place.SPEAKER, held=True))
    assert room.talk(A) == [FloorDenied(req="t1", cause=DenyCause.HELD)]


# --- priority -------------------------------------------------------------------


def test_priority_silences_all_but_a_host_and_who_has_it() -> None:
    room = Room(Mode.OPEN, [A, HOST])
    for each in (B, C):
        room.enter(each, Place.COHOST)
    for each in (A, B, C, HOST):
        room.talk(each)
    room.priority(B)
    assert room.floor().priority == B
    assert room.gates == {B, HOST}
    room.priority(C)
    assert room.gates == {HOST}
    room.priority(HOST)
    room.priority(C)
    assert room.floor().priority == HOST
    room.priority(C, on=False)
    assert room.floor().priority == HOST
    room.priority(HOST, on=False)
    assert room.floor().priority is None


def test_only_a_chair_that_is_there_has_priority() -> None:
    room = Room(Mode.OPEN, [A, HOST])
    for each in (A, STRANGER):
        room.priority(each)
        assert room.floor().priority is None
    room.vanish(HOST)
    room.priority(HOST)
    assert room.floor().priority is None


@pytest.mark.parametrize("how", ["vanish", "depart", "enter", "demote", "let go"])
def test_priority_ends_with_the_chair(how: str) -> None:
    room = Room(Mode.MODERATED, [A, HOST])
    room.hand(A)
    room.priority()
    match how:
        case "vanish":
            room.vanish(HOST)
        case "depart":
            room.depart(HOST)
        case "enter":
            room.enter(HOST)
        case "demote":
            room.place(HOST, Place.SPEAKER)
        case _:
            room.priority(on=False)
    assert room.floor().priority is None
    assert room.call() == Done(req="c1")


@pytest.mark.parametrize("mode", [Mode.WALKIE, Mode.FIFO, Mode.MODERATED])
def test_a_press_under_priority_waits_until_those_it_paused_have_let_go(mode: Mode) -> None:
    room = Room(FloorRules.for_mode(mode, chair_always=False, open_limit=1), [A, B, HOST])
    room.talk(A)
    if mode is Mode.MODERATED:
        room.call()
        room.talk(A)
        room.talk(A, "t2")
    room.priority()
    assert room.talk(HOST) == [FloorQueued(req="t1", position=1)]
    assert room.talk(HOST, "t2")[-1] == FloorQueued(req="t2", position=1)
    assert room.gates == set()
    room.release(A, "t2" if mode is Mode.MODERATED else "t1")
    assert room.last(HOST, FloorGranted).req == "t2"
    assert room.gates == {HOST}


def test_a_press_under_priority_waits_for_one_who_was_put_out() -> None:
    room = Room(Mode.WALKIE, [A, HOST])
    room.talk(A)
    room.priority()
    room.depart(A, put_out=True)
    assert room.talk(HOST) == [FloorQueued(req="t1", position=1)]
    room.wait(3)
    assert room.gates == {HOST}


def test_under_priority_a_chair_of_a_moderated_space_needs_no_call() -> None:
    room = Room(FloorRules.for_mode(Mode.MODERATED, chair_always=False), [HOST])
    assert room.talk(HOST) == [FloorQueued(req="t1", position=1)]
    room.priority()
    assert room.talk(HOST, "t2")[-1] == FloorGranted(req="t2")


def test_a_press_waits_no_longer_than_the_priority_where_others_queue() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, chair_always=False), [A, HOST])
    room.talk(A)
    room.priority()
    room.talk(HOST)
    room.priority(on=False)
    assert room.last(HOST, FloorCancelled).cause is CancelCause.BY_HOST
    assert not room.floor().queue


def test_a_hand_raised_in_place_of_a_press_that_waits_opens_nothing() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, chair_always=False), [A, HOST])
    room.talk(A)
    room.priority()
    room.talk(HOST)
    assert room.hand(HOST) == [FloorReleased(req="t1"), FloorQueued(req="h1", position=1)]
    room.release(A)
    assert room.last(HOST, FloorOffered).req == "h1"
    assert room.gates == set()


def test_a_cohosts_priority_takes_nothing_from_the_host() -> None:
    room = Room(Mode.WALKIE, [HOST])
    room.enter(B, Place.COHOST)
    room.talk(HOST)
    room.priority(B)
    assert room.talk(B) == [
        FloorDenied(req="t1", cause=DenyCause.FLOOR_TAKEN, holder=name_of(HOST))
    ]
    assert room.gates == {HOST}


# --- freeze ---------------------------------------------------------------------


def test_in_a_frozen_space_chairs_are_silent_too_and_nobody_is_called() -> None:
    room = Room(Mode.MODERATED, [A, HOST])
    room.talk(HOST)
    room.hand(A)
    room.order(Freeze(True))
    assert room.last(HOST, FloorRevoked).cause is RevokeCause.FROZEN
    assert room.gates == set()
    assert room.floor().queue == (A,)
    assert refusal(room.call())[0] is ErrorCode.NOT_LIVE
    assert room.talk(HOST, "t2") == [FloorDenied(req="t2", cause=DenyCause.FROZEN)]
    assert room.hand(A) == [FloorQueued(req="h1", position=1)]
    assert room.release(A, "h1") == [FloorReleased(req="h1")]


def test_offers_that_are_taken_back_together_keep_their_order() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, open_limit=3), [D, C, B, A])
    for each in (A, B, C, D):
        room.hand(each)
    room.order(Freeze(True))
    assert room.floor().queue == (A, B, C, D)
    room.order(Freeze(False))
    assert room.floor().offered == (A, B, C)


# --- recording ------------------------------------------------------------------


def test_who_agreed_to_this_version_talks_on() -> None:
    room = Room(Mode.OPEN, [A, B, HOST])
    for each, version in ((A, 1), (B, 2), (HOST, 1)):
        room.order(Agreed(each, version))
        room.talk(each)
    assert room.gates == {A, B, HOST}
    room.order(RequireConsent(2))
    assert room.gates == {B}
    room.order(Agreed(B, 0))
    assert room.gates == set()
    room.release(B)
    room.order(RequireConsent(0))
    assert room.talk(B, "t2") == [FloorGranted(req="t2")]


def test_an_offer_waits_for_agreement() -> None:
    room = Room(Mode.FIFO, [A])
    room.hand(A)
    room.order(RequireConsent(1))
    assert not room.floor().offered
    room.order(Agreed(A, 1))
    assert room.floor().offered == (A,)


def test_agreement_may_be_brought_along() -> None:
    room = Room(Mode.OPEN)
    room.order(RequireConsent(3))
    room.do(Enter(A, "Anna", Kind.BOX, Role.GUEST, Place.SPEAKER, 3, True, False, 150))
    member = room.member(A)
    assert (member.agreed, member.captioned, member.volume) == (3, True, 150)
    assert room.talk(A) == [FloorGranted(req="t1")]


# --- hands ----------------------------------------------------------------------


def queue_of(count: int, mode: Mode = Mode.MODERATED) -> tuple[Room, list[str]]:
    boxes = [mid(number) for number in range(0x100, 0x100 + count)]
    room = Room(mode, [HOST, *boxes])
    for box in boxes:
        room.hand(box)
    room.forget()
    return room, boxes


def test_a_hand_taken_down_in_the_middle_moves_those_behind_by_one() -> None:
    room, boxes = queue_of(100)
    room.order(Clear(boxes[49]))
    cancelled = FloorCancelled(req="h1", cause=CancelCause.BY_HOST)
    assert room.told.pop(boxes[49]) == [cancelled]
    assert set(room.told) == set(boxes[50:])
    assert [room.last(box, FloorQueued).position for box in boxes[50:]] == [*range(50, 100)]


def test_all_hands_are_taken_down_but_an_offer_stands() -> None:
    room, boxes = queue_of(3)
    room.call()
    room.order(Clear())
    assert room.floor().queue == ()
    assert room.floor().offered == (boxes[0],)
    room.order(Clear(boxes[0]), Clear(boxes[0]), Clear(STRANGER))
    assert room.floor().offered == ()
    assert room.last(boxes[0], FloorCancelled).cause is CancelCause.BY_HOST


def test_clearing_does_not_close_a_microphone() -> None:
    room = Room(Mode.FIFO, [A])
    room.talk(A)
    room.order(Clear(A), Clear())
    assert room.gates == {A}


@pytest.mark.parametrize(
    ("move", "order"),
    [
        ((3, 1), [3, 0, 1, 2]),
        ((0, 3), [1, 2, 0, 3]),
        ((1, 99), [0, 2, 3, 1]),
        ((2, 3), [0, 1, 2, 3]),
        ((3, 0), [3, 0, 1, 2]),
    ],
)
def test_a_hand_is_moved_and_all_concerned_hear_where_they_stand(
    move: tuple[int, int], order: list[int]
) -> None:
    room, boxes = queue_of(4)
    room.order(Move(boxes[move[0]], move[1]))
    assert room.floor().queue == tuple(boxes[each] for each in order)
    moved = [boxes[each] for place, each in enumerate(order) if each != place]
    assert set(room.told) == set(moved)


def test_who_does_not_wait_is_not_moved() -> None:
    room = Room(Mode.FIFO, [A, B])
    room.talk(A)
    room.hand(B)
    room.order(Move(A, 1), Move(STRANGER, 1))
    assert room.floor().queue == (B,)
    assert room.floor().talkers == (A,)


# --- places ---------------------------------------------------------------------


def test_a_talker_that_leaves_the_stage_is_closed_at_once() -> None:
    room = Room(Mode.WALKIE, [A, B])
    room.talk(A)
    room.place(A, Place.LISTENER)
    assert room.last(A, FloorRevoked) == FloorRevoked(req="t1", cause=RevokeCause.LEFT_STAGE)
    assert room.gates == set()
    assert isinstance(room.talk(B)[0], FloorDenied)
    room.release(A)
    assert isinstance(room.talk(B, "t2")[0], FloorGranted)


@pytest.mark.parametrize("call", [False, True])
def test_who_leaves_the_stage_takes_its_hand_down(call: bool) -> None:
    room = Room(Mode.MODERATED, [A, HOST])
    room.hand(A)
    if call:
        room.call()
    room.place(A, Place.LISTENER)
    assert room.last(A, FloorCancelled) == FloorCancelled(req="h1", cause=CancelCause.LEFT)
    assert room.hand(A, "h2") == [FloorQueued(req="h2", position=1)]


def test_a_listener_keeps_its_hand_on_its_way_to_the_stage() -> None:
    room = Room(Mode.MODERATED)
    room.enter(A, Place.LISTENER)
    room.hand(A)
    room.place(A, Place.SPEAKER)
    assert room.floor().queue == (A,)


def test_a_smart_speaker_and_a_stranger_get_no_place() -> None:
    room = Room(Mode.OPEN)
    room.enter(A, role=Role.SPEAKER)
    for each in (A, STRANGER):
        room.place(each, Place.HOST)
    assert room.member(A).place is Place.LISTENER
    assert set(room.members) == {A}


def test_the_talk_limit_ends_and_begins_with_the_chair() -> None:
    room = Room(Mode.WALKIE, [A])
    room.talk(A)
    room.wait(10, speaking=[A])
    room.place(A, Place.COHOST)
    assert room.last(A, FloorGranted) == FloorGranted(req="t1")
    room.place(A, Place.HOST)
    room.wait(100, speaking=[A])
    room.place(A, Place.SPEAKER)
    assert room.last(A, FloorGranted) == FloorGranted(req="t1", duration_s=30)
    room.wait(30, speaking=[A])
    assert room.last(A, FloorRevoked).cause is RevokeCause.TOO_LONG


def test_a_chair_that_is_one_no_longer_talks_on_and_takes_a_slot() -> None:
    room = Room(FloorRules.for_mode(Mode.OPEN, open_limit=1), [A, B, HOST])
    room.talk(HOST)
    room.talk(A)
    room.place(HOST, Place.SPEAKER)
    assert room.gates == {A, HOST}
    assert room.had_excess
    room.release(A)
    assert isinstance(room.talk(B)[0], FloorDenied)
    room.release(HOST)
    assert isinstance(room.talk(B, "t2")[0], FloorGranted)


# --- rules ----------------------------------------------------------------------


def test_a_lower_limit_closes_nobody_and_opens_nothing_until_they_are_done() -> None:
    room = Room(FloorRules.for_mode(Mode.OPEN, open_limit=3), [A, B, C, D])
    for each in (A, B, C):
        room.talk(each)
    room.order(SetRules(replace(room.rules, open_limit=1)))
    assert room.floor().open_limit == 1
    assert room.gates == {A, B, C}
    for each in (A, B):
        room.release(each)
        assert isinstance(room.talk(D, room.new_req())[0], FloorDenied)
    room.release(C)
    assert isinstance(room.talk(D)[0], FloorGranted)


def test_a_lower_limit_takes_offers_back_in_their_order() -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, open_limit=3), [A, B, C, D])
    for each in (A, B, C, D):
        room.hand(each)
    assert room.floor().offered == (A, B, C)
    room.order(SetRules(replace(room.rules, open_limit=1)))
    assert room.floor().offered == (A,)
    assert room.floor().queue == (B, C, D)
    room.order(SetRules(replace(room.rules, open_limit=2)))
    assert room.floor().offered == (A, B)


def test_a_talk_limit_holds_for_those_who_talk_from_now_on() -> None:
    room = Room(Mode.OPEN, [A, B])
    room.talk(A)
    room.order(SetRules(replace(room.rules, talk_limit_s=10)))
    assert room.floor().talk_limit_s == 10
    room.talk(B)
    room.wait(10, speaking=[A, B])
    assert isinstance(room.told[B][-1], FloorRevoked)
    assert isinstance(room.told[A][-1], FloorGranted)


@pytest.mark.parametrize("mode", [Mode.WALKIE, Mode.OPEN, Mode.STAGE])
def test_a_mode_without_a_queue_takes_hands_down_and_lets_talkers_go_on(mode: Mode) -> None:
    room = Room(FloorRules.for_mode(Mode.FIFO, open_limit=2), [A, B, C])
    room.talk(A)
    room.hand(B)
    room.hand(C)
    assert room.floor().offered == (B,)
    room.order(SetRules(FloorRules.for_mode(mode)))
    for each in (B, C):
        assert room.last(each, FloorCancelled).cause is CancelCause.BY_HOST
    assert room.floor().mode is mode
    assert room.gates == {A}
    assert not room.floor().offered


def test_between_modes_with_a_queue_everybody_keeps_what_it_has() -> None:
    room = Room(Mode.MODERATED, [A, B, HOST])
    for each in (A, B):
        room.hand(each)
    room.call()
    room.forget()
    room.order(SetRules(FloorRules.for_mode(Mode.FIFO)))
    assert room.floor().offered == (A,)
    assert room.floor().queue == (B,)
    assert not room.told


def test_a_mode_with_a_queue_knows_no_press_that_waits() -> None:
    room = Room(FloorRules.for_mode(Mode.WALKIE, override=True), [A, B])
    room.talk(A)
    room.talk(B)
    room.order(SetRules(FloorRules.for_mode(Mode.MODERATED)))
    assert room.last(B, FloorCancelled).cause is CancelCause.BY_HOST
    room.release(A)
    assert room.gates == set()


def test_a_press_that_waits_gets_a_slot_that_is_added() -> None:
    room = Room(FloorRules.for_mode(Mode.WALKIE, override=True), [A, B])
    room.talk(A)
    room.talk(B)
    room.order(SetRules(FloorRules.for_mode(Mode.OPEN)))
    assert room.last(B, FloorGranted).req == "t1"


def test_listeners_lose_their_hands_when_they_may_no_longer_ask() -> None:
    room = Room(Mode.MODERATED, [B])
    room.enter(A, Place.LISTENER)
    for each in (A, B):
        room.hand(each)
    room.order(SetRules(replace(room.rules, listeners_ask=False)))
    assert room.last(A, FloorCancelled).cause is CancelCause.BY_HOST
    assert room.floor().queue == (B,)


# --- the rest -------------------------------------------------------------------


def test_how_a_member_is_listed_changes_by_what_is_given() -> None:
    room = Room(Mode.OPEN, [A])
    before = room.member(A)
    room.order(Amend(A), Amend(STRANGER, volume=3))
    assert room.member(A) == before
    room.order(Amend(A, captioned=True), Amend(A, volume=0), Amend(A, name="Anna"))
    member = room.member(A)
    assert (member.captioned, member.volume, member.name) == (True, 0, "Anna")


def test_the_floor_tells_since_when_each_talks() -> None:
    room = Room(Mode.OPEN, [A, B])
    room.talk(A)
    room.wait(2, speaking=[A])
    room.talk(B)
    assert room.floor().since == (1000, 1002)


def restored(member_id: str, place: Place = Place.SPEAKER, role: Role = Role.GUEST) -> Member:
    return Member(id=member_id, name=name_of(member_id), kind=Kind.BOX, place=place, role=role)


def test_restored_hands_keep_their_order_and_hear_it_on_their_return() -> None:
    room = Room(Mode.FIFO)
    room.order(Restore(restored(C), "c9"), Restore(restored(A), "a9"), Restore(restored(B), "b9"))
    assert room.floor().queue == (C, A, B)
    assert room.arbiter.member(C) == room.member(C)
    assert room.arbiter.member(STRANGER) is None
    assert room.arbiter.hands() == ((C, "c9"), (A, "a9"), (B, "b9"))
    assert not room.told
    assert not any(member.connected for member in room.members.values())
    assert room.enter(B) == [FloorOffered(req="b9", expires_in_s=20)]
    assert room.arbiter.hands() == ((B, "b9"), (C, "c9"), (A, "a9"))
    room.release(B, "b9")
    assert room.enter(A) == [FloorOffered(req="a9", expires_in_s=20)]
    assert room.enter(C) == [FloorQueued(req="c9", position=1)]


def test_a_restored_member_keeps_what_it_had_and_is_forgotten_in_time() -> None:
    room = Room(Mode.MODERATED, [B])
    held = restored(A, Place.COHOST)
    room.order(Restore(held), Restore(restored(B), "b9"))
    assert room.member(A).place is Place.COHOST
    assert room.member(B).connected
    assert not room.floor().queue
    room.wait(30.1)
    assert set(room.members) == {B}


@pytest.mark.parametrize("mode", [Mode.MODERATED, Mode.WALKIE])
def test_only_who_may_have_a_hand_up_gets_it_back(mode: Mode) -> None:
    room = Room(FloorRules.for_mode(mode, listeners_ask=False))
    room.order(
        Restore(restored(A, Place.LISTENER), "a9"),
        Restore(restored(B, Place.LISTENER, Role.SPEAKER), "b9"),
        Restore(restored(C), "c9"),
    )
    assert room.floor().queue == ((C,) if mode is Mode.MODERATED else ())
    assert set(room.members) == {A, B, C}


def test_orders_about_strangers_change_nothing() -> None:
    room = Room(Mode.FIFO, [A])
    room.forget()
    before = room.floor()
    room.order(Hold(STRANGER, True), Agreed(STRANGER, 1), SetPlace(STRANGER, Place.HOST))
    assert room.floor() == before
    assert not room.effects
