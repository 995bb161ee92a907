"""The brightness by the clock on the wall: over midnight, at its edges, after a jump."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.night import DAY_MIN, Dimming, Night, parse_night

LATE = Night(22 * 60, 7 * 60)
MINUTES = st.integers(0, DAY_MIN - 1)


@pytest.mark.parametrize(
    ("minute", "is_night"),
    [(0, True), (419.99, True), (420, False), (1319.9, False), (1320, True), (1439.99, True)],
)
def test_a_night_over_midnight(minute: float, is_night: bool) -> None:
    assert LATE.holds(minute) is is_night


def test_a_night_by_day() -> None:
    noon = Night(12 * 60, 14 * 60)
    assert [noon.holds(hour * 60) for hour in (11, 12, 13, 14, 15)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_night_that_ends_when_it_begins_is_always() -> None:
    always = Dimming(1.0, 0.2, Night(60, 60))
    assert {always.at(minute) for minute in range(DAY_MIN)} == {0.2}
    assert always.changes_in_s(60) == inf


def test_without_a_night_it_is_always_day() -> None:
    dimming = Dimming(0.8, 0.2, None)
    assert dimming.at(0) == 0.8
    assert dimming.changes_in_s(0) == inf


def test_a_night_is_never_brighter_than_the_day() -> None:
    assert Dimming(0.1, 0.25, LATE).at(0) == 0.1


@given(MINUTES, MINUTES, st.integers(0, DAY_MIN * 60 - 1))
def test_the_change_is_where_it_is_said_to_be_and_not_before(
    begins: int, ends: int, second: int
) -> None:
    """Whatever the clock shows, also after a jump: there is no memory to be wrong."""
    dimming, minute = Dimming(1.0, 0.25, Night(begins, ends)), second / 60
    wait_s = dimming.changes_in_s(minute)
    if begins == ends:
        assert wait_s == inf
        return
    assert 0 < wait_s <= DAY_MIN * 60
    now = dimming.at(minute)
    for share in (0.0, 0.5, 0.999):
        assert dimming.at((minute + share * wait_s / 60) % DAY_MIN) == now
    at_change = ends if now == 0.25 else begins
    assert dimming.at(at_change) != now


def test_times_of_the_day_are_read() -> None:
    assert parse_night("22:00-07:00") == LATE
    assert parse_night("00:05-23:59") == Night(5, 1439)
    assert parse_night("") is None


@pytest.mark.parametrize("text", ["22:00", "24:00-07:00", "22:60-07:00", "evening", "1-2-3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_night(text)
