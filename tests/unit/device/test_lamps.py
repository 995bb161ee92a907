"""Every pattern can be read without colours, and none flashes too often."""

from itertools import pairwise

import pytest

from device.buttons.lamps import (
    FAINTEST,
    LAMP_MEANINGS,
    LEADS,
    NAMED,
    NIGHT,
    PATTERNS,
    RED_LIVE,
    RED_NIGHT,
    RED_WARNING,
    Color,
    Pattern,
    Step,
    dimmed,
    led_by,
    named,
    pattern_for,
    sparkling,
)
from device.floor.model import FloorState

GRID_MS = 25
REFUSED = [pattern_for(name, refused=True) for name in PATTERNS]
SPARKLING = [sparkling(pattern) for pattern in PATTERNS.values()]
LED = [led_by(lead, pattern) for lead in LEADS for pattern in PATTERNS.values()]
EVERY = [*PATTERNS.values(), *REFUSED, *LED, RED_LIVE, RED_WARNING]


def timeline(pattern: Pattern, at_least_ms: int) -> list[Step]:
    """The lead, then as many rounds of the steps as fill ``at_least_ms``."""
    steps = list(pattern.lead)
    for _ in range(1 + at_least_ms // sum(step.ms for step in pattern.steps)):
        steps += pattern.steps
    return steps


def flashes(steps: list[Step]) -> list[int]:
    """When the lamp brightens, in ms."""
    now, at, before = 0, [], 0.0
    for step in steps:
        level = step.level if step.is_lit else 0.0
        if level > before:
            at.append(now)
        before = level
        now += step.ms
    return at


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.name)
def test_no_more_than_two_flashes_in_any_second(pattern: Pattern) -> None:
    at = flashes(timeline(pattern, 12_000))
    for third in range(2, len(at)):
        assert at[third] - at[third - 2] >= 1_000


@pytest.mark.parametrize("one", PATTERNS)
def test_changing_the_pattern_does_not_make_a_third_flash_by_itself(one: str) -> None:
    """From the end of a round of one pattern into the next, at most two and the new one's first."""
    for other in PATTERNS:
        at = flashes([*PATTERNS[one].steps, *timeline(PATTERNS[other], 3_000)])
        assert all(at[i + 3] - at[i] >= 1_000 for i in range(len(at) - 3)), other


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("one", PATTERNS)
def test_a_lead_in_the_middle_of_anything_does_not_make_a_third_flash(one: str, lead: str) -> None:
    for other in PATTERNS:
        wink = timeline(led_by(lead, PATTERNS[other]), 3_000)
        for end in range(1, len(PATTERNS[one].steps) + 1):
            at = flashes([*PATTERNS[one].steps[:end], *wink])
            assert all(at[i + 3] - at[i] >= 1_000 for i in range(len(at) - 3)), other


def test_a_sparkle_is_seen_once_and_takes_a_second() -> None:
    for pattern in SPARKLING:
        assert sum(step.ms for step in pattern.lead) == 1_000
        assert [step.color for step in pattern.lead if step.is_lit] == [Color.WHITE]
        assert pattern.name.startswith("sparkle+")


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.name)
def test_steps_are_sane(pattern: Pattern) -> None:
    for step in (*pattern.lead, *pattern.steps):
        assert step.ms > 0
        assert 0 <= step.level <= 1
        assert step.is_lit == (step.color is not Color.OFF)


