"""One stream, many connections: each piece is made once and written to all.

A connection that does not take what it is sent is cut when a bounded amount waits for it;
nobody else notices.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Protocol

# At 32 kbit/s this is a quarter of a minute: longer than a phone takes from Wi-Fi to mobile.
MAX_WAITING: Final = 64 * 1024
# What a new listener gets at once, so that its player begins at once and has something in
# hand while the network stands still: 2 s in pieces of 0.2 s.
BACKLOG: Final = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a stream, and the same as one chunk of HTTP/1.1 (RFC 9112, section 7.1)."""

    data: bytes
    chunk: bytes

    @classmethod
    def of(cls, data: bytes) -> "Piece":
        """Return the piece of these bytes; none are the end of chunks, so there must be some."""
        return cls(data, b"%x\r\n%b\r\n" % (len(data), data))


class Outlet(Protocol):
    """Where one listener's bytes go."""

    def send(self, piece: Piece) -> bool:
        """Send it without waiting; False: the listener is gone, or was too slow and is cut."""

    def end(self) -> None:
        """Know that nothing more comes."""


class Answer:
    """The body of an HTTP answer of unknown length, written from outside of its handler.

    ``chunked``: as HTTP/1.1 has it; older players get it bare, up to the connection's end.
    ``over`` is done when the stream or the connection is.
    """

    def __init__(self, transport: asyncio.WriteTransport, *, chunked: bool) -> None:
        self._transport = transport
        self._chunked = chunked
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, piece: Piece) -> bool:
        """See ``Outlet``."""
        transport = self._transport
        if transport.is_closing():
            self.end()
            return False
        if transport.get_write_buffer_size() > MAX_WAITING:
            transport.abort()
            self.end()
            return False
        transport.write(piece.chunk if self._chunked else piece.data)
        return True

    def end(self) -> None:
        """See ``Outlet``."""
        if not self.over.done():
            self.over.set_result(None)


@dataclass(slots=True)
class FanCounts:
    """What became of listeners."""

    came: int = 0
    lost: int = 0  # gone by themselves, or cut
    pieces: int = 0  # written, all listeners together


class Fan:
    """The listeners of one stream."""

    def __init__(self, counts: FanCounts) -> None:
        self._counts = counts
        self._outlets: dict[Outlet, None] = {}
        self._backlog: deque[bytes] = deque(maxlen=BACKLOG)

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._outlets)

    def add(self, outlet: Outlet) -> None:
        """Send an outlet what just was, and everything from now on."""
        self._counts.came += 1
        self._outlets[outlet] = None
        if self._backlog:
            outlet.send(Piece.of(b"".join(self._backlog)))

    def drop(self, outlet: Outlet) -> None:
        """Send it nothing more."""
        self._outlets.pop(outlet, None)

    def send(self, data: bytes) -> None:
        """Send data to all, and keep it for those who come."""
        self._backlog.append(data)
        piece = Piece.of(data)
        gone = [outlet for outlet in self._outlets if not outlet.send(piece)]
        self._counts.pieces += len(self._outlets)
        self._counts.lost += len(gone)
        for outlet in gone:
            self.drop(outlet)

    def end(self) -> None:
        """Tell all that nothing more comes."""
        outlets, self._outlets = self._outlets, {}
        for outlet in outlets:
            outlet.end()
