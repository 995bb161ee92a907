"""The plain HTTP routes."""

from pathlib import Path

import aiohttp
import pytest

from hub.config import HubConfig, SpaceConfig
from hub.control.listening import BindError
from hub.control.server import HubServer
from stagebox import __version__
from stagebox.wire.messages import FloorGranted, FloorRequest
from stagebox.wire.terms import MEMBER_PATH, Mode
from tests.loopback.hub.crew import Guest, crew, running_hub

SPACES = HubConfig(
    space=(
        SpaceConfig(id="main", name="Main"),
        SpaceConfig(id="talk", name="Talk show", mode=Mode.OPEN),
    )
)


async def test_health_names_nobody(tmp_path: Path) -> None:
    async with running_hub(tmp_path, SPACES) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna), aiohttp.ClientSession() as http:
            await anna.enter(hub)
            async with http.get(hub.url("/healthz")) as response:
                text = await response.text()
                health = await response.json()
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert health.pop("uptime_s") >= 0
    assert health == {"status": "ok", "version": __version__, "spaces": 2, "members": 1}
    assert "Anna" not in text


async def test_the_spaces_are_listed_without_names_of_members(tmp_path: Path) -> None:
    async with running_hub(tmp_path, SPACES) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna), aiohttp.ClientSession() as http:
            await anna.enter(hub)
            await anna.send(FloorRequest(req="a"))
            await anna.get(FloorGranted)
            async with http.get(hub.url("/api/v1/spaces")) as response:
                text = await response.text()
                listed = await response.json()
    counts = ("mode", "members", "talkers")
    found = [(each["space"]["id"], *(each[key] for key in counts)) for each in listed["spaces"]]
    assert found == [("main", "walkie", 1, 1), ("talk", "open", 0, 0)]
    assert "Anna" not in text


async def test_metrics_show_what_was_counted_and_what_others_count(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        hub.metrics.add_source("guard", lambda: {"dropped_empty": 3})
        anna = Guest("Anna", number=1)
        async with crew(anna), aiohttp.ClientSession() as http:
            await anna.enter(hub)
            async with http.get(hub.url("/metrics")) as response:
                text = await response.text()
    assert 'stagebox_messages_total{type="join"} 1.0' in text
    assert 'stagebox_guard_total{event="dropped_empty"} 3.0' in text
    assert "stagebox_loop_lag_seconds_bucket" in text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/%2e%2e/etc/passwd", 404, "not_found"),
        ("GET", MEMBER_PATH, 400, "bad_request"),
    ],
)
async def test_errors_are_problems(
    tmp_path: Path, method: str, path: str, status: int, code: str
) -> None:
    async with (
        running_hub(tmp_path) as hub,
        aiohttp.ClientSession() as http,
        http.request(method, hub.url(path)) as response,
    ):
        assert response.status == status
        assert response.content_type == "application/problem+json"
        assert (await response.json(content_type=None))["code"] == code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_a_foreign_page_cannot_open_a_session(tmp_path: Path, origin: str) -> None:
    async with running_hub(tmp_path) as hub, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(hub.url(MEMBER_PATH), headers={"Origin": origin})
        assert refused.value.status == 403
        assert hub.value("stagebox_refused_connections_total", reason="origin") == 1


async def test_the_hubs_own_page_can_open_a_session(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        async with crew(anna):
            await anna.connect(hub, headers={"Origin": hub.url("")})
            await anna.next()


async def test_a_taken_port_is_a_bind_error(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        config = HubConfig(bind=("127.0.0.1",), port=hub.server.port)
        second = HubServer(config, hub.identity, hub.spaces, hub.metrics, hub.media, hub.home)
        with pytest.raises(BindError, match=r"127\.0\.0\.1 port"):
            await second.start()
        await second.aclose()
