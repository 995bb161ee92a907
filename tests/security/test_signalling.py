"""Attacks on the control line and on the web server, while two members talk."""

import asyncio
import contextlib
import re
import time
import zlib
from typing import Any, Final

import pytest

from hub.config import HubLimits
from hub.media.sessions import MAX_UNFINISHED, SETUP_DEADLINE_S
from hub.web.serve import MAX_BODY
from stagebox.rtc.peer import Peer
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from tests.security import wires
from tests.security.figures import FULL, counts, figure
from tests.security.house import House, answers_ms
from tests.security.intruder import Intruder
from tests.support import attacks, offers

pytestmark = pytest.mark.timeout(1_200 if FULL else 300)

MALLORY: Final = "127.0.4.66"
LIMITS: Final = HubLimits()
CANDIDATE: Final = "a=candidate:1 1 udp 2130706431 127.0.0.1 46789 typ host\r\n"


def with_candidates(lines: str) -> str:
    """Return a browser's offer with these candidates alone."""
    bare = re.sub(r"a=candidate:.*\r\n", "", offers.FIREFOX)
    return bare.replace("a=sendrecv", f"{lines}a=sendrecv", 1)


async def test_case_11_descriptions_that_are_too_much(house: House) -> None:
    base = with_candidates(CANDIDATE)
    small = {
        "32 KiB and 1": base.ljust(32 * 1024 + 1),
        "33 candidates": with_candidates(CANDIDATE * 33),
    }
    large = {
        "20,000 candidates": with_candidates(CANDIDATE * 20_000),
        "a line of 1 MiB": base + "a=" + "x" * 2**20,
    }
    times = {}
    async with house.holds() as held:
        for name, sdp in small.items():
            async with Intruder(house.hub.url, MALLORY) as mallory:
                begin = time.monotonic()
                await mallory.say_text({"t": "media.offer", "req": "a", "sdp": sdp})
                answer = await mallory.until(Error)
                times[name] = (time.monotonic() - begin) * 1000
                assert answer.code in {ErrorCode.BAD_SDP, ErrorCode.MALFORMED}, answer
        for name, sdp in large.items():
            async with Intruder(house.hub.url, MALLORY) as mallory:
                begin = time.monotonic()
                await mallory.say_text({"t": "media.offer", "req": "a", "sdp": sdp})
                async with asyncio.timeout(20):
                    while not mallory.line.closed:  # noqa: ASYNC110 - looks from outside
                        await asyncio.sleep(0.001)
                times[name] = (time.monotonic() - begin) * 1000
                assert mallory.line.close_code == 1009
    assert held.grown_mib < 5
    shown = ", ".join(f"{name} {ms:.1f} ms" for name, ms in times.items())
    figure(11, f"there and back: {shown}; {held}")


FAR: Final = (
    "8.8.8.8 50000",
    "2001:4860:4860::8888 50000",
    "224.0.0.251 50000",
    "255.255.255.255 50000",
    "0.0.0.0 50000",
    "127.0.0.1 0",
    "127.0.0.1 53",
    "nobody.local 50000",
    "attacker.example 50000",
)


async def test_case_12_candidates_that_lead_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    looked_up: list[str] = []
    loop = asyncio.get_running_loop()

    async def look_up(host: str, *_: object, **__: object) -> list[Any]:
        looked_up.append(host)
        raise OSError("no names here")

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    original = asyncio.selector_events._SelectorDatagramTransport.sendto  # type: ignore[attr-defined]
    monkeypatch.setattr(
        asyncio.selector_events._SelectorDatagramTransport,  # type: ignore[attr-defined]
        "sendto",
        lambda self, data, addr=None: sent.append(addr) or original(self, data, addr),
    )
    lines = "".join(f"a=candidate:1 1 udp 2130706431 {far} typ host\r\n" for far in FAR)
    peer = Peer(
        local_address="127.0.0.1",
        direction="sendrecv",
        on_packet=lambda _packet, _now: None,
        on_state=lambda _state: None,
    )
    try:
        await peer.answer(with_candidates(lines))
        await asyncio.sleep(1.5)  # some rounds of checks
        known = peer._dtls.transport._connection.remote_candidates
    finally:
        await peer.aclose()
    assert (known, sent, looked_up) == ([], [], [])
    figure(12, f"{len(FAR)} kinds: 0 kept, 0 packets sent, 0 names looked up")


