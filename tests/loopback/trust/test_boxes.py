"""Boxes that are known: let in without a code, removed, and through a change of certificate."""

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from hub.control.limits import SILENT_S
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import encode
from stagebox.wire.handshake import are_pins_of
from stagebox.wire.messages import Challenge, Error, Hello, Pins, Welcome
from stagebox.wire.sni import ENROL_NAME, server_name
from stagebox.wire.terms import MEMBER_PATH
from tests.loopback.hub.crew import Hub, until
from tests.loopback.trust.kit import TlsBox, added, blind, certificate_of, enrolling_hub, keeper


def pins_of(hub: Hub) -> tuple[str, ...]:
    assert hub.trust.certificates is not None
    return hub.trust.certificates.pins


async def test_a_box_that_was_told_the_pin_waits_and_is_let_in(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        pin = pins_of(hub)[0]
        for _ in range(2):
            refused = await box.login(pin=pin)
            assert isinstance(refused, Error)
            assert refused.code is ErrorCode.WAITING
        (waiter,) = (await browser.ask("GET", "/enrolment")).json["waiting"]
        assert (waiter["id"], waiter["name"]) == (box.identity.id, "Kitchen")
        path = f"/boxes/{box.identity.id}/admission"
        assert (await browser.ask("POST", path, {"accept": True})).status == 204
        assert (await browser.ask("POST", path, {"accept": True})).code == "no_such_box"
        assert isinstance(await box.login(pin=pin), Welcome)


async def test_a_box_that_was_refused_does_not_wait_again(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await box.login(pin=pins_of(hub)[0])
        path = f"/boxes/{box.identity.id}/admission"
        assert (await browser.ask("POST", path, {"accept": False})).status == 204
        refused = await box.login(pin=pins_of(hub)[0])
        assert isinstance(refused, Error)
        assert refused.code is ErrorCode.IDENTITY
        assert (await browser.ask("GET", "/enrolment")).json["waiting"] == []


async def test_a_removed_box_is_out_at_once_and_for_good(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await added(hub, browser, box)
        assert isinstance(await box.login(), Welcome)
        assert (await browser.ask("DELETE", f"/boxes/{box.identity.id}")).status == 204
        assert await box.closed() == 4411
        refused = await box.login()
        assert isinstance(refused, Error)
        assert refused.code is ErrorCode.IDENTITY
        assert (await browser.ask("DELETE", f"/boxes/{box.identity.id}")).code == "no_such_box"
        await added(hub, browser, box)  # a code makes all well again
        assert isinstance(await box.login(), Welcome)


async def test_a_signature_is_good_for_one_connection_one_box_and_one_hub(tmp_path: Path) -> None:
    async with (
        enrolling_hub(tmp_path) as hub,
        enrolling_hub(tmp_path / "other") as other,
        keeper(hub) as browser,
        TlsBox(hub) as box,
        TlsBox(hub, "Bath") as second,
    ):
        await added(hub, browser, box)
        await added(hub, browser, second)
        assert isinstance(await box.login(), Welcome)
        hello = box.handshake._hello
        refusals = []

        async def try_with(where: Hub, message: Hello) -> None:
            box.port = where.server.secure_port
            await box.dial(MEMBER_PATH, server_name(pins_of(where)[0]))
            assert isinstance(await box.next(), Challenge)
            await box.ws.send_str(encode(message))
            error = await box.next()
            assert isinstance(error, Error)
            refusals.append(error.code)

        for _ in range(100):
            await try_with(hub, hello)
        await try_with(other, hello)
        await try_with(hub, replace(hello, id=second.identity.id))
        await try_with(hub, replace(hello, id=second.identity.id, key=second.identity.key))
        await try_with(hub, replace(hello, signature=None))
        assert refusals == [ErrorCode.IDENTITY] * 104


async def test_the_certificate_is_changed_without_losing_a_box(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await added(hub, browser, box)
        (old,) = pins_of(hub)
        assert isinstance(await box.login(), Welcome)
        first = await box.next()
        assert isinstance(first, Pins)
        assert (first.pin, first.next) == (old, None)
        made = (await browser.ask("POST", "/box-certificate/next")).json
        assert (made["pin"], made["boxes"], made["moved"]) == (old, 1, 0)
        told = await box.next()
        assert isinstance(told, Pins)
        assert (told.pin, told.next) == (old, made["next"])
        assert box.handshake.welcome is not None
        session = box.handshake.welcome.session
        assert are_pins_of(hub.identity.key, session, told)
        assert not are_pins_of(box.identity.key, session, told)
        assert not are_pins_of(hub.identity.key, "0" * 64, told)
        assert not are_pins_of(hub.identity.key, session, replace(told, next=None))

        async with TlsBox(hub) as late:  # both are served
            late.identity, late.known = box.identity, box.known
            assert isinstance(await late.login(pin=made["next"]), Welcome)
            assert certificate_of(late.ws).hex() == made["next"]
        assert (await browser.ask("GET", "/box-certificate")).json["moved"] == 1
        done = (await browser.ask("POST", "/box-certificate/finish")).json
        assert (done["pin"], done["next"]) == (made["next"], None)
        assert (await browser.ask("POST", "/box-certificate/finish")).code == "out_of_order"
        refused = await box.login(pin=old)  # gets what browsers get
        assert isinstance(refused, Error)
        assert refused.code is ErrorCode.IDENTITY
        assert certificate_of(box.ws).hex() not in {old, made["next"]}


async def test_tls_before_1_3_and_other_names_are_no_boxes(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, TlsBox(hub) as box:
        pin = pins_of(hub)[0]
        ws = await box.dial(MEMBER_PATH, "localhost")
        assert certificate_of(ws).hex() != pin
        await ws.close()
        ws = await box.dial(MEMBER_PATH, ENROL_NAME)
        assert certificate_of(ws).hex() == pin
        await ws.close()
        old = blind()
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        url = f"https://127.0.0.1:{box.port}{MEMBER_PATH}"
        try:
            ws = await box.http.ws_connect(url, ssl=old, server_hostname=server_name(pin))
        except aiohttp.ClientConnectorError:
            return  # OpenSSL refused it already
        await ws.close()
        refused = await box.login(pin="0" * 64)
        assert isinstance(refused, Error)


async def test_a_crowd_that_waits_keeps_the_newest(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser:
        ids = []
        for number in range(34):
            async with TlsBox(hub, f"Box {number}") as box:
                await box.login(pin=pins_of(hub)[0])
                ids.append(box.identity.id)
        waiting = (await browser.ask("GET", "/enrolment")).json["waiting"]
        assert [each["id"] for each in waiting] == ids[:1:-1]


async def test_an_open_hub_says_so_and_binds_to_this_computer(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser:
        assert (await browser.ask("GET", "/hub")).json["open"] is False
        assert (await browser.ask("GET", "/enrolment")).json["anyone"] is False
        await until(lambda: True)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_only_an_administrator_adds_boxes(tmp_path: Path, method: str) -> None:
    async with enrolling_hub(tmp_path) as hub, TlsBox(hub) as box:
        del box
        async with aiohttp.ClientSession() as http:
            url = hub.url("/api/v1/enrolment")
            async with http.request(method, url) as answer:
                assert answer.status == 401


async def test_one_key_on_two_machines_is_one_session_and_an_alarm(tmp_path: Path) -> None:
    async with (
        enrolling_hub(tmp_path, sockets_per_address=400) as hub,
        keeper(hub) as browser,
        TlsBox(hub) as box,
        TlsBox(hub) as copy,
    ):
        await added(hub, browser, box)
        copy.identity, copy.known = box.identity, box.known
        opened, turned, kept = 0, [], []
        began = asyncio.get_running_loop().time()
        for turn in range(100):
            one = (box, copy)[turn % 2]
            said = await one.login()
            kept.append(one.ws)  # neither hangs up
            opened += isinstance(said, Welcome)
            turned += [said.code] if isinstance(said, Error) else []
            assert len(hub.server._book) <= 1
        assert set(turned) == {ErrorCode.RATE_LIMITED}
        # Neither pings, so each may be followed when it has been silent for two seconds.
        assert opened <= 2 + (asyncio.get_running_loop().time() - began) / SILENT_S
        (listed,) = (await browser.ask("GET", "/boxes")).json["boxes"]
        assert listed["twice"]
