"""Base and target from arrivals alone."""

import random

import pytest

from stagebox.media.arrival import ArrivalStats, JitterConfig

FRAME = 960
CONFIG = JitterConfig(floor_s=0.005)


def feed(
    stats: ArrivalStats, count: int, *, first: int = 0, lateness: list[float] | None = None
) -> float:
    """Note packets every 20 ms, late by turns as listed; return the time after."""
    lateness = lateness or [0.0]
    for n in range(first, first + count):
        stats.note(n * FRAME, n * 0.02 + lateness[n % len(lateness)], first=n == 0)
    return (first + count) * 0.02


def test_the_start_value_holds_until_something_is_known() -> None:
    stats = ArrivalStats(CONFIG)
    assert stats.target == CONFIG.start_s
    feed(stats, 2)
    assert stats.target == pytest.approx(CONFIG.start_s)


def test_a_quiet_network_goes_to_the_floor() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 100)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_jitter_raises_the_target_to_cover_nearly_all() -> None:
    stats, rng = ArrivalStats(CONFIG), random.Random(3)
    feed(stats, 1_000, lateness=[rng.uniform(0, 0.03) for _ in range(997)])
    assert 0.030 <= stats.target <= 0.050


def test_the_ceiling_holds() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 200, lateness=[0.0, 0.199])
    assert stats.target == CONFIG.ceiling_s


def test_one_outlier_changes_little() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 500)
    stats.note(500 * FRAME, 10.0 + 0.15, first=False)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_jitter_is_forgotten_little_more_than_a_second_after_its_end() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 500)
    feed(stats, 60, first=500, lateness=[0.0, 0.08])
    assert stats.target == pytest.approx(0.085)
    feed(stats, 58, first=560)
    assert stats.target == pytest.approx(0.085)
    feed(stats, 2, first=618)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_random_jitter_does_not_move_the_target_to_and_fro() -> None:
    stats, rng, targets = ArrivalStats(CONFIG), random.Random(4), []
    for n in range(3_000):
        stats.note(n * FRAME, n * 0.02 + rng.expovariate(100), first=n == 0)
        targets.append(stats.target)
    assert max(targets[500:]) < 2 * min(targets[500:])


def test_the_jitter_of_a_burst_is_known_in_the_next_one() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 300, lateness=[0.0, 0.05])
    for n in range(300, 310):
        stats.note(n * FRAME, 60 + n * 0.02, first=n == 300)
    assert stats.target == pytest.approx(0.055, abs=0.001)


def test_packets_of_any_length_fill_the_same_time() -> None:
    stats = ArrivalStats(CONFIG)
    for n in range(100):
        lateness = 0.1 if n < 20 else 0.0
        stats.note(n * 2_880, n * 0.06 + lateness, first=n == 0, samples=2_880)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_frequent_losses_make_room_for_fec_and_none_take_it_away() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 100)
    for n in range(3):
        assert stats.target == pytest.approx(CONFIG.floor_s)
        feed(stats, 20, first=100 + n * 20)
        stats.note_loss(FRAME)
    assert stats.target == pytest.approx(CONFIG.floor_s + 0.02)
    feed(stats, 75, first=160)
    assert stats.target == pytest.approx(CONFIG.floor_s + 0.02)
    feed(stats, 1, first=235)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_rare_losses_do_not() -> None:
    stats = ArrivalStats(CONFIG)
    for n in range(6):
        feed(stats, 60, first=n * 60)
        stats.note_loss(FRAME)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_delay_is_measured_over_the_fastest_packet() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 10, lateness=[0.010, 0.004, 0.030])
    assert stats.wait(10 * FRAME, 0.2 + 0.05) == pytest.approx(0.046)


def test_a_slower_route_becomes_the_base_within_two_seconds() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 200)
    now = feed(stats, 105, first=200, lateness=[0.1])
    assert stats.wait(305 * FRAME, now + 0.1) == pytest.approx(0.0, abs=1e-6)
    assert stats.target <= 0.045  # what was late against the old route is not against this


def test_a_faster_route_becomes_the_base_at_once() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 50, lateness=[0.3])
    stats.note(50 * FRAME, 1.0, first=False)
    assert stats.wait(51 * FRAME, 1.02) == pytest.approx(0.0)


