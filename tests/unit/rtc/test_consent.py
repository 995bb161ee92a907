from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.consent import (
    AGAIN_S,
    ANSWER_S,
    ASK_S,
    FAILURES,
    PATIENT,
    SOON,
    TALKING_S,
    USUAL,
    Watch,
)

MIDDLE = 0.5
QUIET_S = USUAL.talking_s


def lose(watch: Watch, now: float) -> list[float]:
    """Let all checks fail from ``now`` on; return when each began, and when the last ended."""
    times = []
    while not watch.lost:
        now += watch.wait(now)
        assert watch.wait(now) == 0.0
        times.append(now)
        now += ANSWER_S
        watch.unanswered(now)
    return [*times, now]


@given(chance=st.floats(0, 1), now=st.floats(0, 1e9))
def test_a_dead_peer_is_noticed_within_8_s_and_not_in_a_gap_of_5(chance: float, now: float) -> None:
    times = lose(Watch(now, chance), now)
    assert len(times) == FAILURES + 1
    assert times[-1] - now < 8.0
    assert times[-2] - times[0] > 5.0


def test_a_quiet_path_is_checked_and_a_lively_one_is_only_asked() -> None:
    watch = Watch(10.0, MIDDLE)
    assert abs(watch.wait(10.0) - QUIET_S) < 1e-9
    now = 10.0
    while now < 10.0 + ASK_S - 0.1:
        watch.heard_at = now = now + 0.02
        assert watch.wait(now) > 0.0
    watch.heard_at = 10.0 + ASK_S
    assert watch.wait(10.0 + ASK_S) == 0.0


def test_an_answer_makes_up_for_failures_and_nothing_else_does() -> None:
    watch = Watch(0.0, MIDDLE)
    for n in range(FAILURES - 1):
        watch.unanswered(float(n))
        watch.heard_at = float(n)
        assert abs(watch.wait(float(n)) - AGAIN_S) < 1e-9
    watch.answered(20.0, MIDDLE)
    assert abs(watch.wait(20.0) - QUIET_S) < 1e-9
    assert not watch.lost
    assert len(lose(watch, 20.0)) == FAILURES + 1


@given(chance=st.floats(0, 1))
def test_checks_are_spread(chance: float) -> None:
    watch = Watch(0.0, MIDDLE)
    watch.answered(0.0, chance)
    assert abs(watch.wait(0.0) - QUIET_S * (0.8 + 0.4 * chance)) < 1e-9


@given(chance=st.floats(0, 1), now=st.floats(0, 1e6))
def test_where_it_is_to_be_known_soon_doubt_comes_within_2_s(chance: float, now: float) -> None:
    watch = Watch(now, MIDDLE)
    watch.pace = SOON
    watch.answered(now, chance)
    assert not watch.doubtful
    failed = now + watch.wait(now) + ANSWER_S
    watch.unanswered(failed)
    assert watch.doubtful
    assert failed - now < 1.8
    watch.answered(failed + 1.0, chance)
    assert not watch.doubtful


@given(chance=st.floats(0, 1), now=st.floats(0, 1e6))
def test_of_one_who_only_listens_it_is_noticed_within_11_s(chance: float, now: float) -> None:
    watch = Watch(now, chance)
    watch.pace = PATIENT
    times = lose(watch, now)
    assert PATIENT.resting_s * 0.8 - 1e-6 <= times[0] - now
    assert times[-1] - now < 11.0


@given(chance=st.floats(0, 1), now=st.floats(0, 1e6), ago=st.floats(0, TALKING_S - 3.0))
def test_of_one_who_talks_it_is_noticed_as_soon_as_ever(
    chance: float, now: float, ago: float
) -> None:
    watch = Watch(now, chance)
    watch.pace = PATIENT
    watch.sound_at = now - ago
    assert lose(watch, now)[-1] - now < 8.0
