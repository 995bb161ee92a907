"""The way of the signalling to one server: a UDP socket or a TCP connection of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import Cause, FarError, reason
from hub.telephone.framing import Framer
from hub.telephone.message import Message, SipError, parse

# Across an ocean, with a lost packet.
CONNECT_S: Final = 4.0
_READ: Final = 4_096
# What may wait to be written: a server that reads nothing is no server.
_MOST_WAITING: Final = 65_536


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets what comes. ``lost``: the way is gone, with the reason for people."""

    message: Callable[[Message], None]
    lost: Callable[[str], None]


class Wire:
    """One way. Make it by ``wire_to``."""

    def __init__(self, reader: Reader) -> None:
        self.host, self.port = "", 0
        self.malformed = 0
        self._reader = reader
        self._transport: asyncio.DatagramTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    def send(self, data: bytes) -> None:
        """Send a message now; what cannot be sent is repeated by whoever waits for an answer."""
        if self._transport is not None:
            self._transport.sendto(data)
        elif self._writer is not None and not self._writer.is_closing():
            if self._writer.transport.get_write_buffer_size() > _MOST_WAITING:
                self._writer.transport.abort()
                return
            self._writer.write(data)

    async def aclose(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.wait_closed()

    # --- private --------------------------------------------------------------

    async def _open_udp(self, address: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), remote_addr=address
        )
        self._transport = transport
        self._named(transport.get_extra_info("sockname"))

    async def _open_tcp(self, address: tuple[str, int]) -> None:
        async with asyncio.timeout(CONNECT_S):
            stream, self._writer = await asyncio.open_connection(*address)
        self._named(self._writer.get_extra_info("sockname"))
        self._task = asyncio.create_task(self._read(stream))

    def _named(self, name: tuple[str, int]) -> None:
        self.host, self.port = str(name[0]), int(name[1])

    async def _read(self, stream: asyncio.StreamReader) -> None:
        framer = Framer()
        why = "The connection was closed over there."
        try:
            while data := await stream.read(_READ):
                for each in framer.take(data):
                    self._take(each)
        except (OSError, SipError) as error:
            why = f"The connection broke: {reason(error)}."
        self._reader.lost(why)

    def _take(self, data: bytes) -> None:
        try:
            message = parse(data)
        except SipError:
            self.malformed += 1
        else:
            self._reader.message(message)

    def _refused(self, error: Exception) -> None:
        self._reader.lost(f"Nobody listens there: {reason(error)}.")


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self._wire._take(data)  # noqa: SLF001 - two halves of one thing

    def error_received(self, exc: Exception) -> None:
        self._wire._refused(exc)  # noqa: SLF001


async def wire_to(address: tuple[str, int], transport: str, reader: Reader) -> Wire:
    """Open a way to an address. ``transport``: "UDP" or "TCP".

    Raises:
        FarError: nobody can be reached there.
    """
    wire = Wire(reader)
    try:
        if transport == "TCP":
            await wire._open_tcp(address)  # noqa: SLF001
        else:
            await wire._open_udp(address)  # noqa: SLF001
    except (OSError, TimeoutError) as error:
        await wire.aclose()
        why = f"{address[0]} cannot be reached: {reason(error)}."
        raise FarError(Cause.UNREACHABLE, why) from None
    return wire
