"""Connections of an attacker who writes every byte himself: HTTP, WebSocket, TLS."""

import asyncio
import contextlib
import itertools
import os
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Final

from stagebox.wire.terms import MEMBER_PATH

PATIENCE_S: Final = 20.0
_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def crowd(number: int) -> Iterator[str]:
    """Return so many addresses, round and round."""
    return itertools.cycle(f"127.0.4.{each}" for each in range(2, 2 + number))


async def connect(port: int, source: str) -> Streams:
    """Open a connection from an address of this computer."""
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))


@contextlib.asynccontextmanager
async def connected(port: int, source: str = "127.0.4.250") -> AsyncIterator[Streams]:
    """Open a connection for a while."""
    reader, writer = await connect(port, source)
    try:
        yield reader, writer
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close, whatever state it is in."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, which may be a cut."""
    data = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            while chunk := await reader.read(65_536):
                data += chunk
    return data


async def exchange(port: int, data: bytes) -> bytes:
    """Send bytes; return all that comes back until the hub closes."""
    async with connected(port) as (reader, writer):
        writer.write(data)
        return await rest_of(reader)


async def upgrade(streams: Streams, *, extensions: str = "") -> None:
    """Make it a WebSocket at the members' place."""
    reader, writer = streams
    writer.write(
        f"GET {MEMBER_PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {_KEY}\r\n"
        f"{extensions}\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in head.split(b"\r\n")[0]
    assert b"Sec-WebSocket-Extensions" not in head


def frame(payload: bytes, *, first: int = 0x81, claimed: int | None = None) -> bytes:
    """Return a masked frame; ``claimed``: the length that its head says."""
    size = len(payload) if claimed is None else claimed
    mask = os.urandom(4)
    if size < 126:
        head = struct.pack("!BB", first, 0x80 | size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload[:65_536]))
    if len(payload) > 65_536:  # what is behind is not to be read
        masked += bytes(len(payload) - 65_536)
    return head + mask + masked


async def close_code(reader: asyncio.StreamReader) -> int | None:
    """Read what the hub sends until it closes; return its close code, None if it cut."""
    data, code = await rest_of(reader), None
    while len(data) >= 2:
        kind, size, at = data[0] & 0x0F, data[1] & 0x7F, 2
        if size == 126:
            size, at = struct.unpack_from("!H", data, 2)[0], 4
        if kind == 8 and size >= 2:
            code = struct.unpack_from("!H", data, at)[0]
        data = data[at + size :]
    return code


def client_hello() -> bytes:
    """Return the first flight of an ordinary TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()
