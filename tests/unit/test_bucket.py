"""Token buckets."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stagebox.bucket import TokenBucket


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=20, burst=40, now=100.0)
    assert [bucket.take(100.0) for _ in range(41)] == [True] * 40 + [False]
    assert 0 < bucket.wait_s <= 0.05
    assert not bucket.take(100.04)
    assert bucket.take(100.06)
    assert bucket.take(200.0)
    assert bucket.wait_s == 0


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(rate=20, burst=1, now=100.0)
    assert bucket.take(100.0)
    assert not bucket.take(99.0)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.floats(0, 5), max_size=200), st.floats(0.1, 50), st.integers(1, 50))
def test_a_bucket_never_gives_more_than_burst_plus_rate(
    pauses: list[float], rate: float, burst: int
) -> None:
    bucket, now, taken = TokenBucket(rate, burst, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= burst + rate * now + 1e-6