def test_a_much_faster_route_is_another_timeline() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 100)
    stats.note(500 * FRAME, 2.0, first=False)
    assert stats.wait(500 * FRAME, 2.0) == pytest.approx(0.0)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_a_burst_on_another_timeline_begins_a_new_base() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 100)
    target = stats.target
    stats.note(100 * FRAME, 2.0 + 0.07, first=True)  # the pause had no place in the timestamps
    assert stats.wait(100 * FRAME, 2.07) == pytest.approx(0.0, abs=1e-9)
    assert stats.target == target


def test_within_a_burst_only_more_than_the_ceiling_is_another_timeline() -> None:
    for lateness, base in ((0.15, 0.15), (0.25, 0.0)):
        stats = ArrivalStats(CONFIG)
        feed(stats, 100)
        stats.note(100 * FRAME, 2.0 + lateness, first=False)
        assert stats.wait(100 * FRAME, 2.0 + lateness) == pytest.approx(base)


def test_restart_forgets_the_base_and_keeps_the_jitter() -> None:
    stats = ArrivalStats(CONFIG)
    feed(stats, 200, lateness=[0.0, 0.1])
    target = stats.target
    stats.restart()
    stats.note(5, 99.0, first=True)
    assert stats.wait(5, 99.0) == pytest.approx(0.0, abs=1e-9)
    assert stats.target == pytest.approx(target, abs=0.006)


def test_a_target_that_stays_put_can_be_asked_for() -> None:
    for seconds in (0.0, 0.06):
        config = JitterConfig(start_s=seconds, floor_s=seconds, ceiling_s=seconds)
        stats = ArrivalStats(config)
        assert stats.target == seconds
        feed(stats, 100, lateness=[0.0, 0.03])
        assert stats.target == seconds


def stall(stats: ArrivalStats, first: int, packets: int = 9) -> int:
    """Hold packets back and let all go at once; return the number of the next one."""
    end = (first + packets) * 0.02
    for n in range(first, first + packets):
        stats.note(n * FRAME, end, first=False)
    return first + packets


def calm(stats: ArrivalStats, first: int, seconds: float) -> int:
    """Let packets come in time for so long; return the number of the next one."""
    count = round(seconds / 0.02)
    feed(stats, count, first=first)
    return first + count


def test_a_stall_is_forgotten_soon_and_one_that_comes_back_is_not() -> None:
    stats = ArrivalStats(CONFIG)
    n = stall(stats, calm(stats, 0, 5))
    n = calm(stats, n, 1.4)
    assert stats.target == pytest.approx(CONFIG.floor_s), "once is no habit"
    n = stall(stats, calm(stats, n, 4))
    n = calm(stats, n, 7.5)
    assert stats.target == pytest.approx(0.185), "the whole stall is waited for"
    n = calm(stats, n, 1)
    assert stats.target == pytest.approx(CONFIG.floor_s)


def test_stalls_that_go_on_stay_covered() -> None:
    stats = ArrivalStats(CONFIG)
    n = stall(stats, calm(stats, 0, 5))
    n = stall(stats, calm(stats, n, 1))
    for pause in (1, 3, 7, 2):
        n = calm(stats, n, pause)
        assert stats.target >= 0.18
        n = stall(stats, n)


def test_a_stall_long_after_the_last_is_one_by_itself() -> None:
    stats = ArrivalStats(CONFIG)
    n = stall(stats, calm(stats, 0, 5))
    n = stall(stats, calm(stats, n, 1))
    n = stall(stats, calm(stats, n, 20))
    calm(stats, n, 1.4)
    assert stats.target == pytest.approx(CONFIG.floor_s)


@pytest.mark.parametrize("packets", [1, 2])
def test_packets_that_are_late_by_themselves_are_no_stall(packets: int) -> None:
    stats = ArrivalStats(JitterConfig(floor_s=0.021))
    n = calm(stats, 0, 5)
    for _ in range(20):
        n = calm(stats, stall(stats, n, packets), 0.8)
    calm(stats, n, 1.4)
    assert stats.target == pytest.approx(0.021)


def test_a_computer_that_hesitates_is_no_stall() -> None:
    stats = ArrivalStats(CONFIG)
    n = calm(stats, 0, 5)
    for _ in range(4):
        n = stall(stats, calm(stats, n, 2), 4)
    calm(stats, n, 1.4)
    assert stats.target == pytest.approx(CONFIG.floor_s)
