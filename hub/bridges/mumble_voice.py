"""One packet of voice as Mumble carries it: in its own format, and in protobuf since 1.5. Pure.

The own format counts in steps of 10 ms and has whole numbers of its own kind (Mumble's
protocol documentation, "Voice data" and "Variable length integer encoding").
"""

import struct
from dataclasses import dataclass
from typing import Final

from hub.bridges.mumble_wire import Fields, WireError, data, flag, message, number, read

# Timestamps of RTP count samples, Mumble counts 10 ms.
STEP_SAMPLES: Final = 480
# The longest Opus packet that a bridge sends; Mumble's datagrams end at 1024.
MAX_OPUS: Final = 1_000
# Versions as Mumble has had them since 1.5: 16 bits each for major, minor and patch, and 16 more.
PROTOBUF_SINCE: Final = 1 << 48 | 5 << 32

_OPUS: Final = 4
_PING: Final = 1
_LAST: Final = 0x2000
_SIZE: Final = 0x1FFF
_PROTOBUF_VOICE: Final = 0
_PROTOBUF_PING: Final = 1
# After a pause of more than this the far side's count begins where it is.
_LONGEST_GAP: Final = 60 * 48_000


@dataclass(frozen=True, slots=True)
class Voice:
    """Opus of somebody. ``frame`` counts 10 ms; ``last``: they let go of the button.

    ``context``: 0 said in the channel, 1 shouted to it, 2 whispered to us alone.
    """

    session: int
    frame: int
    payload: bytes
    last: bool
    context: int = 0


@dataclass(frozen=True, slots=True)
class Echo:
    """A ping that came back, with the number that it was sent with."""

    stamp: int


class Format:
    """How packets look between us and one server. ``version``: the server's, as since 1.5."""

    def __init__(self, version: int = 0) -> None:
        self._protobuf = version >= PROTOBUF_SINCE

    def voice(self, frame: int, payload: bytes, *, last: bool) -> bytes:
        """Return a packet of voice for everybody in the channel."""
        if self._protobuf:
            body = ((4, frame), (5, payload), *(((16, 1),) if last else ()))
            return bytes((_PROTOBUF_VOICE,)) + message(*body)
        size = len(payload) | (_LAST if last else 0)
        return bytes((_OPUS << 5,)) + whole(frame) + whole(size) + payload

    def ping(self, stamp: int) -> bytes:
        """Return a ping."""
        if self._protobuf:
            return bytes((_PROTOBUF_PING,)) + message((1, stamp))
        return bytes((_PING << 5,)) + whole(stamp)

    def read(self, packet: bytes) -> Voice | Echo | None:
        """Return what a packet is; None: of a codec or a kind that nobody uses any more.

        Raises:
            WireError: it is neither.
        """
        if not packet:
            raise WireError("an empty packet")
        return self._read_protobuf(packet) if self._protobuf else _read_own(packet)

    def _read_protobuf(self, packet: bytes) -> Voice | Echo | None:
        fields = read(packet[1:])
        if packet[0] == _PROTOBUF_PING:
            return Echo(number(fields, 1) or 0)
        return _voice_of(fields) if packet[0] == _PROTOBUF_VOICE else None


class Count:
    """Mumble's count of 10 ms for what we send, from timestamps of RTP."""

    def __init__(self) -> None:
        self._frame = 0
        self._timestamp: int | None = None

    def take(self, timestamp: int) -> int:
        """Return the count of a packet; a timestamp that jumps begins behind the last one."""
        if self._timestamp is not None:
            elapsed = (timestamp - self._timestamp) % 2**32
            usual = 0 < elapsed <= _LONGEST_GAP
            self._frame += max(1, elapsed // STEP_SAMPLES) if usual else 2
        self._timestamp = timestamp
        return self._frame


def whole(value: int) -> bytes:
    """Return a whole number, not negative, as Mumble's own format has it."""
    if value < 0x80:
        return bytes((value,))
    if value < 0x4000:
        return struct.pack(">H", value | 0x8000)
    if value < 0x20_0000:
        return struct.pack(">I", value | 0xC0_0000)[1:]
    if value < 0x1000_0000:
        return struct.pack(">I", value | 0xE000_0000)
    if value < 2**32:
        return b"\xf0" + struct.pack(">I", value)
    return b"\xf4" + struct.pack(">Q", value)


def whole_at(packet: bytes, at: int) -> tuple[int, int]:
    """Return a whole number and where it ends. Nothing here may be negative.

    Raises:
        WireError: it is cut off, or negative.
    """
    first = packet[at] if at < len(packet) else 0xFF
    more, mask = _length(first)
    end = at + 1 + more
    if end > len(packet):
        raise WireError("a number that is cut off")
    return int.from_bytes(bytes((first & mask,)) + packet[at + 1 : end], "big"), end


def _length(first: int) -> tuple[int, int]:
    """Return how many bytes follow the first one, and which of its bits count."""
    for more, (top, mask) in enumerate(((0x80, 0x7F), (0xC0, 0x3F), (0xE0, 0x1F), (0xF0, 0x0F))):
        if first < top:
            return more, mask
    if first & 0xF8 != 0xF0:
        raise WireError("a negative number")
    return (8 if first & 4 else 4), 0


def _read_own(packet: bytes) -> Voice | Echo | None:
    kind, context = packet[0] >> 5, packet[0] & 0x1F
    if kind == _PING:
        return Echo(whole_at(packet, 1)[0])
    if kind != _OPUS:
        return None
    session, at = whole_at(packet, 1)
    frame, at = whole_at(packet, at)
    size, at = whole_at(packet, at)
    end = at + (size & _SIZE)
    if end > len(packet):
        raise WireError("a voice that is cut off")
    return Voice(session, frame, packet[at:end], bool(size & _LAST), context)


def _voice_of(fields: Fields) -> Voice:
    return Voice(
        session=number(fields, 3) or 0,
        frame=number(fields, 4) or 0,
        payload=data(fields, 5) or b"",
        last=bool(flag(fields, 16)),
        context=number(fields, 2) or 0,
    )
