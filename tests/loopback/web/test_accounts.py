"""Who a browser is: visitors, the administrator, and what their cookies are good for."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.config import HubConfig, WebConfig
from hub.web import accounts
from hub.web.accounts import MAX_SESSIONS
from stagebox.wire.causes import CloseCode
from stagebox.wire.handshake import HandshakeError, member_id
from tests.loopback.hub.crew import crew, running_hub
from tests.loopback.web.kit import AT_EASE, HOUSE, PASSWORD, Browser, Tab, a_hub


async def test_a_name_makes_a_visitor_who_stays_the_same_under_another_name(
    tmp_path: Path,
) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        nobody = (await browser.ask("GET", "/me")).json
        assert nobody == {"id": None, "key": None, "name": None, "admin": False, "known": False}
        anna = await browser.name("Anna")
        assert anna["id"] == member_id(anna["key"])
        assert (await browser.ask("GET", "/me")).json == anna
        renamed = await browser.name("Anna Maria")
        assert renamed == {**anna, "name": "Anna Maria"}
        async with Browser(hub) as other:
            assert (await other.name("Anna"))["id"] != anna["id"]
        assert (await browser.ask("DELETE", "/me")).status == 204
        assert (await browser.ask("GET", "/me")).json == nobody


async def test_a_visitor_outlives_the_hub(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        anna = await browser.name("Anna")
        await browser.administer()
        cookies = browser.cookies
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        again = await browser.ask("GET", "/me", headers={"Cookie": cookies})
        assert again.json == {**anna, "admin": True}
        # Another hub has another secret, and other accounts.
    other = tmp_path / "other"
    async with a_hub(other) as hub, Browser(hub) as browser:
        stranger = await browser.ask("GET", "/me", headers={"Cookie": cookies})
        assert stranger.json["id"] is None
        assert stranger.json["admin"] is False


async def test_a_browser_is_let_in_as_the_visitor_of_its_cookie(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser, Browser(hub) as thief:
        anna = await browser.name("Anna")
        await thief.name("Thief")
        own, false = Tab(browser, anna), Tab(thief, anna)
        async with crew(own, false):
            assert (await own.enter(hub)).you == anna["id"]
            with pytest.raises(HandshakeError):
                await false.open(hub)
            assert await false.closed() == CloseCode.REFUSED


async def test_cookies_cannot_be_read_or_sent_by_other_pages(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        for method, path, body in (
            ("PUT", "/me", {"name": "Anna"}),
            ("POST", "/setup", {"password": PASSWORD}),
        ):
            cookie = (await browser.ask(method, path, body)).headers["Set-Cookie"]
            parts = {part.strip().partition("=")[0].lower() for part in cookie.split(";")}
            assert {"httponly", "samesite", "path", "max-age"} <= parts
            assert "SameSite=Strict" in cookie
            assert "domain" not in parts


async def test_the_first_one_at_the_hub_becomes_administrator_and_nobody_after(
    tmp_path: Path,
) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as first, Browser(hub) as second:
        assert (await first.ask("GET", "/hub")).json["set_up"] is False
        assert (await first.ask("POST", "/login", {"password": "x"})).code == "not_set_up"
        answers = await asyncio.gather(
            first.ask("POST", "/setup", {"password": PASSWORD}),
            second.ask("POST", "/setup", {"password": "another password"}),
        )
        assert sorted(each.status for each in answers) == [200, 409]
        assert [each.code for each in answers if each.status == 409] == ["already_set_up"]
        assert (await first.ask("GET", "/hub")).json["set_up"] is True


async def test_from_elsewhere_it_takes_the_code_that_the_log_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.me.is_loopback", lambda _address: False)
    limits = HubConfig(web=WebConfig())
    async with a_hub(tmp_path, limits) as hub, Browser(hub) as browser:
        desk = hub.server._desk
        assert desk is not None
        for given in ({}, {"code": "x"}, {"code": ""}):
            answer = await browser.ask("POST", "/setup", {"password": PASSWORD, **given})
            assert (answer.status, answer.code) == (403, "wrong_code")
        right = {"password": PASSWORD, "code": desk.accounts.code}
        assert (await browser.ask("POST", "/setup", right)).status == 200


async def test_who_guesses_the_code_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.me.is_loopback", lambda _address: False)
    async with a_hub(tmp_path, HubConfig(web=WebConfig())) as hub, Browser(hub) as browser:
        codes = [
            (await browser.ask("POST", "/setup", {"password": PASSWORD, "code": str(n)})).code
            for n in range(8)
        ]
        assert codes == ["wrong_code"] * 5 + ["rate_limited"] * 3
        assert (await browser.ask("GET", "/hub")).json["set_up"] is False


async def test_a_password_is_guessed_five_times_a_minute_and_others_still_log_in(
    tmp_path: Path,
) -> None:
    async with a_hub(tmp_path, HubConfig(web=WebConfig())) as hub, Browser(hub) as browser:
        await browser.administer()
        await browser.ask("POST", "/logout", {})
        answers = await asyncio.gather(
            *(browser.ask("POST", "/login", {"password": f"wrong {n}"}) for n in range(8))
        )
        codes = sorted(each.code for each in answers)
        assert codes == ["rate_limited"] * 3 + ["wrong_password"] * 5
        # Not even the right one, from there; from elsewhere it is.
        assert (await browser.ask("POST", "/login", {"password": PASSWORD})).status == 429
        url = hub.url("/api/v1/login", host="::1")
        async with browser.http.post(url, json={"password": PASSWORD}) as right:
            assert right.status == 200


async def test_a_session_ends_by_logging_out_and_by_a_new_password(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as one, Browser(hub) as two:
        await one.administer()
        await two.administer()
        old = one.cookies
        await one.ask("POST", "/logout", {})
        assert not (await one.ask("GET", "/me")).json["admin"]
        assert not (await one.ask("GET", "/me", headers={"Cookie": old})).json["admin"]
        assert (await two.ask("GET", "/me")).json["admin"]
        await one.administer()
        change = {"old": PASSWORD, "new": "another password"}
        wrong = await one.ask("PUT", "/password", {**change, "old": "wrong"})
        assert wrong.code == "wrong_password"
        assert (await one.ask("PUT", "/password", change)).status == 200
        assert (await one.ask("GET", "/me")).json["admin"]
        assert not (await two.ask("GET", "/me")).json["admin"]
        assert (await two.ask("POST", "/login", {"password": PASSWORD})).code == "wrong_password"
        await one.ask("POST", "/logout", {"everywhere": True})
        assert not (await one.ask("GET", "/me")).json["admin"]


async def test_a_session_is_over_after_its_hours(tmp_path: Path) -> None:
    short = replace(HOUSE, web=replace(AT_EASE, session_hours=1 / 3_600_000))
    async with a_hub(tmp_path, short) as hub, Browser(hub) as browser:
        answer = await browser.ask("POST", "/setup", {"password": PASSWORD})
        assert answer.json["admin"]
        assert not (await browser.ask("GET", "/me")).json["admin"]


async def test_sessions_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_hub(tmp_path) as hub:
        desk = hub.server._desk
        assert desk is not None
        assert MAX_SESSIONS < 1_000
        monkeypatch.setattr(accounts, "MAX_SESSIONS", 3)
        tokens = [await desk.accounts.begin() for _ in range(5)]
        alive = [token for token in tokens if desk.accounts.session(token)]
        assert alive == tokens[2:]
        stored = await hub.store.fetch("SELECT hash FROM admin_sessions", (), tuple)
        assert len(stored) == 3
        assert not set(tokens) & {row[0] for row in stored}


async def test_with_the_login_the_administrators_websocket_ends(tmp_path: Path) -> None:
    async with a_hub(tmp_path) as hub, Browser(hub) as browser:
        await browser.name("Anna")
        await browser.administer()
        me = (await browser.ask("GET", "/me")).json
        before, after = Tab(browser, me), Tab(browser, me)
        async with crew(before, after):
            assert (await before.enter(hub)).admin
            await browser.ask("POST", "/logout", {})
            assert await before.closed() == CloseCode.GOING_AWAY
            assert not (await after.enter(hub)).admin


async def test_a_hub_whose_folder_cannot_be_written_still_names_its_visitors(
    tmp_path: Path,
) -> None:
    (tmp_path / "cookies.key").mkdir()
    async with running_hub(tmp_path, HOUSE) as hub, Browser(hub) as browser:
        assert (await browser.name("Anna"))["name"] == "Anna"
