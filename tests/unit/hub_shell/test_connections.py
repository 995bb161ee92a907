"""The guard in front of aiohttp's protocol, with neither sockets nor aiohttp."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from hub.control.connections import Connection, Guard
from hub.control.limits import Refusal, SocketBook


class FakeTransport(asyncio.Transport):
    def __init__(self, address: str | None = "192.0.2.1") -> None:
        super().__init__({"peername": (address, 1) if address else None})
        self.written = b""
        self.ended = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


class FakeInner:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args: self.calls.append(name)


class Bench:
    def __init__(self, *, per_address: int = 2, request_s: float = 60.0) -> None:
        self.inner = FakeInner()
        self.refused: list[Refusal] = []
        self.book = SocketBook(per_address, 10)
        self.guard = Guard(self.book, request_s, 60.0, self.refused.append)

    def connect(self, transport: FakeTransport) -> Connection:
        connection = Connection(cast("Any", lambda: self.inner), self.guard)
        connection.connection_made(transport)
        return connection


async def test_everything_goes_through_to_aiohttp() -> None:
    bench = Bench()
    connection = bench.connect(FakeTransport(None))
    connection.data_received(b"x")
    connection.eof_received()
    connection.pause_writing()
    connection.resume_writing()
    connection.connection_lost(None)
    assert bench.inner.calls == [
        "connection_made",
        "data_received",
        "eof_received",
        "pause_writing",
        "resume_writing",
        "connection_lost",
    ]
    assert bench.book.strangers == 0


async def test_a_refused_connection_never_reaches_aiohttp() -> None:
    bench, transport = Bench(per_address=1), FakeTransport()
    bench.connect(FakeTransport())
    connection = bench.connect(transport)
    connection.data_received(b"x")
    connection.eof_received()
    connection.pause_writing()
    connection.resume_writing()
    connection.connection_lost(None)
    assert bench.inner.calls == ["connection_made"]
    assert transport.written.startswith(b"HTTP/1.1 503 ")
    assert transport.ended == "closed"
    assert bench.refused == [Refusal.ADDRESS_CAP]


async def test_the_deadline_cuts_a_stranger_and_not_a_member() -> None:
    bench, late, member = Bench(request_s=0.05), FakeTransport(), FakeTransport()
    bench.connect(late)
    welcome = bench.connect(member)
    welcome.become_member()
    welcome.become_member()  # said twice, counted once
    welcome.request_begins()
    welcome.request_ends()
    await asyncio.sleep(0.2)
    assert (late.ended, member.ended) == ("aborted", "")
    assert bench.refused == [Refusal.REQUEST_DEADLINE]
    assert bench.book.strangers == 1
    welcome.connection_lost(None)
    assert bench.book.strangers == 1


async def test_a_connection_that_is_closing_does_not_become_a_member() -> None:
    bench, transport = Bench(), FakeTransport()
    connection = bench.connect(transport)
    transport.close()
    connection.become_member()
    connection.request_ends()
    assert bench.book.strangers == 1
    connection.connection_lost(None)
    assert bench.book.strangers == 0


def test_a_request_without_a_connection_says_so() -> None:
    class Request:
        transport: Any = None

    request = cast("Any", Request())
    with pytest.raises(ConnectionResetError):
        Connection.of(request)


async def test_a_request_that_came_another_way_is_a_mistake() -> None:
    class Request:
        transport = FakeTransport()

    Request.transport.get_protocol = asyncio.Protocol  # type: ignore[method-assign]
    with pytest.raises(TypeError):
        Connection.of(cast("Any", Request()))
