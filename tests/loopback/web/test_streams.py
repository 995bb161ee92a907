"""Streams as their routes see them: how many may wait, what is encoded, what addresses lead to."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.captions.board import Line
from hub.config import Boxes, HubConfig, HubLimits, StreamsConfig, TrustConfig
from hub.crowd.wiring import streams
from hub.web.desk import Home
from tests.loopback.hub.crew import Guest, Hub, crew
from tests.loopback.web.kit import AT_EASE, SPACES, Answer, Browser

MAIN = "/spaces/main"
LIVE = f"{MAIN}/hls/opus/live.m3u8"
FAR = "00000000-9999999.m4s"


class Lines:
    """Whoever writes captions: ``said`` is what a stream is told."""

    def __init__(self) -> None:
        self.said: list[Callable[[Line], None]] = []

    def on_line(self, keep: Callable[[Line], None]) -> None:
        self.said.append(keep)


class StreamHub(Hub):
    """A hub whose spaces may be streamed."""

    async def start(self) -> None:
        self.stack = AsyncExitStack()
        await super().start()

    async def _home(self) -> Home:
        crowd = await self.stack.enter_async_context(
            streams(self.config.streams, self.spaces, self.media, self.metrics, lines := Lines())
        )
        self.lines = lines
        return Home(self.store, self.data, self.trust, crowd=crowd)

    async def aclose(self) -> None:
        await self.server.aclose()
        await self.stack.aclose()
        await self.spaces.aclose()
        await self.store.aclose()


@asynccontextmanager
async def house(tmp_path: Path, config: StreamsConfig) -> AsyncIterator[tuple[StreamHub, Browser]]:
    """Run a hub whose main space is streamed, and its administrator."""
    web = replace(AT_EASE, secure_port=0)
    whole = HubConfig(
        space=SPACES, web=web, bind=("127.0.0.1", "::1"), port=0, streams=config,
        trust=TrustConfig(boxes=Boxes.ANYONE),
        limits=HubLimits(request_s=600, idle_s=600),  # a busy machine is not what this is about
    )  # fmt: skip
    hub = StreamHub(whole, tmp_path)
    await hub.start()
    try:
        async with Browser(hub) as admin:
            await admin.name("Anna")
            await admin.administer()
            assert (await admin.ask("PATCH", MAIN, {"streamed": True})).status == 204
            yield hub, admin
    finally:
        await hub.aclose()


def hint(listed: Answer) -> tuple[str, int, int]:
    """Return tag, segment and part of what comes next."""
    tag, number, part = re.findall(r'HINT:TYPE=PART,URI="(\w+)-(\d+)-(\d)', listed.text)[0]
    return tag, int(number), int(part)


async def test_a_flood_of_players_that_wait_is_stopped_and_nobody_else_notices(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, StreamsConfig(listeners=5)) as (_hub, admin):
        _, number, part = hint(await admin.ask("GET", LIVE))
        query = f"{LIVE}?_HLS_msn={number}&_HLS_part={part + 1}" if part < 7 else LIVE
        asked = [asyncio.create_task(admin.ask("GET", query)) for _ in range(40)]
        answers = await asyncio.gather(*asked)
        refused = [each for each in answers if each.status == 503]
        assert {each.code for each in refused} <= {"busy"}
        assert all("Retry-After" in each.headers for each in refused)
        assert len(answers) - len(refused) >= 5
        assert (await admin.ask("GET", LIVE)).status == 200
        assert (await admin.ask("GET", "/hub")).status == 200


async def test_who_waits_is_told_when_the_stream_ends(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig()) as (_hub, admin):
        _, number, _ = hint(await admin.ask("GET", LIVE))
        waiting = asyncio.create_task(admin.ask("GET", f"{LIVE}?_HLS_msn={number + 1}&_HLS_part=7"))
        await asyncio.sleep(0)
        assert (await admin.ask("PATCH", MAIN, {"streamed": False})).status == 204
        assert (await waiting).status in {503, 404}
        assert (await admin.ask("GET", LIVE)).code == "not_streamed"


async def test_pieces_are_there_only_while_somebody_plays(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig()) as (_hub, admin):
        answer = await admin.ask("GET", f"{MAIN}/hls/opus/{FAR}")
        assert (answer.status, answer.code) == (404, "no_such_stream")
        tag, number, part = hint(await admin.ask("GET", LIVE))
        async with admin.http.get(
            admin.hub.url(f"/api/v1{MAIN}/hls/opus/{tag}-{number}-{part}.m4s")
        ) as announced:  # it is waited for
            assert announced.status == 200
            assert (await announced.read())[4:8] == b"moof"


async def test_no_more_is_encoded_than_the_settings_say(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig(encoders=1)) as (hub, admin):
        url = hub.url(f"/api/v1{MAIN}/stream.")
        async with admin.http.get(f"{url}mp3") as one, admin.http.get(f"{url}mp3") as other:
            assert (one.status, other.status) == (200, 200)
            pieces = await asyncio.gather(one.content.read(1), other.content.read(1))
            assert all(pieces)
            answer = await admin.ask("GET", f"{MAIN}/stream.aac")
            assert (answer.status, answer.code) == (503, "busy")
            async with admin.http.get(f"{url}opus") as plain:
                assert await plain.content.read(4) == b"OggS"
            assert hub.value("stagebox_stream_encoders", format="mp3") == 1
        assert hub.value("stagebox_streams_total", event="encoded") == 1
        assert hub.value("stagebox_streams_total", event="encoders_broke") == 0


async def test_without_encoders_there_is_opus(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig(encoders=0)) as (_hub, admin):
        shown = (await admin.ask("GET", f"{MAIN}/streams")).json
        assert [each["kind"] for each in shown["addresses"]] == ["hls", "opus"]
        listed = (await admin.ask("GET", f"{MAIN}/hls/live.m3u8")).text
        assert "opus/live.m3u8" in listed
        assert "aac" not in listed
        for path in ("stream.mp3", "stream.aac", "hls/aac/live.m3u8"):
            assert (await admin.ask("GET", f"{MAIN}/{path}")).code == "busy"


async def test_an_address_can_be_copied_and_scanned(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig()) as (_hub, admin):
        shown = (await admin.ask("GET", f"{MAIN}/streams")).json
        assert {each["kind"] for each in shown["addresses"]} == {"hls", "opus", "aac", "mp3"}
        for each in shown["addresses"]:
            assert each["url"].startswith("http://")
            picture = await admin.ask("GET", each["qr"])
            assert picture.text.startswith("<svg")
        assert (await admin.ask("GET", f"{MAIN}/streams/flac/qr.svg")).code == "no_such_stream"


@pytest.mark.parametrize("encoders", [0, 1])
async def test_a_space_that_is_not_streamed_tells_nothing(tmp_path: Path, encoders: int) -> None:
    async with house(tmp_path, StreamsConfig(encoders=encoders)) as (hub, admin):
        for path in ("stream.mp3", "hls/live.m3u8", "hls/opus/live.m3u8", f"hls/opus/{FAR}"):
            assert (await admin.ask("GET", f"/spaces/talk/{path}")).code == "not_streamed"
        assert hub.value("stagebox_streams_encoders") == 0


async def test_captions_come_with_the_stream_while_there_are_some(tmp_path: Path) -> None:
    async with house(tmp_path, StreamsConfig(encoders=0)) as (hub, admin):
        lists = f"{MAIN}/hls/captions/live.m3u8"
        assert "SUBTITLES" not in (await admin.ask("GET", f"{MAIN}/hls/live.m3u8")).text
        assert (await admin.ask("GET", lists)).code == "no_such_stream"
        hub.spaces.set_facilities(dataclasses.replace(hub.spaces.facilities, captions=True))
        assert (await admin.ask("PATCH", MAIN, {"captions": True})).status == 204
        listed = (await admin.ask("GET", f"{MAIN}/hls/live.m3u8")).text
        assert "captions/live.m3u8" in listed
        assert (await admin.ask("GET", lists)).code == "no_such_stream"  # nobody listens yet
        assert (await admin.ask("GET", LIVE)).status == 200
        async with crew(anna := Guest("Anna", number=1)):
            await anna.enter(hub, "main")
            for keep in hub.lines.said:
                keep(Line("main", anna.id, 0.0, 1.0, "Guten Abend & <hello>"))
                keep(Line("nowhere", anna.id, 0.0, 1.0, "unheard"))
            text = ""
            async with asyncio.timeout(20):
                while "hello" not in text:
                    newest = (await admin.ask("GET", lists)).text.split()[-1]
                    answer = await admin.ask("GET", f"{MAIN}/hls/captions/{newest}")
                    assert answer.headers["Content-Type"] == "text/vtt"
                    text = answer.text
                    await asyncio.sleep(0.2)
        assert "<v Anna>Guten Abend &amp; &lt;hello&gt;</v>" in text
        assert (await admin.ask("GET", f"{MAIN}/hls/captions/{FAR}")).code == "no_such_stream"
        assert (await admin.ask("PATCH", MAIN, {"captions": False})).status == 204
        assert (await admin.ask("GET", lists)).code == "no_such_stream"
