"""Bad input on every route: the stated code, nothing changed, others undisturbed."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.config import HubConfig, WebConfig
from hub.store.database import StoreError
from hub.web.api import ROUTES
from hub.web.openapi import name_of
from hub.web.passwords import MAX_WAITING
from hub.web.problems import WebCode
from hub.web.route import BASE, PARAMETERS, Route, Who
from hub.web.serve import MAX_BODY
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import FloorGranted, FloorRelease, FloorReleased, FloorRequest
from tests.loopback.hub.crew import Guest, Hub, crew
from tests.loopback.web.kit import SPACES, Answer, Browser, a_hub

# Parts of a path that are of the right form and name nothing.
UNKNOWN = {
    "space": "nowhere",
    "member": "0" * 32,
    "box": "0" * 32,
    "pin": "999",
    "token": "nobody-was-given-this",
    "bridge": "0" * 12,
    "speaker": "0" * 12,
    "webhook": "999",
    "recording": "nothing",
    "stream": "hls",
    "rendition": "opus",
    "piece": "00000000-init.mp4",
}
FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
HOSTS = ("attacker.example", "127.0.0.1.attacker.example", "user@localhost", "")
# No text of these is the JSON that any route takes.
BODIES: tuple[tuple[bytes, int], ...] = (
    (b"", 400),
    (b"{", 400),
    (b"nonsense", 400),
    (b"NaN", 400),
    (b"{]", 400),
    (b"\xff\xfe{}", 400),
    (b"[" * 30_000, 422),
    (b"[]", 422),
    (b"null", 422),
    (b"7", 422),
    (b'"text"', 422),
    (b'{"a": 1e400}', 422),
    (b'{"what is this": true}', 422),
)
CHANGING = [route for route in ROUTES if route.changes]
TAKING = [route for route in ROUTES if route.has_body]
ASKING = [route for route in ROUTES if route.takes is not None and not route.has_body]
LEADING = [route for route in ROUTES if route.parameters]


def path_of(route: Route, **parts: str) -> str:
    """Return the route's path; what is not said is of the right form and names nothing."""
    return re.sub(r"\{(\w+)\}", lambda found: {**UNKNOWN, **parts}[found[1]], route.path)


def told(route: Route, answer: Answer) -> str:
    """Return the code of a problem, which the route must have announced."""
    code = answer.code
    assert code in {each.value for each in route.codes}, f"{name_of(route)} says {code}"
    return code


def state(hub: Hub) -> object:
    return [space.kept() for space in hub.spaces]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as running:
        yield running


@pytest.fixture
async def admin(hub: Hub) -> AsyncIterator[Browser]:
    """Whoever may do everything, so that nothing is refused for want of a right."""
    async with Browser(hub) as browser:
        await browser.name("Anna")
        await browser.administer()
        yield browser


async def test_a_foreign_page_changes_nothing(hub: Hub, admin: Browser) -> None:
    before = state(hub)
    for route in CHANGING:
        for headers in FOREIGN:
            path = path_of(route, space="talk")
            answer = await admin.ask(route.method, path, {}, headers=headers)
            assert told(route, answer) == WebCode.FOREIGN_ORIGIN, (route.path, headers)
    assert state(hub) == before
    assert (await admin.ask("GET", "/me")).json["admin"]


async def test_nobody_is_answered_who_asks_for_somebody_else(hub: Hub, admin: Browser) -> None:
    for route in ROUTES:
        for host in HOSTS:
            answer = await admin.ask(route.method, path_of(route), headers={"Host": host})
            assert answer.code == WebCode.WRONG_HOST, (route.path, host)
    for path in ("/", "/metrics", "/healthz", "/hub.crt", "/member/v1"):
        async with admin.http.get(hub.url(path), headers={"Host": "attacker.example"}) as other:
            assert other.status == 421


async def test_what_is_no_json_of_the_right_kind_is_refused(hub: Hub, admin: Browser) -> None:
    before = state(hub)
    for route in TAKING:
        for body, status in BODIES:
            answer = await admin.ask(route.method, path_of(route, space="talk"), body)
            expected = ErrorCode.MALFORMED if status == 400 else ErrorCode.BAD_VALUE
            assert (answer.status, told(route, answer)) == (status, expected), (route.path, body)
    assert state(hub) == before


async def test_only_plain_json_is_read(hub: Hub, admin: Browser) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    packed = {"Content-Encoding": "gzip"}
    for route in TAKING:
        path = path_of(route, space="talk")
        for headers, body in ((form, b"a=b"), (packed, gzip.compress(b"{}"))):
            answer = await admin.ask(route.method, path, body, headers=headers)
            assert told(route, answer) == WebCode.NOT_JSON, route.path
        answer = await admin.ask(route.method, path, b" " * (MAX_BODY + 1))
        assert told(route, answer) == ErrorCode.TOO_LARGE, route.path


