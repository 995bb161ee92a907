"""What strangers and broken members send: typed errors, counted, and nobody else notices."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path

import aiohttp
import pytest

from hub.spaces.admission import Arrival
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import MAX_MEMBER_MESSAGE
from stagebox.wire.messages import Challenge, Error, Pong, SnapshotRequest
from stagebox.wire.terms import MEMBER_PATH, Kind, Role
from tests.loopback.hub.crew import (
    PATIENCE_S,
    Guest,
    Hub,
    crew,
    no_errors_logged,
    running_hub,
    until,
)

MALFORMED: list[str | bytes] = [
    "",
    "null",
    "[]",
    "not json",
    "{}",
    '{"t":"ping"}',
    '{"t":"ping","n":-1}',
    '{"t":"ping","n":1e400}',
    '{"t":"ping","n":NaN}',
    '{"t":"ping","n":1,"extra":1}',
    '{"t":"ping","n":' + "9" * 400 + "}",
    '{"t":"no.such.type"}',
    '{"t":"welcome","proto":1}',
    '{"t":"join","req":"\\ud800"}',
    '{"t":"join","req":"' + "x" * 33 + '"}',
    '{"t":"join","req":"a","space":"../../etc"}',
    "[" * 10_000,
    '{"a":' * 9_000,
    json.dumps({"t": "media.offer", "req": "a", "sdp": "x" * 32_769}),
    b"\x00\xff\xfe",
]


async def _blast(hub: Hub, number: int, count: int) -> int | None:
    """Send malformed messages whatever the hub answers; return the close code."""
    guest = Guest("Mallory", number=number)
    async with crew(guest):
        await guest.connect(hub) if number % 2 else await guest.open(hub)
        try:
            for each in range(count):
                await guest.send_raw(MALFORMED[(number + each) % len(MALFORMED)])
        except ConnectionError:
            pass
        code = await guest.closed()
        answers = [each for each in guest.seen if isinstance(each, Error)]
        assert len(answers) <= 5
        return code


async def test_ten_thousand_malformed_messages_close_only_their_own_connections(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with no_errors_logged(caplog):
        async with running_hub(tmp_path) as hub:
            anna = Guest("Anna", number=1)
            async with crew(anna):
                await anna.enter(hub)
                for first in range(100, 140, 10):
                    await asyncio.gather(*(_blast(hub, first + n, 250) for n in range(10)))
                    await anna.ping()
                    assert (await anna.get(Pong)).n == anna.pings
                bad = hub.value("stagebox_bad_messages_total", code="malformed")
                unknown = hub.value("stagebox_bad_messages_total", code="unknown_type")
                assert bad + unknown == 40 * 5
                assert hub.value("stagebox_sessions_closed_total", reason="malformed") == 20
                await until(lambda: hub.value("stagebox_sessions") == 1)
    assert len(caplog.records) < 100


async def test_the_fifth_malformed_message_closes_with_4400(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            for _ in range(5):
                await anna.send_raw("null")
                assert (await anna.get(Error)).code is ErrorCode.MALFORMED
            assert await anna.closed() == 4400


async def test_a_message_of_the_largest_size_is_read_and_a_larger_one_closes_with_1009(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with no_errors_logged(caplog):
        async with running_hub(tmp_path) as hub:
            anna = Guest("Anna", number=1)
            async with crew(anna):
                await anna.open(hub)
                await anna.send_raw(" " * MAX_MEMBER_MESSAGE)
                assert (await anna.get(Error)).code is ErrorCode.MALFORMED
                await anna.send_raw(" " * (MAX_MEMBER_MESSAGE + 1))
                assert await anna.closed() == 1009
                assert hub.value("stagebox_bad_messages_total", code="frame") == 1


async def test_the_rate_limit_warns_twice_and_then_closes_with_4408(tmp_path: Path) -> None:
    async with running_hub(tmp_path, messages_per_s=0.01, message_burst=10) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)  # hello was the first of the ten
            for _ in range(9):
                await anna.ping()
                await anna.get(Pong)
            for _ in range(3):
                await anna.ping()
                error = await anna.get(Error)
                assert error.code is ErrorCode.RATE_LIMITED
                assert error.retry_after_s > 0
            assert await anna.closed() == 4408


async def test_websocket_pings_are_answered_and_limited_too(tmp_path: Path) -> None:
    async with running_hub(tmp_path, messages_per_s=0.01, message_burst=5) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.open(hub)
            for _ in range(20):
                await anna._ws.ping(b"x")
            assert await anna.closed() == 4408


async def test_a_member_that_does_not_read_loses_only_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def small_buffer(info: tuple[object, ...]) -> socket.socket:
        family, kind, proto, _name, _address = info
        made = socket.socket(family, kind, proto)  # type: ignore[arg-type]
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return made

    with no_errors_logged(caplog):
        async with running_hub(
            tmp_path, messages_per_s=10_000, message_burst=100_000, outgoing=16
        ) as hub:
            anna, mute = Guest("Anna", number=1), Guest("Deaf", number=2)
            async with crew(anna, mute):
                await anna.enter(hub)
                await mute.enter(hub)
                await mute.aclose()
                mute = mute.again()
                for server in hub.server._servers:
                    for each in server.sockets:  # those accepted from now on are small, too
                        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                mute._http = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(socket_factory=small_buffer)  # type: ignore[arg-type]
                )
                mute._ws = await mute._http.ws_connect(hub.url(MEMBER_PATH))
                await mute.get(Challenge)
                await mute.send(mute.handshake._hello)
                space = hub.spaces.pick("main", None)
                for number in range(150):  # makes a snapshot some 20 kB
                    name = f"Member number {number:030}"[:40]
                    member = f"{number:032x}"
                    space.enter(Arrival(member, name, Kind.BOX, Role.GUEST), "j", Nowhere())
                await mute.join()
                transport = mute._ws._response.connection.transport  # type: ignore[union-attr]
                transport.pause_reading()
                for number in range(5_000):
                    if transport.is_closing() or hub.value("stagebox_sessions") == 1:
                        break
                    try:
                        await mute.send(SnapshotRequest(req=str(number)))
                    except ConnectionError:
                        break
                await until(lambda: hub.value("stagebox_sessions") == 1)
                reason = "slow_reader"
                assert hub.value("stagebox_sessions_closed_total", reason=reason) == 1
                await anna.ping()
                await anna.get(Pong)
                await mute.aclose()


class Nowhere:
    def send(self, data: bytes) -> None:
        """Forget it."""

    def put_out(self) -> None:
        """Be nowhere."""


async def _raw(hub: Hub) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", hub.server.port)


async def test_a_thousand_silent_connections_are_cut_and_disturb_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with no_errors_logged(caplog):
        async with running_hub(
            tmp_path, request_s=3, sockets_per_address=2_000, strangers=2_000
        ) as hub:
            anna = Guest("Anna", number=1)
            async with crew(anna):
                await anna.enter(hub)
                pinging = asyncio.create_task(_ping_for_ever(anna))
                streams = [await _raw(hub) for _ in range(1_000)]
                for _reader, writer in streams[:500]:
                    writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
                ends = asyncio.gather(*(_read_to_end(reader) for reader, _writer in streams))
                while not ends.done():
                    await asyncio.sleep(0.2)
                    for _reader, writer in streams[:500]:
                        if not writer.is_closing():
                            writer.write(b"x")  # a byte at a time buys no time
                await ends
                assert not pinging.done()  # every ping was answered
                pinging.cancel()
                deadlines = hub.value(
                    "stagebox_refused_connections_total", reason="request_deadline"
                )
                assert deadlines == 1_000
                assert hub.server.strangers == 0
            for _reader, writer in streams:
                writer.close()


async def _ping_for_ever(guest: Guest) -> None:
    while True:
        await guest.ping()
        async with asyncio.timeout(PATIENCE_S):
            assert (await guest.get(Pong)).n == guest.pings
        await asyncio.sleep(0.2)


async def _read_to_end(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()


async def test_one_address_gets_no_more_than_its_share(tmp_path: Path) -> None:
    async with running_hub(tmp_path, sockets_per_address=4) as hub:
        streams = [await _raw(hub) for _ in range(4)]
        await until(lambda: hub.server.strangers == 4)
        reader, writer = await _raw(hub)
        answer = (await reader.read()).decode()
        writer.close()
        assert answer.startswith("HTTP/1.1 503 ")
        head, _, body = answer.partition("\r\n\r\n")
        assert f"Content-Length: {len(body)}" in head
        assert json.loads(body)["code"] == "too_many_connections"
        async with aiohttp.ClientSession() as http, http.get(hub.url("/healthz", "::1")) as other:
            assert other.status == 200
        for _reader, writer in streams:
            writer.close()
        await until(lambda: hub.server.strangers == 0)
        assert hub.value("stagebox_refused_connections_total", reason="address_cap") == 1


async def test_strangers_do_not_take_the_places_of_members(tmp_path: Path) -> None:
    async with running_hub(tmp_path, strangers=2) as hub:
        members = [Guest(f"Box {n}", number=n) for n in range(1, 6)]
        async with crew(*members):
            for member in members:
                await member.enter(hub)
            assert hub.server.strangers == 0
            streams = [await _raw(hub) for _ in range(2)]
            await until(lambda: hub.server.strangers == 2)
            newest = await _raw(hub)
            # The one that has waited longest makes room, and a box still gets in.
            assert await streams[0][0].read() == b""
            late = Guest("Late", number=9)
            async with crew(late):
                await late.enter(hub)
            newest[1].close()
            for member in members:
                await member.ping()
                await member.get(Pong)
            for _reader, each in streams:
                each.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    ],
)
async def test_what_is_not_http_gets_400_and_no_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    with no_errors_logged(caplog):
        async with running_hub(tmp_path) as hub:
            reader, writer = await _raw(hub)
            writer.write(request_bytes)
            assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
            writer.close()
