"""Timers that wake together."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.naps import moment, nap


@given(st.floats(0, 1e7), st.floats(0, 10))
def test_nobody_wakes_too_early_or_a_frame_too_late(now: float, seconds: float) -> None:
    assert -1e-6 < moment(now, seconds) - now - seconds < 0.020 + 1e-6


@given(st.integers(0, 10**8), st.lists(st.floats(0.001, 0.999), min_size=2, max_size=9))
def test_naps_that_end_in_one_frame_end_at_one_moment(frame: int, parts: list[float]) -> None:
    ends = {moment((frame + part) * 0.020 - 1.5, 1.5) for part in parts}
    assert len(ends) == 1
    assert abs(ends.pop() - (frame + 1) * 0.020) < 1e-6


async def test_a_nap_is_slept() -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await nap(0.030)
    assert loop.time() - begin > 0.029
