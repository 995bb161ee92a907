"""What an Opus packet says about itself, read without libopus.

The first byte (TOC) names mode, bandwidth, frame length and how many frames
follow; RFC 6716 section 3 has the layouts and the rules R1 to R7 of a
well-formed packet, section 4.2.3 the SILK header with the flag for in-band FEC.
"""

from typing import Final

INVALID_PACKET: Final = -4  # libopus's OPUS_INVALID_PACKET

# TOC only: SILK wide band, 20 ms, mono, one frame of no bytes. Decoders take it
# for discontinuous transmission and conceal 20 ms.
END_OF_BURST: Final = b"\x48"

_MAX_SAMPLES: Final = 5_760  # R5: a packet holds at most 120 ms
_MAX_FRAME_BYTES: Final = 1_275  # R2
_DTX_BYTES: Final = 2  # a packet this short holds no coded sound
_LONG_SIZE: Final = 252  # a frame length from here on takes a second byte
_SILK = (480, 960, 1_920, 2_880)
_HYBRID = (480, 960)
_CELT = (120, 240, 480, 960)
_FRAME_SAMPLES: Final = _SILK * 3 + _HYBRID * 2 + _CELT * 4
_FIRST_CELT: Final = 16
_SILK_FRAME: Final = 960  # a SILK header has one voice-activity bit per 20 ms


class OpusError(Exception):
    """Opus refused; the text is libopus's own word for it, ``code`` its number."""

    def __init__(self, text: str, code: int = INVALID_PACKET) -> None:
        super().__init__(text)
        self.code = code


def packet_samples(payload: bytes) -> int:
    """Return how many samples at 48 kHz the packet decodes to.

    Raises:
        OpusError: malformed, or longer than 120 ms.
    """
    count, _, _ = _layout(payload)
    samples = count * _FRAME_SAMPLES[payload[0] >> 3]
    if samples > _MAX_SAMPLES:
        raise _malformed("longer than 120 ms")
    return samples


def packet_has_fec(payload: bytes) -> bool:
    """Say whether the packet can stand in for the one before it. Malformed ones cannot."""
    try:
        _, offset, size = _layout(payload)
    except OpusError:
        return False
    config = payload[0] >> 3
    if config >= _FIRST_CELT or size == 0:
        return False
    # Flags come first and at even odds, so the range coder leaves them as plain
    # bits: voice activity of each 20 ms, then LBRR; for mid, then for side.
    flags = max(1, _FRAME_SAMPLES[config] // _SILK_FRAME) + 1
    first = payload[offset]
    mid = first >> (8 - flags) & 1
    side = payload[0] >> 2 & 1 and first >> (8 - 2 * flags) & 1
    return bool(mid or side)


def is_end_of_burst(payload: bytes) -> bool:
    """Say whether the packet carries no sound: the last one of a talk burst, or DTX."""
    return len(payload) <= _DTX_BYTES


def _malformed(what: str) -> OpusError:
    return OpusError(f"corrupted stream: {what}")


def _layout(payload: bytes) -> tuple[int, int, int]:
    """Return the number of frames, and offset and size of the first."""
    if not payload:
        raise _malformed("empty packet")
    match payload[0] & 3:
        case 0:
            layout = 1, 1, len(payload) - 1
        case 1:
            layout = _equal(2, 1, len(payload))
        case 2:
            layout = _sized(2, payload, 1, len(payload))
        case _:
            layout = _counted(payload)
    if layout[2] > _MAX_FRAME_BYTES:
        raise _malformed("frame too long")
    return layout


def _equal(count: int, offset: int, end: int) -> tuple[int, int, int]:
    size, rest = divmod(end - offset, count)
    if rest:
        raise _malformed("frames of unequal length")
    return count, offset, size


def _sized(count: int, payload: bytes, offset: int, end: int) -> tuple[int, int, int]:
    """All frames but the last have their length in front."""
    sizes = []
    for _ in range(count - 1):
        size, offset = _length(payload, offset, end)
        sizes.append(size)
    last = end - offset - sum(sizes)
    if last < 0 or last > _MAX_FRAME_BYTES:
        raise _malformed("frame lengths do not add up")
    return count, offset, (sizes or [last])[0]


def _counted(payload: bytes) -> tuple[int, int, int]:
    """Read a packet with a frame count byte: bits for variable size and for padding."""
    if len(payload) < 2 or not payload[1] & 0x3F:
        raise _malformed("no frame count")
    count, offset, end = payload[1] & 0x3F, 2, len(payload)
    if payload[1] & 0x40:
        offset, end = _unpad(payload)
    if payload[1] & 0x80:
        return _sized(count, payload, offset, end)
    return _equal(count, offset, end)


def _unpad(payload: bytes) -> tuple[int, int]:
    """Return where the frames begin and end between padding count and padding."""
    offset, end, more = 2, len(payload), True
    while more:
        if offset >= end:
            raise _malformed("padding too long")
        pad = payload[offset]
        offset += 1
        more = pad == 255
        end -= 254 if more else pad
    if offset > end:
        raise _malformed("padding too long")
    return offset, end


def _length(payload: bytes, offset: int, end: int) -> tuple[int, int]:
    """Return a frame's coded length and the offset after it."""
    if offset >= end:
        raise _malformed("frame length missing")
    size = payload[offset]
    if size < _LONG_SIZE:
        return size, offset + 1
    if offset + 1 >= end:
        raise _malformed("frame length cut off")
    return size + 4 * payload[offset + 1], offset + 2
