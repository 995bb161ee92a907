"""The page's server with real connections: who is let in, what it is told, what its loss means."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from device.buttons.lamps import RED_LIVE, pattern_for
from device.buttons.ports import Key, KeyEvent, PanelError
from device.simulator import server as server_module
from device.simulator import visit as visit_module
from device.simulator.messages import About
from device.simulator.panel import PagePanel
from device.simulator.server import MAX_CONNECTIONS, MAX_PAGES, PORT, PageServer, listen
from device.simulator.visit import BURST, Scene
from device.view import labels
from device.view.feed import Feed
from device.view.status import Status
from stagebox.__main__ import build_parser
from stagebox.phrases import Language

PATIENCE_S = 10.0
Told = dict[str, Any]


class Desk:
    """A page's server over a panel of its own, and the edges that the panel reports."""

    def __init__(self, language: Language = Language.ENGLISH) -> None:
        self.panel = PagePanel()
        self.status = Status("Ana")
        self.feed = Feed()
        self.heard: list[KeyEvent] = []
        about = About("Ana", "guest", language, "1", tuple(Key))
        self.server = PageServer(Scene(about, self.panel, self.status, self.feed))
        self.http = aiohttp.ClientSession()
        self.pages: list[Page] = []

    @property
    def edges(self) -> list[tuple[Key, bool]]:
        return [(event.key, event.down) for event in self.heard]

    @property
    def origin(self) -> str:
        return self.server.url.rstrip("/")

    async def page(self, **headers: str) -> "Page":
        given = {"Origin": self.origin, **headers}
        ws = await self.http.ws_connect(f"{self.origin}/panel", headers=given, max_msg_size=0)
        self.pages.append(Page(ws))
        return self.pages[-1]

    async def close(self) -> None:
        for page in self.pages:
            await page.ws.close()
        await self.http.close()
        await self.server.close()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - what is waited for cannot tell
                await asyncio.sleep(0.005)


class Page:
    """The browser's end of a WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.told: list[Told] = []

    async def hold(self, *keys: str) -> None:
        await self.ws.send_str(json.dumps({"type": "hold", "keys": keys}))

    async def mute(self, on: bool) -> None:
        await self.ws.send_str(json.dumps({"type": "mute", "on": on}))

    async def until(self, condition: Callable[[Told], object]) -> Told:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = json.loads(await self.ws.receive_str())
                self.told.append(message)
                if condition(message):
                    return message

    async def closed(self) -> int | None:
        """Read to the end; return why the box hung up."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.ws.closed:
                await self.ws.receive()
        return self.ws.close_code


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    await made.server.start(0)
    made.panel.start(made.heard.append)
    yield made
    await made.close()


def kind(name: str) -> Callable[[Told], bool]:
    return lambda told: told["type"] == name


async def test_the_page_and_what_it_is_made_of(desk: Desk) -> None:
    async with desk.http.get(desk.server.url) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert answer.content_type == "text/html"
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert " style=" not in text
    assert " on" not in "".join(part.split(">")[0] for part in text.split("<")).replace(" one", "")
    for path in ("/style.css", "/icon.svg", "/js/main.js", "/js/lamp.js"):
        async with desk.http.get(desk.origin + path) as answer:
            assert answer.status == 200, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/js/", "/..%2f..%2fserver.py", "/server.py", "/panel"):
        async with desk.http.get(desk.origin + path) as answer:
            assert answer.status in {403, 404}, path
            assert answer.headers["Content-Security-Policy"] == policy


@pytest.mark.parametrize(
    ("language", "says"), [(Language.ENGLISH, "The box says"), (Language.GERMAN, "Die Box sagt")]
)
async def test_the_page_is_in_the_language_of_the_box(language: Language, says: str) -> None:
    desk = Desk(language)
    await desk.server.start(0)
    try:
        async with desk.http.get(desk.server.url) as answer:
            text = await answer.text()
        async with desk.http.get(f"{desk.origin}/js/words.js") as answer:
            words = await answer.text()
            assert answer.content_type == "text/javascript"
    finally:
        await desk.close()
    assert f'<html lang="{language}">' in text
    assert f">{says}<" in text
    assert "{{" not in text
    head, _, rest = words.partition("{")
    assert head == "export const WORDS = "
    assert json.loads("{" + rest.strip().rstrip(";")) == labels.page(language)


