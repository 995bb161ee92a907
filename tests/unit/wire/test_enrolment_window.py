"""The window of enrolment: how long, how many, and the rest after too many."""

from hypothesis import given
from hypothesis import strategies as st

from stagebox.wire.enrolment_window import (
    CODES,
    FAILURES,
    REST_S,
    SPELL_S,
    WINDOW_S,
    EnrolmentWindow,
)


def test_a_window_shuts_by_itself() -> None:
    window = EnrolmentWindow()
    assert not window.is_open(0.0)
    assert window.remaining_s(0.0) == 0.0
    assert window.open(10.0) == 0.0
    assert window.remaining_s(10.0) == WINDOW_S
    assert window.is_open(10.0 + WINDOW_S - 0.1)
    assert not window.is_open(10.0 + WINDOW_S)


def test_five_failures_shut_it() -> None:
    window = EnrolmentWindow()
    window.open(0.0)
    for left in reversed(range(FAILURES)):
        assert window.is_open(1.0)
        window.failed()
        assert window.failures_left == left
    assert not window.is_open(1.0)
    window.failed()
    assert window.failures_left == 0


def test_after_three_windows_that_came_to_nothing_there_is_a_rest() -> None:
    window = EnrolmentWindow()
    for n in range(CODES):
        assert window.open(n * 100.0) == 0.0
    last = (CODES - 1) * 100.0
    assert window.open(last + 1) == WINDOW_S + REST_S - 1
    assert window.wait_s(last + WINDOW_S + REST_S) == 0.0
    assert window.open(last + WINDOW_S + REST_S) == 0.0


def test_windows_far_apart_and_those_that_succeeded_cost_nothing() -> None:
    window = EnrolmentWindow()
    for n in range(10):
        assert window.open(n * SPELL_S / 2) == 0.0
    for n in range(10):
        assert window.open(10_000.0 + n) == 0.0
        window.succeeded()
        assert not window.is_open(10_000.0 + n)


@given(st.lists(st.floats(0, 900), max_size=40))
def test_never_more_than_so_many_windows_in_a_spell(pauses: list[float]) -> None:
    window, now, opened = EnrolmentWindow(), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if window.open(now) == 0.0:
            opened.append(now)
            window.close()
    for n, at in enumerate(opened):
        assert sum(at <= other < at + SPELL_S for other in opened[n:]) <= CODES
