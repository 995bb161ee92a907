import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.network.reasons import Road, State, failure
from provisioning.network.terms import Cause, Down, Event


def follow(*changes: tuple[int, int]) -> list[Event]:
    road = Road()
    said = (road.feed(new, reason) for new, reason in changes)
    return [event for event in said if event is not None]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ([(40, 0), (50, 0), (60, 0), (50, 0), (60, 8), (120, 7)], Cause.WRONG_KEY),
        ([(40, 0), (50, 0), (120, 8)], Cause.WRONG_KEY),
        ([(40, 0), (50, 0), (70, 0), (120, 8)], Cause.FAILED),
        ([(40, 0), (50, 0), (70, 0), (120, 5)], Cause.NO_ADDRESS),
        ([(40, 0), (50, 0), (120, 53)], Cause.NOT_FOUND),
        ([(40, 0), (50, 0), (120, 11)], Cause.FAILED),
        ([(40, 0), (50, 0), (70, 0), (100, 0), (120, 11)], Cause.GONE),
        ([(40, 0), (100, 0), (30, 39)], Cause.GONE),
        ([(40, 0), (100, 0), (110, 60), (30, 39)], Cause.GONE),
    ],
)
def test_what_came_of_a_try(changes: list[tuple[int, int]], cause: Cause) -> None:
    assert follow(*changes) == [Down(cause)]


def test_what_was_before_the_try_is_none_of_it() -> None:
    assert follow((110, 60), (30, 60), (120, 7), (20, 0)) == []


@given(st.lists(st.tuples(st.sampled_from([10, *State, 50, 80, 90]), st.integers(0, 70))))
def test_at_most_one_end_for_each_beginning(changes: list[tuple[int, int]]) -> None:
    begun = sum(State.PREPARE <= new <= State.ACTIVATED for new, _ in changes)
    assert len(follow(*changes)) <= begun


def test_reasons_that_nobody_knows() -> None:
    assert failure(9_999, State.PREPARE) is Cause.FAILED
