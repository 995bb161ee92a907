"""What a pattern shows when, and its rhythm in words."""

from itertools import accumulate
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.lamps import NAMED, RED_LIVE, Color, Pattern, Step, named
from device.view.beat import lamp_of, lit, means
from device.view.feed import Note

STEPS = st.lists(
    st.builds(Step, st.sampled_from(Color), st.integers(50, 3000), st.floats(0, 1)),
    min_size=2,
    max_size=6,
)


@given(STEPS, STEPS, st.integers(0, 3))
def test_the_lead_is_shown_once_and_the_steps_again_and_again(
    lead: list[Step], steps: list[Step], rounds: int
) -> None:
    pattern = Pattern("own", Color.RED, tuple(steps), tuple(lead))
    whole = sum(step.ms for step in steps)
    starts = [0, *accumulate(step.ms for step in (*lead, *steps))]
    for number, step in enumerate((*lead, *steps)):
        later = rounds * whole if number >= len(lead) else 0
        middle = (starts[number] + later + step.ms / 2) / 1000
        shown, left = lit(pattern, middle)
        assert shown is (*lead, *steps)[number]
        assert left == pytest.approx(step.ms / 2000)


def test_a_steady_light_stays() -> None:
    assert lit(RED_LIVE, 1234.5) == (RED_LIVE.steps[0], inf)
    assert lit(RED_LIVE, -1.0) == (RED_LIVE.steps[0], inf)


def test_every_pattern_means_something() -> None:
    for name in NAMED:
        assert means(name)
    assert means("refused+queued").endswith("Your hand is up.")
    assert means("no such") == ""


def test_the_lamp_is_the_newest_that_was_told_of() -> None:
    def note(n: int, name: str, event: str = "lamp") -> Note:
        return Note(n, float(n), event, {"pattern": name})

    assert lamp_of([]) is None
    notes = [note(1, "queued"), note(2, "sparkle+queued"), note(3, "x", "key")]
    assert lamp_of(notes) == (named("sparkle+queued"), 2.0)
    assert lamp_of([note(1, "no such")]) is None
