"""A hub on this computer, its media plane, and members that talk to it over real sockets."""

import asyncio
import base64
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from msgspec.structs import replace

from hub.config import Boxes, HubConfig, HubLimits, TrustConfig
from hub.control.server import HubServer
from hub.media.report import MediaReport, nothing
from hub.metrics import Metrics
from hub.ports import Tape
from hub.spaces.registry import Spaces
from hub.store.database import Store
from hub.trust.house import Trust
from hub.web.desk import Home
from stagebox.identity import Identity
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.handshake import MemberHandshake
from stagebox.wire.messages import Error, HubMessage, Join, MemberMessage, Ping, Snapshot
from stagebox.wire.terms import MEMBER_PATH, Kind, Role

PATIENCE_S = 20.0  # for anything that should come at once; the machine may be busy
_M = TypeVar("_M")


class FakeMedia:
    """A media plane without sound: notes what it is asked, answers as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.answer: Callable[[str], Any] = lambda sdp: f"answer to {sdp}"
        self.heard: Callable[[str], None] = lambda _member_id: None
        self.lose: Callable[[str, float], None] = lambda _member_id, _spread_s: None

    def on_audio(self, callback: Callable[[str], None]) -> None:
        self.heard = callback

    def on_lost(self, callback: Callable[[str, float], None]) -> None:
        self.lose = callback

    def report(self) -> MediaReport:
        return nothing()

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        self.calls.append(("connect", space_id, member_id, local_address or ""))
        result = self.answer(sdp)
        if asyncio.iscoroutine(result):
            result = await result
        return str(result)

    def open_gate(self, space_id: str, member_id: str) -> None:
        self.calls.append(("open", space_id, member_id))

    def close_gate(self, space_id: str, member_id: str) -> None:
        self.calls.append(("close", space_id, member_id))

    def set_volume(self, space_id: str, member_id: str, percent: int) -> None:
        self.calls.append(("volume", space_id, member_id, str(percent)))

    def tape(self, space_id: str, on: bool) -> None:
        self.calls.append(("tape", space_id, str(on)))

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        self.taped = callback

    async def disconnect(self, member_id: str) -> None:
        self.calls.append(("disconnect", member_id))

    async def aclose(self) -> None:
        self.calls.append(("aclose",))


async def trust_of(hub: "Hub") -> Trust:
    """Return whom a hub believes."""
    anyone = hub.config.trust.anyone
    return await Trust.open(hub.identity, hub.config.name, hub.store, hub.data, anyone=anyone)


class Hub:
    """A running hub; ``value`` reads one of its counters."""

    def __init__(self, config: HubConfig, data: Path) -> None:
        self.config = config
        self.data = data
        self.media = FakeMedia()
        self.metrics = Metrics()
        self.identity = Identity.generate()
        self.store: Store
        self.trust: Trust
        self.spaces: Spaces
        self.home: Home
        self.server: HubServer

    async def start(self) -> None:
        path = self.data / "hub.sqlite3"
        self.store = await Store.open(
            path, lambda kind: self.metrics.store_troubles.labels(kind).inc()
        )
        self.spaces = Spaces(
            self.config.space,
            media=self.media,
            store=self.store,
            metrics=self.metrics,
            limits=self.config.spaces,
        )
        await self.spaces.start()
        self.trust = await trust_of(self)
        self.home = await self._home()
        self.server = HubServer(
            self.config, self.identity, self.spaces, self.metrics, self.media, self.home
        )
        await self.server.start()

    async def _home(self) -> Home:
        """Return what the hub's pages stand on; other hubs have more."""
        return Home(self.store, self.data, self.trust)

    async def aclose(self) -> None:
        await self.server.aclose()
        await self.spaces.aclose()
        await self.store.aclose()

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server.port}{path}"


