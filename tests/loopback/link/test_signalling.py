"""The line to the hub, over real sockets: every way a hub can be there, gone, or wrong."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from device.link import dial
from device.link.candidates import Candidate, Plan, SeenHub, Source
from device.link.dial import Facts, Opened
from device.link.session import FAREWELL_S, MAX_WAITING
from device.link.signalling import LinkState, Signalling
from stagebox.identity import Identity
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import MAX_HUB_MESSAGE, encode
from stagebox.wire.messages import Challenge, Error, HubMessage, Join, Ping, Pins, Pong
from stagebox.wire.terms import Kind, Role
from tests.loopback.link.hub import SmallHub, complain, say_nothing

FACTS = Facts(name="Kitchen", kind=Kind.BOX, role=Role.GUEST, software="test")


@dataclass
class Fixed:
    """Candidates that a test sets, and what was remembered."""

    candidates: list[Candidate] = field(default_factory=list)
    others: list[SeenHub] = field(default_factory=list)
    remembered: list[tuple[str, str]] = field(default_factory=list)

    def plan(self) -> Plan:
        return Plan(tuple(self.candidates), tuple(self.others))

    def met(self, opened: Opened) -> None:
        self.remembered.append((opened.candidate.url, opened.challenge.hub_id))

    def told(self, pins: Pins, opened: Opened) -> None:
        raise AssertionError("a hub without TLS has no certificates")


class Box:
    """A Signalling under test with everything it reported."""

    def __init__(self, *urls: str, expect: str | None = None) -> None:
        self.hubs = Fixed([Candidate(url, Source.FOUND, expect) for url in urls])
        self.messages: list[HubMessage] = []
        self.states: list[tuple[LinkState, str]] = []
        self.others: list[str] = []
        self.identity = Identity.generate()
        self._changed = asyncio.Event()
        self.line = Signalling(
            self.identity, FACTS, self.hubs, self._message, self._link, self.others.append
        )
        self._task: asyncio.Task[None] | None = None

    def _message(self, message: HubMessage) -> None:
        self.messages.append(message)
        self._changed.set()

    def _link(self, state: LinkState, detail: str) -> None:
        self.states.append((state, detail))
        self._changed.set()

    async def until(self, condition: Callable[[], bool], deadline_s: float = 10) -> None:
        async with asyncio.timeout(deadline_s):
            while not condition():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._changed.wait()

    async def state(self, state: LinkState, deadline_s: float = 10) -> str:
        await self.until(lambda: bool(self.states) and self.states[-1][0] is state, deadline_s)
        return self.states[-1][1]

    def start(self) -> None:
        self._task = asyncio.create_task(self.line.run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


@contextlib.asynccontextmanager
async def running(*hubs: SmallHub, box: Box) -> AsyncIterator[Box]:
    box.start()
    try:
        yield box
    finally:
        await box.stop()
        for hub in hubs:
            await hub.stop()


async def small_hub(host: str = "127.0.0.1", identity: Identity | None = None) -> SmallHub:
    return await SmallHub(host, identity).start()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_session_opens_and_carries_messages_both_ways() -> None:
    hub = await small_hub()
    async with running(hub, box=Box(hub.url)) as box:
        assert await box.state(LinkState.UP) == "Small hub"
        assert [state for state, _ in box.states] == [LinkState.CONNECTING, LinkState.UP]
        assert box.line.hub_id == hub.identity.id
        assert box.line.boot == hub.boot
        assert box.line.local_address == "127.0.0.1"
        assert box.line.welcome is not None
        assert box.hubs.remembered == [(hub.url, hub.identity.id)]
        assert hub.hellos == [box.identity.id]
        assert box.line.send(Ping(n=1))
        assert box.line.send(Join(req="a"))
        await box.until(lambda: box.messages == [Pong(n=1)] and len(hub.heard) == 2)


async def test_without_a_session_nothing_can_be_sent() -> None:
    box = Box()
    assert not box.line.send(Ping(n=1))
    assert (box.line.local_address, box.line.boot, box.line.hub_id) == (None, None, None)
    assert box.line.welcome is None


async def test_a_hub_that_does_not_read_fills_a_bounded_queue() -> None:
    hub = await small_hub()
    async with running(hub, box=Box(hub.url)) as box:
        await box.state(LinkState.UP)
        sent = [box.line.send(Ping(n=n)) for n in range(MAX_WAITING + 1)]
        assert sent == [True] * MAX_WAITING + [False]


async def test_a_hub_that_comes_later_is_found_within_three_seconds() -> None:
    hub = SmallHub()
    hub.port = free_port()
    async with running(hub, box=Box(hub.url)) as box:
        assert "no hub runs on it" in await box.state(LinkState.DOWN)
        await hub.start()
        await box.state(LinkState.UP, deadline_s=6)
        states = [state for state, _ in box.states]
        assert states == [LinkState.CONNECTING, LinkState.DOWN, LinkState.UP]


async def test_a_hub_that_restarts_is_found_again_and_has_another_boot() -> None:
    hub = await small_hub()
    async with running(hub, box=Box(hub.url)) as box:
        await box.state(LinkState.UP)
        first = box.line.boot
        await hub.stop()
        await box.state(LinkState.DOWN)
        assert box.line.boot is None
        assert not box.line.send(Ping(n=1))
        await asyncio.sleep(1)
        await hub.start()
        back_at = asyncio.get_running_loop().time()
        await box.state(LinkState.UP)
        # 3 s is the promise; the rest is what a busy test machine may take.
        assert asyncio.get_running_loop().time() - back_at < 3 + 1
        assert box.line.boot not in {None, first}


async def test_a_hub_that_falls_silent_is_left_after_three_seconds() -> None:
    hub = await small_hub()
    hub.manner = say_nothing
    async with running(hub, box=Box(hub.url)) as box:
        await box.state(LinkState.UP)
        opened = asyncio.get_running_loop().time()
        assert await box.state(LinkState.DOWN) == "Nothing was heard from the hub for 3 s."
        assert 2.9 < asyncio.get_running_loop().time() - opened < 6
        hub.manner = None
        await box.state(LinkState.UP)
        await box.until(lambda: hub.closed == 1)


async def test_another_hub_does_not_capture_the_box() -> None:
    stranger, own = await small_hub(), await small_hub()
    box = Box(stranger.url, own.url, expect=own.identity.id)
    box.hubs.others = [SeenHub("Bar", ("192.0.2.9",), 7300, "b" * 32)]
    async with running(stranger, own, box=box):
        await box.state(LinkState.UP)
        assert box.line.hub_id == own.identity.id
        assert stranger.hellos == []
        await own.stop()
        await box.state(LinkState.DOWN)
        await box.until(lambda: len(stranger.connects) >= 3)
        assert len(box.others) == 2  # one seen, one that answered: each reported once
        assert stranger.hellos == []


async def test_only_other_hubs_on_the_network() -> None:
    box = Box()
    box.hubs.others = [SeenHub("Bar", ("192.0.2.9",), 7300)]
    async with running(box=box):
        assert "not the one" in await box.state(LinkState.SEARCHING)
        assert len(box.others) == 1


async def test_two_addresses_of_one_hub_become_one_session() -> None:
    identity = Identity.generate()
    hubs = [await small_hub(identity=identity) for _ in range(3)]

    async def slow(hub: SmallHub, ws: web.WebSocketResponse) -> None:
        await asyncio.sleep(0.6)  # so that all of them are asked
        await hub.greet(ws)

    for hub in hubs:
        hub.greeting = slow
    async with running(*hubs, box=Box(*(hub.url for hub in hubs))) as box:
        await box.state(LinkState.UP)
        assert [len(hub.connects) for hub in hubs] == [1, 1, 1]
        await box.until(lambda: sum(hub.closed for hub in hubs) == 2)
        assert sum(len(hub.hellos) for hub in hubs) == 1


async def test_an_address_that_does_not_answer_costs_a_moment() -> None:
    hub = await small_hub()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel connects, nobody reads
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}/x"
        async with running(hub, box=Box(url, hub.url)) as box:
            await box.state(LinkState.UP, deadline_s=2.5)  # less than the first one's deadline


async def test_a_hub_that_is_full_is_left_alone_for_as_long_as_it_says() -> None:
    hub = await small_hub()
    hub.manner = complain(ErrorCode.HUB_FULL, 3.5)
    hub.greeting = hub.manner
    async with running(hub, box=Box(hub.url)) as box:
        assert await box.state(LinkState.REFUSED) == "hub_full: The hub said: Not now."
        box.line.kick()
        hub.greeting = hub.manner = None
        await box.state(LinkState.UP)
        assert len(hub.connects) == 2
        assert hub.connects[1] - hub.connects[0] > 3.4


async def test_a_box_that_is_replaced_does_not_push_back_at_once() -> None:
    hub = await small_hub()
    hub.manner = complain(ErrorCode.REPLACED)
    async with running(hub, box=Box(hub.url)) as box:
        assert (await box.state(LinkState.REFUSED)).startswith("replaced")
        await box.until(lambda: len(hub.connects) == 2)
        assert hub.connects[1] - hub.connects[0] > 2.9


async def test_a_hub_of_another_time_is_refused_by_the_box() -> None:
    hub = await small_hub()

    async def future(hub: SmallHub, ws: web.WebSocketResponse) -> None:
        key, nonce = hub.identity.key, "0" * 64
        await ws.send_str(
            encode(
                Challenge(
                    proto_min=900,
                    proto_max=901,
                    hub_id=hub.identity.id,
                    hub_key=key,
                    boot=nonce,
                    nonce=nonce,
                )
            )
        )
        await ws.receive()

    hub.greeting = future
    async with running(hub, box=Box(hub.url)) as box:
        detail = await box.state(LinkState.REFUSED)
        assert detail.startswith("version")
        assert "update" in detail


async def test_bad_messages_are_counted_and_the_session_goes_on() -> None:
    hub = await small_hub()

    async def babble(hub: SmallHub, ws: web.WebSocketResponse) -> None:
        await ws.send_str("{")
        await ws.send_str('{"t":"no such thing"}')
        await ws.send_bytes(b"\x00")
        await ws.send_str(encode(Pong(n=7)))
        await hub.serve(ws)

    hub.manner = babble
    async with running(hub, box=Box(hub.url)) as box:
        await box.until(lambda: box.messages == [Pong(n=7)])
        assert box.line.malformed == 3
        assert box.states[-1][0] is LinkState.UP


async def test_a_message_that_is_too_large_ends_the_session() -> None:
    hub = await small_hub()

    async def flood(_: SmallHub, ws: web.WebSocketResponse) -> None:
        await ws.send_str("x" * (MAX_HUB_MESSAGE + 1))
        await ws.receive()

    hub.manner = flood
    async with running(hub, box=Box(hub.url)) as box:
        assert "not a WebSocket message" in await box.state(LinkState.DOWN)


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        ("garbage", "no Stagebox hub"),
        ("pong", "out of order"),
        ("hang up", "hung up"),
        ("binary", "hung up"),
        ("silence", "no handshake within"),
    ],
)
async def test_what_answers_but_is_no_hub(
    greeting: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "HANDSHAKE_S", 0.3)
    hub = await small_hub()

    async def greet(_: SmallHub, ws: web.WebSocketResponse) -> None:
        if greeting == "garbage":
            await ws.send_str("hello there")
        elif greeting == "pong":
            await ws.send_str(encode(Pong(n=1)))
        elif greeting == "binary":
            await ws.send_bytes(b"{}")
        elif greeting == "silence":
            await ws.receive()
        await ws.close()

    hub.greeting = greet
    async with running(hub, box=Box(hub.url)) as box:
        assert said in await box.state(LinkState.DOWN)


async def test_redirects_and_other_web_servers_are_not_followed() -> None:
    hub = await small_hub()
    app = web.Application()

    async def redirect(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(hub.url.replace("ws:", "http:"))

    app.router.add_get("/away", redirect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    for path, said in {"away": "RedirectClientError", "none": "HTTP 404"}.items():
        async with running(box=Box(f"ws://127.0.0.1:{port}/{path}")) as box:
            assert said in await box.state(LinkState.DOWN)
    assert hub.connects == []
    await hub.stop()
    await runner.cleanup()


async def test_a_kick_ends_the_wait() -> None:
    hub = await small_hub()
    async with running(hub, box=Box()) as box:
        await box.state(LinkState.SEARCHING)
        await asyncio.sleep(2)  # the waits are long by now
        box.hubs.candidates = [Candidate(hub.url, Source.FOUND)]
        box.line.kick()
        await box.state(LinkState.UP, deadline_s=3)


async def test_the_same_reason_is_told_once() -> None:
    box = Box(f"ws://127.0.0.1:{free_port()}/x")
    async with running(box=box):
        await box.state(LinkState.DOWN)
        await asyncio.sleep(1.5)
        assert [state for state, _ in box.states] == [LinkState.CONNECTING, LinkState.DOWN]


async def test_stopping_hangs_up() -> None:
    hub = await small_hub()
    async with running(box=Box(hub.url)) as box:
        await box.state(LinkState.UP)
    await box.until(lambda: hub.closed == 1)
    await hub.stop()


async def test_an_old_complaint_is_not_the_reason_for_the_end() -> None:
    hub = await small_hub()

    async def complain_and_go_on(hub: SmallHub, ws: web.WebSocketResponse) -> None:
        await ws.send_str(encode(Error(code=ErrorCode.RATE_LIMITED, detail="Slower.")))
        await asyncio.sleep(FAREWELL_S + 0.2)
        await ws.close()

    hub.manner = complain_and_go_on
    async with running(hub, box=Box(hub.url)) as box:
        assert await box.state(LinkState.DOWN) == "The hub closed the connection."
        assert [type(message) for message in box.messages] == [Error]


async def test_a_mistake_in_the_box_is_not_hidden() -> None:
    hub = await small_hub()
    box = Box(hub.url)

    def fail(_: HubMessage) -> None:
        raise ZeroDivisionError

    box.line = Signalling(box.identity, FACTS, box.hubs, fail, box._link)
    task = asyncio.create_task(box.line.run())
    await box.state(LinkState.UP)
    box.line.send(Ping(n=1))
    with pytest.raises(ZeroDivisionError):
        await task
    await hub.stop()
