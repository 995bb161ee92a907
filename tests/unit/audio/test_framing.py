import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.framing import FrameAssembler


def block(value: int) -> bytes:
    return bytes([value % 256]) * 960


def test_two_blocks_make_a_frame_with_the_time_of_its_first_sample() -> None:
    frames = FrameAssembler()
    assert frames.push(block(1), 5.010) is None
    frame = frames.push(block(2), 5.020)
    assert frame is not None
    assert frame.pcm == block(1) + block(2)
    assert frame.start == pytest.approx(5.0)


@given(delays=st.lists(st.floats(0, 0.05), min_size=2, max_size=200))
def test_late_blocks_do_not_move_the_stamps(delays: list[float]) -> None:
    """Sample n is captured at n / 48000; a block is seen later, in order."""
    frames, seen, starts = FrameAssembler(), 0.01, []
    for n, delay in enumerate([0.0, *delays]):
        seen = max(seen, (n + 1) * 0.01 + delay)
        frame = frames.push(block(n), seen)
        if frame is not None:
            starts.append(frame.start)
    for n, start in enumerate(starts):
        # Never early, never later than the thread was, and creeping by one per cent at most.
        assert 0.02 * n - 1e-9 <= start <= 0.02 * n * 1.01 + 1e-9


def test_a_burst_after_a_pause_is_stamped_as_it_was_captured() -> None:
    frames = FrameAssembler()
    frames.push(block(0), 0.01)
    frames.push(block(1), 0.02)
    starts = [frame.start for n in range(10) if (frame := frames.push(block(n), 0.5))]
    assert starts == pytest.approx([0.0202 + 0.0202 * n for n in range(5)])


def test_after_a_standstill_the_stamps_start_anew() -> None:
    frames = FrameAssembler()
    frames.push(block(0), 0.01)
    frames.push(block(1), 0.02)
    frames.push(block(2), 30.0)
    frame = frames.push(block(3), 30.01)
    assert frame is not None
    assert frame.start == pytest.approx(29.99)


def test_a_clock_that_was_late_at_first_is_corrected_at_once() -> None:
    frames = FrameAssembler()
    frames.push(block(0), 0.05)
    frames.push(block(1), 0.05)
    frames.push(block(2), 0.05)
    frame = frames.push(block(3), 0.05)
    assert frame is not None
    assert frame.start == pytest.approx(0.04)
