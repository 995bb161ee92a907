"""Far sides that lie, flood or say nothing: each is contained, and said in a sentence."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from async_upnp_client.const import HttpRequest

from hub.speakers.dlna import DlnaHouse, DlnaPlayer
from hub.speakers.dlna_http import MAX_ANSWER, Requester
from hub.speakers.snapcast import SnapcastHouse
from hub.speakers.terms import Announced, Cause, Found, Kind, Sound, SpeakerError
from tests.loopback.hub.crew import until
from tests.support.programmes import Tones
from tests.support.renderer import Answer, answering
from tests.support.speaker_contract import Notes, looking

SOUND = Sound("main", "Main", {"mp3": "http://127.0.0.1:1/stream.mp3"})
NAME = "\u202eKitchen\x07" + "n" * 10_000
DEVICE = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:MediaRenderer:1</deviceType>
<friendlyName>{name}</friendlyName><manufacturer/><modelName/><UDN>{udn}</UDN>
<serviceList>{services}</serviceList></device></root>"""
SERVICE = """<service><serviceType>urn:schemas-upnp-org:service:AVTransport:1</serviceType>
<serviceId>urn:upnp-org:serviceId:AVTransport</serviceId><SCPDURL>{at}</SCPDURL>
<controlURL>/control</controlURL><eventSubURL>/event</eventSubURL></service>"""
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1 if i > 1 else str()};" * 10}">' for i in range(1, 9))
    + "]><x>&a8;</x>"
)


def text(body: str, status: int = 200) -> Answer:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type="text/xml")

    return answer


async def silent(_request: web.Request) -> web.Response:
    await asyncio.sleep(3_600)
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/xml"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):
        while True:
            await response.write(b"<a>" * 20_000)
    return response


async def elsewhere(_request: web.Request) -> web.Response:
    raise web.HTTPFound("http://127.0.0.1:1/")


def renderer(location: str) -> Found:
    return Found(Kind.DLNA, "uuid:1", "Kitchen", "", "127.0.0.1", location)


async def refused(player: DlnaPlayer) -> SpeakerError:
    begin = time.monotonic()
    with pytest.raises(SpeakerError) as caught:
        await player.play(SOUND, lambda _told: None)
    await player.stop()
    assert time.monotonic() - begin < 10
    assert caught.value.detail
    assert len(caught.value.detail) <= 200
    return caught.value


BAD: dict[str, Answer] = {
    "nothing": text(""),
    "html": text("<html>"),
    "no device": text("<root/>"),
    "broken": text("<" * 100_000),
    "deep": text("<a>" * 50_000),
    "bomb": text(BOMB),
    "error": text("<a/>", 500),
    "elsewhere": elsewhere,
    "endless": endless,
    "no service": text(DEVICE.format(name="x", udn="uuid:1", services="")),
    "services elsewhere": text(
        DEVICE.format(name="x", udn="u", services=SERVICE.format(at="http://192.0.2.77/x.xml"))
    ),
    "hundreds of services": text(
        DEVICE.format(name="x", udn="u", services=SERVICE.format(at="/scpd.xml") * 500)
    ),
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
async def test_a_renderer_that_talks_nonsense_is_refused(answer: Answer) -> None:
    async with answering(answer) as location:
        error = await refused(DlnaHouse((), looks=False).player(renderer(location)))
    assert error.cause is Cause.BAD_ANSWER


async def test_a_renderer_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.speakers.dlna_http.REQUEST_S", 0.3)
    async with answering(silent) as location:
        error = await refused(DlnaHouse((), looks=False).player(renderer(location)))
        assert error.cause is Cause.NO_ANSWER
        staying = DlnaHouse((), looks=False).player(renderer(location))
        begin = time.monotonic()
        await staying.stop()
        assert time.monotonic() - begin < 3


@pytest.mark.parametrize("drops", [1, 2])
async def test_what_is_told_on_a_dropped_connection_is_told_once_more(drops: int) -> None:
    told = []

    async def dropping(request: web.Request) -> web.Response:
        told.append(await request.text())
        if len(told) <= drops and request.transport is not None:
            request.transport.close()
        return web.Response(text="done")

    async with answering(dropping) as location:
        requester = Requester(location)
        try:
            play = HttpRequest("POST", location, {}, "Play")
            if drops == 1:
                assert (await requester.async_http_request(play)).body == "done"
            else:
                with pytest.raises(SpeakerError) as gone:
                    await requester.async_http_request(play)
                assert gone.value.cause is Cause.UNREACHABLE
        finally:
            await requester.aclose()
    assert told == ["Play", "Play"]


async def test_a_renderer_that_answers_slowly_piece_by_piece_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hub.speakers.dlna.PLAY_S", 0.5)
    quick = BAD["hundreds of services"]

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return await quick(request)

    async with answering(slow) as location:
        error = await refused(DlnaHouse((), looks=False).player(renderer(location)))
    assert error.cause is Cause.NO_ANSWER


async def test_a_search_among_liars_finds_the_honest_one() -> None:
    good = text(DEVICE.format(name="Salon", udn="uuid:good", services=""))
    lying = text(DEVICE.format(name=NAME.replace("\x07", ""), udn="x" * 5_000, services=""))
    async with contextlib.AsyncExitStack() as stack:
        answers = [good, lying, *BAD.values()]
        locations = [await stack.enter_async_context(answering(each)) for each in answers]
        adapter, notes = DlnaHouse(locations, looks=False), Notes()
        async with looking(adapter, notes):
            await until(lambda: bool(notes.found))
        assert {each.name for each in notes.found.values()} <= {"Salon", "x"}
        assert "uuid:good" in notes.found


async def test_what_is_read_of_an_answer_is_bounded() -> None:
    sent = 0

    async def counted(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):
            while True:
                await response.write(b"x" * 65_536)
                sent += 65_536
        return response

    async with answering(counted) as location:
        await refused(DlnaHouse((), looks=False).player(renderer(location)))
    assert sent < 200 * MAX_ANSWER  # the kernel's buffers, and no more


# --- Snapcast ---------------------------------------------------------------------


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                await talk(reader, writer)
        finally:
            writer.transport.abort()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)


