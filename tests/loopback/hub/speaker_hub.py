"""A hub whose sound, streams and speakers are real, in this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from hub.config import Boxes, HubConfig, TrustConfig
from hub.crowd.wiring import streams
from hub.speakers.settings import SpeakersConfig
from hub.speakers.speakers import Speakers
from hub.speakers.wiring import Loudspeakers, loudspeakers
from hub.web.desk import Home
from stagebox import measure as m
from tests.loopback.bridges.kit import OPEN, SoundHub, make_folder
from tests.loopback.hub.crew import until
from tests.loopback.web.kit import AT_EASE, Browser
from tests.support.crew import free_port


class SpeakerHub(SoundHub):
    """See above."""

    house: Loudspeakers

    async def start(self) -> None:
        await super().start()
        self.house.begin(self.server.port)

    async def _home(self) -> Home:
        home = await super()._home()
        enter = self._stack.enter_async_context
        crowd = await enter(streams(self.config.streams, self.spaces, self.media, self.metrics))
        assert crowd is not None
        found = await enter(
            loudspeakers(self.config, crowd.streams, self.spaces, self.metrics, self.data)
        )
        assert found is not None
        self.house = found
        return Home(
            home.store,
            home.folder,
            home.trust,
            crowd=crowd,
            ways=home.ways,
            speakers=found.speakers,
        )

    async def aclose(self) -> None:
        await self.house.aclose()  # as the hub does: before its streams end
        await super().aclose()

    @property
    def speakers(self) -> Speakers:
        return self.house.speakers


@contextlib.asynccontextmanager
async def speaker_hub(
    data: Path, settings: SpeakersConfig, address: str = ""
) -> AsyncIterator[SpeakerHub]:
    """Run a hub that looks for speakers where the settings say, and nowhere else.

    ``address``: at which a speaker at the end of a cable reaches it, too.
    """
    config = HubConfig(
        bind=("127.0.0.1",),
        port=free_port(),
        space=(OPEN,),
        advertise=False,
        speakers=settings,
        trust=TrustConfig(boxes=Boxes.ANYONE),
        web=replace(AT_EASE, secure_port=0),
    )
    hub = SpeakerHub(config, make_folder(data))
    await hub.start()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.aclose)
        if address:
            await stack.enter_async_context(_also_at(address, hub.server.port))
        yield hub


@contextlib.asynccontextmanager
async def _also_at(address: str, port: int) -> AsyncIterator[None]:
    """Let the far end of a cable reach the port; ``address``: this computer's at its near end."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            writer.transport.abort()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(serve(reader, writer)))

    async with await asyncio.start_server(begin, address, port):
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.transport.abort()


class Remote:
    """A host's page about speakers."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def stream(self, on: bool = True) -> None:
        answer = await self.browser.ask("PATCH", "/spaces/main", {"streamed": on})
        assert answer.status in {200, 204}, answer

    async def speaker(self, name: str) -> dict[str, Any]:
        """Return a speaker that is on the list; none: it is not."""
        answer = await self.browser.ask("GET", "/spaces/main/speakers")
        assert answer.status == 200, answer
        return next((each for each in answer.json["speakers"] if each["name"] == name), {})

    async def wish(self, name: str, **wishes: object) -> dict[str, Any]:
        id_ = (await self.speaker(name))["id"]
        answer = await self.browser.ask("PATCH", f"/spaces/main/speakers/{id_}", wishes)
        assert answer.status == 200, answer
        seen: dict[str, Any] = answer.json
        return seen

    async def sees(self, hub: SpeakerHub, name: str, state: str) -> None:
        """Wait until a speaker is so."""
        await until(
            lambda: any(
                each.name == name and each.condition.state.value == state
                for each in hub.speakers.statuses()
            )
        )
        assert (await self.speaker(name))["state"] == state


@contextlib.asynccontextmanager
async def remote(hub: SpeakerHub) -> AsyncIterator[Remote]:
    """Let an administrator look after the speakers."""
    async with Browser(hub) as browser:
        await browser.administer()
        yield Remote(browser)


def likeness(said: m.Recording, played: np.ndarray, begin: int) -> tuple[float, float]:
    """Return how like what was said is what was played from ``begin`` on, and how late (s)."""
    fits = []
    for at in np.arange(0.2, said.samples.size / m.RATE - 1.0, 0.5):
        spoken = said.between(said.start + at, said.start + at + 0.8)
        if m.dbfs(spoken) > m.SPEECH_DBFS:
            lag, correlation = m.best_lag(spoken, played[begin:])
            fits.append((correlation, lag / m.RATE - at))
    assert fits
    correlations, delays = zip(*fits, strict=True)
    return float(np.median(correlations)), float(np.median(delays))