async def test_it_listens_on_loopback_addresses_alone(desk: Desk) -> None:
    found = [each.getsockname()[0] for one in desk.server._servers for each in one.sockets]
    assert "127.0.0.1" in found
    assert set(found) <= {"127.0.0.1", "::1"}


async def test_a_page_is_told_everything_when_it_opens(desk: Desk) -> None:
    desk.panel.show(RED_LIVE)
    desk.panel.show_recording(True)
    desk.feed.take("prompt", 1.0, {"name": "permit", "text": "Speak.", "tone": "permit"})
    page = await desk.page()
    await page.until(kind("state"))
    told = {each["type"]: each for each in page.told}
    assert list(told) == ["box", "panel", "lamp", "news", "state"]
    assert told["box"]["name"] == "Ana"
    assert told["box"]["run"]
    assert told["panel"] == {"type": "panel", "down": [], "recording": True, "door": True}
    assert told["lamp"]["steps"] == [["red", 1000, 1.0]]
    assert told["news"]["lines"][0]["text"] == "Speak."


async def test_what_changes_is_told_at_once_and_only_once(desk: Desk) -> None:
    page = await desk.page()
    await page.until(kind("state"))
    desk.panel.show(pattern_for("queued"))
    assert (await page.until(kind("lamp")))["name"] == "queued"
    desk.panel.show(pattern_for("queued"))  # from its beginning
    assert (await page.until(kind("lamp")))["name"] == "queued"
    desk.feed.take("key", 1.0, {"key": "talk", "down": True})
    news = await page.until(kind("news"))
    assert [line["words"] for line in news["lines"]] == ["TALK pressed"]
    desk.status.floor = "live"
    assert (await page.until(kind("state")))["floor"] == "live"
    kinds = [each["type"] for each in page.told]
    assert (kinds.count("box"), kinds.count("panel")) == (1, 1)
    assert kinds.count("state") == 2


async def test_two_pages_have_fingers_of_their_own_and_one_switch(desk: Desk) -> None:
    one, two = await desk.page(), await desk.page()
    await one.hold("talk")
    await desk.until(lambda: desk.panel.is_down(Key.TALK))
    await two.hold("talk", "hand")
    await desk.until(lambda: desk.panel.is_down(Key.HAND))
    await one.hold()
    await two.mute(True)
    await desk.until(lambda: desk.panel.is_down(Key.MUTE))
    assert desk.panel.is_down(Key.TALK)
    told = await one.until(lambda told: "mute" in told.get("down", ()))
    assert told["down"] == ["hand", "mute", "talk"]
    await two.ws.close()
    await desk.until(lambda: not desk.panel.is_down(Key.TALK))
    assert desk.panel.down == {Key.MUTE}  # a switch stays where it was left
    await desk.until(lambda: len(desk.edges) == 5)
    assert desk.edges == [
        (Key.TALK, True),
        (Key.HAND, True),
        (Key.MUTE, True),
        (Key.HAND, False),
        (Key.TALK, False),
    ]


async def test_a_connection_that_breaks_lifts_the_finger(desk: Desk) -> None:
    page = await desk.page()
    await page.hold("talk")
    await desk.until(lambda: desk.edges)
    transport = page.ws.get_extra_info("socket")
    assert transport is not None
    page.ws._response.connection.transport.abort()  # type: ignore[union-attr]
    await desk.until(lambda: len(desk.edges) == 2)
    assert desk.edges == [(Key.TALK, True), (Key.TALK, False)]
    await desk.until(lambda: desk.server.pages == 0)


