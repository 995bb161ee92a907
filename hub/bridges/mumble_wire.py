"""Mumble's control channel as bytes: messages with a kind and a length, and protobuf in them. Pure.

Of protobuf only what these messages use: numbers, and texts or bytes (encoding: "Protocol
Buffers Documentation, Encoding"). What comes is read with bounds, and what is not as
expected is left out or refused.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

# A server's longest: a picture as somebody's comment, 128 KiB with the usual settings.
MAX_MESSAGE: Final = 256 * 1024
# A channel may list as many links; no other message has more fields.
MAX_FIELDS: Final = 4_096

_HEAD: Final = struct.Struct(">HI")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES: Final = 10
_64_BITS: Final = 2**64 - 1


class Kind(IntEnum):
    """The kinds of messages that a bridge has to know."""

    VERSION = 0
    UDP_TUNNEL = 1
    AUTHENTICATE = 2
    PING = 3
    REJECT = 4
    SERVER_SYNC = 5
    CHANNEL_REMOVE = 6
    CHANNEL_STATE = 7
    USER_REMOVE = 8
    USER_STATE = 9
    PERMISSION_DENIED = 12
    CRYPT_SETUP = 15


class WireError(ValueError):
    """Bytes that are not Mumble's."""


Value = int | bytes
Fields = Mapping[int, list[Value]]


def frame(kind: Kind, payload: bytes) -> bytes:
    """Return a message as it is sent over TLS."""
    return _HEAD.pack(kind, len(payload)) + payload


class Splitter:
    """Cuts what comes over TLS into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the messages that are whole by now, by kind and payload.

        Raises:
            WireError: one is longer than any may be.
        """
        self._rest += data
        found, at = [], 0
        while len(self._rest) - at >= _HEAD.size:
            kind, size = _HEAD.unpack_from(self._rest, at)
            if size > MAX_MESSAGE:
                raise WireError(f"a message of {size} bytes")
            end = at + _HEAD.size + size
            if end > len(self._rest):
                break
            found.append((kind, bytes(self._rest[at + _HEAD.size : end])))
            at = end
        del self._rest[:at]
        return found


def message(*fields: tuple[int, int | bytes | str]) -> bytes:
    """Return a protobuf message of numbers, texts and bytes."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3 | _VARINT) + varint(value)
            continue
        data = value.encode() if isinstance(value, str) else value
        out += varint(number << 3 | _BYTES) + varint(len(data)) + data
    return bytes(out)


def read(payload: bytes) -> Fields:
    """Return a message's fields by number, each with all its values.

    Raises:
        WireError: it is no protobuf, or has more fields than any message has.
    """
    found: dict[int, list[Value]] = {}
    at = count = 0
    while at < len(payload):
        count += 1
        if count > MAX_FIELDS:
            raise WireError("a message with too many fields")
        tag, at = _varint_at(payload, at)
        value, at = _value_at(payload, at, tag & 7)
        found.setdefault(tag >> 3, []).append(value)
    return found


def number(fields: Fields, key: int) -> int | None:
    """Return a field that is a number; the last one counts, as in protobuf."""
    value = fields[key][-1] if key in fields else None
    return value if isinstance(value, int) else None


def flag(fields: Fields, key: int) -> bool | None:
    """Return a field that is true or false."""
    value = number(fields, key)
    return None if value is None else bool(value)


def data(fields: Fields, key: int) -> bytes | None:
    """Return a field that is bytes."""
    value = fields[key][-1] if key in fields else None
    return value if isinstance(value, bytes) else None


def text(fields: Fields, key: int) -> str | None:
    """Return a field that is text; what is no UTF-8 in it is marked."""
    value = data(fields, key)
    return None if value is None else value.decode(errors="replace")


def varint(value: int) -> bytes:
    """Return a protobuf number of at most 64 bits; negative ones in two's complement."""
    value &= _64_BITS
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint_at(payload: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(payload[at : at + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & _64_BITS, at + count + 1
    raise WireError("a number without an end")


def _value_at(payload: bytes, at: int, wire_type: int) -> tuple[Value, int]:
    if wire_type == _VARINT:
        return _varint_at(payload, at)
    if wire_type == _BYTES:
        size, at = _varint_at(payload, at)
    elif wire_type in {_FIXED32, _FIXED64}:
        size = 8 if wire_type == _FIXED64 else 4
    else:
        raise WireError(f"a field of type {wire_type}")
    if at + size > len(payload):
        raise WireError("a field that is cut off")
    return payload[at : at + size], at + size
