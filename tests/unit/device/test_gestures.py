"""Taps, double taps, holds and the two keys together, with their times."""

from hypothesis import given
from hypothesis import strategies as st

from device.buttons.gesture import (
    CHAIR,
    DOUBLE_S,
    GUEST,
    STUDIO,
    TOGETHER_S,
    Gesture,
    Timing,
)
from device.buttons.gestures import Gestures
from device.buttons.ports import Key

TAP = 0.1


class Fingers:
    """Fingers on the recogniser, and what it made of them with its time."""

    def __init__(self, timing: Timing = GUEST) -> None:
        self.now = 50.0
        self.gestures = Gestures(timing)
        self.made: list[Gesture] = []

    def wait(self, seconds: float) -> "Fingers":
        end = self.now + seconds
        while (due := self.gestures.deadline) is not None and due <= end:
            assert due >= self.now - 1e-9
            self.now = max(self.now, due)
            made = self.gestures.tick(self.now)
            assert made, "a tick at the deadline did nothing"
            self.made += made
        self.now = end
        return self

    def down(self, key: Key = Key.HAND) -> "Fingers":
        self.made += self.gestures.down(key, self.now)
        return self

    def up(self, key: Key = Key.HAND) -> "Fingers":
        self.made += self.gestures.up(key, self.now)
        return self

    def tap(self) -> "Fingers":
        return self.down().wait(TAP).up()


def test_a_tap_is_sure_when_no_second_one_came() -> None:
    fingers = Fingers().tap()
    assert fingers.wait(DOUBLE_S - 0.001).made == []
    assert fingers.wait(0.002).made == [Gesture.HAND_TAP]
    assert fingers.wait(60).made == [Gesture.HAND_TAP]


def test_a_second_tap_makes_one_double_tap_at_once() -> None:
    fingers = Fingers().tap().wait(0.2).down()
    assert fingers.made == [Gesture.HAND_DOUBLE]
    assert fingers.wait(10).up().wait(10).made == [Gesture.HAND_DOUBLE]


def test_two_slow_taps_are_two() -> None:
    assert Fingers().tap().wait(0.5).tap().wait(1).made == [Gesture.HAND_TAP, Gesture.HAND_TAP]


def test_a_late_tick_does_not_turn_two_taps_into_one() -> None:
    fingers = Fingers()
    fingers.down().now += TAP
    fingers.up().now += 5.0
    assert fingers.down().made == [Gesture.HAND_TAP]


def test_a_hold_acts_at_its_threshold_and_ends_with_the_finger() -> None:
    fingers = Fingers().down().wait(1.99)
    assert fingers.made == []
    assert fingers.wait(0.02).made == [Gesture.HAND_HOLD]
    assert fingers.wait(5).up().made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]
    assert Fingers(CHAIR).down().wait(0.61).made == [Gesture.HAND_HOLD]


def test_a_finger_that_was_up_before_the_tick_held_for_as_long_as_it_did() -> None:
    fingers = Fingers().down()
    fingers.now += 3.0
    assert fingers.up().made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]


def test_repeated_edges_change_nothing() -> None:
    fingers = Fingers().down().down().wait(TAP).up().up()
    assert fingers.wait(1).made == [Gesture.HAND_TAP]
    assert fingers.up(Key.TALK).up(Key.MUTE).down(Key.MUTE).made == [Gesture.HAND_TAP]


def test_both_keys_have_two_thresholds_where_they_are_one() -> None:
    fingers = Fingers(STUDIO).down(Key.TALK).wait(0.2).down().wait(1.9)
    assert fingers.made == []
    assert fingers.wait(0.2).made == [Gesture.BOTH]
    assert fingers.wait(1).made == [Gesture.BOTH, Gesture.BOTH_LONG]
    assert fingers.up().up(Key.TALK).wait(9).made == [Gesture.BOTH, Gesture.BOTH_LONG]
    assert fingers.tap().wait(1).made[2:] == [Gesture.HAND_TAP]


def test_a_finger_that_comes_up_ends_both() -> None:
    between = Fingers(STUDIO).down().down(Key.TALK).wait(2.5).up(Key.TALK).wait(9)
    assert between.made == [Gesture.BOTH]
    early = Fingers(STUDIO).down().down(Key.TALK).wait(1).up(Key.TALK).wait(9).up().wait(9)
    assert early.made == []
    hand = Fingers(STUDIO).down().down(Key.TALK).wait(2.5).up().wait(9).up(Key.TALK).wait(9)
    assert hand.made == [Gesture.BOTH]


def test_a_chair_who_talks_may_call_the_next_and_pause_the_others() -> None:
    fingers = Fingers(CHAIR).down(Key.TALK).wait(TOGETHER_S + 0.01).tap().wait(1)
    assert fingers.made == [Gesture.HAND_TAP]
    fingers = Fingers(CHAIR).down(Key.TALK).wait(1).down().wait(5).up()
    assert fingers.made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]
    # Priority first, then the voice: no question is asked while the chair breaks in.
    fingers = Fingers(CHAIR).down().wait(0.61).down(Key.TALK).wait(9).up(Key.TALK).up()
    assert fingers.made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]
    # A quick tap of NEXT together with TALK is still a tap.
    fingers = Fingers(CHAIR).down(Key.TALK).down().wait(TAP).up().wait(1)
    assert fingers.made == [Gesture.HAND_TAP]


def test_a_guest_has_no_third_key() -> None:
    fingers = Fingers().down(Key.TALK).down().wait(9).up()
    assert fingers.made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]


def test_a_change_of_role_in_the_middle_does_no_harm() -> None:
    fingers = Fingers(STUDIO).down(Key.TALK).down().wait(2.1)
    fingers.gestures.timing = GUEST
    assert fingers.wait(5).made == [Gesture.BOTH, Gesture.BOTH_LONG]


KEYS = st.sampled_from([Key.TALK, Key.HAND, Key.MUTE])
MOVES = st.lists(st.tuples(KEYS, st.booleans(), st.sampled_from([0.0, 0.1, 0.29, 0.6, 1.0, 3.0])))


@given(MOVES, st.sampled_from([GUEST, STUDIO, CHAIR]))
def test_in_any_order_holds_end_and_each_press_means_at_most_one_thing(
    moves: list[tuple[Key, bool, float]], timing: Timing
) -> None:
    fingers, presses = Fingers(timing), 0
    for key, down, seconds in moves:
        presses += down and key is Key.HAND
        (fingers.down if down else fingers.up)(key)
        fingers.wait(seconds)
    fingers.up().up(Key.TALK).wait(9)
    made = fingers.made
    assert made.count(Gesture.HAND_HOLD) == made.count(Gesture.HAND_LET_GO)
    assert made.count(Gesture.BOTH) >= made.count(Gesture.BOTH_LONG)
    starts = [g for g in made if g not in {Gesture.HAND_LET_GO, Gesture.BOTH_LONG}]
    assert len(starts) <= presses
    assert fingers.gestures.deadline is None