async def test_a_query_is_as_strict_as_a_body(admin: Browser) -> None:
    for route in ASKING:
        path = path_of(route, space="talk")
        name = route.takes.__struct_fields__[0] if route.takes else ""
        for query in ("what=1", f"{name}=true&{name}=true"):
            answer = await admin.ask(route.method, f"{path}?{query}")
            assert told(route, answer) == ErrorCode.BAD_VALUE, (route.path, query)
    for query in ("/spaces?state=null", "/boxes?connected=null", "/spaces?limit=null"):
        assert (await admin.ask("GET", query)).code == ErrorCode.BAD_VALUE


async def test_what_is_not_there_has_the_code_of_what_it_is(hub: Hub, admin: Browser) -> None:
    before = state(hub)
    for route in LEADING:
        answer = await admin.ask(route.method, path_of(route), _least(route))
        # The body may be refused before anybody looks for the space.
        wanted = {PARAMETERS[name][1].value for name in route.parameters}
        assert told(route, answer) in wanted, (route.path, answer)
        assert answer.status == 404
    assert state(hub) == before


async def test_a_path_leads_nowhere_else(admin: Browser) -> None:
    for route in LEADING:
        for bad in ("%2e%2e", "..%2f..%2fetc", "%00", "A" * 300, "%F0%9F%98%80", "a%0d%0ab"):
            path = path_of(route, **dict.fromkeys(route.parameters, bad))
            answer = await admin.ask(route.method, BASE + path, _least(route))
            assert answer.status in {404, 405}, (path, answer)
            assert answer.code


async def test_each_route_answers_whom_it_says(hub: Hub) -> None:
    async with Browser(hub) as nobody, Browser(hub) as visitor:
        await visitor.name("Guest")
        for route in ROUTES:
            path = path_of(route, space="talk")
            answer = await nobody.ask(route.method, path, _least(route))
            needed = {Who.NAMED: WebCode.NAME_NEEDED, Who.ADMIN: WebCode.LOGIN_NEEDED}
            if route.who is not Who.ANYBODY:
                assert told(route, answer) == needed[route.who], route.path
                assert answer.status == 401
            if route.who is Who.ADMIN:
                answer = await visitor.ask(route.method, path, _least(route))
                assert told(route, answer) == WebCode.LOGIN_NEEDED, route.path


async def test_a_visitor_who_is_not_in_the_space_does_nothing_there(hub: Hub) -> None:
    before = state(hub)
    async with Browser(hub) as visitor:
        await visitor.name("Guest")
        for route in ROUTES:
            if route.who is Who.NAMED and "space" in route.parameters:
                answer = await visitor.ask(
                    route.method, path_of(route, space="talk"), _least(route)
                )
                refused = {ErrorCode.NOT_IN_SPACE, ErrorCode.NOT_ALLOWED, ErrorCode.DEVICE_ONLY}
                assert told(route, answer) in refused, (route.path, answer)
    assert state(hub) == before


def _least(route: Route) -> dict[str, Any] | None:
    """Return the least body that a route takes."""
    return _BODIES.get(name_of(route), {}) if route.has_body else None


_BODIES: dict[str, dict[str, Any]] = {
    "put_me": {"name": "Guest"},
    "post_setup": {"password": "long enough"},
    "post_login": {"password": "x"},
    "put_password": {"old": "x", "new": "long enough"},
    "post_spaces_space_floor_hold": {"on": True},
    "post_spaces_space_floor_priority": {"on": True},
    "post_spaces_space_floor_move": {"member": "0" * 32, "position": 1},
    "patch_spaces_space_members_member": {"volume": 50},
    "put_spaces_space_recording": {"on": True},
    "post_spaces_space_reactions": {"mark": "clap"},
    "post_spaces_space_pins": {"text": "x"},
    "post_codes": {"code": "000000"},
    "post_webhooks": {"url": "http://localhost:1/"},
    "patch_bridges_bridge": {"on": True},
    "post_bridges_bridge_agree": {"all_were_asked": True},
    "patch_spaces_space_speakers_speaker": {"on": True},
    "post_bridges_bridge_permit": {"person": "zoe", "speaks": True},
}


def test_the_least_bodies_are_of_routes_that_are_there() -> None:
    assert set(_BODIES) <= {name_of(route) for route in ROUTES}


