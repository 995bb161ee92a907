"""The console's files and the pages around them."""

import gzip
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from yarl import URL

from hub.web.api import ROUTES
from hub.web.static import POLICY, Static
from tests.loopback.hub.crew import Hub
from tests.loopback.web.kit import Browser, a_hub


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as running:
        yield running


async def test_every_file_of_the_console_is_served_as_what_it_is(hub: Hub) -> None:
    static = Static.load()
    paths = static.paths
    assert {"/", f"/{static.version}/js/app.js", f"/{static.version}/style.css"} <= set(paths)
    async with Browser(hub) as browser:
        for path in paths:
            async with browser.http.get(hub.url(path)) as answer:
                body = await answer.read()
                assert answer.status == 200
                assert answer.headers["Content-Security-Policy"] == POLICY
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert ("immutable" in answer.headers["Cache-Control"]) is (path != "/")
            name = path.removeprefix(f"/{static.version}/")
            if path != "/":
                assert body == (files("hub.web") / "console" / name).read_bytes()
            else:
                named = re.findall(rb'(?:href|src)="(/[a-z0-9][^"]*)"', body)
                assert len(named) > 10
                assert {each.decode() for each in named} <= set(paths)


def test_the_name_of_everything_changes_with_anything() -> None:
    page = b'<script src="/app.js"></script><a href="/#/x">'
    first = Static({"index.html": page, "app.js": b"1"})
    second = Static({"index.html": page, "app.js": b"2"})
    assert first.version != second.version
    assert set(first.paths) == {"/", f"/{first.version}/app.js"}


async def test_a_browser_that_has_a_file_is_told_so(hub: Hub) -> None:
    async with Browser(hub) as browser:
        async with browser.http.get(hub.url("/")) as answer:
            etag = answer.headers["ETag"]
            assert answer.headers["Cache-Control"] == "no-cache"
        for tags, status in ((etag, 304), (f'"x", {etag}', 304), ("*", 304), ('"x"', 200)):
            headers = {"If-None-Match": tags}
            async with browser.http.get(hub.url("/"), headers=headers) as answer:
                assert answer.status == status
                assert answer.headers["ETag"] == etag
                assert answer.headers["Content-Security-Policy"] == POLICY


async def test_files_are_packed_for_who_can_unpack_them(hub: Hub) -> None:
    script = hub.url(f"/{Static.load().version}/js/app.js")
    async with Browser(hub) as browser:
        browser.http._auto_decompress = False
        packed, plain = {"Accept-Encoding": "gzip, br"}, {"Accept-Encoding": "identity"}
        async with browser.http.get(script, headers=packed) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            unpacked = gzip.decompress(await answer.read())
        async with browser.http.get(script, headers=plain) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.read() == unpacked


@pytest.mark.parametrize(
    "path",
    [
        "/../config.py",
        "/%2e%2e/config.py",
        "/js/..%2f..%2fapi.py",
        "/js/",
        "/js",
        "/index.html.bak",
        "/console/index.html",
        "/etc/passwd",
        "//etc/passwd",
        "/js/app.js/",
        "/js\\app.js",
        "/js/app.js%00",
    ],
)
async def test_nothing_else_is_served(hub: Hub, path: str) -> None:
    url = URL(hub.url("") + path, encoded=True)
    async with Browser(hub) as browser, browser.http.get(url) as answer:
        assert answer.status in {400, 404}, path
        assert b"import" not in await answer.read()


def test_no_page_has_a_script_or_a_style_in_it() -> None:
    for file in (files("hub.web") / "console").iterdir():
        if file.name.endswith(".html"):
            text = file.read_text("utf-8")
            assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text)
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
            assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


def test_the_policy_lets_in_nothing_from_elsewhere() -> None:
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert "*" not in POLICY
    assert "http" not in POLICY


async def test_the_api_has_a_page_for_people(hub: Hub) -> None:
    async with Browser(hub) as browser:
        answer = await browser.ask("GET", "/docs")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "script" not in answer.headers["Content-Security-Policy"]
    for route in ROUTES:
        assert f"{route.method} /api/v1{route.path}</h2>" in answer.text
        assert all(code.value in answer.text for code in route.codes)


async def test_every_answer_is_hardened(hub: Hub) -> None:
    async with Browser(hub) as browser:
        for path in ("/", "/nowhere", "/api/v1/hub", "/api/v1/nowhere", "/healthz", "/metrics"):
            async with browser.http.get(hub.url(path)) as answer:
                headers = answer.headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
                assert headers["Referrer-Policy"] == "no-referrer"
                assert "Access-Control-Allow-Origin" not in headers
                assert "aiohttp" not in headers.get("Server", "")
