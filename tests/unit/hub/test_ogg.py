"""Ogg pages and Opus in them: by the format's own figures, and by FFmpeg's ear."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.recording.ogg import (
    BEGIN,
    END,
    OggError,
    Page,
    checksum,
    page_size,
    read_page,
    read_pages,
    segments,
    whole,
)
from hub.recording.opusfile import (
    PAGE_SAMPLES,
    SILENCE,
    OpusStream,
    head,
    length,
    mended,
    silence,
    sounds,
    tags,
)
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Encoder
from stagebox.media.toc import packet_samples
from tests.unit.hub.mix_kit import tone
from tests.unit.hub.recording_kit import decoded

packets = st.lists(st.binary(max_size=1_300), max_size=12)


def slow_checksum(data: bytes) -> int:
    """The CRC as RFC 3533 describes it, bit by bit."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)
            register &= 0xFFFFFFFF
    return register


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_the_standard(data: bytes) -> None:
    assert checksum(data) == slow_checksum(data)


@given(packets, st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1))
def test_a_page_is_read_as_it_was_written(some: list[bytes], serial: int, granule: int) -> None:
    page = Page(serial, 7, granule, tuple(some), BEGIN | END)
    raw = page.encode()
    assert read_page(b"?" + raw + b"?", 1) == page
    assert page_size(raw) == len(raw) == whole(raw) == whole(raw + raw[:-1])
    assert sum(map(segments, some)) == raw[26]


@given(packets, st.data())
def test_a_damaged_page_is_none(some: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(Page(1, 2, 3, tuple(some)).encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(OggError):
        read_page(bytes(raw))
    assert whole(bytes(raw)) == 0


def test_a_page_holds_255_segments_and_no_more() -> None:
    assert Page(1, 2, 3, (b"",) * 255).encode()
    with pytest.raises(OggError, match="256 segments"):
        Page(1, 2, 3, (b"",) * 256).encode()
    with pytest.raises(OggError, match="no page"):
        read_page(b"RIFF")


def stream(seconds: float) -> tuple[OpusStream, bytes]:
    made, encoder = OpusStream(99), Encoder()
    data = made.begin("Stagebox", {"TITLE": "Küche", "DATE": "2026-05-01"})
    for frame in tone(440, seconds).reshape(-1, FRAME_SAMPLES):
        data += made.put([encoder.encode(frame)])
    return made, data


def test_a_file_plays_for_as_long_as_it_says() -> None:
    made, data = stream(3.3)
    data += made.flush(last=True)
    assert length(data) == round(3.3 * SAMPLE_RATE)
    assert decoded(data).size == length(data) - 312
    assert b"TITLE=K\xc3\xbcche" in data
    pages = [page for _at, page in read_pages(data)]
    assert [page.number for page in pages] == list(range(len(pages)))
    assert [page.flags for page in pages] == [BEGIN, *[0] * (len(pages) - 2), END]
    assert pages[0].packets == (head(),)
    assert pages[0].granule == pages[1].granule == 0
    steps = [sound.page.granule - sound.begin for sound in sounds(data)]
    assert max(steps) <= PAGE_SAMPLES + FRAME_SAMPLES


def test_the_identification_is_that_of_rfc_7845() -> None:
    assert struct.unpack("<8sBBHIhB", head()) == (b"OpusHead", 1, 1, 312, 48_000, 0, 0)
    assert tags("me", {"A": "b"}) == b"OpusTags\x02\0\0\0me\x01\0\0\0\x03\0\0\0A=b"


@pytest.mark.parametrize("samples", [0, 100, 120, 960, 5_760, 5_760 + 960 + 240])
def test_silence_is_so_long_and_silent(samples: int) -> None:
    some = list(silence(samples))
    assert sum(map(packet_samples, some)) == samples // 120 * 120
    made = OpusStream(1)
    data = made.begin("x", {}) + made.put([SILENCE, *some]) + made.flush(last=True)
    assert not decoded(data).any()


def test_many_long_packets_are_spread_over_pages() -> None:
    made = OpusStream(1)
    data = made.put([b"\x80" + bytes(1_200)] * 100)  # 2.5 ms each, five segments
    data += made.flush()
    pages = [page for _at, page in read_pages(data)]
    assert [len(page.packets) for page in pages] == [51, 49]
    assert made.flush() == b""
    assert not made.waits
    assert made.end == made.granule == 100 * 120


@pytest.mark.parametrize("cut", [1, 30, 400])
def test_a_file_that_was_cut_off_is_mended(cut: int) -> None:
    _made, data = stream(2.0)
    size, end = mended(data[:-cut])
    good = data[:size] + end
    assert whole(good) == len(good)
    assert mended(good) == (len(good), b"")
    assert 1.4 <= decoded(good).size / SAMPLE_RATE <= 2.0
    assert [page.flags for _at, page in read_pages(good)][-1] == END


def test_what_was_never_begun_is_nothing() -> None:
    assert mended(b"") == (0, b"")
    assert mended(b"what?") == (0, b"")
    assert length(b"") == 0
