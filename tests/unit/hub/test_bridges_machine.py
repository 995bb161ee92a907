"""Where a bridge is and when it tries again: the table, the waits, and random histories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.machine import (
    AFTER,
    ENDED_S,
    FIRST_S,
    MOST_ASKED_S,
    MOST_S,
    PROVEN_S,
    REFUSED_S,
    RING_S,
    SPREAD,
    TABLE,
    BridgeMachine,
    Event,
)
from hub.bridges.terms import Cause, State


def machine(spread: float = 0.0) -> BridgeMachine:
    made = BridgeMachine(spread)
    assert made.handle(Event.ON, 0.0)
    return made


def test_every_state_has_a_row_and_every_cause_a_place() -> None:
    assert TABLE.keys() == set(State)
    assert AFTER.keys() == set(Cause)


def test_from_off_to_joined_and_back() -> None:
    made = BridgeMachine()
    assert made.condition.state is State.OFF
    assert not made.handle(Event.JOINED, 0.0)
    assert made.handle(Event.ON, 1.0)
    assert made.handle(Event.JOINED, 2.0)
    assert made.joins == 1
    assert (made.condition.state, made.condition.since) == (State.JOINED, 2.0)
    assert made.handle(Event.OFF, 3.0)
    assert made.condition.state is State.OFF


def test_what_is_lost_is_tried_again_soon_and_then_less_often() -> None:
    made = machine()
    waits = []
    for turn in range(6):
        waits.append(made.over(Cause.UNREACHABLE, "no way", float(turn)))
        assert made.condition.state is State.WAITING
        assert made.condition.next_at == turn + (waits[-1] or 0)
        assert made.handle(Event.DUE, float(turn))
        assert made.condition.detail == "no way"  # people see why while it tries again
    assert waits[:3] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    assert waits[-1] == MOST_S


def test_a_connection_that_held_begins_anew() -> None:
    made = machine()
    for turn in range(5):
        made.over(Cause.LOST, "", float(turn))
        made.handle(Event.DUE, float(turn))
    made.handle(Event.JOINED, 10.0)
    assert made.over(Cause.LOST, "", 10.0 + PROVEN_S) == FIRST_S


def test_one_that_breaks_at_once_does_not() -> None:
    made = machine()
    for turn in range(5):
        made.handle(Event.JOINED, float(turn))
        wait = made.over(Cause.LOST, "", turn + 0.1)
        made.handle(Event.DUE, float(turn))
    assert wait == MOST_S


@pytest.mark.parametrize(
    ("cause", "state", "wait"),
    [
        (Cause.WRONG_SECRET, State.REFUSED, REFUSED_S),
        (Cause.RING, State.REFUSED, RING_S),
        (Cause.ROOM_ENDED, State.ENDED, ENDED_S),
        (Cause.PUT_OUT_HERE, State.OFF, None),
    ],
)
def test_a_cause_leads_to_its_state(cause: Cause, state: State, wait: float | None) -> None:
    made = machine()
    assert made.over(cause, "why", 1.0) == wait
    assert (made.condition.state, made.condition.cause) == (state, cause)


def test_what_the_server_asks_for_is_kept_to_within_bounds() -> None:
    assert machine().over(Cause.BUSY, "", 0.0, asked_s=7.0) == 7.0
    assert machine().over(Cause.BUSY, "", 0.0, asked_s=1e9) == MOST_ASKED_S


def test_hubs_that_lost_one_server_do_not_come_back_together() -> None:
    assert machine(1.0).over(Cause.LOST, "", 0.0) == FIRST_S * (1 - SPREAD)


def test_what_is_over_already_changes_nothing() -> None:
    made = machine()
    made.over(Cause.LOST, "first", 0.0)
    assert made.over(Cause.ROOM_ENDED, "second", 0.1) == pytest.approx(FIRST_S - 0.1)
    assert made.condition.detail == "first"
    off = BridgeMachine()
    assert off.over(Cause.LOST, "", 0.0) is None


def test_over_needs_a_cause() -> None:
    with pytest.raises(ValueError, match="cause"):
        machine().handle(Event.OVER, 0.0)


@given(
    st.lists(st.one_of(st.sampled_from(sorted(set(Event) - {Event.OVER})), st.sampled_from(Cause)))
)
def test_any_history_leaves_a_state_that_can_be_left(history: list[Event | Cause]) -> None:
    made, now = BridgeMachine(), 0.0
    for each in history:
        now += 0.5
        if isinstance(each, Cause):
            wait = made.over(each, "", now)
            assert wait is None or 0 <= wait <= REFUSED_S
        else:
            made.handle(each, now)
        condition = made.condition
        resting = condition.state in {State.WAITING, State.REFUSED, State.ENDED}
        assert (condition.next_at is not None) == resting
        assert condition.since <= now