SPACE_ERRORS: tuple[tuple[dict[str, Any], str | None], ...] = (
    ({"name": "x" * 41}, "name"),
    ({"name": "x" * 60_000}, "name"),
    ({"name": ""}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": 5}, "name"),
    ({"topic": "x" * 121}, "topic"),
    ({"topic": "\x00"}, "topic"),
    ({"tags": ["a", "b", "c", "d"]}, "tags"),
    ({"tags": "a"}, "tags"),
    ({"tags": [""]}, "tags[0]"),
    ({"mode": "shouting"}, "mode"),
    ({"speak": "nobody"}, "speak"),
    ({"starts_at": "tomorrow"}, "starts_at"),
    ({"starts_at": "2026-11-25T20:00:00"}, "starts_at"),
    ({"starts_at": "2026-13-45T99:99:99Z"}, None),
    ({"starts_at": "2001-01-01T00:00:00Z"}, None),
    ({"starts_at": "2999-01-01T00:00:00Z"}, None),
    ({"starts_at": None, "backstage": "yes"}, "backstage"),
    ({"req": "mine"}, "req"),
)


async def test_a_space_that_cannot_be_is_not_made(hub: Hub, admin: Browser) -> None:
    before = state(hub)
    for body, field in SPACE_ERRORS:
        answer = await admin.ask("POST", "/spaces", body)
        assert (answer.status, answer.code) == (422, ErrorCode.BAD_VALUE), answer
        assert answer.json.get("field") == field
        assert state(hub) == before


EDITS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"keep_days": 366}, "bad_value"),
    ({"open_limit": 0}, "bad_value"),
    ({"queue_limit": -1}, "bad_value"),
    ({"stage_limit": 0}, "bad_value"),
    ({"talk_limit_s": 1e9}, "bad_value"),
    ({"captions": True}, "no_captions"),
    ({"starts_at": "2026-11-25T20:00:00Z"}, "standing"),
)


async def test_an_edit_that_cannot_be_changes_nothing(hub: Hub, admin: Browser) -> None:
    before = state(hub)
    for body, code in EDITS:
        answer = await admin.ask("PATCH", "/spaces/talk", body)
        assert answer.code == code, answer
        assert state(hub) == before


async def test_no_request_opens_a_microphone(hub: Hub, admin: Browser) -> None:
    anna = Guest("Anna", number=1)
    async with crew(anna):
        await anna.enter(hub)
        path = f"/spaces/main/members/{anna.id}"
        for body in ({"muted": False}, {"muted": True}, {"muted": False, "volume": 1}):
            answer = await admin.ask("PATCH", path, body)
            assert (answer.status, answer.code) == (403, ErrorCode.DEVICE_ONLY)
        for body in ({"talking": True}, {"live": True}):
            assert (await admin.ask("PATCH", path, body)).code == ErrorCode.BAD_VALUE
        assert (await admin.ask("PATCH", path, {})).code == ErrorCode.BAD_VALUE
        assert (await admin.ask("PATCH", path, {"volume": 201})).json["field"] == "volume"
        assert [call for call in hub.media.calls if call[0] == "open"] == []


async def test_a_token_to_end_a_space_is_good_once_and_for_its_space(
    hub: Hub, admin: Browser
) -> None:
    for name in ("one", "two"):
        assert (await admin.ask("POST", "/spaces", {"name": name})).status == 201
    tokens = [
        (await admin.ask("POST", f"/spaces/{n}/end", {})).json["token"] for n in ("one", "two")
    ]
    for wrong in (tokens[1], "A" * 32, tokens[0]):
        answer = await admin.ask("POST", "/spaces/one/end", {"token": wrong})
        assert (answer.status, answer.code) == (409, ErrorCode.CONFIRM_EXPIRED)
    # Whoever erred is asked again.
    tokens[0] = (await admin.ask("POST", "/spaces/one/end", {})).json["token"]
    assert (await admin.ask("POST", "/spaces/one/end", {"token": tokens[0]})).status == 204
    answer = await admin.ask("POST", "/spaces/one/end", {"token": tokens[0]})
    assert (answer.status, answer.code) == (410, ErrorCode.SPACE_ENDED)
    assert [space.info.id for space in hub.spaces] == ["main", "talk", "two"]
    standing = await admin.ask("POST", "/spaces/talk/end", {})
    assert (standing.status, standing.code) == (409, ErrorCode.STANDING)


