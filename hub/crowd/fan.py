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


class Outlet(Protocol):
    """Where one listener's bytes go."""

    def send(self, piece: bytes) -> bool:
        """Send it without waiting; False: the listener is gone, or was too slow and is cut."""

    def end(self) -> None:
        """Say that nothing more comes."""


class Chunks:
    """An HTTP/1.1 answer of unknown length (RFC 9112, section 7.1), written from outside.

    ``over`` is done when the connection is.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, piece: bytes) -> bool:
        """See ``Outlet``. The piece is framed already (``framed``)."""
        transport = self._transport
        if transport.is_closing():
            self._finish()
            return False
        if transport.get_write_buffer_size() > MAX_WAITING:
            transport.abort()
            self._finish()
            return False
        transport.write(piece)
        return True

    def end(self) -> None:
        """See ``Outlet``."""
        self._finish()

    def _finish(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


def framed(data: bytes) -> bytes:
    """Return data as one chunk of an HTTP/1.1 answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


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
            outlet.send(framed(b"".join(self._backlog)))

    def drop(self, outlet: Outlet) -> None:
        """Send it nothing more."""
        self._outlets.pop(outlet, None)

    def send(self, data: bytes) -> None:
        """Send data to all, and keep it for those who come."""
        self._backlog.append(data)
        piece = framed(data)
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
