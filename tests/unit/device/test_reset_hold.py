"""A finger wipes a box; a key that is stuck never does."""

from hypothesis import given
from hypothesis import strategies as st

from device.trust.hold import ANSWER_S, FIRST_S, SECOND_S, UP_S, ResetHold, Step

TICK = 0.15


class Held:
    """A key that is looked at as a box does."""

    def __init__(self) -> None:
        self.now = 100.0
        self.hold = ResetHold()
        self.made: list[Step] = []

    def be(self, down: bool, seconds: float) -> "Held":
        end = self.now + seconds
        while self.now < end:
            step = self.hold.look(down=down, now=self.now)
            self.made += [] if step is None else [step]
            self.now += TICK
        return self


def test_a_hold_asks_and_a_second_one_wipes() -> None:
    key = Held().be(True, FIRST_S + 1)
    assert key.made == [Step.ASK]
    key.be(False, 2).be(True, SECOND_S + 1)
    assert key.made == [Step.ASK, Step.WIPE]
    assert key.be(True, 60).be(False, 5).be(True, 60).made == [Step.ASK, Step.WIPE]


def test_a_key_that_is_stuck_asks_once_and_then_everything_stays() -> None:
    assert Held().be(True, 3_600).made == [Step.ASK, Step.LEAVE]


def test_a_key_that_chatters_while_it_is_stuck_is_still_stuck() -> None:
    key = Held().be(True, FIRST_S + 1)
    for _ in range(20):
        key.be(False, UP_S / 2).be(True, 2)
    assert key.be(True, 60).made == [Step.ASK, Step.LEAVE]


def test_what_is_let_go_too_early_means_nothing() -> None:
    assert Held().be(True, FIRST_S - 1).be(False, 1).be(True, 60).made == []
    key = Held().be(True, FIRST_S + 1).be(False, 1).be(True, SECOND_S - 1).be(False, 60)
    assert key.made == [Step.ASK, Step.LEAVE]


def test_a_second_hold_that_begins_in_time_may_end_after_it() -> None:
    key = Held().be(True, FIRST_S + 0.5).be(False, ANSWER_S - 2).be(True, SECOND_S + 1)
    assert key.made == [Step.ASK, Step.WIPE]


def test_a_key_that_was_up_at_power_on_wipes_nothing() -> None:
    assert Held().be(False, 1).be(True, 60).be(False, 1).be(True, 60).made == []


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 40)), max_size=12))
def test_nothing_is_wiped_without_two_holds(edges: list[tuple[bool, float]]) -> None:
    key = Held()
    for down, seconds in edges:
        key.be(down, seconds)
    if Step.WIPE in key.made:
        assert key.made == [Step.ASK, Step.WIPE]
        assert sum(s for down, s in edges if down) >= FIRST_S + SECOND_S - 2 * TICK
        assert any(not down and seconds >= UP_S - TICK for down, seconds in edges)
