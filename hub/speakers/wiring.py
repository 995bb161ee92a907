"""Speakers and the hub's spaces: who tells whom what."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from hub.config import HubConfig
from hub.crowd.streams import Streams
from hub.metrics import Metrics
from hub.spaces.registry import Spaces
from hub.speakers.addresses import urls
from hub.speakers.airplay import AirplayHouse
from hub.speakers.browse import Browse
from hub.speakers.port import Adapter
from hub.speakers.settings import SpeakersConfig
from hub.speakers.snapcast import SnapcastHouse
from hub.speakers.speakers import Around, Speakers

log = logging.getLogger(__name__)


class Loudspeakers:
    """Speakers from ``begin`` on: they need a hub that answers."""

    def __init__(self, config: HubConfig, streams: Streams, spaces: Spaces, folder: Path) -> None:
        self._looks = config.speakers.find and config.advertise
        self._port = config.port
        self._kinds = streams.kinds
        self._spaces = spaces
        self._tasks: list[asyncio.Task[None]] = []
        around = Around(
            self._title,
            self._urls,
            lambda: streams.counts()["encoders_broke"],
            streams.hears,
            self._played,
        )
        self.speakers = Speakers(adapters(config, streams, looks=self._looks), around, folder)

    def begin(self, port: int) -> None:
        """Look for speakers. ``port``: where they fetch what they play."""
        self._port = port
        self.speakers.start()
        if self._looks:
            self._tasks.append(asyncio.create_task(Browse(self.speakers).run()))

    async def aclose(self) -> None:
        """Fall silent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.speakers.aclose()

    def _title(self, space_id: str) -> str | None:
        space = self._spaces.get(space_id)
        return space.info.name if space is not None and space.info.streamed else None

    def _played(self, played: Mapping[str, tuple[str, ...]]) -> None:
        self._spaces.set_facilities(replace(self._spaces.facilities, played_on=played))

    def _urls(self, space: str, host: str) -> dict[str, str]:
        return dict(urls(space, host, self._port, self._kinds))


@contextlib.asynccontextmanager
async def loudspeakers(
    config: HubConfig, streams: Streams | None, spaces: Spaces, metrics: Metrics, folder: Path
) -> AsyncIterator[Loudspeakers | None]:
    """Play spaces on speakers for as long as this lasts; None where nothing is streamed."""
    if streams is None:
        yield None
        return
    house = Loudspeakers(config, streams, spaces, folder)
    metrics.add_source("speakers", house.speakers.counts)
    metrics.add_gauge("speaker_states", "state", house.speakers.states)
    try:
        yield house
    finally:
        await house.aclose()


def heard_by(house: Loudspeakers | None) -> Speakers | None:
    """Return what the console may show of them."""
    return house.speakers if house is not None else None


@contextlib.asynccontextmanager
async def begun(house: Loudspeakers | None, port: int) -> AsyncIterator[None]:
    """Play for as long as this lasts, on a hub that answers at ``port``.

    It has to end before the hub's streams do: who plays one would think that somebody at the
    speaker stopped it, and stay silent for good.
    """
    if house is not None:
        house.begin(port)
    try:
        yield
    finally:
        if house is not None:
            await house.aclose()


def adapters(config: HubConfig, streams: Streams, *, looks: bool) -> list[Adapter]:
    """Return what speaks to speakers, as far as its libraries are installed.

    ``looks``: it may ask the network by itself, too.
    """
    settings = config.speakers
    found: list[Adapter] = [SnapcastHouse(settings.snapcast, streams), AirplayHouse(streams)]
    for make in _OPTIONAL:
        try:
            found.append(make(settings, looks))
        except ImportError as error:
            log.info("%s is not installed: its speakers are not to be had", error.name)
    return found


def _dlna(settings: SpeakersConfig, looks: bool) -> Adapter:
    from hub.speakers.dlna import DlnaHouse  # noqa: PLC0415 - an optional extra

    return DlnaHouse(settings.dlna, looks=looks)


def _chromecast(_settings: SpeakersConfig, _looks: bool) -> Adapter:
    from hub.speakers.chromecast import ChromecastHouse  # noqa: PLC0415 - an optional extra

    return ChromecastHouse()


# What needs a library that not everybody has.
_OPTIONAL: tuple[Callable[[SpeakersConfig, bool], Adapter], ...] = (_dlna, _chromecast)
