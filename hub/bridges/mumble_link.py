"""The way to a Mumble server: TLS for what is said about people, UDP for what they say."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final, cast

from hub.bridges.mumble_terms import Address
from hub.bridges.mumble_wire import Kind, Splitter, WireError, frame
from hub.bridges.terms import Cause, FarError, reason
from stagebox.bucket import TokenBucket

# A server across an ocean with a slow disk: three ways for TCP and TLS.
CONNECT_S: Final = 5.0
GOODBYE_S: Final = 1.0
# A server of thousands tells them all when we come in; then, people come and go.
_BURST: Final = 30_000
_MOST_PER_S: Final = 500.0
# Sound that waits longer than 1 s (32 kbit/s, and what it is wrapped in) is of no use.
_MAX_WAITING: Final = 8 * 1024


class Link(asyncio.Protocol):
    """One connection. ``on_message`` may raise ``FarError``: then it is over.

    ``over`` is set when it is.
    """

    def __init__(
        self, on_message: Callable[[int, bytes], None], on_voice: Callable[[bytes], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.over: asyncio.Future[FarError] = loop.create_future()
        self.heard_at = loop.time()
        self._loop = loop
        self._on_message = on_message
        self._on_voice = on_voice
        self._splitter = Splitter()
        self._bucket = TokenBucket(_MOST_PER_S, _BURST, self.heard_at)
        self._transport: asyncio.Transport | None = None
        self._closed: asyncio.Future[None] = loop.create_future()

    async def open(self, address: Address, context: ssl.SSLContext) -> bytes:
        """Connect; return the server's certificate (DER). Nothing of ours was said yet.

        Raises:
            FarError: nobody is there.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._loop.create_connection(
                    lambda: self, address.host, address.port, ssl=context
                )
        except (OSError, TimeoutError) as error:
            why = f"The Mumble server {address.host} does not answer: {reason(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None
        transport = self._transport
        tls = transport.get_extra_info("ssl_object") if transport is not None else None
        if tls is None:
            raise FarError(Cause.LOST, "The Mumble server hung up.")
        return tls.getpeercert(binary_form=True) or b""

    @property
    def address(self) -> tuple[str, int]:
        """Where the server is, by number, once there is a connection."""
        found = self._transport.get_extra_info("peername") if self._transport else None
        return (found[0], found[1]) if found else ("", 0)

    def tell(self, kind: Kind, payload: bytes) -> bool:
        """Send a message; False: the line is closed, or full."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > _MAX_WAITING:
            return False
        transport.write(frame(kind, payload))
        return True

    def end(self, error: FarError) -> None:
        """Be over, for a reason; the first one counts."""
        if not self.over.done():
            self.over.set_result(error)

    async def aclose(self) -> None:
        """Close, in no more than a second; at once if nobody is there to say goodbye to."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        if self.over.done():
            transport.abort()
            return
        transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await asyncio.shield(self._closed)
        transport.abort()

    # --- asyncio.Protocol -----------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio``."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio``."""
        why = f": {reason(exc)}" if exc is not None else ""
        self.end(FarError(Cause.LOST, f"The Mumble server closed the connection{why}."))
        if not self._closed.done():
            self._closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio``."""
        self.heard_at = self._loop.time()
        if self.over.done():
            return
        try:
            for kind, payload in self._splitter.feed(data):
                self._take(kind, payload)
        except FarError as error:
            self.end(error)
        except WireError as error:
            why = f"The server does not speak as Mumble does: {error}."
            self.end(FarError(Cause.BAD_ANSWER, why))

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == Kind.UDP_TUNNEL:
            self._on_voice(payload)
            return
        if not self._bucket.take(self.heard_at):
            raise FarError(Cause.FAILED, "Mumble tells more than can be listened to.")
        self._on_message(kind, payload)


class Datagrams(asyncio.DatagramProtocol):
    """Packets to and from one server. What does not get there is nobody's error."""

    def __init__(self, on_packet: Callable[[bytes], None]) -> None:
        self._on_packet = on_packet
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, address: tuple[str, int]) -> None:
        """Begin to listen.

        Raises:
            OSError: no network leads there.
        """
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, remote_addr=address)

    def send(self, packet: bytes) -> None:
        """Send a packet, if there is a way."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(packet)

    def close(self) -> None:
        """Listen no longer."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio``."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - connected
        """See ``asyncio``."""
        self._on_packet(data)
