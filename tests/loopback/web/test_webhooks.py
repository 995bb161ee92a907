"""Webhooks: what other programs are told, and what they cannot do to the hub."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from hub.web import hooks
from hub.web.hooks import MAX_HOOKS, MAX_WAITING, SIGNATURE_HEADER, Hooks, sign
from stagebox.wire.messages import FloorQueued, FloorRequest
from stagebox.wire.terms import Via
from tests.loopback.hub.crew import PATIENCE_S, Guest, Hub, crew, until
from tests.loopback.web.kit import Browser, a_hub

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def fine(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


class Service:
    """Another program on the network; notes what it is sent."""

    def __init__(self, answer: Answer = fine) -> None:
        self.answer = answer
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        return await self.answer(request)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield self
        finally:
            await runner.cleanup()


def hooks_of(hub: Hub) -> Hooks:
    assert hub.server._desk is not None
    found = hub.server._desk.hooks
    found.backoff_s = (0.0, 0.0)
    return found


def count(hub: Hub, outcome: str) -> float:
    return hub.value("stagebox_webhooks_total", event=outcome)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as running:
        yield running


@pytest.fixture
async def admin(hub: Hub) -> AsyncIterator[Browser]:
    async with Browser(hub) as browser:
        await browser.name("Anna")
        await browser.administer()
        yield browser


async def add(admin: Browser, url: str, *events: str) -> dict[str, Any]:
    body = {"url": url, **({"events": events} if events else {})}
    answer = await admin.ask("POST", "/webhooks", body)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json
    return made


async def test_what_happens_is_told_and_signed(hub: Hub, admin: Browser) -> None:
    bea = Guest("Bea", number=2)
    service = Service()
    async with service.running(), crew(bea):
        made = await add(admin, service.url)
        await admin.ask("POST", "/spaces", {"name": "New"})
        await bea.enter(hub, "talk")
        await bea.send(FloorRequest(req="h", via=Via.HAND))
        await bea.get(FloorQueued)
        token = (await admin.ask("POST", "/spaces/new/end", {})).json["token"]
        await admin.ask("POST", "/spaces/new/end", {"token": token})
        await until(lambda: len(service.got) == 3)
    told = [msgspec.json.decode(body) for _, body in service.got]
    assert [each["event"] for each in told] == ["space_started", "hand_raised", "space_ended"]
    assert [each["space"] for each in told] == ["new", "talk", "new"]
    assert (told[1]["member"], told[1]["name"]) == (bea.id, "Bea")
    assert len({each["id"] for each in told}) == 3
    for headers, body in service.got:
        assert headers["Content-Type"] == "application/json"
        assert headers[SIGNATURE_HEADER] == f"sha256={sign(made['secret'], body)}"
        assert headers[SIGNATURE_HEADER] != f"sha256={sign('another', body)}"


async def test_only_what_was_asked_for_is_told(hub: Hub, admin: Browser) -> None:
    service = Service()
    async with service.running():
        await add(admin, service.url, "space_ended")
        for name in ("one", "two"):
            await admin.ask("POST", "/spaces", {"name": name})
        token = (await admin.ask("POST", "/spaces/one/end", {})).json["token"]
        await admin.ask("POST", "/spaces/one/end", {"token": token})
        await until(lambda: count(hub, "delivered") == 1)
    assert b'"space_ended"' in service.got[0][1]


async def test_a_service_that_fails_is_tried_three_times(hub: Hub, admin: Browser) -> None:
    async def fail(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    service = Service(fail)
    hooks_of(hub)
    async with service.running():
        await add(admin, service.url)
        await admin.ask("POST", "/spaces", {"name": "New"})
        await until(lambda: count(hub, "failed") == 1)
        assert len(service.got) == 3
        assert len({body for _, body in service.got}) == 1
        listed = (await admin.ask("GET", "/webhooks")).json["webhooks"]
        assert listed[0]["last"] == "answered 500"
        assert listed[0]["secret"] is None
        # It is told of what comes next all the same.
        service.answer = fine
        await admin.ask("POST", "/spaces", {"name": "Newer"})
        await until(lambda: count(hub, "delivered") == 1)


async def test_a_service_cannot_send_the_hub_elsewhere(hub: Hub, admin: Browser) -> None:
    other = Service()
    async with other.running():

        async def redirect(_request: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(other.url)

        service = Service(redirect)
        hooks_of(hub)
        async with service.running():
            await add(admin, service.url)
            await admin.ask("POST", "/spaces", {"name": "New"})
            await until(lambda: count(hub, "failed") == 1)
    assert other.got == []


async def test_a_service_that_hangs_holds_up_nobody(hub: Hub, admin: Browser) -> None:
    stop = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await stop.wait()
        return web.Response()

    slow, quick = Service(hang), Service()
    async with slow.running(), quick.running():
        await add(admin, slow.url)
        await add(admin, quick.url)
        async with asyncio.timeout(PATIENCE_S):
            for number in range(5):
                answer = await admin.ask("POST", "/spaces", {"name": f"Space {number}"})
                assert answer.status == 201
        await until(lambda: len(quick.got) == 5)
        assert len(slow.got) == 1
        stop.set()
        await until(lambda: len(slow.got) == 5)


async def test_nobody_listens_there(hub: Hub, admin: Browser) -> None:
    hooks_of(hub)
    for url in ("http://127.0.0.1:1/", "http://nowhere.invalid/", "https://127.0.0.1:1/"):
        await add(admin, url)
    await admin.ask("POST", "/spaces", {"name": "New"})
    await until(lambda: count(hub, "failed") == 3)


async def test_a_queue_that_is_full_drops_its_oldest(hub: Hub, admin: Browser) -> None:
    found = hooks_of(hub)
    await add(admin, "http://127.0.0.1:1/")
    line = next(iter(found._lines.values()))
    for number in range(MAX_WAITING + 3):
        found._queue(line, str(number).encode())
    assert len(line.waiting) == MAX_WAITING
    assert line.waiting[0] == b"3"
    assert found.counts[hooks.Outcome.DROPPED] == 3


async def test_webhooks_outlive_the_hub_and_are_removed(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as admin:
        await admin.administer()
        made = await add(admin, "http://127.0.0.1:1/", "hand_raised")
        cookies = {"Cookie": admin.cookies}
    async with a_hub(tmp_path) as hub, Browser(hub) as admin:
        listed = (await admin.ask("GET", "/webhooks", headers=cookies)).json["webhooks"]
        assert listed == [{**made, "secret": None}]
        path = f"/webhooks/{made['id']}"
        assert (await admin.ask("DELETE", path, headers=cookies)).status == 204
        assert (await admin.ask("DELETE", path, headers=cookies)).code == "no_such_webhook"
        assert (await admin.ask("GET", "/webhooks", headers=cookies)).json == {"webhooks": []}


async def test_there_are_only_so_many_and_only_to_web_addresses(admin: Browser) -> None:
    for url in ("ftp://host/", "javascript:alert(1)", "file:///etc/passwd", "http://a b/", ""):
        answer = await admin.ask("POST", "/webhooks", {"url": url})
        assert (answer.code, answer.json["field"]) == ("bad_value", "url")
    for events in ([], ["weather"], ["hand_raised"] * 4):
        answer = await admin.ask("POST", "/webhooks", {"url": "http://a/", "events": events})
        assert answer.code == "bad_value"
    for _ in range(MAX_HOOKS):
        await add(admin, "http://127.0.0.1:1/")
    assert (await admin.ask("POST", "/webhooks", {"url": "http://a/"})).code == "too_many"
