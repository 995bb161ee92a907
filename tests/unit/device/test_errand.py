"""Joining a box to a hub, told as what a person hears."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from device.floor.prompts import Prompt
from device.trust.errand import (
    HINT_S,
    MAX_TARGETS,
    RETRY_S,
    Begin,
    End,
    Errand,
    Open,
    Outcome,
    Step,
    Target,
    Tell,
)
from stagebox.wire.enrolment_window import CODES, FAILURES, REST_S, WINDOW_S

ONE = Target(("wss://10.0.0.1:7443/enrol/v1",))
GIVEN = Target(("wss://10.0.0.9:7443/enrol/v1",), given=True)


def errand() -> Errand:
    codes = itertools.count(471_100)
    return Errand(lambda: str(next(codes)))


def told(steps: list[Step]) -> list[Prompt]:
    return [step.prompt for step in steps if isinstance(step, Tell)]


def test_a_hold_makes_a_code_that_is_said_digit_by_digit() -> None:
    box = errand()
    assert box.deadline is None
    assert box.begin(0) == [Begin("471100"), Tell(Prompt.ENROL_CODE, "4 7 1 1 0 0")]
    assert box.is_open
    assert box.deadline == HINT_S
    # Held again it says the same one.
    assert box.begin(1) == [Tell(Prompt.ENROL_CODE, "4 7 1 1 0 0")]


def test_the_hub_that_knows_the_code_is_the_boxs_own() -> None:
    box = errand()
    box.begin(0)
    assert box.seen([ONE], others=False) == [Open(ONE)]
    assert box.seen([ONE], others=False) == []
    assert box.ended(ONE, Outcome.ENROLLED, "Hall", 9) == [End(), Tell(Prompt.ENROLLED, "Hall")]
    assert not box.is_open
    assert box.deadline is None
    assert box.tick(10) == box.seen([ONE], others=True) == []
    assert box.ended(ONE, Outcome.WRONG_CODE, "", 11) == []


def test_a_disk_that_does_not_take_it_ends_it() -> None:
    box = errand()
    box.begin(0)
    box.seen([ONE], others=False)
    steps = box.ended(ONE, Outcome.NOT_KEPT, "", 9)
    assert steps == [End(), Tell(Prompt.ENROL_NOT_KEPT)]


def test_five_wrong_codes_end_it() -> None:
    box = errand()
    box.begin(0)
    box.seen([ONE], others=False)
    now = 0.0
    for _ in range(FAILURES - 1):
        steps = box.ended(ONE, Outcome.WRONG_CODE, "", now)
        assert told(steps) == [Prompt.ENROL_WRONG, Prompt.ENROL_CODE]
        assert box.tick(now + RETRY_S / 2) == []
        now += RETRY_S
        assert Open(ONE) in box.tick(now)
    assert box.ended(ONE, Outcome.WRONG_CODE, "", now) == [End(), Tell(Prompt.ENROL_SPENT)]
    assert not box.is_open


def test_nonsense_costs_no_try() -> None:
    box = errand()
    box.begin(0)
    box.seen([ONE], others=False)
    now = 0.0
    for _ in range(3 * FAILURES):
        assert box.ended(ONE, Outcome.BROKEN, "", now) == []
        now += RETRY_S
        assert Open(ONE) in box.tick(now)


def test_eight_hubs_are_tried_and_the_one_of_the_settings_always() -> None:
    box = errand()
    box.begin(0)
    false = [Target((f"wss://10.1.0.{n}:7443/enrol/v1",)) for n in range(100)]
    opened = box.seen(false, others=True)
    assert len(opened) == MAX_TARGETS - 1
    assert box.seen([GIVEN], others=True) == [Open(GIVEN)]
    assert box.seen(false, others=True) == []


def test_what_is_missing_is_said_early_and_at_the_end() -> None:
    box = errand()
    box.begin(0)
    assert told(box.tick(HINT_S)) == [Prompt.ENROL_NO_HUB]
    assert box.deadline == WINDOW_S
    assert told(box.tick(WINDOW_S)) == [Prompt.ENROL_NO_HUB]

    box = errand()
    box.begin(0)
    box.seen([], others=True)
    assert told(box.tick(HINT_S)) == [Prompt.ENROL_NO_WINDOW]
    box.seen([ONE], others=True)
    assert box.tick(HINT_S + 1) == []
    assert box.tick(WINDOW_S) == [End(), Tell(Prompt.ENROL_OVER)]


def test_a_hub_that_waits_is_no_reason_for_a_hint() -> None:
    box = errand()
    box.begin(0)
    box.seen([ONE], others=False)
    assert box.tick(HINT_S) == []


def test_an_address_that_answers_and_waits_for_no_box_is_a_hub() -> None:
    box = errand()
    box.begin(0)
    assert box.seen([GIVEN], others=False) == [Open(GIVEN)]
    box.ended(GIVEN, Outcome.UNREACHABLE, "", 1)
    assert told(box.tick(HINT_S)) == [Prompt.ENROL_NO_HUB]
    box.ended(GIVEN, Outcome.NO_WINDOW, "", HINT_S + 1)
    assert told(box.tick(WINDOW_S)) == [Prompt.ENROL_NO_WINDOW]


def test_three_codes_and_then_a_rest_that_is_told_in_minutes() -> None:
    box = errand()
    now = 0.0
    for _ in range(CODES):
        assert told(box.begin(now)) == [Prompt.ENROL_CODE]
        now += WINDOW_S
        box.tick(now)
    (closed,) = box.begin(now)
    assert isinstance(closed, Tell)
    assert (closed.prompt, closed.number) == (Prompt.ENROL_CLOSED, REST_S / 60)
    assert told(box.begin(now + REST_S)) == [Prompt.ENROL_CODE]


def test_a_hold_that_comes_as_the_code_ends_makes_a_new_one() -> None:
    box = errand()
    box.begin(0)
    steps = box.begin(WINDOW_S)
    assert told(steps) == [Prompt.ENROL_NO_HUB, Prompt.ENROL_CODE]
    assert Begin("471101") in steps


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "seen", "tick", *Outcome]),
        st.integers(0, 9),
        st.floats(0, 90),
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(EVENTS)
def test_whatever_happens_a_code_takes_a_finger_and_few_tries(
    events: list[tuple[str, int, float]],
) -> None:
    box, now, codes, wrong, held = errand(), 0.0, 0, 0, 0
    targets = [Target((f"wss://10.0.0.{n}:1/enrol/v1",), given=n == 0) for n in range(10)]
    for what, number, wait in events:
        now += wait
        was_open = box.is_open
        if what == "begin":
            held += 1
            steps = box.begin(now)
        elif what == "seen":
            steps = box.seen(targets[: number + 1], others=False)
        elif what == "tick":
            steps = box.tick(now)
        else:
            steps = box.ended(targets[number], Outcome(what), "Hall", now)
            wrong += was_open and what == Outcome.WRONG_CODE
        if any(isinstance(step, Begin) for step in steps):
            codes += 1
            wrong = 0
        assert wrong <= FAILURES
        assert codes <= held
        assert len(box._targets) <= MAX_TARGETS
        assert box.is_open is (box.deadline is not None)
