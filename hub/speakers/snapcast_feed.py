"""A space's sound for a source of a Snapcast server: decoded once, however many rooms play it.

One shell for each source that is fed. The server takes samples at the pace of its own clock;
what it does not take is dropped when a bounded amount waits.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, Protocol

import numpy as np

from hub.crowd.fan import Outlet, Piece
from hub.crowd.formats import Format
from hub.crowd.shelf import FullError
from hub.recording.ogg import read_pages
from hub.speakers.snapcast_terms import free_lane
from hub.speakers.terms import Cause, SpeakerError
from stagebox.media.frames import SAMPLE_RATE
from stagebox.media.opus import Decoder, OpusError

CONNECT_S: Final = 3.0
_BYTES_PER_S: Final = SAMPLE_RATE * 4  # 16 bits, two channels
# The stream comes in pieces of 0.2 s, and a busy hub is late with one: so much is in hand.
LEAD: Final = bytes(3 * _BYTES_PER_S // 10)
# A server that takes nothing for so long hears the rest later or never.
MAX_WAITING: Final = _BYTES_PER_S
# The kernel would hold minutes of sound back for a server that stands still.
_KERNEL: Final = _BYTES_PER_S // 4


class Programmes(Protocol):
    """Where spaces are heard: see ``hub.crowd.streams.Streams``."""

    def begin(self, space_id: str, format_: Format = Format.OPUS) -> bytes: ...

    def listening(
        self, space_id: str, outlet: Outlet, format_: Format = Format.OPUS
    ) -> AbstractContextManager[None]: ...


class Feed:
    """Implements ``Outlet`` by a connection to a source. ``over`` is done when either ends."""

    def __init__(self, space: str, lane: str, transport: asyncio.WriteTransport) -> None:
        self.space = space
        self.lane = lane
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.users = 0
        self.dropped = 0
        self._transport = transport
        self._decoder = Decoder()
        self._begun = False
        self._stack = contextlib.ExitStack()

    @classmethod
    async def open(
        cls, programmes: Programmes, space: str, lane: str, place: tuple[str, int]
    ) -> "Feed":
        """Feed the source ``lane`` that listens at ``place`` with a space.

        Raises:
            SpeakerError: it cannot be fed.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                transport, end = await loop.create_connection(_End, *place)
        except OSError as error:
            detail = f"The source {lane} of the Snapcast server cannot be reached ({error})."
            raise SpeakerError(Cause.UNREACHABLE, detail) from None
        feed = cls(space, lane, transport)
        end.lost = feed.end
        connected: socket.socket = transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL)
        try:
            programmes.begin(space)
            feed._stack.enter_context(programmes.listening(space, feed))
        except FullError as error:
            transport.abort()
            raise SpeakerError(Cause.NO_ANSWER, f"The hub is full: {error}.") from None
        transport.write(LEAD)
        feed._begun = True
        return feed

    def send(self, piece: Piece) -> bool:
        """See ``Outlet``. What was said before it came is not played late."""
        if self._transport.is_closing():
            self.end()
            return False
        if not self._begun:
            return True
        sound = b"".join(map(self._decoded, _packets(piece.data)))
        if self._transport.get_write_buffer_size() + len(sound) > MAX_WAITING:
            self.dropped += 1
        else:
            self._transport.write(sound)
        return True

    def end(self) -> None:
        """See ``Outlet``."""
        if not self.over.done():
            self.over.set_result(None)

    def close(self) -> None:
        """Feed it no more."""
        self._stack.close()
        self._transport.abort()
        self.end()

    def _decoded(self, packet: bytes) -> bytes:
        try:
            sound = self._decoder.decode(packet)
        except OpusError:
            return b""
        return bytes(np.repeat(sound, 2).tobytes())


class Feeds:
    """All feeds, by server and source; shared by whoever plays the same space there."""

    def __init__(self, programmes: Programmes) -> None:
        self._programmes = programmes
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def take(self, server: tuple[str, str], lanes: dict[str, int], space: str) -> Feed:
        """Return what feeds a space to one of a server's sources; give it back by ``release``.

        ``server``: its name here, and its IP address.

        Raises:
            SpeakerError: none can be fed.
        """
        name, host = server
        async with self._locks.setdefault(name, asyncio.Lock()):
            taken = {
                lane: feed.space
                for (at, lane), feed in self._feeds.items()
                if at == name and not feed.over.done()
            }
            lane, port = free_lane(lanes, taken, space)
            feed = self._feeds.get((name, lane))
            if feed is None or feed.over.done():
                feed = await Feed.open(self._programmes, space, lane, (host, port))
                self._feeds[name, lane] = feed
            feed.users += 1
            return feed

    def release(self, server: str, feed: Feed) -> None:
        """Stop feeding it when nobody else plays it."""
        feed.users -= 1
        if feed.users == 0:
            feed.close()
            if self._feeds.get((server, feed.lane)) is feed:
                del self._feeds[server, feed.lane]


class _End(asyncio.Protocol):
    """The connection's own end: tells when it is gone. What a server sends is ignored."""

    def __init__(self) -> None:
        self.lost: Callable[[], None] = lambda: None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.lost()


def _packets(data: bytes) -> list[bytes]:
    return [packet for _at, page in read_pages(data) for packet in page.packets]
