"""A renderer that somebody else wrote plays a space, and says when it does not."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client_factory import UpnpFactory

from hub.speakers.dlna import DlnaHouse
from hub.speakers.dlna_search import search
from hub.speakers.dlna_terms import RENDERING, TRANSPORT
from hub.speakers.terms import Cause, Found, Sound, SpeakerError
from tests.loopback.hub.crew import until
from tests.support import renderer as renderers
from tests.support.crew import free_port
from tests.support.programmes import Station, station
from tests.support.renderer import Gmediarender
from tests.support.speaker_contract import Notes, SpeakerContract, ended, heard, looking

pytestmark = pytest.mark.skipif(
    not renderers.is_here(), reason="no renderer: apt install gmediarender, as root"
)


class RendererWorld:
    def __init__(self, renderer: Gmediarender, station: Station) -> None:
        self.renderer = renderer
        self.station = station
        self.adapter = DlnaHouse([renderer.location], looks=False)

    @property
    def sound(self) -> Sound:
        return self.station.sound

    async def find(self) -> Found:
        notes = Notes()
        async with looking(self.adapter, notes):
            await until(lambda: bool(notes.found))
        (found,) = notes.found.values()
        return found

    def nowhere(self, found: Found) -> Found:
        return dataclasses.replace(
            found, key=f"http://127.0.0.1:{free_port()}/description.xml", host="127.0.0.1"
        )

    async def is_heard(self) -> bool:
        before = self.renderer.played().size
        await asyncio.sleep(0.3)
        now = self.renderer.played()
        return now.size > before and float(np.abs(now[-4_800:]).max(initial=0)) > 0.01

    async def level(self) -> float:
        said = await self.ask(RENDERING, "GetVolume", Channel="Master")
        return float(said["CurrentVolume"]) / 100

    async def stop_there(self) -> None:
        await self.ask(TRANSPORT, "Stop")

    async def kill(self) -> None:
        self.renderer.kill()

    async def ask(self, service: str, action: str, **arguments: object) -> dict[str, object]:
        """Do what a remote control does, by somebody else's client."""
        device = await UpnpFactory(AiohttpRequester()).async_create_device(self.renderer.location)
        found = next(s for s in device.services.values() if s.service_type.startswith(service))
        return dict(await found.action(action).async_call(InstanceID=0, **arguments))


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gmediarender]:
    with Gmediarender(tmp_path_factory.mktemp("renderer")) as renderer:
        yield renderer


@pytest.fixture
async def world(renderer: Gmediarender) -> AsyncIterator[RendererWorld]:
    if not renderer.answers():
        renderer.start()
    async with station(renderer.address) as radio:
        yield RendererWorld(renderer, radio)


class TestGmediarender(SpeakerContract):
    async def test_a_pause_there_is_a_persons(self, world: RendererWorld) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        await world.ask(TRANSPORT, "Pause")
        assert (await ended(player)).cause is Cause.STOPPED_THERE
        await player.stop()

    async def test_what_somebody_plays_there_meanwhile_is_left_alone(
        self, world: RendererWorld
    ) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        other = world.sound.urls["mp3"].replace("stream.mp3", "other.mp3")
        await world.ask(TRANSPORT, "SetAVTransportURI", CurrentURI=other, CurrentURIMetaData="")
        assert (await ended(player)).cause is Cause.TAKEN
        await player.stop()
        said = await world.ask(TRANSPORT, "GetMediaInfo")
        assert said["CurrentURI"] == other

    async def test_it_is_found_by_a_search(self, world: RendererWorld) -> None:
        assert world.renderer.location in await search()

    async def test_one_that_says_that_it_plays_and_fetches_nothing_does_not_play(
        self, world: RendererWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("hub.speakers.dlna.BEGIN_S", 1.0)
        monkeypatch.setattr("hub.speakers.dlna.SILENT_S", 0.5)
        found, fetched = await world.find(), False
        sound = dataclasses.replace(world.sound, fetched=lambda: fetched)
        player = world.adapter.player(found)
        with pytest.raises(SpeakerError, match="fetches nothing") as silent:
            await player.play(sound, Notes().told.append)
        assert silent.value.cause is Cause.LOST
        await player.stop()
        fetched = True
        player = world.adapter.player(found)
        await player.play(sound, Notes().told.append)
        fetched = False
        over = await ended(player)
        assert (over.cause, "any more" in over.detail) == (Cause.LOST, True)
        await player.stop()
