"""A lamp that is told to change too often flashes twice a second, and red at once."""

from hypothesis import given
from hypothesis import strategies as st

from device.buttons.flashes import WINDOW_S, FlashLimit
from device.buttons.lamps import NAMED, PATTERNS, Color, Pattern, Step, dimmed, pattern_for

DARK = Step(Color.OFF, 1000, 0.0)
NAMES = st.sampled_from(sorted(PATTERNS))


class Lamp:
    """A player on a clock that the test sets; what is shown stands in ``history``."""

    def __init__(self) -> None:
        self.limit = FlashLimit()
        self.now = 0.0
        self.history: list[tuple[float, Step]] = [(-1.0, DARK)]

    def show(self, pattern: Pattern, for_s: float) -> None:
        """Play a pattern for a time, as ``LampPlayer`` does."""
        until = self.now + for_s
        steps = [*pattern.lead, *pattern.steps]
        at = 0
        while self.now < until:
            step = steps[at]
            wait = self.limit.wait_s(step, self.now)
            if wait == 0:
                self.limit.shown(step, self.now)
                self.history.append((self.now, step))
                wait = step.ms / 1000
                at = at + 1 if at + 1 < len(steps) else len(pattern.lead)
            self.now = min(until, self.now + wait)

    def flashes(self) -> list[float]:
        """When it brightened, but into red or out of it."""
        found = []
        for (_, one), (at, other) in zip(self.history, self.history[1:], strict=False):
            brighter = (other.level if other.is_lit else 0) > (one.level if one.is_lit else 0)
            if brighter and Color.RED not in {one.color, other.color}:
                found.append(at)
        return found


@given(st.lists(st.tuples(NAMES, st.booleans(), st.floats(0.01, 3.0)), max_size=20))
def test_whatever_is_shown_and_how_fast_two_flashes_a_second(
    shows: list[tuple[str, bool, float]],
) -> None:
    lamp = Lamp()
    for name, refused, for_s in shows:
        lamp.show(pattern_for(name, refused=refused), for_s)
    at = lamp.flashes()
    assert all(third - first >= WINDOW_S - 1e-6 for first, third in zip(at, at[2:], strict=False))


@given(st.lists(st.tuples(st.sampled_from(sorted(NAMED)), st.floats(0.01, 0.5)), max_size=20))
def test_red_comes_at_once_and_goes_at_once(shows: list[tuple[str, float]]) -> None:
    lamp = Lamp()
    for name, for_s in shows:
        began = lamp.now
        lamp.show(NAMED[name], for_s)
        is_red = NAMED[name].color is Color.RED
        at, step = (
            next((at, step) for at, step in lamp.history if at >= began)
            if is_red
            else (lamp.history[-1])
        )
        assert (step.color is Color.RED) is is_red
        assert not is_red or at == began


def test_the_patterns_themselves_never_wait() -> None:
    for pattern in NAMED.values():
        for shown in (pattern, dimmed(pattern)):
            limit, now = FlashLimit(), 0.0
            for step in shown.steps * 12:
                assert limit.wait_s(step, now) == 0
                limit.shown(step, now)
                now += step.ms / 1000


def test_a_third_flash_waits_for_what_is_left_of_the_second() -> None:
    limit, lit = FlashLimit(), Step(Color.WHITE, 10)
    for now in (0.0, 0.2):
        limit.shown(lit, now)
        limit.shown(DARK, now + 0.1)
    assert limit.wait_s(lit, 0.4) == WINDOW_S - 0.4
    assert limit.wait_s(DARK, 0.4) == 0
    assert limit.wait_s(Step(Color.RED, 10), 0.4) == 0
    assert limit.wait_s(lit, WINDOW_S) == 0
