"""How much each address may ask, and how often it may guess."""

from hypothesis import given
from hypothesis import strategies as st

from hub.web import tallies
from hub.web.tallies import MAX_ADDRESSES, WINDOW_S, Guesses, Pace


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    pace = Pace(per_s=2, burst=3)
    assert [pace.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert pace.wait_s("b", 0.0) == 0
    assert pace.wait_s("a", 0.5) == 0
    assert pace.wait_s("a", 0.5) > 0


def test_there_is_always_something_to_wait_for() -> None:
    pace = Pace(per_s=1, burst=1)
    assert pace.wait_s("a", 0.0) == 0
    assert pace.wait_s("a", 0.999_999_9) >= 0.001


def test_addresses_are_forgotten_when_there_are_too_many() -> None:
    pace, guesses = Pace(1, 1), Guesses(5, 10**6)
    for number in range(MAX_ADDRESSES + 10):
        pace.wait_s(str(number), 0.0)
        guesses.wrong(str(number), 0.0)
    assert len(pace) == len(guesses) == MAX_ADDRESSES
    # The latest are known still.
    assert pace.wait_s(str(MAX_ADDRESSES + 9), 0.0) > 0


def test_five_wrong_guesses_are_enough_for_a_minute() -> None:
    guesses = Guesses(per_address=5, in_all=100)
    for second in range(5):
        assert guesses.wait_s("a", second) == 0
        guesses.wrong("a", second)
    assert guesses.wait_s("a", 5) == WINDOW_S - 5
    assert guesses.wait_s("b", 5) == 0
    assert guesses.wait_s("a", WINDOW_S) == 0
    guesses.wrong("a", WINDOW_S)
    assert guesses.wait_s("a", WINDOW_S) == 1  # until the second one is a minute old


def test_many_addresses_together_are_stopped_too() -> None:
    guesses = Guesses(per_address=5, in_all=8)
    for number in range(8):
        guesses.wrong(f"a{number}", 0.0)
    assert guesses.wait_s("somebody else", 1.0) == WINDOW_S - 1
    assert guesses.wait_s("somebody else", WINDOW_S) == 0


def test_a_right_guess_takes_back_what_was_noted_before_it() -> None:
    guesses = Guesses(per_address=2, in_all=2)
    guesses.wrong("a", 0.0)
    guesses.wrong("a", 0.0)
    guesses.right("a")
    assert guesses.wait_s("a", 1.0) == 0
    guesses.right("a")
    assert len(guesses) == 0
    guesses.right("a")  # nothing to take back
    assert guesses.wait_s("a", 1.0) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 20), st.booleans())))
def test_nobody_guesses_more_often_than_allowed(steps: list[tuple[str, float, bool]]) -> None:
    guesses, now, wrong = Guesses(3, 5), 0.0, list[tuple[str, float]]()
    for address, later, is_wrong in steps:
        now += later
        if guesses.wait_s(address, now) == 0:
            guesses.wrong(address, now)
            if is_wrong:
                wrong.append((address, now))
            else:
                guesses.right(address)
    for address, at in wrong:
        recent = [who for who, when in wrong if at - tallies.WINDOW_S < when <= at]
        assert len(recent) <= 5
        assert recent.count(address) <= 3