async def test_a_page_that_holds_a_key_and_falls_silent_has_let_go(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_module, "SILENT_S", 0.3)
    page, calm = await desk.page(), await desk.page()
    await calm.until(kind("state"))
    await page.hold("talk")
    await desk.until(lambda: len(desk.edges) == 2)
    assert desk.edges == [(Key.TALK, True), (Key.TALK, False)]
    assert await page.closed() == aiohttp.WSCloseCode.GOING_AWAY
    # Who holds nothing may be silent for as long as it likes.
    await desk.until(lambda: desk.server.pages == 1)


async def test_a_page_that_tells_again_and_again_holds_for_as_long_as_it_likes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_module, "SILENT_S", 2.0)
    page = await desk.page()
    for _ in range(25):
        await page.hold("talk")
        await asyncio.sleep(0.1)
    assert desk.edges == [(Key.TALK, True)]


async def test_a_closed_panel_takes_no_more_keys(desk: Desk) -> None:
    page = await desk.page()
    await page.hold("talk")
    await desk.until(lambda: desk.edges)
    desk.panel.close()
    await page.hold("talk", "hand")
    await page.mute(True)
    await page.until(lambda told: told["type"] == "panel" and not told["down"])
    assert desk.edges == [(Key.TALK, True)]


class TestStrangers:
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1", "10.0.0.1"])
    @pytest.mark.parametrize("path", ["/", "/panel", "/js/main.js"])
    async def test_another_host(self, desk: Desk, host: str, path: str) -> None:
        async with desk.http.get(desk.origin + path, headers={"Host": host}) as answer:
            assert answer.status == 421
            assert "panel is at http://127.0.0.1" in await answer.text()
        assert desk.server.refused["another host"] == 1

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", ""])
    async def test_another_origin(self, desk: Desk, origin: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await desk.page(Origin=origin)
        assert caught.value.status == 403
        assert desk.server.refused["another origin"] == 1

    async def test_no_origin(self, desk: Desk) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await desk.http.ws_connect(f"{desk.origin}/panel")
        assert caught.value.status == 403

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
    async def test_other_methods(self, desk: Desk, method: str) -> None:
        async with desk.http.request(method, desk.server.url, data=b"x" * 100) as answer:
            assert answer.status == 405

    async def test_a_get_that_is_no_websocket(self, desk: Desk) -> None:
        headers = {"Origin": desk.origin}
        async with desk.http.get(f"{desk.origin}/panel", headers=headers) as answer:
            assert answer.status == 400
        await desk.until(lambda: desk.server.pages == 0)


class TestFloods:
    async def test_too_many_pages(self, desk: Desk) -> None:
        pages = [await desk.page() for _ in range(MAX_PAGES)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await desk.page()
        assert caught.value.status == 503
        await pages[0].ws.close()
        await desk.until(lambda: desk.server.pages < MAX_PAGES)
        again = await desk.page()
        await again.until(kind("box"))

    async def test_too_many_connections_do_not_keep_a_page_out(self, desk: Desk) -> None:
        page = await desk.page()
        await page.hold("talk")
        crowd = [
            await asyncio.open_connection("127.0.0.1", desk.server._port)
            for _ in range(2 * MAX_CONNECTIONS)
        ]
        try:
            await desk.until(lambda: desk.server.refused["too many connections"] >= MAX_CONNECTIONS)
            async with desk.http.get(desk.server.url) as answer:
                assert answer.status == 200
            await page.hold("talk", "hand")
            await desk.until(lambda: desk.panel.is_down(Key.HAND))
            assert desk.edges == [(Key.TALK, True), (Key.HAND, True)]
            server = desk.server._runner.server  # type: ignore[union-attr]
            assert len(server.connections) <= MAX_CONNECTIONS + 1  # type: ignore[union-attr]
        finally:
            for _, writer in crowd:
                writer.close()

    async def test_too_many_messages(self, desk: Desk) -> None:
        page, other = await desk.page(), await desk.page()
        await page.hold("talk")
        await desk.until(lambda: desk.edges)
        with contextlib.suppress(ConnectionError):
            for _ in range(round(4 * BURST)):
                await page.hold("talk")
        assert await page.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION
        await desk.until(lambda: not desk.panel.down)
        await other.hold("hand")  # nobody else is disturbed
        await desk.until(lambda: desk.panel.is_down(Key.HAND))

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("x" * 4096, aiohttp.WSCloseCode.MESSAGE_TOO_BIG),
            ("{}", aiohttp.WSCloseCode.POLICY_VIOLATION),
            ('{"type": "hold", "keys": ["nose"]}', aiohttp.WSCloseCode.POLICY_VIOLATION),
        ],
    )
    async def test_what_cannot_be_said_ends_the_visit(
        self, desk: Desk, text: str, code: int
    ) -> None:
        page = await desk.page()
        await page.hold("talk")
        await page.ws.send_str(text)
        assert await page.closed() == code
        await desk.until(lambda: desk.server.pages == 0 and not desk.panel.down)
        assert desk.edges == [(Key.TALK, True), (Key.TALK, False)]

    async def test_frames_that_are_no_text(self, desk: Desk) -> None:
        page = await desk.page()
        await page.ws.send_bytes(b'{"type": "hold", "keys": ["talk"]}')
        assert await page.closed() == aiohttp.WSCloseCode.UNSUPPORTED_DATA
        assert desk.edges == []

    async def test_a_page_that_reads_nothing_is_given_up(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(visit_module, "SEND_S", 0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.server._port, limit=1024)
        host = f"127.0.0.1:{desk.server._port}"
        writer.write(
            f"GET /panel HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        await desk.until(lambda: desk.server.pages == 1)
        other = await desk.page()
        await other.until(kind("state"))
        long = {"code": "x", "detail": "y" * 100_000}
        for _ in range(400):
            desk.feed.take("error", 0.0, long)
            await asyncio.sleep(0.005)
            if desk.server.pages == 1:
                break
        await desk.until(lambda: desk.server.pages == 1)
        writer.close()


class TestPorts:
    @pytest.mark.parametrize(
        ("given", "port"), [((), None), (("--page",), -1), (("--page", "7777"), 7777)]
    )
    def test_a_port_is_asked_for_or_left_open(self, given: tuple[str, ...], port: object) -> None:
        arguments = build_parser().parse_args(["box", "--simulate", *given, "--name", "Ana"])
        assert (arguments.page, arguments.name) == (port, "Ana")

    def test_the_next_one_is_taken_where_one_is_busy(self) -> None:
        first = listen(None)
        second = listen(None)
        try:
            one, two = first[0].getsockname()[1], second[0].getsockname()[1]
            assert PORT <= one < two
        finally:
            for each in first + second:
                each.close()

    def test_a_port_that_was_asked_for_is_had_or_refused(self) -> None:
        (first, *rest) = listen(0)
        port = first.getsockname()[1]
        with pytest.raises(PanelError, match=rf"Port {port} can.* Give another: --page PORT"):
            listen(port)
        for each in (first, *rest):
            each.close()

    def test_a_computer_without_ipv6_has_one_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = socket.create_server

        def only_four(address: tuple[str, int], **options: int) -> socket.socket:
            if "family" in options:
                raise OSError(97, "Address family not supported by protocol")
            return real(address, **options)

        monkeypatch.setattr(server_module.socket, "create_server", only_four)
        (only,) = listen(0)
        assert only.getsockname()[0] == "127.0.0.1"
        only.close()

    def test_no_free_port_at_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "PORTS", 1)
        taken = listen(None)
        monkeypatch.setattr(server_module, "PORT", taken[0].getsockname()[1])
        with pytest.raises(PanelError, match="No port from"):
            listen(None)
        for each in taken:
            each.close()
