"""Who may do what: every act by every place, in every state of a space."""

from typing import Any, get_args

import pytest

from hub.spaces.lifecycle import OVER
from hub.spaces.rights import RIGHTS, Actor
from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    InviteNew,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceCancel,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import Mark, Mode, Place, Role, SpaceState
from tests.unit.hub.spaces_kit import ADMIN, HOST, A, B, C, D, Hall, fresh

E = ErrorCode
# Each act as a listener, a speaker, a co-host and the host would be answered, on a speaker
# with a hand up (``B``) in a live space in which nothing else goes on; None: done.
CHAIRS: tuple[Any, ...] = (E.NOT_ALLOWED, E.NOT_ALLOWED, None, None)
EVERYBODY: tuple[Any, ...] = (None, None, None, None)
CASES: list[tuple[type[Act], dict[str, Any], tuple[Any, ...]]] = [
    (FloorNext, {}, CHAIRS),
    (FloorNext, {"member": B}, CHAIRS),
    (FloorHold, {"on": True}, CHAIRS),
    (FloorHold, {"on": True, "member": B}, CHAIRS),
    (FloorPriority, {"on": True}, CHAIRS),
    (FloorClear, {}, CHAIRS),
    (FloorClear, {"member": B}, CHAIRS),
    (FloorMove, {"member": B, "position": 1}, CHAIRS),
    (MemberPlace, {"member": B, "place": Place.LISTENER}, CHAIRS),
    (MemberPlace, {"member": B, "place": Place.SPEAKER}, EVERYBODY),  # so it is already
    (
        MemberPlace,
        {"member": B, "place": Place.COHOST},
        (E.NOT_ALLOWED, E.NOT_ALLOWED, E.ONLY_HOST, None),
    ),
    (
        MemberPlace,
        {"member": B, "place": Place.HOST},
        (E.NOT_ALLOWED, E.NOT_ALLOWED, E.ONLY_HOST, None),
    ),
    (MemberVolume, {"member": B, "volume": 50}, CHAIRS),
    (MemberRemove, {"member": B}, CHAIRS),
    (MemberRemove, {"member": B, "block": True}, CHAIRS),
    (MemberUnblock, {"member": B}, (E.NOT_ALLOWED, E.NOT_ALLOWED, *[E.NO_SUCH_MEMBER] * 2)),
    (SpaceEdit, {"topic": "News"}, CHAIRS),
    (SpaceStart, {}, (E.ONLY_HOST, E.ONLY_HOST, E.ONLY_HOST, E.ALREADY_LIVE)),
    (SpaceEnd, {}, (E.ONLY_HOST, E.ONLY_HOST, E.ONLY_HOST, None)),
    (SpaceCancel, {}, (E.ONLY_HOST, E.ONLY_HOST, E.ONLY_HOST, E.ALREADY_LIVE)),
    (InviteNew, {}, CHAIRS),
    (InviteNew, {"place": Place.COHOST}, (E.NOT_ALLOWED, E.NOT_ALLOWED, E.ONLY_HOST, None)),
    (InviteNew, {"place": Place.HOST}, (E.NOT_ALLOWED, E.NOT_ALLOWED, E.BAD_VALUE, E.BAD_VALUE)),
    (
        InviteRevoke,
        {"token": "token-of-nobody-"},
        (E.NOT_ALLOWED, E.NOT_ALLOWED, E.BAD_INVITE, E.BAD_INVITE),
    ),
    (PinAdd, {"text": "Hello"}, CHAIRS),
    (PinRemove, {"id": 9}, (E.NOT_ALLOWED, E.NOT_ALLOWED, E.NO_SUCH_PIN, E.NO_SUCH_PIN)),
    (React, {"mark": Mark.CLAP}, EVERYBODY),
    (RecordSet, {"on": True}, CHAIRS),
    (Agree, {"captions": True}, EVERYBODY),
    (Agree, {"recording": 7}, (E.BAD_VALUE,) * 4),
]


def filled(mode: Mode = Mode.MODERATED) -> Hall:
    """Return a space with a listener, a speaker, a co-host and a host, and B waiting."""
    hall = Hall(mode)
    hall.host()
    hall.come(A, B, C)
    hall.arrive(D, role=Role.SPEAKER)
    hall.done(HOST, MemberPlace, member=C, place=Place.COHOST)
    hall.hand(B)
    return hall


def answer(
    hall: Hall, who: str | Actor, act: type[Act], fields: dict[str, Any]
) -> ErrorCode | None:
    reply = hall.act(who, act, **fields)
    return reply.code if isinstance(reply, Error) else None


def test_every_act_has_a_right_and_a_case() -> None:
    assert set(RIGHTS) == set(get_args(Act)) == {act for act, _, _ in CASES}


@pytest.mark.parametrize(("act", "fields", "answers"), CASES)
def test_who_may(act: type[Act], fields: dict[str, Any], answers: tuple[Any, ...]) -> None:
    for who, expected in zip((D, A, C, HOST), answers, strict=True):
        hall = filled()
        if expected is None:
            assert answer(hall, who, act, fields) is None
        else:
            assert hall.refused(who, act, **fields) is expected