async def test_case_12_a_thousand_names(house: House) -> None:
    names = "".join(
        f"a=candidate:1 1 udp 2130706431 {number:04}.local 50000 typ host\r\n"
        for number in range(1_000)
    )
    async with house.holds(), Intruder(house.hub.url, MALLORY) as mallory:
        few = await mallory.answer_to(with_candidates(names[: 60 * 9]))
        assert isinstance(few, Error)
        assert few.code is ErrorCode.BAD_SDP
        await mallory.say_text({"t": "media.offer", "req": "b", "sdp": with_candidates(names)})
        async with asyncio.timeout(20):
            while not mallory.line.closed:  # noqa: ASYNC110 - looks from outside
                await asyncio.sleep(0.01)
        assert mallory.line.close_code == 1009


async def test_case_13_malformed_messages(house: House) -> None:
    count, log = counts(10_000, 1_000), len(house.hub.logged().splitlines())
    closed = "stagebox_sessions_closed_total"
    before = house.hub.metric(closed, reason="malformed")
    async with house.holds() as held:
        answered = await attacks.bad_messages(house.hub.url, count)
    lines = house.hub.logged().splitlines()[log:]
    assert answered >= count
    assert house.hub.metric(closed, reason="malformed") > before
    assert len(lines) < 100
    assert not [line for line in lines if "Traceback" in line or line.startswith("error")]
    figure(13, f"{answered} answered, {len(lines)} lines of log: {held}")


async def test_case_14_offers_that_are_never_completed(house: House) -> None:
    number = 50
    before, ports = house.descriptors(), len(attacks.udp_ports(house.hub.pid))
    async with contextlib.AsyncExitStack() as stack:
        sources = wires.crowd(number)
        crowd = [
            await stack.enter_async_context(Intruder(house.hub.url, next(sources), f"M{n}"))
            for n in range(number)
        ]
        async with house.holds() as held:
            begin = time.monotonic()
            answers = [
                asyncio.create_task(each.answer_to(with_candidates(CANDIDATE))) for each in crowd
            ]
            await asyncio.sleep(2)
            most = len(attacks.udp_ports(house.hub.pid)) - ports
            # Somebody who means it gets through meanwhile.
            async with Intruder(house.hub.url, "127.0.4.200", "Nora") as nora:
                came = time.monotonic()
                await nora.media()
                waited = time.monotonic() - came
            while len(attacks.udp_ports(house.hub.pid)) > ports:
                await asyncio.sleep(0.2)
                assert time.monotonic() - begin < 3 * SETUP_DEADLINE_S
            took = time.monotonic() - begin
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)
    assert 0 < most <= MAX_UNFINISHED
    async with asyncio.timeout(20):
        while house.descriptors() > before + 2:  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.1)
    figure(
        14,
        f"{number} offers, at most {most} open, all closed after {took:.1f} s, "
        f"a good one connected after {waited:.1f} s: {held}",
    )


