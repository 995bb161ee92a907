"""The local sockets between the hub's processes. Never waits: what finds no room is lost.

Sound that finds no room is dropped and counted. Orders of the main process are kept
until there is room again, up to a bound; past it the process behind hangs.
"""

import array
import asyncio
import contextlib
import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from hub.media.mail import MAX_MAIL

# What one socket holds: over 200 ms of eight talkers' sound and all listeners' frames,
# more than a process that is not dead ever leaves unread. The system may allow less.
ROOM: Final = 1 << 20
# Orders that wait for room: several for each of the members that one hub may have.
MAX_WAITING: Final = 4_096
# Mail is read for so long in one go; then others on the event loop have their turn. One
# frame to many listeners may take longer: nothing is broken off.
READ_FOR_S: Final = 0.001

_DESCRIPTOR: Final = array.array("i").itemsize
# The kernel has no memory for it just now, which is as good as no room.
_NO_ROOM: Final = (errno.ENOBUFS, errno.ENOMEM)


class ChannelFullError(Exception):
    """More orders wait than a living process leaves unread."""


def inbox() -> tuple[socket.socket, socket.socket]:
    """Return both ends of an inbox: to read from, and to write to from any process."""
    return _pair(socket.SOCK_DGRAM)


def line() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a line; each side notices when the other one is gone."""
    return _pair(socket.SOCK_SEQPACKET)


def _pair(kind: int) -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair(socket.AF_UNIX, kind)
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
    return ends


class Reader:
    """Calls ``take(data, descriptor)`` for each message that comes, and ``over`` at the end.

    ``descriptor`` is what came with a message, or None; ``take`` owns it. ``data`` is
    only good until ``take`` returns.
    """

    def __init__(
        self,
        end: socket.socket,
        take: Callable[[memoryview, int | None], None],
        over: Callable[[], None] = lambda: None,
    ) -> None:
        self._end = end
        self._take = take
        self._over = over
        self._buffer = memoryview(bytearray(MAX_MAIL))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(end.fileno(), self._read)

    def close(self) -> None:
        """Read no more."""
        if self._end.fileno() >= 0:
            self._loop.remove_reader(self._end.fileno())
            self._end.close()

    def _read(self) -> None:
        until = self._loop.time() + READ_FOR_S
        while self._end.fileno() >= 0 and self._loop.time() < until:
            try:
                size, extra, _flags, _from = self._end.recvmsg_into(
                    [self._buffer], socket.CMSG_LEN(_DESCRIPTOR)
                )
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                size, extra = 0, []
            if size == 0:
                self.close()
                self._over()
                return
            self._take(self._buffer[:size], _descriptor(extra))


class Writer:
    """Writes to a socket whose other end a process reads."""

    def __init__(self, end: socket.socket) -> None:
        self.dropped = 0
        self._end = end
        self._waiting: deque[tuple[bytes, int | None]] = deque()
        self._loop = asyncio.get_running_loop()

    @property
    def end(self) -> socket.socket:
        """The socket itself, to be given to others."""
        return self._end

    def offer(self, data: bytes) -> None:
        """Write now or never."""
        if not self._waiting and _write(self._end, data, None):
            return
        self.dropped += 1

    def order(self, data: bytes, descriptor: int | None = None) -> None:
        """Write now or as soon as there is room.

        A copy of ``descriptor``, which stays the caller's, goes along.

        Raises:
            ChannelFullError: too much waits already.
        """
        if not self._waiting and _write(self._end, data, descriptor):
            return
        if len(self._waiting) >= MAX_WAITING:
            raise ChannelFullError
        if not self._waiting:
            self._loop.add_writer(self._end.fileno(), self._write_more)
        self._waiting.append((data, None if descriptor is None else os.dup(descriptor)))

    def close(self) -> None:
        """Write no more."""
        if self._waiting:
            self._loop.remove_writer(self._end.fileno())
        for _data, descriptor in self._waiting:
            if descriptor is not None:
                os.close(descriptor)
        self._waiting.clear()
        self._end.close()

    def _write_more(self) -> None:
        while self._waiting:
            data, descriptor = self._waiting[0]
            if not _write(self._end, data, descriptor):
                return
            self._waiting.popleft()
            if descriptor is not None:
                os.close(descriptor)
        self._loop.remove_writer(self._end.fileno())


def _write(end: socket.socket, data: bytes, descriptor: int | None) -> bool:
    """Return False if there is no room; to a process that is gone, everything goes."""
    try:
        if descriptor is None:
            end.send(data)
        else:
            socket.send_fds(end, [data], [descriptor])
    except (BlockingIOError, InterruptedError):
        return False
    except OSError as error:
        return error.errno not in _NO_ROOM
    return True


def _descriptor(extra: list[tuple[int, int, bytes]]) -> int | None:
    found = array.array("i")
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            with contextlib.suppress(ValueError):
                found.frombytes(data[: len(data) - len(data) % _DESCRIPTOR])
    return found[0] if found else None