@pytest.mark.parametrize(("act", "fields", "answers"), CASES)
def test_an_admin_may_what_a_host_may_but_has_no_seat(
    act: type[Act], fields: dict[str, Any], answers: tuple[Any, ...]
) -> None:
    seatless = act in (FloorPriority, React, Agree)
    expected = E.NOT_IN_SPACE if seatless else answers[-1]
    assert answer(filled(), ADMIN, act, fields) is expected
    listener = Actor(D, "D", admin=True)
    if act is not FloorPriority:
        assert answer(filled(), listener, act, fields) is answers[-1]


@pytest.mark.parametrize(("act", "fields"), [case[:2] for case in CASES])
def test_a_stranger_may_nothing(act: type[Act], fields: dict[str, Any]) -> None:
    stranger = Actor(None, "Nobody")
    assert filled().refused("9" * 32, act, **fields) is E.NOT_IN_SPACE
    assert filled().refused(stranger, act, **fields) is E.NOT_IN_SPACE


@pytest.mark.parametrize(("act", "fields"), [case[:2] for case in CASES])
def test_who_listens_unnamed_may_nothing(act: type[Act], fields: dict[str, Any]) -> None:
    hall = filled()
    hall.arrive(A, hidden=True)
    if fields.get("place") is not Place.SPEAKER:
        assert hall.refused(A, act, **fields) in {E.NOT_ALLOWED, E.ONLY_HOST}


@pytest.mark.parametrize("state", sorted(OVER))
@pytest.mark.parametrize(("act", "fields"), [case[:2] for case in CASES])
def test_nothing_is_done_in_a_space_that_is_over(
    act: type[Act], fields: dict[str, Any], state: SpaceState
) -> None:
    assert Hall(fresh(state=state)).refused(ADMIN, act, **fields) is E.SPACE_ENDED


def test_who_is_away_acts_by_the_place_it_was_given() -> None:
    hall = filled()
    hall.leave(C)
    hall.leave(A)
    hall.done(C, PinAdd, text="Back soon")
    assert hall.refused(C, React, mark=Mark.CLAP) is E.NOT_IN_SPACE
    assert hall.refused(A, PinAdd, text="So am I") is E.NOT_IN_SPACE


def test_the_floor_is_closed_where_nobody_can_talk() -> None:
    hall = Hall(fresh(state=SpaceState.DRAFT, host=HOST))
    assert hall.refused(ADMIN, FloorNext) is E.NOT_LIVE


def test_an_admin_without_a_chair_has_no_priority() -> None:
    assert filled().refused(Actor(A, "A", admin=True), FloorPriority, on=True) is E.NOT_ALLOWED


@pytest.mark.parametrize("act", [FloorHold, MemberRemove])
def test_chairs_are_protected_from_those_below(act: type[Act]) -> None:
    fields = {"on": True} if act is FloorHold else {}
    hall = filled()
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    assert hall.refused(C, act, member=A, **fields) is E.CHAIR_PROTECTED
    assert hall.refused(C, act, member=HOST, **fields) is E.CHAIR_PROTECTED
    assert hall.refused(C, MemberPlace, member=A, place=Place.SPEAKER) is E.CHAIR_PROTECTED
    assert hall.refused(C, MemberPlace, member=HOST, place=Place.SPEAKER) is E.CHAIR_PROTECTED
    own = E.BAD_VALUE if act is MemberRemove else E.CHAIR_PROTECTED
    assert hall.refused(HOST, act, member=HOST, **fields) is own
    hall.done(HOST, act, member=A, **fields)
    hall.done(ADMIN, act, member=HOST, **fields)


def test_the_same_request_again_is_answered_and_not_done_again() -> None:
    hall = filled()
    act = PinAdd(req="pin-1", text="Once")
    first = hall.repeat(HOST, act)
    hall.forget()
    for _ in range(3):
        assert hall.repeat(HOST, act) == first
    assert hall.effects == []
    assert len(hall.snapshot().pins) == 1
    hall.repeat(C, act)  # the request of another member is another one
    hall.repeat(ADMIN, act)
    assert len(hall.snapshot().pins) == 3


def test_so_many_answers_are_remembered() -> None:
    hall = filled()
    for number in range(33):
        hall.act(HOST, PinAdd, text="x", req=f"pin-{number}")
    hall.act(HOST, PinAdd, text="x", req="pin-32")
    assert len(hall.snapshot().pins) == 33
    hall.act(HOST, PinAdd, text="x", req="pin-0")
    assert len(hall.snapshot().pins) == 34
    for number in range(256):
        hall.act(Actor(f"{number + 1000:032x}", "Somebody"), PinAdd, text="x", req="pin-0")
    hall.act(HOST, PinAdd, text="x", req="pin-0")
    assert len(hall.snapshot().pins) == 34, "strangers make nobody be forgotten"
    for number in range(256):
        hall.act(Actor(None, f"Admin {number}", admin=True), PinRemove, id=99, req="pin-0")
    hall.act(HOST, PinAdd, text="x", req="pin-0")
    assert len(hall.snapshot().pins) == 35