async def test_case_15_silent_and_dripping_sockets(house: House) -> None:
    each, over = counts(500, 200), asyncio.Event()
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    sources, streams = wires.crowd(40), []
    ends: list[float] = []

    async def last(reader: asyncio.StreamReader, begin: float) -> None:
        await wires.rest_of(reader)
        ends.append(time.monotonic() - begin)

    async with house.holds() as held:
        asking = asyncio.create_task(answers_ms(house, over))
        waiting = []
        for number in range(2 * each):
            reader, writer = await wires.connect(house.hub.port, next(sources))
            if number % 2:
                writer.write(head)
            streams.append(writer)
            waiting.append(asyncio.create_task(last(reader, time.monotonic())))
        ended = asyncio.gather(*waiting)
        while not ended.done():
            for writer in streams[1::2]:
                if not writer.is_closing():
                    writer.write(b"x")
            await asyncio.sleep(0.5)
        await ended
        over.set()
        times = await asking
        for writer in streams:
            await wires.hang_up(writer)
    assert max(ends) < LIMITS.request_s + 3
    assert times[-1] < 2_000
    median = times[len(times) // 2]
    figure(
        15,
        f"{2 * each} sockets, the last cut after {max(ends):.1f} s; "
        f"requests answered in {median:.0f} ms, {times[-1]:.0f} ms at most: {held}",
    )


async def test_case_16_one_socket_too_many(house: House) -> None:
    async with house.holds() as held:
        own = [
            await wires.connect(house.hub.port, MALLORY) for _ in range(LIMITS.sockets_per_address)
        ]
        async with wires.connected(house.hub.port, MALLORY) as (reader, _):
            assert (await wires.rest_of(reader)).startswith(b"HTTP/1.1 503 ")
        sources = wires.crowd(20)
        others = [
            await wires.connect(house.hub.port, next(sources)) for _ in range(LIMITS.strangers + 1)
        ]
        # The house is full of strangers, and yet a member comes in.
        async with Intruder(house.hub.url, "127.0.4.200", "Nora") as nora:
            await nora.media()
        cut = 0
        for reader, writer in (*own, *others):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    cut += await reader.read() == b""
            await wires.hang_up(writer)
    assert cut >= LIMITS.sockets_per_address
    figure(
        16,
        f"{LIMITS.sockets_per_address} from one address, the next one got 503; of "
        f"{len(own) + len(others)} the {cut} oldest made room; a member came in: {held}",
    )


async def _frames(house: House, *data: bytes) -> int | None:
    async with wires.connected(house.hub.port) as streams:
        await wires.upgrade(streams)
        reader, writer = streams
        # Read meanwhile: what the hub said last is gone once it has cut who does not listen.
        code = asyncio.create_task(wires.close_code(reader))
        with contextlib.suppress(ConnectionError):
            for each in data:
                writer.write(each)
                await writer.drain()
                await asyncio.sleep(0)
        return await code


async def test_case_17_frames_that_are_too_much(house: House) -> None:
    tries = counts(10, 3)
    fragments = [wires.frame(b"x" * 100, first=0x01)]
    fragments += [wires.frame(b"x" * 100, first=0x00)] * 9_998
    codes: dict[str, set[int | None]] = {}
    slowest = 0.0
    async with house.holds() as held:
        for _ in range(tries):
            for name, data in (
                ("4 MiB", [wires.frame(bytes(2**16), claimed=4 * 2**20)]),
                ("10,000 fragments", fragments),
                ("2 GiB claimed", [wires.frame(b"x" * 1_000, claimed=2**31)]),
                ("compressed unasked", [wires.frame(b"x" * 10, first=0xC1)]),
            ):
                begin = time.monotonic()
                codes.setdefault(name, set()).add(await _frames(house, *data))
                slowest = max(slowest, time.monotonic() - begin)
    assert held.grown_mib < 5
    for name, seen in codes.items():
        # Cut while it still sent, it may miss why.
        assert seen <= {1009, 1002, None}, (name, seen)
    assert codes["4 MiB"] == codes["2 GiB claimed"] == {1009}
    assert codes["compressed unasked"] == {1002}
    shown = ", ".join(
        f"{name} {'/'.join(str(code or 'cut') for code in seen)}" for name, seen in codes.items()
    )
    figure(17, f"{shown}; after {slowest:.1f} s at most; {held}")


async def test_case_18_a_hundred_mebibytes_of_zeros(house: House) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(100)) + packer.flush()
    half = zlib.compress(bytes(50 * 2**20), 9)
    assert len(half) < MAX_BODY < len(bomb)
    statuses = []
    async with house.holds() as held:
        for _ in range(counts(20, 5)):
            for encoding, body in ((b"gzip", bomb), (b"deflate", half)):
                head = (
                    b"PUT /api/v1/me HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                    b"\r\nContent-Encoding: " + encoding + b"\r\nConnection: close\r\n"
                )
                length = b"Content-Length: %d\r\n\r\n" % len(body)
                chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body
                for rest in (length + body, chunks + b"\r\n0\r\n\r\n"):
                    answer = await wires.exchange(house.hub.port, head + rest)
                    statuses.append(answer.split(b" ")[1])
    assert held.grown_mib < 10
    assert set(statuses) <= {b"413", b"415"}, statuses
    figure(18, f"{len(statuses)} requests refused with 415 or 413: {held}")