def line(data: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(data)
            await writer.drain()

    return talk


async def says_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1_000):
        pass


async def says_no_end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


def answer(result: bytes) -> bytes:
    return b'{"id":1,"jsonrpc":"2.0","result":' + result + b"}\n"


CLIENTS = b",".join(b'{"id":"c%d","connected":true}' % n for n in range(200))
NONSENSE: dict[str, tuple[Talk, Cause]] = {
    "silence": (says_nothing, Cause.NO_ANSWER),
    "no end": (says_no_end, Cause.BAD_ANSWER),
    "no JSON": (line(b"hello\n"), Cause.BAD_ANSWER),
    "no UTF-8": (line(b'"\xff"\n'), Cause.BAD_ANSWER),
    "a list": (line(b"[1]\n"), Cause.BAD_ANSWER),
    "deep": (line(b"[" * 100_000 + b"\n"), Cause.BAD_ANSWER),
    "a wrong shape": (line(answer(b'{"server":{"groups":7}}')), Cause.BAD_ANSWER),
    "too many": (
        line(answer(b'{"server":{"groups":[%s]}}' % b",".join([b'{"id":"g"}'] * 300))),
        Cause.BAD_ANSWER,
    ),
    "nobody": (line(answer(b'{"server":{}}')), Cause.UNREACHABLE),
    "a fault": (line(b'{"id":1,"error":{"code":-1,"message":"no"}}\n'), Cause.BAD_ANSWER),
}


@pytest.mark.parametrize(("talk", "cause"), NONSENSE.values(), ids=NONSENSE)
async def test_a_snapcast_server_that_talks_nonsense(
    talk: Talk, cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.speakers.snapcast_link.ANSWER_S", 0.3)
    async with server(talk) as address:
        house = SnapcastHouse((), Tones())
        player = house.player(Found(Kind.SNAPCAST, "kitchen", "", "", "", address))
        with pytest.raises(SpeakerError) as caught:
            await player.play(SOUND, lambda _told: None)
        assert caught.value.cause is cause
        await player.stop()


async def test_clients_without_number_are_bounded_and_news_in_a_flood_is_paced() -> None:
    asked = 0

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while await reader.readline():
            asked += 1
            groups = b'{"server":{"groups":[{"id":"g","clients":[' + CLIENTS + b"]}]}}"
            writer.write(b'{"id":%d,"result":%s}\n' % (asked, groups))
            writer.write(b'{"method":"Client.OnVolumeChanged"}\n' * 1_000)
            await writer.drain()

    async with server(floods) as address:
        notes = Notes()
        async with looking(SnapcastHouse([address], Tones()), notes):
            await until(lambda: bool(notes.found))
            before = asked
            await asyncio.sleep(0.5)
            assert asked - before <= 6
        assert len(notes.found) == 64


async def test_servers_without_number_are_bounded() -> None:
    house = SnapcastHouse((), Tones())
    async with looking(house, Notes()):
        for number in range(100):
            house.announced(
                Announced(house.services[0], f"server {number}", "127.0.0.1", 2_000 + number)
            )
        await asyncio.sleep(0)
        assert len(house._watches) == 16
    await until(lambda: not house._watches)