def rhythm(pattern: Pattern, samples: int) -> list[bool]:
    """Lit or dark on a grid, as a single LED shows it."""
    grid = [step.is_lit for step in pattern.steps for _ in range(step.ms // GRID_MS)]
    return [grid[i % len(grid)] for i in range(samples)]


def distance(one: Pattern, other: Pattern) -> float:
    """The share of time in which two rhythms differ, at the shift that makes them most alike."""
    samples = 12_000 // GRID_MS
    period = sum(step.ms for step in other.steps) // GRID_MS
    fixed = rhythm(one, samples)
    moving = rhythm(other, samples + period)
    differing = (
        sum(a != b for a, b in zip(fixed, moving[shift:], strict=False)) for shift in range(period)
    )
    return min(differing) / samples


# By name, because some states look the same on purpose. The warning's rhythm is in its
# brightness, and in a tone.
DISTINCT = [pattern for name, pattern in NAMED.items() if name != "warning"]


@pytest.mark.parametrize("one", DISTINCT, ids=lambda pattern: pattern.name)
def test_states_differ_in_rhythm_with_colour_and_brightness_removed(one: Pattern) -> None:
    for other in DISTINCT[DISTINCT.index(one) + 1 :]:
        assert distance(one, other) >= 0.08, other.name


def test_red_is_not_in_the_table_of_states() -> None:
    for pattern in (*PATTERNS.values(), *REFUSED):
        assert Color.RED not in {step.color for step in (*pattern.lead, *pattern.steps)}


@pytest.mark.parametrize("pattern", [RED_LIVE, RED_WARNING], ids=lambda pattern: pattern.name)
def test_red_is_never_dark(pattern: Pattern) -> None:
    assert {step.color for step in pattern.steps} == {Color.RED}
    assert all(step.is_lit for step in pattern.steps)


def test_the_warning_differs_from_live_in_brightness() -> None:
    assert len({step.level for step in RED_WARNING.steps}) == 2


@pytest.mark.parametrize("state", FloorState)
def test_every_state_has_a_pattern(state: FloorState) -> None:
    assert pattern_for(state) is PATTERNS[state.value]


def test_what_is_no_state_has_none() -> None:
    with pytest.raises(KeyError):
        pattern_for("dancing")


def test_an_answer_that_comes_at_once_is_not_preceded_by_a_flash() -> None:
    first = pattern_for(FloorState.ASKING).steps[0]
    assert not first.is_lit
    assert first.ms >= 150


def test_a_refusal_is_shown_once_and_then_the_state() -> None:
    pattern = pattern_for(FloorState.CUT, refused=True)
    assert pattern.steps == PATTERNS["cut"].steps
    assert [step.is_lit for step in pattern.lead] == [True, False] * 3
    assert pattern.color is PATTERNS["cut"].color
    assert pattern != PATTERNS["cut"]


def test_a_busy_floor_shows_that_you_are_not_heard_while_you_press() -> None:
    assert pattern_for(FloorState.IDLE_BUSY, refused=True) == pattern_for(FloorState.ASKING)


def test_at_night_everything_is_dimmer_and_nothing_vanishes() -> None:
    for pattern in EVERY:
        night = dimmed(pattern)
        steps = zip((*pattern.lead, *pattern.steps), (*night.lead, *night.steps), strict=True)
        for day, dark in steps:
            assert (dark.color, dark.ms, dark.is_lit) == (day.color, day.ms, day.is_lit)
            assert dark.level == (max(FAINTEST, day.level * NIGHT) if day.is_lit else 0)
        assert night.brightness == NIGHT
        assert dimmed(night, 0.5).brightness == NIGHT / 2


def test_red_is_seen_at_any_brightness_and_its_warning_told_from_it() -> None:
    live, warning = dimmed(RED_LIVE, 0.05), dimmed(RED_WARNING, 0.05)
    assert live.steps[0].level == RED_NIGHT
    assert warning.steps[0].level == live.steps[0].level >= 3 * warning.steps[1].level > 0


def test_every_name_has_a_meaning_and_every_meaning_a_name() -> None:
    assert set(LAMP_MEANINGS) == set(NAMED) | set(LEADS)
    assert all(text.endswith(".") for text in LAMP_MEANINGS.values())
    assert len(set(LAMP_MEANINGS.values())) == len(LAMP_MEANINGS)


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.name)
def test_a_pattern_is_found_by_the_name_it_carries(pattern: Pattern) -> None:
    assert named(pattern.name) == pattern


def test_two_leads_keep_the_later_one() -> None:
    assert named("sparkle+refused+cut").lead == LEADS["sparkle"]
    with pytest.raises(KeyError):
        named("refused+dancing")


def test_a_lead_ends_dark_and_can_be_told_from_the_others_on_a_single_led() -> None:
    """Otherwise it would run into a pattern that begins lit, or not be told from another."""
    shapes = []
    for lead in LEADS.values():
        assert not lead[-1].is_lit
        shapes.append(tuple(step.ms for step in lead if step.is_lit))
    assert len(set(shapes)) == len(LEADS)
    assert max(shapes[1]) * 2 <= max(shapes[2])


def test_red_leaves_no_lead_before_it() -> None:
    """Red is the sender's, and shows at once."""
    assert not RED_LIVE.lead
    assert not RED_WARNING.lead


def test_steps_of_a_pattern_alternate() -> None:
    """Two equal steps in a row would be one."""
    for pattern in EVERY:
        assert all(one != other for one, other in pairwise(pattern.steps))
