"""Taps, double taps, holds and the two keys together, with their times."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from device.buttons.debounce import SETTLE_S, Debounce
from device.buttons.gesture import (
    CHAIR,
    DOUBLE_S,
    ENROL_S,
    GUEST,
    STUCK_S,
    STUDIO,
    TOGETHER_S,
    Gesture,
    Timing,
)
from device.buttons.gestures import Gestures
from device.buttons.ports import Key, KeyEvent
from device.buttons.sidekeys import REPEAT_AFTER_S, REPEAT_S, REPEATS

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


def test_a_guest_asks_for_a_hub_with_both_keys_and_for_nothing_else() -> None:
    guest = Timing(enrol_s=ENROL_S)
    fingers = Fingers(guest).down(Key.TALK).down().wait(ENROL_S - 0.01)
    assert fingers.made == []
    assert fingers.wait(0.02).made == [Gesture.BOTH_ENROL]
    assert fingers.wait(9).up().up(Key.TALK).wait(9).made == [Gesture.BOTH_ENROL]
    # A finger that comes up before, and the other long after it, has asked for nothing.
    assert Fingers(guest).down().down(Key.TALK).wait(4).up(Key.TALK).wait(9).up().made == []
    assert Fingers(guest).down().down(Key.TALK).wait(4).up().wait(9).up(Key.TALK).made == []
    # Held apart the two mean what each means.
    apart = Fingers(guest).down(Key.TALK).wait(1).down().wait(9).up()
    assert apart.made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]


def test_a_studio_box_asks_for_a_hub_after_everything_else() -> None:
    studio = replace(STUDIO, enrol_s=ENROL_S)
    fingers = Fingers(studio).down(Key.TALK).down().wait(9)
    assert fingers.made == [Gesture.BOTH, Gesture.BOTH_LONG, Gesture.BOTH_ENROL]
    assert Fingers(studio).down().down(Key.TALK).wait(4).up().wait(9).made == fingers.made[:2]


def test_talk_alone_asks_for_a_hub_where_there_is_no_other_key() -> None:
    alone = Timing(holds_talk=True, enrol_s=ENROL_S)
    fingers = Fingers(alone).down(Key.TALK).wait(ENROL_S - 0.01)
    assert fingers.made == [Gesture.TALK_HOLD]
    assert fingers.wait(0.02).made == [Gesture.TALK_HOLD, Gesture.TALK_ENROL]
    assert fingers.wait(60).up(Key.TALK).wait(60).made[2:] == []


def test_a_guest_has_no_third_key() -> None:
    fingers = Fingers().down(Key.TALK).down().wait(9).up()
    assert fingers.made == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]


def test_a_change_of_role_in_the_middle_does_no_harm() -> None:
    fingers = Fingers(STUDIO).down(Key.TALK).down().wait(2.1)
    fingers.gestures.timing = GUEST
    assert fingers.wait(5).made == [Gesture.BOTH, Gesture.BOTH_LONG]


class TestChairs:
    def test_a_second_tap_that_stays_is_a_hold_of_two_taps(self) -> None:
        fingers = Fingers(CHAIR).tap().wait(0.2).down().wait(0.59)
        assert fingers.made == []
        assert fingers.wait(0.02).made == [Gesture.DOUBLE_HOLD]
        assert fingers.wait(9).up().wait(9).made == [Gesture.DOUBLE_HOLD]
        # Two quick taps are sure when the second ends.
        fingers = Fingers(CHAIR).tap().wait(0.2).down().wait(TAP)
        assert fingers.made == []
        assert fingers.up().wait(9).made == [Gesture.HAND_DOUBLE]

    def test_a_thing_that_lies_on_next_lets_go_by_itself(self) -> None:
        fingers = Fingers(CHAIR).down().wait(STUCK_S - 0.01)
        assert fingers.made == [Gesture.HAND_HOLD]
        assert fingers.wait(0.02).made[1:] == [Gesture.HAND_LET_GO, Gesture.HAND_STUCK]
        assert fingers.wait(9).up().wait(9).made[3:] == []


class TestOneKey:
    ONE_KEY = Timing(holds_talk=True)

    def test_talk_that_stays_down_is_a_gesture(self) -> None:
        fingers = Fingers(self.ONE_KEY).down(Key.TALK).wait(1.99)
        assert fingers.made == []
        assert fingers.wait(0.02).made == [Gesture.TALK_HOLD]
        assert fingers.wait(9).up(Key.TALK).wait(9).made == [Gesture.TALK_HOLD]

    def test_a_finger_that_came_up_holds_nothing(self) -> None:
        fingers = Fingers(self.ONE_KEY).down(Key.TALK).down(Key.TALK).wait(1.9).up(Key.TALK)
        assert fingers.wait(9).made == []

    def test_where_there_is_a_second_key_talk_is_no_gesture(self) -> None:
        assert Fingers().down(Key.TALK).wait(9).made == []


class TestSideKeys:
    def test_status_speaks_at_once_and_explains_when_held(self) -> None:
        fingers = Fingers().down(Key.STATUS)
        assert fingers.made == [Gesture.STATUS]
        assert fingers.down(Key.STATUS).wait(1.99).made == [Gesture.STATUS]
        assert fingers.wait(9).made == [Gesture.STATUS, Gesture.STATUS_HOLD]
        assert fingers.up(Key.STATUS).up(Key.STATUS).wait(9).made[2:] == []

    def test_a_volume_key_acts_at_once_and_repeats(self) -> None:
        fingers = Fingers().down(Key.VOLUME_UP)
        assert fingers.made == [Gesture.VOLUME_UP]
        assert fingers.wait(REPEAT_AFTER_S + 2 * REPEAT_S + 0.01).made == 4 * [Gesture.VOLUME_UP]
        assert fingers.up(Key.VOLUME_UP).wait(9).made[4:] == []

    def test_a_thing_that_lies_on_a_volume_key_does_not_go_on_for_ever(self) -> None:
        fingers = Fingers().down(Key.VOLUME_DOWN).wait(60)
        assert fingers.made == (1 + REPEATS) * [Gesture.VOLUME_DOWN]
        assert fingers.gestures.deadline is None

    def test_both_volume_keys_at_once_are_status(self) -> None:
        fingers = Fingers().down(Key.VOLUME_UP).wait(0.2).down(Key.VOLUME_DOWN)
        assert fingers.made == [Gesture.VOLUME_UP, Gesture.VOLUME_DOWN, Gesture.STATUS]
        assert fingers.wait(9).made[3:] == [Gesture.STATUS_HOLD]
        fingers.up(Key.VOLUME_UP).wait(9).up(Key.VOLUME_DOWN)
        assert fingers.wait(9).made[4:] == []

    def test_one_after_the_other_they_are_what_they_are(self) -> None:
        fingers = Fingers().down(Key.VOLUME_UP).wait(0.4).down(Key.VOLUME_DOWN)
        assert fingers.made == [Gesture.VOLUME_UP, Gesture.VOLUME_DOWN]
        assert fingers.wait(9).made[2:] == []
        fingers = Fingers().down(Key.STATUS).down(Key.VOLUME_UP)
        assert fingers.made == [Gesture.STATUS, Gesture.VOLUME_UP]


# --- one who sees all of it afterwards --------------------------------------------------------

Press = tuple[float, float]


def presses(raw: list[tuple[float, bool]], end: float) -> list[Press]:
    """Return from when to when a finger was there, by what its contact did."""
    made: list[list[float]] = []
    for i, (at, down) in enumerate(raw):
        until = raw[i + 1][0] if i + 1 < len(raw) else end
        is_down = bool(made) and len(made[-1]) == 1
        if down and not is_down:
            made.append([at])
        elif not down and is_down and until - at >= SETTLE_S - 1e-9:
            made[-1].append(at)
    return [(each[0], each[1] if len(each) > 1 else end) for each in made]


def naive(hand: list[Press], timing: Timing) -> list[tuple[float, Gesture]]:
    """Read the presses of HAND one by one, looking ahead as one can afterwards."""
    made: list[tuple[float, Gesture]] = []
    i = 0
    while i < len(hand):
        down, up = hand[i]
        if up - down >= timing.hold_s:
            made += [(down + timing.hold_s, Gesture.HAND_HOLD), (up, Gesture.HAND_LET_GO)]
        elif i + 1 < len(hand) and hand[i + 1][0] - up < timing.double_s:
            i += 1
            down, up = hand[i]
            if not timing.holds_double:
                made.append((down, Gesture.HAND_DOUBLE))
            elif up - down >= timing.hold_s:
                made.append((down + timing.hold_s, Gesture.DOUBLE_HOLD))
            else:
                made.append((up, Gesture.HAND_DOUBLE))
        else:
            made.append((up + timing.double_s, Gesture.HAND_TAP))
        i += 1
    return made


# No sum of these is a threshold: what happens at one and the same instant is a matter of taste.
BOUNCE = st.lists(st.sampled_from([0.0011, 0.0037]), max_size=3)
SPANS = st.sampled_from([0.0513, 0.1117, 0.2119, 0.2717, 0.3313, 0.5519, 0.6411, 1.1131, 2.5171])
FINGERS = st.lists(st.tuples(SPANS, BOUNCE), max_size=24)
SETTINGS = st.sampled_from([GUEST, CHAIR, Timing(hold_s=0.8, double_s=0.5), Timing(hold_s=4.0)])


@given(FINGERS, SETTINGS)
def test_with_bounce_hand_means_what_one_would_say_afterwards(
    moves: list[tuple[float, list[float]]], timing: Timing
) -> None:
    debounce, gestures = Debounce(), Gestures(timing)
    now, down = 50.0, False
    raw: list[tuple[float, bool]] = []
    made: list[tuple[float, Gesture]] = []

    def take(edges: list[KeyEvent]) -> None:
        for edge in edges:
            did = gestures.down(edge.key, edge.at) if edge.down else gestures.up(edge.key, edge.at)
            made.extend((edge.at, gesture) for gesture in did)

    def wait(until: float) -> None:
        while True:
            settles, decides = debounce.deadline, gestures.deadline
            # A finger that is lifted is known later, and then counts from when it was.
            if settles is not None and settles <= until:
                take(debounce.tick(settles))
            elif settles is None and decides is not None and decides <= until:
                made.extend((decides, gesture) for gesture in gestures.tick(decides))
            else:
                break

    def edge(is_down: bool) -> None:
        raw.append((now, is_down))
        take(debounce.edge(KeyEvent(Key.HAND, is_down, now)))

    for span, bounce in moves:
        down = not down
        for gap in bounce:
            edge(down)
            now += gap
            wait(now)
            edge(not down)
            now += gap
            wait(now)
        edge(down)
        now += span
        wait(now)
    if down:
        edge(False)
    now += 9.0
    wait(now)
    told = sorted((round(at, 3), gesture) for at, gesture in made)
    assert told == sorted((round(at, 3), each) for at, each in naive(presses(raw, now), timing))


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
