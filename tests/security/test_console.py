"""Attacks on the console and its API: what strangers and foreign pages get out of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from hub.web.api import ROUTES
from hub.web.route import BASE, Who
from stagebox.wire.causes import ErrorCode
from stagebox.wire.handshake import HandshakeError
from stagebox.wire.messages import Error, Hello
from tests.loopback.hub.crew import Guest, Hub, crew
from tests.loopback.web.kit import Browser, a_hub
from tests.loopback.web.test_bad_input import path_of, state
from tests.security import wires
from tests.security.figures import ROOT, figure

# What answers without a login and without a name: files of the console, and what the table of
# routes says is for anybody.
FOR_ANYBODY: Final = {
    BASE + route.path for route in ROUTES if route.who is Who.ANYBODY and route.method == "GET"
}
PLACES_BESIDES: Final = {"/healthz", "/metrics", "/hub.crt", "/member/v1", "/enrol/v1"}


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


async def _raw(hub: Hub, head: str) -> bytes:
    async with wires.connected(hub.server.port) as (reader, writer):
        writer.write((head + "Connection: close\r\n\r\n").encode("latin-1"))
        return await wires.rest_of(reader)


async def test_case_38_hosts_that_are_not_ours(hub: Hub) -> None:
    heads = (
        "Host: attacker.example\r\n",
        "Host: 127.0.0.1.attacker.example\r\n",
        "Host: admin:secret@127.0.0.1\r\n",
        "Host: localhost\r\nHost: attacker.example\r\n",
        "Host: attacker.example\r\nHost: localhost\r\n",
        "Host: localhost, attacker.example\r\n",
        "Host: localhost\x00.attacker.example\r\n",
        "Host: localhost:1:2\r\n",
        "Host: [::1]attacker\r\n",
        "Host:\r\n",
        "",
    )
    for head in heads:
        for path in ("/", f"{BASE}/hub", "/healthz"):
            answer = await _raw(hub, f"GET {path} HTTP/1.1\r\n{head}")
            assert answer.split(b" ")[1] in {b"421", b"400"}, (head, answer)
    full = await _raw(hub, "GET http://attacker.example/api/v1/hub HTTP/1.1\r\nHost: localhost\r\n")
    assert full.split(b" ")[1] in {b"200", b"400", b"421"}
    assert b"attacker" not in full
    figure(38, f"{len(heads)} forms of Host on 3 paths: 421 or 400")


async def test_case_39_looking_changes_nothing(hub: Hub, admin: Browser) -> None:
    looking = [route for route in ROUTES if route.method == "GET" and not route.parameters]
    in_spaces = [r for r in ROUTES if r.method == "GET" and r.parameters == ("space",)]
    before = state(hub)
    for route in (*looking, *in_spaces):
        await admin.ask("GET", path_of(route, space="talk"))
        await admin.ask("HEAD", path_of(route, space="talk"))
    assert state(hub) == before
    changing = [route for route in ROUTES if route.changes]
    assert not [route.path for route in changing if route.method in {"GET", "HEAD"}]
    assert len(changing) > 20
    # A form of another page can send these types without asking the browser first.
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        for route in (each for each in changing if each.has_body):
            path = path_of(route, space="talk")
            answer = await admin.ask(route.method, path, b"{}", headers={"Content-Type": kind})
            assert answer.status == 415, (route.path, answer)
    assert state(hub) == before
    figure(39, f"{len(looking) + len(in_spaces)} routes looked at, nothing changed; forms refused")


EVIL_NAMES: Final = (
    "<script>alert(1)</script>" * 3,
    "Anna\u202egnp.exe",
    "An\u200bna\u2066",
    "x" * 10_000,
    "A\x00b",
    "A\x1b[2J",
    "A\r\nSet-Cookie: x=y",
    "",
    "\u2028",
)
SHOWN_AS_TEXT: Final = "<b>A</b>&\"'`"


async def test_case_43_names_that_are_more_than_names(hub: Hub, admin: Browser) -> None:
    for number, name in enumerate(EVIL_NAMES):
        answer = await admin.ask("PUT", "/me", {"name": name})
        assert answer.code in {ErrorCode.BAD_VALUE, ErrorCode.TOO_LARGE}, (name[:40], answer)
        guest = Guest("A", number=number + 1)
        guest.handshake._hello = _named(guest, name)
        async with crew(guest):
            with pytest.raises((ConnectionResetError, HandshakeError)):
                await guest.open(hub)
            assert isinstance(guest.seen[-1], Error), name[:40]
    assert (await admin.ask("PUT", "/me", {"name": SHOWN_AS_TEXT})).json["name"] == SHOWN_AS_TEXT
    figure(43, f"{len(EVIL_NAMES)} names refused from browsers and boxes; markup is text")


def test_case_43_the_console_writes_text_and_no_markup() -> None:
    scripts = list((ROOT / "hub" / "web" / "console" / "js").rglob("*.js"))
    writing = re.compile(r"\.(innerHTML|outerHTML|insertAdjacentHTML)\b|document\.write|\beval\(")
    assert len(scripts) > 10
    assert not [path.name for path in scripts if writing.search(path.read_text())]


def _named(guest: Guest, name: str) -> Hello:
    return replace(guest.handshake._hello, name=name)


async def test_case_44_every_route_without_a_login(hub: Hub) -> None:
    runner = hub.server._runner
    assert runner is not None
    anna = Guest("Anna Underwood", number=1)
    async with crew(anna), Browser(hub) as nobody:
        await anna.enter(hub)
        open_to_all, closed = set(), 0
        for resource in runner.app.router.resources():
            path = resource.canonical
            asked = re.sub(r"\{[^}]+\}", "main", path)
            async with nobody.http.get(hub.url(asked)) as answer:
                text = await answer.text(errors="replace")
                if answer.status in {401, 403}:
                    closed += 1
                elif answer.status < 300 and answer.status != 204:  # which tells nothing
                    open_to_all.add(path)
                    if path in {"/healthz", "/metrics", f"{BASE}/hub"}:
                        assert "Underwood" not in text, path
        answers = {path for path in open_to_all if path.startswith(BASE)}
        assert answers <= FOR_ANYBODY, answers - FOR_ANYBODY
        odd = {p for p in open_to_all - answers - PLACES_BESIDES if "." not in p}
        pages = {path for path in odd if (await _is_page(nobody, hub, path))}
        assert odd == pages, odd - pages
    assert closed > 10
    figure(44, f"{closed} routes closed, {len(answers)} of the API for anybody, as its table says")


async def _is_page(nobody: Browser, hub: Hub, path: str) -> bool:
    async with nobody.http.get(hub.url(re.sub(r"\{[^}]+\}", "main", path))) as answer:
        return "text/html" in answer.headers["Content-Type"]


WAYS_OUT: Final = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..\\..\\etc\\passwd",
    "%c0%ae%c0%ae/etc/passwd",
    "....//....//etc/passwd",
    "%00/etc/passwd",
    ";/../../etc/passwd",
    "//etc/passwd",
)


async def test_case_45_ways_out_of_every_place(hub: Hub, admin: Browser) -> None:
    places = {"/", f"{BASE}/", "/js/", "/css/", "/join/", "/spaces/"}
    places |= {re.sub(r"\{.*", "", BASE + route.path) for route in ROUTES if route.parameters}
    asked = 0
    cookies = f"Cookie: {admin.cookies}\r\n"
    for place in sorted(places):
        for way in WAYS_OUT:
            head = f"GET {place}{way} HTTP/1.1\r\nHost: localhost\r\n{cookies}"
            answer = await _raw(hub, head)
            asked += 1
            assert answer.split(b" ")[1][:1] == b"4", (place, way, answer[:200])
            assert b"root:" not in answer
    figure(45, f"{asked} ways tried with an administrator's cookies, 0 files")
