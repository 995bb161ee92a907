import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.datagrams import MAX_DATAGRAM, Drop, Kind, TokenBucket, sort


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Drop.EMPTY),
        (b"\x80" + bytes(MAX_DATAGRAM), Drop.OVERSIZE),
        (b"\x80" + bytes(MAX_DATAGRAM - 1), Kind.MEDIA),
        (b"\x00\x01", Kind.STUN),
        (b"\x03", Kind.STUN),
        (b"\x04", Drop.UNKNOWN),
        (b"\x13", Drop.UNKNOWN),
        (b"\x14", Kind.MEDIA),
        (b"\x3f", Kind.MEDIA),
        (b"\x40", Drop.UNKNOWN),
        (b"\x7f", Drop.UNKNOWN),
        (b"\xbf", Kind.MEDIA),
        (b"\xc0", Drop.UNKNOWN),
        (bytes.fromhex("15fefd0000000000000001000202 28"), Drop.PLAINTEXT_ALERT),
        (bytes.fromhex("15fefd0001000000000001000202 28"), Kind.MEDIA),
        (bytes.fromhex("15fefd"), Drop.PLAINTEXT_ALERT),
        (bytes.fromhex("16fefd0000000000000001000202 28"), Kind.MEDIA),
    ],
)
def test_sorts_by_first_bytes(data: bytes, kind: Kind | Drop) -> None:
    assert sort(data) is kind


@given(st.binary(max_size=64))
def test_every_datagram_is_something(data: bytes) -> None:
    assert isinstance(sort(data), Kind | Drop)


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket.full(rate=2, burst=3, now=10.0)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(10.4)
    assert bucket.take(10.6)
    assert not bucket.take(10.6)
    assert [bucket.take(99.0) for _ in range(4)] == [True, True, True, False]


def test_bucket_survives_a_clock_that_goes_back() -> None:
    bucket = TokenBucket.full(rate=1, burst=1, now=10.0)
    assert bucket.take(5.0)
    assert not bucket.take(5.5)


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_bucket_never_gives_more_than_burst_and_rate(steps: list[float]) -> None:
    bucket = TokenBucket.full(rate=5, burst=4, now=0.0)
    now, taken = 0.0, 0
    for step in steps:
        now += step
        taken += bucket.take(now)
    assert taken <= 4 + 5 * now + 1e-6
