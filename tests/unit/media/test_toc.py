"""The packet parser against RFC 6716's rules, and against libopus itself."""

import ctypes
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stagebox.media.opus import load_library
from stagebox.media.toc import (
    END_OF_BURST,
    OpusError,
    is_end_of_burst,
    packet_has_fec,
    packet_samples,
)

LIBRARY = load_library({})


def wheel() -> ctypes.CDLL:
    """PyAV's libopus, which is young enough to read the LBRR flag itself."""
    spec = find_spec("av")
    assert spec is not None
    assert spec.origin is not None
    (path,) = Path(spec.origin).parent.parent.glob("av.libs/libopus-*.so*")
    return load_library({"STAGEBOX_OPUS": str(path)})


WHEEL = wheel()


def libopus_samples(payload: bytes) -> int:
    """Parse as the decoder does; a negative number says it refuses."""
    sizes = (ctypes.c_int16 * 48)()
    count = LIBRARY.opus_packet_parse(payload, len(payload), None, None, sizes, None)
    if count < 0:
        return int(count)
    return int(LIBRARY.opus_packet_get_nb_samples(payload, len(payload), 48_000))


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\x40\x00\x00", 480),  # SILK 10 ms
        (b"\x48\x00\x00", 960),
        (b"\x50\x00\x00", 1_920),
        (b"\x58\x00\x00", 2_880),
        (b"\x78\x00\x00", 960),  # hybrid
        (b"\x80\x00\x00", 120),  # CELT 2.5 ms
        (b"\xf8\x00\x00", 960),
        (b"\x49\x01\x02", 1_920),  # two of a size
        (b"\x4a\x01\x02\x03", 1_920),  # two of their own sizes
        (b"\x4b\x03\x01\x02\x03", 2_880),  # three of a size
        (b"\x4b\x83\x01\x01\x02\x03", 2_880),  # three of their own sizes
        (b"\x4b\x41\x01\x02\x00", 960),  # padded
        (END_OF_BURST, 960),
    ],
)
def test_a_packet_says_how_long_it_is(payload: bytes, samples: int) -> None:
    assert packet_samples(payload) == samples


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\x49\x01", "unequal"),
        (b"\x4a", "length missing"),
        (b"\x4a\xfc", "cut off"),
        (b"\x4a\x05\x01", "add up"),
        (b"\x4b", "no frame count"),
        (b"\x4b\x00", "no frame count"),
        (b"\x4b\x07" + bytes(7), "120 ms"),
        (b"\x4b\x41", "padding"),
        (b"\x4b\x41\x09\x00", "padding"),
        (b"\x4b\x41\xff", "padding"),
        (b"\x48" + bytes(1_276), "frame too long"),
        (b"\x4b\x81" + bytes(1_276), "add up"),
    ],
)
def test_a_malformed_packet_is_refused_by_name(payload: bytes, reason: str) -> None:
    with pytest.raises(OpusError, match=f"corrupted stream: .*{reason}") as caught:
        packet_samples(payload)
    assert caught.value.code == -4


def test_fec_flag_follows_the_voice_activity_bits() -> None:
    assert packet_has_fec(b"\x48\x40\x00")
    assert not packet_has_fec(b"\x48\x80\x00")
    assert packet_has_fec(b"\x58\x10\x00")  # 60 ms: three activity bits first
    assert packet_has_fec(b"\x4c\x10\x00")  # stereo: the side channel's flag
    assert not packet_has_fec(b"\x4c\x20\x00")
    assert not packet_has_fec(b"\xf8\xff\xff")  # CELT has none
    assert not packet_has_fec(END_OF_BURST)
    assert not packet_has_fec(b"")


def test_end_of_burst_is_a_valid_packet_without_sound() -> None:
    assert libopus_samples(END_OF_BURST) == 960
    assert is_end_of_burst(END_OF_BURST)
    assert is_end_of_burst(b"\x48\x00")
    assert not is_end_of_burst(b"\x48\x00\x00")


@given(st.binary(max_size=40) | st.binary(min_size=1_270, max_size=1_300))
@example(b"\x4b\x41\xff" + bytes(254))
@example(b"\x4b\xc2\xff\x00" + bytes(300))
@example(b"\x4a\xff\xff" + bytes(1_275))
def test_the_parser_agrees_with_libopus(payload: bytes) -> None:
    try:
        ours = packet_samples(payload)
    except OpusError as error:
        ours = error.code
    theirs = libopus_samples(payload) if payload else -4
    assert ours == theirs


@given(st.binary(min_size=1, max_size=40))
def test_the_fec_flag_agrees_with_libopus(payload: bytes) -> None:
    theirs = WHEEL.opus_packet_has_lbrr(payload, len(payload))
    assert packet_has_fec(payload) == (theirs > 0)
