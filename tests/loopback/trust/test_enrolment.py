"""Adding a box over real TLS: what the console sees, what the box gets, and who stays outside."""

import asyncio
import contextlib
from pathlib import Path

import aiohttp
import pytest

from stagebox.wire.causes import ErrorCode
from stagebox.wire.enrolment import EnrolFailure, EnrolmentError
from stagebox.wire.enrolment_messages import ENROL_PATH, EnrolError, decode
from stagebox.wire.fingerprint import in_words
from stagebox.wire.messages import Error, Welcome
from stagebox.wire.sni import ENROL_NAME
from stagebox.wire.terms import MEMBER_PATH
from tests.loopback.hub.crew import until
from tests.loopback.trust.kit import CODE, TlsBox, added, enrolling_hub, here, keeper


async def test_a_box_is_added_by_its_code_and_logs_in_by_its_key(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        told: list[bool] = []
        hub.trust.enrolling.changed = told.append
        opened = (await browser.ask("POST", "/enrolment")).json
        assert opened["open"]
        assert 0 < opened["remaining_s"] <= 120
        assert opened["ready"]
        run = asyncio.create_task(box.enrol())
        (comer,) = (await here(browser))["coming"]
        assert (comer["name"], comer["words"]) == ("Kitchen", in_words(box.identity.key))
        answer = await browser.ask("POST", "/enrolment/code", {"code": CODE})
        assert answer.json["id"] == box.identity.id
        await run
        assert box.known is not None
        assert box.known.key == hub.identity.key
        assert told == [True, False]
        seen = (await browser.ask("GET", "/enrolment")).json
        assert not seen["open"]
        assert (seen["latest"], seen["added"]["name"]) == ("enrolled", "Kitchen")
        (listed,) = (await browser.ask("GET", "/boxes")).json["boxes"]
        assert (listed["standing"], listed["words"]) == ("active", in_words(box.identity.key))
        assert isinstance(await box.login(), Welcome)
        kinds = [
            each["kind"] for each in (await browser.ask("GET", "/enrolment/history")).json["events"]
        ]
        assert kinds == ["enrolled", "window opened"]
        assert hub.value("stagebox_enrolment_total", event="enrolled") == 1
        assert hub.value("stagebox_boxes", standing="enrolled") == 1


async def test_a_hub_that_starts_again_knows_its_boxes_and_its_certificate(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await added(hub, browser, box)
        known, identity, box_identity = box.known, hub.identity, box.identity
    async with enrolling_hub(tmp_path) as hub, TlsBox(hub) as box:
        assert known is not None
        assert hub.trust.certificates is not None
        assert hub.trust.certificates.pins == known.pins
        box.known, box.identity = known, box_identity
        assert hub.identity.key != identity.key  # made anew by the kit: another hub to the box
        with pytest.raises(Exception, match="not the hub that I am enrolled with"):
            await box.login()


async def test_five_wrong_codes_shut_the_window_and_a_thousand_reach_nobody(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await browser.ask("POST", "/enrolment")
        reached = 0

        async def again() -> None:
            nonlocal reached
            while True:
                try:
                    await box.enrol()
                except EnrolmentError as error:
                    if error.reason is EnrolFailure.CLOSED:
                        return
                    reached += 1

        runs = asyncio.create_task(again())
        statuses = []
        for guess in range(5):
            await here(browser)
            answer = await browser.ask("POST", "/enrolment/code", {"code": f"00000{guess}"})
            statuses.append(answer.code)
        for guess in range(1_000):
            answer = await browser.ask("POST", "/enrolment/code", {"code": f"{guess:06}"})
            statuses.append(answer.code)
        await runs
        assert reached == 5
        assert statuses == ["wrong_box_code"] * 5 + ["not_open"] * 1_000
        assert hub.value("stagebox_enrolment_total", event="wrong_code") == 5
        assert hub.trust.book.enrolled() == ()


async def test_three_windows_that_came_to_nothing_are_followed_by_a_rest(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser:
        for _ in range(3):
            assert (await browser.ask("POST", "/enrolment")).status == 200
            assert (await browser.ask("DELETE", "/enrolment")).status == 204
        answer = await browser.ask("POST", "/enrolment")
        assert answer.code == "rate_limited"
        assert int(answer.headers["Retry-After"]) > 600


async def test_outside_the_window_and_in_a_crowd_a_box_is_told_so(tmp_path: Path) -> None:
    async with (
        enrolling_hub(tmp_path) as hub,
        keeper(hub) as browser,
        contextlib.AsyncExitStack() as stack,
    ):
        boxes = [await stack.enter_async_context(TlsBox(hub, f"Box {n}")) for n in range(3)]
        with pytest.raises(EnrolmentError) as caught:
            await boxes[0].enrol()
        assert caught.value.reason is EnrolFailure.CLOSED
        await browser.ask("POST", "/enrolment")
        runs = [asyncio.create_task(box.enrol()) for box in boxes[:2]]
        await here(browser, 2)
        with pytest.raises(EnrolmentError) as caught:
            await boxes[2].enrol()
        assert caught.value.reason is EnrolFailure.BUSY
        await browser.ask("DELETE", "/enrolment")
        for run in runs:
            with pytest.raises(EnrolmentError) as caught:
                await run
            assert caught.value.reason is EnrolFailure.CLOSED
        answer = await browser.ask("POST", "/enrolment/code", {"code": CODE})
        assert answer.code == "not_open"


async def test_a_code_with_no_box_there_costs_nothing(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser:
        await browser.ask("POST", "/enrolment")
        for _ in range(6):
            answer = await browser.ask("POST", "/enrolment/code", {"code": CODE})
            assert answer.code == "no_box_answers"
        assert (await browser.ask("GET", "/enrolment")).json["tries_left"] == 5


async def test_who_stands_in_between_with_the_right_code_gains_nothing(tmp_path: Path) -> None:
    async with (
        enrolling_hub(tmp_path) as hub,
        enrolling_hub(tmp_path / "villain") as villain,
        keeper(hub) as browser,
        TlsBox(hub) as box,
    ):
        await browser.ask("POST", "/enrolment")

        async def relay(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            near = aiohttp.web.WebSocketResponse()
            await near.prepare(request)
            async with aiohttp.ClientSession() as http:
                bridge = TlsBox(hub)
                far = await bridge.dial(ENROL_PATH, ENROL_NAME)

                async def back() -> None:
                    async for frame in far:
                        await near.send_str(frame.data)
                    await near.close()

                task = asyncio.create_task(back())
                async for frame in near:
                    await far.send_str(frame.data)
                await task
                await bridge.http.close()
                del http
            return near

        application = aiohttp.web.Application()
        application.router.add_get(ENROL_PATH, relay)
        runner = aiohttp.web.AppRunner(application)
        await runner.setup()
        assert villain.trust.certificates is not None
        own = villain.trust.certificates.context_for(ENROL_NAME)
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own)
        await site.start()
        assert site._server is not None
        box.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        run = asyncio.create_task(box.enrol())
        await here(browser)
        answer = await browser.ask("POST", "/enrolment/code", {"code": CODE})
        assert answer.code == "wrong_box_code"
        with pytest.raises(EnrolmentError) as caught:
            await run
        assert caught.value.reason is EnrolFailure.WRONG_CODE
        assert not caught.value.told  # the box found out by itself
        assert box.known is None
        assert hub.trust.book.enrolled() == ()
        await runner.cleanup()


async def test_garbage_ends_the_run_with_a_reason(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await browser.ask("POST", "/enrolment")
        for text in ("", "{", '{"t":"enrol.hello"}', "[" * 900, "x" * 1024):
            ws = await box.dial(ENROL_PATH, ENROL_NAME)
            await ws.send_str(text)
            said = decode((await ws.receive()).data)
            assert isinstance(said, EnrolError)
            assert said.code is EnrolFailure.MALFORMED
            assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE
            await ws.close()
        ws = await box.dial(ENROL_PATH, ENROL_NAME)
        await ws.send_str("x" * 4096)
        assert (await ws.receive()).data == 1009
        await until(lambda: not hub.trust.enrolling._runs)


async def test_enrolment_is_for_boxes_over_tls(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await browser.ask("POST", "/enrolment")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await box.http.ws_connect(hub.url(ENROL_PATH))
        assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await box.dial(ENROL_PATH, "localhost")  # a browser's certificate


async def test_a_run_that_broke_off_when_both_had_stored_ends_with_the_login(
    tmp_path: Path,
) -> None:
    async with enrolling_hub(tmp_path) as hub, keeper(hub) as browser, TlsBox(hub) as box:
        await browser.ask("POST", "/enrolment")
        run = asyncio.create_task(box.enrol(cut_when_pending=True))
        await here(browser)
        answer = await browser.ask("POST", "/enrolment/code", {"code": CODE})
        assert answer.code == "no_box_answers"
        await run
        assert hub.trust.book.enrolled() == ()
        assert isinstance(await box.login(), Welcome)
        assert [each.id for each in hub.trust.book.enrolled()] == [box.identity.id]


async def test_without_enrolment_there_is_no_session(tmp_path: Path) -> None:
    async with enrolling_hub(tmp_path) as hub, TlsBox(hub) as box:
        assert hub.trust.certificates is not None
        (pin,) = hub.trust.certificates.pins
        refused = await box.login(pin=pin, signed=False)
        assert isinstance(refused, Error)
        assert refused.code is ErrorCode.IDENTITY
        assert await box.closed() == 4403
        box.ws = await box.http.ws_connect(hub.url(MEMBER_PATH))
        assert hub.value("stagebox_refused_connections_total", reason="not_enrolled") == 1
