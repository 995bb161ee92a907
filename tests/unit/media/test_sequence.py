from hypothesis import given
from hypothesis import strategies as st

from stagebox.media.sequence import MAX_DROPOUT, MAX_MISORDER, SequenceWindow, signed


def begun(sequence: int) -> SequenceWindow:
    window = SequenceWindow()
    window.restart(sequence)
    assert window.mark(window.extend(sequence))
    return window


def test_the_distance_is_the_short_way_round() -> None:
    assert signed(1 - 65_535, 16) == 2
    assert signed(65_535 - 1, 16) == -2
    assert signed(5 - (2**32 - 5), 32) == 10


def test_numbers_go_on_over_the_wrap() -> None:
    window = begun(65_534)
    got = []
    for sequence in (65_535, 0, 1):
        got.append(window.extend(sequence))
        assert window.mark(got[-1])
    assert got == [65_535, 65_536, 65_537]


def test_each_number_is_new_once() -> None:
    window = begun(10)
    assert window.mark(13)
    assert window.mark(12)
    assert not window.mark(12)
    assert not window.mark(13)
    assert not window.mark(10)


def test_a_number_too_old_to_tell_is_not_new() -> None:
    window = begun(1_000)
    assert window.mark(1_000 - MAX_MISORDER)
    assert not window.mark(1_000 - MAX_MISORDER - 1)


def test_a_great_leap_forgets_the_old_ones() -> None:
    window = begun(0)
    assert window.mark(5_000)
    assert window.mark(4_990)


def test_what_is_near() -> None:
    window = begun(1_000)
    assert window.is_near(1_000 - MAX_MISORDER)
    assert not window.is_near(1_000 - MAX_MISORDER - 1)
    assert window.is_near(1_000 + MAX_DROPOUT)
    assert not window.is_near(1_001 + MAX_DROPOUT)


def test_two_strange_numbers_in_a_row_confirm_each_other() -> None:
    window = begun(0)
    assert not window.confirms(65_535)
    assert window.confirms(0)
    assert not window.confirms(7)
    window.restart(20)
    assert not window.confirms(8)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_marking_finds_exactly_the_repeats(steps: list[int]) -> None:
    window, seen = begun(60), {60}
    for step in steps:
        number = 60 + step
        assert window.mark(number) == (number not in seen)
        seen.add(number)
        assert window.top == max(seen)
