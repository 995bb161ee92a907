"""Streams and the hub's spaces: who tells whom what."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol

from hub.captions.board import Line
from hub.config import StreamsConfig
from hub.crowd.crowd import Crowd
from hub.crowd.icecast import Icecast
from hub.crowd.rtmp import Rtmp
from hub.crowd.stations import Stations
from hub.crowd.streams import Spaces as Known
from hub.crowd.streams import Streams, Tapes
from hub.metrics import Metrics
from hub.spaces.lifecycle import ON_AIR
from hub.spaces.registry import Spaces


class Writes(Protocol):
    """What streams need of whoever writes captions."""

    def on_line(self, keep: Callable[[Line], None]) -> None:
        """Call ``keep`` with each final caption."""


@contextlib.asynccontextmanager
async def streams(
    config: StreamsConfig,
    spaces: Spaces,
    media: Tapes,
    metrics: Metrics,
    scribe: Writes | None = None,
) -> AsyncIterator[Crowd | None]:
    """Stream the spaces whose hosts want it, for as long as this lasts.

    Where the settings allow no listener it gives None, and spaces know that.
    """
    spaces.set_facilities(replace(spaces.facilities, streams=bool(config.listeners)))
    if not config.listeners:
        yield None
        return

    def title(space_id: str) -> str | None:
        space = spaces.get(space_id)
        return space.info.name if space is not None and space.info.streamed else None

    def on_air(space_id: str) -> bool:
        space = spaces.get(space_id)
        return space is not None and space.info.state in ON_AIR

    def captioned(space_id: str) -> bool:
        space = spaces.get(space_id)
        return space is not None and space.info.captions

    def said(line: Line) -> None:
        space = spaces.get(line.space)
        if space is not None:
            here = space.snapshot(line.member, None).members
            name = next((each.name for each in here if each.id == line.member), "")
            running.caption(line.space, name, line.text)

    running = Streams(media, Known(title, on_air, captioned), config.listeners, config.encoders)
    if scribe is not None:
        scribe.on_line(said)
    icecast = (Icecast(each.space, each.mount(), each.password) for each in config.icecast)
    rtmp = (Rtmp(each.space, each.target(), each.key, each.picture) for each in config.rtmp)
    stations = Stations((*icecast, *rtmp), running, title)
    metrics.add_source("streams", running.counts)
    metrics.add_gauge("stream_listeners", "space", running.listeners)
    metrics.add_gauge("stream_encoders", "format", running.encoders)
    metrics.add_gauge("stations", "url", stations.up)
    try:
        yield Crowd(running, stations)
    finally:
        await stations.aclose()
        await running.aclose()
