"""The beat of a mix: it follows the leader's packets, and the clock where they fail to come."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.media.beat import MAX_LAG_S, Beat
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES

LATE_S = 0.001  # what a test calls just before or after a moment


def led(due: float = 10.0) -> Beat:
    """Return a beat whose leader's first packet came when it was due."""
    beat = Beat(due)
    beat.lead("anna")
    beat.came(0, due)
    return beat


def test_a_packet_on_time_is_mixed_at_once() -> None:
    beat = led()
    assert beat.is_time(10.0, ready=True)
    assert beat.beat(10.0, ready=True) == 10.0
    assert not beat.is_time(10.0, ready=True)
    beat.came(FRAME_SAMPLES, 10.0 + FRAME_S)
    assert beat.is_time(10.0 + FRAME_S, ready=True)


def test_a_missing_packet_is_waited_for_until_its_successor_should_be_there() -> None:
    beat = led()
    beat.beat(10.0, ready=True)
    due = 10.0 + FRAME_S
    assert beat.deadline(ready=False) == pytest.approx(due + FRAME_S + 0.005)
    assert not beat.is_time(due + FRAME_S, ready=False)
    assert beat.is_time(due + FRAME_S + 0.005, ready=False)


def test_the_wait_is_longer_where_packets_are_late_and_forgets_that() -> None:
    beat = led()
    beat.came(FRAME_SAMPLES, 10.0 + FRAME_S + 0.030)
    assert beat.deadline(ready=False) == pytest.approx(10.0 + FRAME_S + 0.035, abs=LATE_S)
    for n in range(2, 400):
        beat.came(n * FRAME_SAMPLES, 10.0 + n * FRAME_S)
    assert beat.deadline(ready=False) == pytest.approx(10.0 + FRAME_S + 0.005, abs=LATE_S)


def test_nobody_is_waited_for_longer_than_a_tenth_of_a_second() -> None:
    beat = led()
    beat.came(FRAME_SAMPLES, 10.0 + FRAME_S + 0.3)
    assert beat.deadline(ready=False) == pytest.approx(10.0 + 0.1, abs=0.006)


def test_the_time_without_the_delay_is_told() -> None:
    beat = led()
    assert beat.came(FRAME_SAMPLES, 10.0 + FRAME_S + 0.007) == pytest.approx(10.0 + FRAME_S)
    assert beat.came(2 * FRAME_SAMPLES, 10.0 + 2 * FRAME_S - 0.002) == 10.0 + 2 * FRAME_S - 0.002


def test_a_packet_that_comes_sooner_moves_the_beat_at_once() -> None:
    beat = led()
    beat.beat(10.0, ready=True)
    beat.came(FRAME_SAMPLES, 10.012)
    assert beat.is_time(10.012, ready=True)


def test_a_slow_clock_is_followed() -> None:
    beat, now = led(), 10.0
    for n in range(3_000):
        now = 10.0 + n * FRAME_S * 1.0002
        beat.came(n * FRAME_SAMPLES, now)
        assert beat.is_time(now, ready=True)
        at = beat.beat(now, ready=True)
    assert now - 10.0 - 2_999 * FRAME_S == pytest.approx(0.012, rel=0.01)
    assert now - at < LATE_S


def test_a_backlog_sent_at_once_is_mixed_frame_by_frame() -> None:
    beat = led()
    for n in range(10):
        beat.came(n * FRAME_SAMPLES, 10.0)
    beat.beat(10.0, ready=True)
    assert not beat.is_time(10.0, ready=True)
    assert beat.deadline(ready=True) == pytest.approx(10.0 + FRAME_S)


def test_another_timeline_is_taken_as_it_comes() -> None:
    beat = led()
    beat.beat(10.0, ready=True)
    assert beat.came(2**31 + 5, 10.0 + FRAME_S) == pytest.approx(10.0 + FRAME_S)
    assert beat.deadline(ready=False) == pytest.approx(10.0 + 2 * FRAME_S + 0.005)


def test_without_a_leader_the_clock_beats() -> None:
    beat = Beat(10.0)
    assert beat.deadline(ready=False) == 10.0
    for n in range(20):
        assert beat.beat(10.0 + n * FRAME_S, ready=False) == pytest.approx(10.0 + n * FRAME_S)
    assert beat.leader is None


def test_who_stays_silent_leads_no_more() -> None:
    beat = led()
    beat.beat(10.0, ready=True)
    missed = 0
    while beat.leader is not None:
        missed += 1
        beat.beat(beat.deadline(ready=False), ready=False)
    assert missed == 6
    beat.lead("bert")
    assert beat.leader == "bert"


def test_a_packet_in_between_keeps_the_lead() -> None:
    beat = led()
    for n in range(1, 20):
        beat.beat(beat.deadline(ready=False), ready=False)
        if n % 4 == 0:
            beat.came(n * FRAME_SAMPLES, 10.0 + n * FRAME_S)
    assert beat.leader == "anna"


def test_after_a_stall_what_is_too_old_is_left_out() -> None:
    beat = led()
    beat.beat(10.0, ready=True)
    assert beat.beat(11.0, ready=True) == 11.0
    assert beat.deadline(ready=True) == 11.0 + FRAME_S


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 0.3)), max_size=60))
@settings(deadline=None)
def test_whatever_comes_beats_do_not_pile_up(events: list[tuple[int, float]]) -> None:
    """Between two moments there are no more beats than fit, and one that lags is let off."""
    beat, now = led(), 10.0
    for timestamp, passed in events:
        now += passed
        beat.came(timestamp, now)
        beats = 0
        while beat.is_time(now, ready=True):
            assert now - MAX_LAG_S - LATE_S <= beat.beat(now, ready=True) <= now
            beats += 1
        assert beats <= MAX_LAG_S / FRAME_S + 2
        # Half a frame for another phase, and what each packet may make it later.
        most = 1.5 * FRAME_S + 0.1 + len(events) * FRAME_S / 64
        assert beat.deadline(ready=False) <= now + most + LATE_S