@contextlib.asynccontextmanager
async def running_hub(
    data: Path,
    config: HubConfig | None = None,
    *,
    secure_port: int = 0,
    boxes: Boxes = Boxes.ANYONE,
    **limits: float,
) -> AsyncIterator[Hub]:
    """Run a hub with these limits on 127.0.0.1 and ::1, any port, for any box."""
    config = config or HubConfig()
    config = replace(
        config,
        bind=("127.0.0.1", "::1"),
        port=0,
        limits=replace(HubLimits(), **limits),
        trust=TrustConfig(boxes=boxes),
        # HTTPS has a port of its own, which only one hub can have.
        web=replace(config.web, secure_port=secure_port),
    )
    hub = Hub(config, data)
    await hub.start()
    try:
        yield hub
    finally:
        await hub.aclose()


class Guest:
    """A member's end of the wire."""

    def __init__(self, name: str, *, number: int, role: Role = Role.GUEST) -> None:
        key = base64.b64encode(number.to_bytes(32, "big")).decode()
        self.handshake = MemberHandshake(
            key=key, nonce="0" * 64, name=name, kind=Kind.BOX, role=role, software="test"
        )
        self.number, self.name, self.role = number, name, role
        self.seen: list[HubMessage] = []
        self.pings = 0
        self._http: aiohttp.ClientSession
        self._ws: aiohttp.ClientWebSocketResponse

    @property
    def id(self) -> str:
        return self.handshake._hello.id

    def again(self) -> "Guest":
        """The same member on another connection."""
        return Guest(self.name, number=self.number, role=self.role)

    async def connect(
        self, hub: Hub, host: str = "127.0.0.1", headers: Mapping[str, str] | None = None
    ) -> "Guest":
        """Open the socket, before any message."""
        self._http = aiohttp.ClientSession()
        self._ws = await self._http.ws_connect(
            hub.url(MEMBER_PATH, host), max_msg_size=0, headers=headers
        )
        return self

    async def open(self, hub: Hub, host: str = "127.0.0.1") -> "Guest":
        """Connect and shake hands."""
        await self.connect(hub, host)
        while self.handshake.welcome is None:
            answer = self.handshake.receive(await self.next())
            if answer is not None:
                await self.send(answer)
        return self

    async def enter(self, hub: Hub, space: str | None = None, host: str = "127.0.0.1") -> Snapshot:
        """Connect, shake hands and join."""
        await self.open(hub, host)
        return await self.join(space)

    async def join(self, space: str | None = None) -> Snapshot:
        await self.send(Join(req="join", space=space))
        return await self.get(Snapshot)

    async def send(self, message: MemberMessage) -> None:
        await self._ws.send_str(encode(message))

    async def send_raw(self, data: str | bytes) -> None:
        if isinstance(data, str):
            await self._ws.send_str(data)
        else:
            await self._ws.send_bytes(data)

    async def ping(self) -> None:
        self.pings += 1
        await self.send(Ping(n=self.pings))

    async def next(self) -> HubMessage:
        """Return the next message."""
        frame = await self._ws.receive(timeout=PATIENCE_S)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionResetError(f"closed with {self._ws.close_code}")
        message = decode_hub(frame.data)
        self.seen.append(message)
        return message

    async def get(self, kind: type[_M]) -> _M:
        """Return the next message of this type; an error that is not asked for fails."""
        while True:
            message = await self.next()
            if isinstance(message, kind):
                return message
            assert not isinstance(message, Error), message

    async def closed(self) -> int | None:
        """Read on until the hub closes; return the close code (1006: cut)."""
        try:
            while True:
                await self.next()
        except ConnectionResetError:
            return self._ws.close_code

    def break_off(self) -> None:
        """Cut the connection without a goodbye."""
        transport = self._ws.get_extra_info("socket")
        assert transport is not None
        self._ws._response.connection.transport.abort()  # type: ignore[union-attr]

    async def aclose(self) -> None:
        await self._ws.close()
        await self._http.close()


@contextlib.asynccontextmanager
async def crew(*guests: Guest) -> AsyncIterator[None]:
    """Close these guests at the end."""
    try:
        yield
    finally:
        for guest in guests:
            with contextlib.suppress(AttributeError):
                await guest.aclose()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def no_errors_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if anything at ERROR, or with a traceback, was logged within."""
    with caplog.at_level(logging.DEBUG, logger="hub"):
        yield
    bad = [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
    assert not bad, [record.getMessage() for record in bad]
