"""Far sides that lie, flood or speak nonsense: the bridge says so, and the hub goes on."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from hub.bridges.janus_way import MAX_MESSAGE
from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from stagebox.rtc.sdp import MAX_CHARACTERS
from tests.loopback.bridges.kit import SoundHub, sound_hub
from tests.loopback.hub.crew import until

Answer = Callable[[dict[str, Any]], Any]


@contextlib.asynccontextmanager
async def serving(handler: Callable[[web.Request], Any]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def janus(answer: Answer) -> Callable[[web.Request], Any]:
    """Return a server that answers each request with what ``answer`` makes of it."""

    async def handle(request: web.Request) -> web.WebSocketResponse[Any]:
        ws: web.WebSocketResponse[Any] = web.WebSocketResponse(protocols=("janus-protocol",))
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                for text in answer(json.loads(message.data)):
                    await ws.send_str(text if isinstance(text, str) else json.dumps(text))
        return ws

    return handle


def polite(asked: dict[str, Any]) -> list[Any]:
    """Answer as Janus does, up to the joining."""
    number = {"transaction": asked["transaction"]}
    if asked["janus"] in {"create", "attach"}:
        return [{"janus": "success", "data": {"id": 7}} | number]
    body = asked.get("body", {})
    if body.get("request") == "listparticipants":
        return [{"janus": "success", "plugindata": {"data": {"participants": []}}} | number]
    return []


def joining(what: Callable[[dict[str, Any]], list[Any]]) -> Answer:
    def answer(asked: dict[str, Any]) -> list[Any]:
        is_join = asked.get("body", {}).get("request") == "join"
        return what({"transaction": asked["transaction"]}) if is_join else polite(asked)

    return answer


def joined(sdp: object) -> Answer:
    data = {"audiobridge": "joined", "id": 1}
    return joining(
        lambda number: [
            {"janus": "event", "plugindata": {"data": data}, "jsep": {"sdp": sdp}} | number
        ]
    )


def flood(number: dict[str, Any]) -> list[Any]:
    return [{"janus": "event", "n": n} for n in range(2_000)]


LIES: dict[str, tuple[Answer, set[Cause]]] = {
    "no json": (lambda _asked: ["{"], {Cause.BAD_ANSWER}),
    "a list": (lambda _asked: ["[1, 2]", "3"], {Cause.NO_ANSWER}),
    "no id": (
        lambda asked: [{"janus": "success", "transaction": asked["transaction"]}],
        {Cause.BAD_ANSWER},
    ),
    "nested": (lambda _asked: ["[" * 100_000], {Cause.BAD_ANSWER}),
    "too long": (lambda _asked: ["x" * (2 * MAX_MESSAGE)], {Cause.LOST, Cause.NO_ANSWER}),
    "a flood": (joining(flood), {Cause.FAILED}),
    "no sdp": (joined(None), {Cause.BAD_ANSWER}),
    "a huge sdp": (joined("v=0\r\n" * 20_000), {Cause.BAD_ANSWER}),
    "a wrong sdp": (joined("v=0\r\nm=video 9 RTP/AVP 96\r\n"), {Cause.BAD_ANSWER}),
    "forgotten": (joining(lambda _number: [{"janus": "timeout"}]), {Cause.LOST}),
}


def cause_of(hub: SoundHub, bridge: str) -> Cause:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().condition.cause


async def fails(hub: SoundHub, plan: Plan) -> Cause:
    """Make a bridge that cannot work; return why, once it has stopped."""
    bridge = hub.bridge(plan)
    resting = {State.WAITING, State.REFUSED, State.ENDED}
    await until(lambda: hub.state(bridge) in resting)
    cause = cause_of(hub, bridge)
    await hub.ways.bridges.remove(bridge)
    return cause


@pytest.mark.parametrize("lie", LIES)
async def test_a_janus_that_is_none(tmp_path: Path, lie: str) -> None:
    answer, causes = LIES[lie]
    async with serving(janus(answer)) as port, sound_hub(tmp_path / "hub") as hub:
        url = f"ws://127.0.0.1:{port}/"
        plan = Plan(name="Liar", space="main", system=System.JANUS, url=url, room="1")
        assert await fails(hub, plan) in causes
        assert not hub.members()


def by_http(answer: Answer, polls: str) -> Callable[[web.Request], Any]:
    """Return the same server by HTTP; ``polls``: what it says to whoever asks for news."""

    async def handle(request: web.Request) -> web.Response:
        if request.method == "GET":
            await asyncio.sleep(0.05)
            return web.Response(text=polls)
        (said,) = answer(await request.json()) or [{"janus": "ack"}]
        return web.Response(text=said if isinstance(said, str) else json.dumps(said))

    return handle


IDLE = '{"janus": "keepalive"}'
HTTP_LIES: dict[str, tuple[Answer, str, set[Cause]]] = {
    "no json": (lambda _asked: ["{"], IDLE, {Cause.UNREACHABLE}),
    "a list": (lambda _asked: ["[1, 2]"], IDLE, {Cause.UNREACHABLE}),
    "another's answer": (lambda _asked: [{"transaction": "x"}], IDLE, {Cause.UNREACHABLE}),
    "too long": (lambda _asked: ["x" * (2 * MAX_MESSAGE)], IDLE, {Cause.UNREACHABLE}),
    "no news but nonsense": (polite, "[" * 100_000, {Cause.BAD_ANSWER}),
    "news without end": (polite, json.dumps([{"n": 1}] * 5_000), {Cause.FAILED}),
    "never joined": (polite, IDLE, {Cause.NO_ANSWER}),
}


@pytest.mark.parametrize("lie", HTTP_LIES)
async def test_a_janus_by_http_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setattr("hub.bridges.janus_wire.ANSWER_S", 0.5)
    answer, polls, causes = HTTP_LIES[lie]
    async with serving(by_http(answer, polls)) as port, sound_hub(tmp_path / "hub") as hub:
        url = f"http://127.0.0.1:{port}/janus"
        plan = Plan(name="Liar", space="main", system=System.JANUS, url=url, room="1")
        assert await fails(hub, plan) in causes
        assert not hub.members()


def whip(status: int, body: str, **headers: str) -> Callable[[web.Request], Any]:
    async def handle(_request: web.Request) -> web.Response:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return web.Response(status=status, text=body, headers=named)

    return handle


WHIP_LIES = {
    "no session": (whip(201, "v=0"), Cause.BAD_ANSWER),
    "no sdp": (whip(201, "ü", Location="/x"), Cause.BAD_ANSWER),
    "a huge sdp": (whip(201, "a" * (3 * MAX_CHARACTERS), Location="/x"), Cause.BAD_ANSWER),
    "a wrong sdp": (whip(201, "v=0", Location="/x"), Cause.BAD_ANSWER),
    "a page": (whip(200, "<html>"), Cause.BAD_ANSWER),
    "in a circle": (whip(307, "", Location="/again"), Cause.BAD_ANSWER),
    "elsewhere": (whip(308, "", Location="ftp://a.example/"), Cause.BAD_ANSWER),
    "busy": (whip(503, "", Retry_After="1"), Cause.BUSY),
}


@pytest.mark.parametrize("lie", WHIP_LIES)
async def test_a_whip_server_that_is_none(tmp_path: Path, lie: str) -> None:
    handler, cause = WHIP_LIES[lie]
    async with serving(handler) as port, sound_hub(tmp_path / "hub") as hub:
        url = f"http://127.0.0.1:{port}/whip"
        assert await fails(hub, Plan(name="L", space="main", system=System.WHIP, url=url)) is cause
        assert not hub.members()


async def test_a_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.bridges.whip.ANSWER_S", 0.2)

    async def handle(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async with serving(handle) as port, sound_hub(tmp_path / "hub") as hub:
        url = f"http://127.0.0.1:{port}/whip"
        plan = Plan(name="L", space="main", system=System.WHIP, url=url)
        assert await fails(hub, plan) is Cause.UNREACHABLE


async def test_a_hub_does_not_publish_to_itself(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub:
        url = hub.url("/whip/main")
        plan = Plan(name="L", space="main", system=System.WHIP, url=url, token=hub.invite())
        assert await fails(hub, plan) is Cause.NOT_ALLOWED
        assert not hub.members()