async def test_a_thousand_wrong_codes_get_nowhere_and_disturb_nobody(tmp_path: Path) -> None:
    config = HubConfig(space=SPACES, web=WebConfig(requests_per_s=10_000, request_burst=100_000))
    anna = Guest("Anna", number=1)
    async with a_hub(tmp_path, config) as hub, crew(anna), Browser(hub) as thief:
        async with Browser(hub) as host:
            await host.name("Host")
            await host.administer()
            invite = (await host.ask("POST", "/spaces/talk/invites", {})).json
        await anna.enter(hub)
        seen = list[str]()
        for number in range(1_000):
            code = f"{number:06}"
            if code != invite["code"]:
                seen.append((await thief.ask("POST", "/codes", {"code": code})).code)
            if number % 100 == 0:
                await anna.ping()
        limit = config.web.wrong_codes
        assert seen[:limit] == ["bad_invite"] * limit
        assert set(seen[limit:]) == {"rate_limited"}
        # Not even the right one is told to who guesses ...
        answer = await thief.ask("POST", "/codes", {"code": invite["code"]})
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) == answer.json["retry_after"] <= 60
        # ... while it is good for everybody else, and who talks, talks.
        async with thief.http.post(
            hub.url(f"{BASE}/codes", host="::1"), json={"code": invite["code"]}
        ) as right:
            assert (await right.json())["space"] == "talk"
        await anna.send(FloorRequest(req="a"))
        await anna.get(FloorGranted)
        await anna.send(FloorRelease(req="a"))
        await anna.get(FloorReleased)


async def test_too_many_requests_from_one_address_have_to_wait(tmp_path: Path) -> None:
    config = HubConfig(web=WebConfig(requests_per_s=1, request_burst=5))
    async with a_hub(tmp_path, config) as hub, Browser(hub) as one:
        answers = [await one.ask("GET", "/hub") for _ in range(8)]
        assert [each.status for each in answers[:5]] == [200] * 5
        assert answers[-1].code == ErrorCode.RATE_LIMITED
        async with one.http.get(hub.url(f"{BASE}/hub", host="::1")) as other:
            assert other.status == 200


async def test_a_disk_that_fails_is_told_and_the_hub_goes_on(
    hub: Hub, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_args: object) -> None:
        raise StoreError("no space left on device")

    for name in ("fetch", "execute", "execute_all"):
        monkeypatch.setattr(hub.store, name, fails)
    assert (await admin.ask("GET", "/boxes")).code == WebCode.NOT_KEPT
    assert (await admin.ask("GET", "/spaces")).status == 200
    assert (await admin.ask("POST", "/webhooks", {"url": "http://a/"})).code == WebCode.NOT_KEPT
    assert len(hub.server._desk.hooks) == 0  # type: ignore[union-attr]
    for route in ROUTES:
        answer = await admin.ask(route.method, path_of(route, space="talk"), _least(route))
        if answer.status == 507:
            assert told(route, answer) == WebCode.NOT_KEPT
        assert answer.status != 500, route.path


async def test_a_mistake_of_the_hub_is_a_problem_too(
    hub: Hub, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.spaces, "find_token", lambda _token: 1 / 0)
    answer = await admin.ask("GET", "/invites/nobody-was-given-this")
    assert (answer.status, answer.code) == (500, ErrorCode.INTERNAL)
    assert "division" not in answer.text


async def test_passwords_wait_in_a_short_queue(tmp_path: Path) -> None:
    # Hashing takes its time on a busy computer, which is not what this is about.
    async with a_hub(tmp_path, request_s=60) as hub, Browser(hub) as admin:
        await admin.administer()
        answers = await asyncio.gather(
            *(admin.ask("POST", "/login", {"password": "wrong"}) for _ in range(MAX_WAITING + 4))
        )
    codes = {answer.code for answer in answers}
    assert codes == {WebCode.WRONG_PASSWORD, WebCode.BUSY}
    assert all("Retry-After" in each.headers for each in answers if each.status == 503)


@pytest.mark.parametrize(
    "head",
    [
        b"Host: localhost\r\nHost: attacker.example",
        b"Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
        b"Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3",
        b"Host: localhost\r\nContent-Length: \xd9\xa1",
        b"Host : localhost",
        b"X: y",
    ],
)
async def test_two_readings_of_one_request_are_none(hub: Hub, head: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.server.port)
    writer.write(b"POST /api/v1/codes HTTP/1.1\r\n" + head + b"\r\nConnection: close\r\n\r\n{}")
    answer = await reader.read()
    assert answer.count(b"HTTP/1.") == 1
    assert answer.split(b" ")[1] in {b"400", b"421"}
    writer.close()
    await writer.wait_closed()


async def test_a_request_that_is_not_http_is_counted_and_not_printed(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    for data in (b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nx\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.server.port)
        writer.write(data)
        assert b" 400 " in (await reader.read(4_096)).split(b"\r\n")[0]
        writer.close()
        await writer.wait_closed()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
