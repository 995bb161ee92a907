import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.datagrams import MAX_DATAGRAM, Drop, Kind, sort


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
