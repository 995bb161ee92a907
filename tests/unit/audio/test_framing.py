import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.framing import BlockClock

PCM = bytes(960)


def test_a_block_has_the_time_of_its_first_sample() -> None:
    block = BlockClock().stamp(b"\1" * 960, 5.010)
    assert block.pcm == b"\1" * 960
    assert block.start == pytest.approx(5.0)


@given(delays=st.lists(st.floats(0, 0.03), min_size=2, max_size=200))
def test_late_blocks_do_not_move_the_stamps(delays: list[float]) -> None:
    """Sample n is captured at n / 48000; a block is seen later, in order."""
    clock, seen, starts = BlockClock(), 0.01, []
    for n, delay in enumerate([0.0, *delays]):
        seen = max(seen, (n + 1) * 0.01 + delay)
        starts.append(clock.stamp(PCM, seen).start)
    for n, start in enumerate(starts):
        # Never early, never later than the thread was, and creeping by one per cent at most.
        assert 0.01 * n - 1e-9 <= start <= 0.01 * n * 1.01 + 1e-9


def test_a_burst_after_a_pause_is_stamped_as_it_was_captured() -> None:
    clock = BlockClock()
    clock.stamp(PCM, 0.01)
    starts = [clock.stamp(PCM, 0.5).start for _ in range(5)]
    assert starts == pytest.approx([0.0101 + 0.0101 * n for n in range(5)])


def test_after_a_standstill_the_stamps_start_anew() -> None:
    clock = BlockClock()
    clock.stamp(PCM, 0.01)
    assert clock.stamp(PCM, 30.0).start == pytest.approx(29.99)


def test_a_clock_that_was_late_at_first_is_corrected_at_once() -> None:
    clock = BlockClock()
    clock.stamp(PCM, 0.05)
    assert clock.stamp(PCM, 0.05).start == pytest.approx(0.04)


@given(
    lost=st.integers(4, 90),
    delays=st.lists(st.floats(0, 0.05), min_size=200, max_size=200),
)
def test_samples_that_were_lost_are_made_up_for_within_half_a_second(
    lost: int, delays: list[float]
) -> None:
    clock, seen = BlockClock(), 0.0
    off: list[float] = []
    for n in range(200):
        captured = 0.01 * (n + (lost if n >= 100 else 0))
        # Whatever the thread was kept waiting, it has caught up by each tenth block.
        seen = max(seen, captured + 0.01 + (delays[n] if n % 10 < 5 else 0.0))
        off.append(clock.stamp(PCM, seen).start - captured)
    assert max(map(abs, off[:100])) <= 0.05
    assert max(map(abs, off[150:])) <= 0.05
    assert -max(lost * 0.01, 0.05) <= min(off[100:150]) <= max(off[100:150]) <= 0.05