async def test_case_19_handshakes_without_end(house: House) -> None:
    wanted, hello, begun = counts(30_000, 600), wires.client_hello(), 0
    sources, stuck, over = wires.crowd(60), [], asyncio.Event()
    async with house.holds() as held:
        asking = asyncio.create_task(answers_ms(house, over))
        for number in range(200):
            _, writer = await wires.connect(house.secure_port, next(sources))
            writer.write(hello[: number % len(hello)])
            stuck.append(writer)
        begin = time.monotonic()

        async def shake() -> None:
            nonlocal begun
            while begun < wanted:
                begun += 1
                async with wires.connected(house.secure_port, next(sources)) as (reader, writer):
                    with contextlib.suppress(OSError):
                        writer.write(hello)
                        assert (await reader.read(65_536))[:1] in {b"", b"\x16"}
                await asyncio.sleep(max(0.0, begin + begun / 1_000 - time.monotonic()))

        await asyncio.gather(*(shake() for _ in range(16)))
        rate = begun / (time.monotonic() - begin)
        over.set()
        times = await asking
        for writer in stuck:
            await wires.hang_up(writer)
    median = times[len(times) // 2]
    figure(
        19,
        f"{begun} handshakes, {rate:.0f} a second, and 200 that stand still; "
        f"requests answered in {median:.0f} ms, {times[-1]:.0f} ms at most: {held}",
    )


_POST: Final = b"POST /api/v1/codes HTTP/1.1\r\nHost: localhost\r\n"
_INNER: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED: Final = (
    _POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _INNER,
    _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + _INNER,
    _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _INNER,
    _POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + _INNER,
    _POST + b"Content-Length: +0\r\n\r\n" + _INNER,
    _POST + b"Content-Length: \xd9\xa0\r\n\r\n" + _INNER,
    _POST + b"Content-Length : 0\r\n\r\n" + _INNER,
    _POST + b"X: a\nContent-Length: 0\r\n\r\n" + _INNER,
    _POST + b"X: a\rContent-Length: 0\r\n\r\n" + _INNER,
    _POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n" + _INNER,
    _POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + _INNER,
    _POST + b"Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n" + _INNER,
    _POST + b"Transfer-Encoding: chunked\r\n\r\n0_0\r\n\r\n" + _INNER,
    _POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + _INNER,
    _POST + b"Host: attacker.example\r\nContent-Length: 0\r\n\r\n" + _INNER,
    _POST + b"Content-Length: 0\r\n\r\n".replace(b"\r\n", b"\x0b\r\n") + _INNER,
)


async def test_case_20_requests_that_can_be_read_in_two_ways(house: House) -> None:
    async with house.holds() as held:
        for data in SMUGGLED:
            answer = await wires.exchange(house.hub.port, data)
            statuses = re.findall(rb"^HTTP/1\.[01] (\d+)", answer, re.MULTILINE)
            # A second one can only be the end: what followed the first was no request.
            assert len(statuses) <= 2, data
            assert {status[:1] for status in statuses} <= {b"4"}, (data, answer)
            assert b"# HELP" not in answer, data
        # Many in one go are answered one by one, and no faster than anybody's.
        many = _INNER * 50 + _INNER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        assert (await wires.exchange(house.hub.port, many)).count(b"HTTP/1.1 200") == 51
    figure(
        20,
        f"{len(SMUGGLED)} of {len(SMUGGLED)} refused, nothing within carried out: {held}",
    )
