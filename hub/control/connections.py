"""Deadlines and caps for TCP connections, in front of aiohttp's own protocol.

aiohttp reads requests but sets no limit on how long a peer may take for one, nor on how
many connections it holds. ``Connection`` stands between the transport and aiohttp: it
asks ``SocketBook`` whether the connection may stay, and cuts it when a request is not
complete, answered, or followed by another in time. A connection that has become a
member's session is watched by the session instead. With TLS it is counted and has its
deadline from the first byte on, not only when the handshake is done.

When there are too many strangers the one that has waited longest makes room: a box
says who it is within milliseconds, so a crowd that says nothing cannot keep it out.
"""

import asyncio
import ssl
from asyncio import sslproto
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

from aiohttp import web

from hub.control.limits import Refusal, SocketBook

# A peer that does not say goodbye under TLS in this time is cut.
TLS_CLOSE_S: Final = 2.0
# What asyncio makes room for with each TLS connection, from its first byte on: a record. With
# asyncio's own 256 KiB a crowd of strangers would take a hundred MiB.
TLS_BUFFER: Final = 16 * 1024

_BODY = b'{"title":"Too many connections; try again later.","code":"too_many_connections"}'
_REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: application/problem+json\r\n"
    b"Connection: close\r\nRetry-After: 10\r\n"
    b"Content-Length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
)


sslproto.SSLProtocol.max_size = TLS_BUFFER


@dataclass(frozen=True, slots=True)
class Guard:
    """What all connections of one server share."""

    book: SocketBook
    request_s: float
    idle_s: float
    refused: Callable[[Refusal], None]
    strangers: "dict[Connection, None]" = field(default_factory=dict)  # the oldest first

    def admit(self, connection: "Connection", address: str) -> Refusal | None:
        """Count a new connection, at the cost of the oldest stranger, or say why not."""
        refusal = self.book.admit(address)
        if refusal is Refusal.STRANGER_CAP and self.strangers:
            next(iter(self.strangers)).make_room()
            refusal = self.book.admit(address)
        if refusal is None:
            self.strangers[connection] = None
        return refusal

    def forget(self, connection: "Connection", address: str) -> None:
        """Stop counting an admitted connection."""
        stranger = connection in self.strangers
        self.strangers.pop(connection, None)
        self.book.drop(address, stranger=stranger)

    def introduce(self, connection: "Connection") -> None:
        """Count a stranger as a member from now on."""
        del self.strangers[connection]
        self.book.introduce()


class Connection(asyncio.Protocol):
    """One TCP connection; forwards everything to aiohttp's protocol once it is admitted."""

    def __init__(self, server: web.Server, guard: Guard, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._guard = guard
        self._tls = tls
        self._handshake: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._inner: web.RequestHandler | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._address = ""
        self._stranger = True
        self._counted = False

    @classmethod
    def of(cls, request: web.Request) -> "Connection":
        """Return the connection a request came on.

        Raises:
            ConnectionResetError: it is gone.
        """
        if request.transport is None:
            raise ConnectionResetError
        protocol = request.transport.get_protocol()
        if not isinstance(protocol, cls):
            raise TypeError("this request did not come through a Connection")
        return protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer else ""
        refusal = self._guard.admit(self, self._address)
        if refusal is not None:
            self._guard.refused(refusal)
            if self._tls is None:
                self._transport.write(_REFUSED)
            self._transport.close()
            return
        self._counted = True
        self._arm(self._guard.request_s)
        if self._tls is None:
            self._begin(self._transport)
        else:
            self._handshake = asyncio.create_task(self._shake_hands(self._transport, self._tls))

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._forget()
        inner, self._inner = self._inner, None
        self._let_go()
        if inner is not None:
            inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
        elif self._handshake is not None:
            # What came with the end of the handshake; no more is read before it is over.
            self._early.append(data)

    def eof_received(self) -> None:
        if self._inner is not None:
            self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def request_begins(self) -> None:
        """Note a whole request head; its answer has a deadline, too."""
        if self._stranger:
            self._arm(self._guard.request_s)

    def request_ends(self) -> None:
        """Note an answer; the next request may take ``idle_s`` to come."""
        if self._stranger:
            self._arm(self._guard.idle_s)

    def become_member(self) -> None:
        """Note that this carries a session now, which has its own deadlines."""
        if self._stranger and self._transport is not None and not self._transport.is_closing():
            self._stranger = False
            self._guard.introduce(self)
            self._disarm()

    def make_room(self) -> None:
        """Cut this stranger for a newer one; its place is free at once."""
        self._guard.refused(Refusal.STRANGER_CAP)
        self._forget()
        self.abort()

    def abort(self) -> None:
        """Cut the connection without flushing what waits to be sent."""
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._inner = self._server()
        self._inner.connection_made(transport)

    async def _shake_hands(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """Go on under TLS, or give up: a peer that does not speak it has no use for an answer."""
        loop = asyncio.get_running_loop()
        secure: asyncio.Transport | None = None
        try:
            secure = await loop.start_tls(
                transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=self._guard.request_s,
                ssl_shutdown_timeout=TLS_CLOSE_S,
            )
        except OSError as error:  # cut at its deadline, or no TLS at all
            # asyncio's frames in it hold the exception and the whole of TLS in a circle.
            error.__traceback__ = None
        if secure is None or secure.is_closing():
            transport.abort()
            self._disarm()
            self._forget()
            self._let_go()
            return
        self._begin(secure)
        for data in self._early:
            self.data_received(data)
        self._early.clear()

    def _forget(self) -> None:
        if self._counted:
            self._counted = False
            self._guard.forget(self, self._address)

    def _let_go(self) -> None:
        """Hold nothing that holds this: TLS takes memory that is not to wait for the collector."""
        self._transport = self._handshake = None

    def _arm(self, delay_s: float) -> None:
        self._disarm()
        if self._transport is None or self._transport.is_closing():
            return
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self._guard.refused(Refusal.REQUEST_DEADLINE)
        self.abort()
