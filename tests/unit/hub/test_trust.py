"""Who is let in, and who is shown as waiting."""

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.trust.gate import REASONS, Proof, Standing, Verdict, judge
from hub.trust.waiting import ALARM, FORGET_S, MOST_WAITING, Doubles, WaitingList
from stagebox.wire.causes import ErrorCode
from stagebox.wire.handshake import member_id
from stagebox.wire.messages import Hello
from stagebox.wire.terms import Kind, Role

PROOFS = [Proof(signed, sealed) for signed, sealed in itertools.product((True, False), repeat=2)]


@pytest.mark.parametrize("kind", [Kind.BOX, Kind.BRIDGE])
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("standing", [None, *Standing])
def test_only_a_proved_key_that_is_known_comes_in(
    kind: Kind, proof: Proof, standing: Standing | None
) -> None:
    verdict = judge(kind, proof, standing, anyone=False)
    whole = proof.signed and proof.sealed
    known = standing in {Standing.PENDING, Standing.ACTIVE}
    assert (verdict is Verdict.IN) == (whole and known)
    assert (verdict is Verdict.UNPROVED) == (not whole)
    assert judge(kind, proof, standing, anyone=True) is Verdict.IN


@pytest.mark.parametrize("proof", PROOFS)
def test_browsers_are_looked_at_elsewhere(proof: Proof) -> None:
    assert judge(Kind.BROWSER, proof, None, anyone=False) is Verdict.IN


def test_whoever_stays_outside_hears_why() -> None:
    assert REASONS.keys() == set(Verdict) - {Verdict.IN}
    assert [REASONS[each][0] for each in (Verdict.WAITING, Verdict.REFUSED)] == [
        ErrorCode.WAITING,
        ErrorCode.IDENTITY,
    ]
    assert all(len(detail) <= 200 for _, detail in REASONS.values())


def hello(number: int) -> Hello:
    key = base64.b64encode(number.to_bytes(32, "big")).decode()
    return Hello(
        proto_min=1,
        proto_max=1,
        id=member_id(key),
        key=key,
        name=f"Box {number}",
        kind=Kind.BOX,
        role=Role.GUEST,
        nonce="0" * 64,
    )


@given(st.lists(st.integers(0, 60), max_size=100))
def test_the_newest_wait_and_each_once(numbers: list[int]) -> None:
    waiting = WaitingList()
    for at, number in enumerate(numbers):
        waiting.came(hello(number), "10.0.0.9", float(at))
    newest = list(dict.fromkeys(reversed(numbers)))[:MOST_WAITING]
    assert [box.name for box in waiting.now(float(len(numbers)))] == [f"Box {n}" for n in newest]


def test_a_box_that_comes_no_more_is_forgotten_and_one_that_was_taken_too() -> None:
    waiting = WaitingList()
    waiting.came(hello(1), "10.0.0.9", 0.0)
    waiting.came(hello(2), "10.0.0.9", 100.0)
    assert [box.name for box in waiting.now(FORGET_S + 1)] == ["Box 2"]
    taken = waiting.take(hello(2).id)
    assert taken is not None
    assert taken.key == hello(2).key
    assert waiting.take(hello(2).id) is None
    assert waiting.now(FORGET_S + 1) == ()


def test_a_crowd_pushes_out_its_oldest() -> None:
    waiting = WaitingList()
    for number in range(MOST_WAITING + 5):
        waiting.came(hello(number), "10.0.0.9", float(number))
    names = [box.name for box in waiting.now(60.0)]
    assert names == [f"Box {n}" for n in reversed(range(5, MOST_WAITING + 5))]


def test_a_key_that_two_machines_use_is_remembered_for_a_while() -> None:
    doubles = Doubles()
    for at in range(ALARM):
        assert not doubles.is_one("a" * 32, float(at))
        doubles.saw("a" * 32, float(at))
    assert doubles.is_one("a" * 32, ALARM - 1 + FORGET_S)
    assert not doubles.is_one("a" * 32, ALARM + FORGET_S)
    doubles.saw("a" * 32, 3 * FORGET_S)
    assert not doubles.is_one("a" * 32, 3 * FORGET_S)
    for number in range(MOST_WAITING):
        doubles.saw(f"{number:032}", 3 * FORGET_S)
    for _ in range(ALARM - 1):
        doubles.saw("a" * 32, 3 * FORGET_S)
    assert not doubles.is_one("a" * 32, 3 * FORGET_S)  # it was the oldest of a crowd
