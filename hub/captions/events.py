"""The Wyoming protocol's framing: one line of JSON, then data and payload of given lengths.

The other side is a stranger, so every length has a bound, and payload, which no service
for speech sends, is passed over without being kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

# A header holds a type and two lengths; some services put their data into it.
MOST_LINE: Final = 64 * 1024
# A service that describes a hundred models with a hundred languages each.
MOST_DATA: Final = 1024 * 1024
MOST_PAYLOAD: Final = 16 * 1024 * 1024


_T = TypeVar("_T")


class ProtocolError(Exception):
    """The other side does not speak Wyoming, or says too much; the text says what it sent."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, without its payload."""

    type: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return the text in the event's data.

        Raises:
            ProtocolError: there is none.
        """
        text = self.data.get("text")
        if not isinstance(text, str):
            raise ProtocolError(f"its {self.type!r} has no text")
        return text


class _Header(msgspec.Struct, frozen=True):
    type: str
    data: dict[str, Any] | None = None
    data_length: int | None = None
    payload_length: int | None = None


def encode(type_: str, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> bytes:
    """Return an event as it is sent."""
    header: dict[str, Any] = {"type": type_}
    if data:
        header["data"] = data
    if payload:
        header["payload_length"] = len(payload)
    return msgspec.json.encode(header) + b"\n" + payload


class EventReader:
    """Bytes as they come in, events out."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._header: _Header | None = None
        self._skip = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that are complete with this.

        Raises:
            ProtocolError: this is not Wyoming, or something in it is too long.
        """
        self._held += data
        events = []
        while (event := self._next()) is not None:
            events.append(event)
        return events

    def _next(self) -> Event | None:
        passed = min(self._skip, len(self._held))
        del self._held[:passed]
        self._skip -= passed
        if self._skip:
            return None
        if self._header is None:
            self._header = self._line()
        if self._header is None:
            return None
        return self._event(self._header)

    def _line(self) -> _Header | None:
        end = self._held.find(b"\n")
        if max(end, len(self._held) if end < 0 else 0) > MOST_LINE:
            raise ProtocolError(f"it sent a line of more than {MOST_LINE} bytes")
        if end < 0:
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        header = _decoded(line, _Header)
        if not 0 <= (header.data_length or 0) <= MOST_DATA:
            raise ProtocolError(f"it announced data of {header.data_length} bytes")
        if not 0 <= (header.payload_length or 0) <= MOST_PAYLOAD:
            raise ProtocolError(f"it announced a payload of {header.payload_length} bytes")
        return header

    def _event(self, header: _Header) -> Event | None:
        length = header.data_length or 0
        if len(self._held) < length:
            return None
        data = header.data or {}
        if length:
            data = {**data, **_decoded(bytes(self._held[:length]), dict[str, Any])}
            del self._held[:length]
        self._header = None
        self._skip = header.payload_length or 0
        return Event(header.type, data)


def _decoded(text: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"it sent what is no Wyoming event ({error})") from None
