"""Mumble's bytes: messages and protobuf, voice, and the seal of what goes by UDP."""

import contextlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges import mumble_wire as wire
from hub.bridges.mumble_ocb import Ocb2, Seal, SealError
from hub.bridges.mumble_voice import (
    PROTOBUF_SINCE,
    Count,
    Echo,
    Format,
    Voice,
    whole,
    whole_at,
)
from hub.bridges.mumble_wire import Kind, Splitter, WireError

KEY = bytes(range(16))
OLD, NEW = Format(), Format(PROTOBUF_SINCE)


# --- messages -----------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=40)), max_size=8), st.data()
)
def test_messages_come_in_any_pieces(
    messages: list[tuple[Kind, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(wire.frame(kind, payload) for kind, payload in messages)
    splitter, found = Splitter(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == messages


def test_a_message_that_is_too_long_is_refused() -> None:
    with pytest.raises(WireError, match="bytes"):
        Splitter().feed(b"\0\0" + (wire.MAX_MESSAGE + 1).to_bytes(4, "big"))


@given(st.integers(-(2**63), 2**64 - 1), st.text(), st.binary())
def test_what_is_written_is_read(value: int, text: str, data: bytes) -> None:
    fields = wire.read(wire.message((1, value), (2, text.encode("utf8", "ignore")), (3, data)))
    assert wire.number(fields, 1) == value % 2**64
    assert wire.text(fields, 2) == text.encode("utf8", "ignore").decode()
    assert wire.data(fields, 3) == data
    assert wire.text(wire.read(wire.message((7, "hé"))), 7) == "hé"


def test_fields_are_read_by_what_they_are() -> None:
    fields = wire.read(wire.message((1, 5), (1, 0), (2, b"\xff")) + b"\x1d\0\0\0\0\x21" + bytes(8))
    assert wire.number(fields, 1) == 0
    assert wire.flag(fields, 1) is False
    assert wire.flag(fields, 9) is None
    assert wire.number(fields, 2) is None
    assert wire.data(fields, 1) is None
    assert wire.text(fields, 1) is None
    assert wire.text(fields, 2) == "\ufffd"
    assert wire.data(fields, 3) == bytes(4)
    assert wire.data(fields, 4) == bytes(8)


@pytest.mark.parametrize(
    "payload",
    [b"\x80", b"\x08" + b"\x80" * 10, b"\x12\x05abc", b"\x0b", b"\x0d\0", b"\x08\x01" * 5_000],
)
def test_what_is_no_protobuf_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        wire.read(payload)


@given(st.binary(max_size=200))
def test_nothing_that_comes_breaks_a_reader(payload: bytes) -> None:
    for read in (wire.read, OLD.read, NEW.read):
        with contextlib.suppress(WireError):
            read(payload)


# --- voice --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0x7F, "7f"),
        (0x80, "8080"),
        (0x3FFF, "bfff"),
        (0x4000, "c04000"),
        (0x1F_FFFF, "dfffff"),
        (0x20_0000, "e0200000"),
        (0xFFF_FFFF, "efffffff"),
        (0x1000_0000, "f010000000"),
        (2**32, "f40000000100000000"),
    ],
)
def test_whole_numbers_have_the_length_that_they_need(value: int, written: str) -> None:
    assert whole(value).hex() == written
    assert whole_at(b"x" + whole(value), 1) == (value, 1 + len(written) // 2)


@pytest.mark.parametrize("packet", [b"", b"\x80", b"\xf8\x01", b"\xfc", b"\xf4\0\0"])
def test_numbers_that_are_cut_off_or_negative_are_refused(packet: bytes) -> None:
    with pytest.raises(WireError):
        whole_at(packet, 0)


def from_server(said: Voice) -> bytes:
    """Return a packet of the old format as a server sends it on."""
    size = len(said.payload) | (0x2000 if said.last else 0)
    head = bytes((4 << 5 | said.context,))
    return head + whole(said.session) + whole(said.frame) + whole(size) + said.payload


@given(st.integers(0, 2**32), st.integers(0, 2**62), st.binary(max_size=500), st.booleans())
def test_voice_of_both_formats(session: int, frame: int, payload: bytes, last: bool) -> None:
    said = Voice(session, frame, payload, last, context=1)
    assert OLD.read(from_server(said) + bytes(12)) == said  # with a position behind it
    fields = ((2, 1), (3, session), (4, frame), (5, payload), (16, int(last)))
    assert NEW.read(b"\0" + wire.message(*fields)) == said


def test_what_we_say_is_as_the_server_wants_it() -> None:
    assert OLD.voice(300, b"abc", last=False).hex() == "80" + "812c" + "03" + b"abc".hex()
    assert OLD.voice(1, b"", last=True).hex() == "80" + "01" + "a000"
    fields = wire.read(NEW.voice(300, b"abc", last=True)[1:])
    assert fields == {4: [300], 5: [b"abc"], 16: [1]}
    assert wire.read(NEW.voice(7, b"abc", last=False)[1:]) == {4: [7], 5: [b"abc"]}


def test_pings_come_back_as_they_were() -> None:
    for way in (OLD, NEW):
        assert way.read(way.ping(123_456)) == Echo(123_456)
    assert NEW.read(b"\x01") == Echo(0)


def test_other_codecs_and_kinds_are_nobodys() -> None:
    assert OLD.read(b"\x00\x01\x02") is None
    assert NEW.read(b"\x05") is None


@pytest.mark.parametrize("packet", [b"", b"\x80", b"\x80\x01\x01\x05abc"])
def test_voice_that_is_cut_off_is_refused(packet: bytes) -> None:
    with pytest.raises(WireError):
        OLD.read(packet)


def test_mumble_counts_ten_milliseconds_of_ours() -> None:
    count = Count()
    assert [count.take(at) for at in (5_000, 5_960, 7_880)] == [0, 2, 6]
    assert count.take(7_880 + 240) == 7  # half a step is one, never none
    assert count.take(7_880) == 9  # back in time: it began anew
    assert count.take((7_880 - 960) % 2**32) == 11
    assert count.take(0) > 11


# --- the seal -----------------------------------------------------------------


# Of OCB2's reference implementation; key and nonce are KEY, the text counts up from 0.
@pytest.mark.parametrize(
    ("size", "sealed", "tag"),
    [
        (0, "", "bf3108130773ad5ec70ec69e7875a7b0"),
        (8, "c636b3a868f429bb", "a45f5fdea5c088d1d7c8be37cabc8c5c"),
        (16, "52e48f5d19fe2d9869f0c4a4b3d2be57", "f7ee49ae7aa5b5e6645db6b3966136f9"),
        (
            24,
            "f75d6bc8b4dc8d66b836a2b08b32a636cc579e145d323beb",
            "a1a50f822819d6e0a216784ac24ac84c",
        ),
        (
            40,
            "f75d6bc8b4dc8d66b836a2b08b32a6369f1cd3c5228d79fd6c267f5f6aa7b231c7dfb9d59951ae9c",
            "9db0cdf880f73e3e10d4eb3217766688",
        ),
    ],
)
def test_the_mode_is_ocb2(size: int, sealed: str, tag: str) -> None:
    mode = Ocb2(KEY)
    assert [part.hex() for part in mode.seal(bytes(range(size)), KEY)] == [sealed, tag]
    assert mode.open(bytes.fromhex(sealed), KEY) == (bytes(range(size)), bytes.fromhex(tag))


def test_the_shape_that_a_forgery_needs_is_not_sealed() -> None:
    plain = bytes(15) + b"\x80" + b"the end"
    mode = Ocb2(KEY)
    sealed, tag = mode.seal(plain, KEY)
    opened, its = mode.open(sealed, KEY)
    assert its == tag
    assert opened != plain
    assert opened[1:] == plain[1:]  # one bit, which no ear notices


def test_the_shape_of_a_forgery_is_refused() -> None:
    # A last block that opens to its own mask: what the attack of 2019 makes of two others.
    aes = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    doubled = int.from_bytes(aes.update(KEY), "big") << 1
    delta = (doubled & 2**128 - 1) ^ (0x87 if doubled >> 128 else 0)
    pad = aes.update((delta ^ 128).to_bytes(16, "big"))
    forged = bytes(a ^ b for a, b in zip(pad, (delta ^ 128).to_bytes(16, "big"), strict=True))
    with pytest.raises(SealError, match="forgery"):
        Ocb2(KEY).open(forged, KEY)


def pair() -> tuple[Seal, Seal]:
    ours, theirs = bytes([0xFF] * 15 + [0]), bytes(range(16))
    return Seal(KEY, ours, theirs), Seal(KEY, theirs, ours)


@given(st.lists(st.binary(max_size=80), max_size=300))
def test_what_is_sealed_opens_on_the_other_side(texts: list[bytes]) -> None:
    one, other = pair()
    for text in texts:
        # Behind it what keeps any block from the shape that is not sealed as it is.
        assert other.open(one.seal(b"".join(bytes((9, each)) for each in text)))[1::2] == text
    assert other.counts.good == len(texts)
    assert (other.counts.late, other.counts.lost) == (0, 0)


def test_packets_that_are_lost_late_or_repeated() -> None:
    one, other = pair()
    packets = [one.seal(bytes((n,))) for n in range(40)]
    assert other.open(packets[0]) == b"\0"
    assert other.open(packets[3]) == b"\3"
    assert other.counts.lost == 2
    assert other.open(packets[1]) == b"\1"
    assert (other.counts.late, other.counts.lost) == (1, 1)
    with pytest.raises(SealError, match="before"):
        other.open(packets[1])
    assert other.open(packets[39]) == b"\x27"
    with pytest.raises(SealError):  # later than the window: taken for one of the next round
        other.open(packets[4])
    assert other.open(packets[38]) == b"\x26"


def test_the_nonce_goes_round() -> None:
    one, other = Seal(KEY, b"\xff" * 16, KEY), Seal(KEY, KEY, b"\xff" * 16)
    for n in range(200):
        assert other.open(one.seal(bytes((n,)))) == bytes((n,))
    assert other.counts.lost == 0


def test_who_has_lost_count_goes_on_from_the_nonce_of_the_other() -> None:
    one, other = pair()
    for _ in range(1_000):
        one.seal(b"lost")
    with pytest.raises(SealError, match="not sealed"):
        other.open(one.seal(b"?"))
    other.resync(one.nonce)
    assert other.open(one.seal(b"!")) == b"!"
    assert other.counts.resync == 1


@pytest.mark.parametrize("packet", [b"", b"abc", bytes(4), bytes(40)])
def test_packets_of_nobody_are_refused(packet: bytes) -> None:
    with pytest.raises(SealError):
        pair()[0].open(packet)
