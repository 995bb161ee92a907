"""The hub's composition root: makes the parts, starts them in order, stops them in reverse."""

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from hub.bridges.house import Ways
from hub.bridges.seat import Hall
from hub.bridges.wiring import ways
from hub.captions.wiring import captions
from hub.config import Boxes, HubConfig, TrustConfig
from hub.control.listening import BindError
from hub.control.server import HubServer
from hub.crowd.wiring import streams
from hub.discovery import Advertiser
from hub.files import raise_file_limit
from hub.home.wiring import home_assistant
from hub.media.plane import HubMedia
from hub.media.processes import MediaProcesses, StartError
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.recording.wiring import recordings
from hub.spaces.registry import Spaces
from hub.speakers.wiring import begun, heard_by, loudspeakers
from hub.store.database import Store, StoreError
from hub.telephone.telephone import TelephoneError
from hub.telephone.wiring import telephone
from hub.trust.house import Trust
from hub.web.desk import Home
from stagebox import logs
from stagebox.config import ConfigError, load_config, override
from stagebox.identity import Identity, IdentityError
from stagebox.rtc.prepare import prepare
from stagebox.rtc.seams import SeamError
from stagebox.service import Service
from stagebox.statefile import state_dir

DATABASE: Final = "hub.sqlite3"
OPEN: Final = (
    "THIS HUB IS OPEN: it believes every program on this computer that says it is a box. "
    'For real boxes take boxes = "enrolled" under [trust], and no --open.'
)
LOOPBACK: Final = ("127.0.0.1", "::1")  # where an open hub listens
_REFUSED: Final = 2  # the exit status of a program that was asked for something impossible

_log = logging.getLogger(__name__)
_CANNOT_START: Final = (
    *(ConfigError, IdentityError, BindError, StoreError, SeamError, StartError),
    TelephoneError,
)


def main(arguments: argparse.Namespace) -> int:
    """Run the hub until it is told to stop; return its exit status."""
    logs.set_up(verbose=arguments.verbose)
    try:
        asyncio.run(serve(settings(arguments), verbose=arguments.verbose))
    except _CANNOT_START as error:
        print(f"stagebox hub: {error}", file=sys.stderr)
        return _REFUSED
    return 0


def settings(arguments: argparse.Namespace) -> HubConfig:
    """Return the settings from file and command line.

    Raises:
        ConfigError: something in either cannot be.
    """
    config = load_config(arguments.config, HubConfig) if arguments.config else HubConfig()
    given: dict[str, Any] = {
        "bind": arguments.bind or (LOOPBACK if arguments.open else None),
        "port": arguments.port,
        "trust": TrustConfig(boxes=Boxes.ANYONE) if arguments.open else None,
        "data": str(arguments.data) if arguments.data else None,
        "name": arguments.name,
        "advertise": False if arguments.no_advertise else None,
    }
    return override(config, {key: value for key, value in given.items() if value is not None})


async def serve(config: HubConfig, *, verbose: bool = False) -> None:
    """Run the hub until SIGTERM or SIGINT.

    Raises:
        IdentityError, StoreError, BindError, SeamError, StartError: it cannot start, and why.
    """
    service = Service()  # first: what is started from here does not speak for the hub
    raise_file_limit()
    kept_in = state_dir(config.data_dir)
    identity = Identity.load_or_create(kept_in)
    metrics = Metrics()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(service.close)
        media = await _media(config.media.count(), metrics, verbose=verbose)
        stack.push_async_callback(media.aclose)
        metrics.add_media(media.report)
        store = await Store.open(
            kept_in / DATABASE, lambda kind: metrics.store_troubles.labels(kind).inc()
        )
        stack.push_async_callback(store.aclose)
        spaces = Spaces(
            config.space, media=media, store=store, metrics=metrics, limits=config.spaces
        )
        stack.push_async_callback(spaces.aclose)
        recorder = await stack.enter_async_context(
            recordings(config.recording, kept_in, spaces, media, store)
        )
        if recorder is not None:
            metrics.add_source("recording", recorder.counts)
        scribe = await stack.enter_async_context(captions(config.captions, spaces, media, recorder))
        if scribe is not None:
            metrics.add_source("captions", scribe.counts)
        crowd = await stack.enter_async_context(
            streams(config.streams, spaces, media, metrics, scribe)
        )
        await spaces.start()
        trust = await Trust.open(identity, config.name, store, kept_in, anyone=config.trust.anyone)
        bridges = await stack.enter_async_context(
            _ways(config, Hall(spaces, media), metrics, (kept_in, identity.id))
        )
        speakers = await stack.enter_async_context(
            loudspeakers(config, crowd.streams if crowd else None, spaces, metrics, kept_in)
        )
        home = Home(store, kept_in, trust, recorder, crowd, bridges, heard_by(speakers))
        server = HubServer(config, identity, spaces, metrics, media, home)
        stack.push_async_callback(server.aclose)
        await server.start()
        await stack.enter_async_context(begun(speakers, server.port))
        await stack.enter_async_context(_known(config, server, store))
        if config.trust.anyone:
            _log.warning(OPEN)
        _log.info(
            "hub %s listens on port %d; its state is in %s", identity.id[:8], server.port, kept_in
        )
        watching = asyncio.create_task(service.run({"store": store.answers}))
        stack.callback(watching.cancel)
        _up(service)
        await _told_to_stop()
        service.stopping()


def _up(service: Service) -> None:
    """Tell that the hub answers."""
    # What is there now stays; the collector would only hold everything up by looking at it again.
    gc.collect()
    gc.freeze()
    service.ready()


@contextlib.asynccontextmanager
async def _ways(
    config: HubConfig, hall: Hall, metrics: Metrics, place: tuple[Path, str]
) -> AsyncIterator[Ways]:
    """Bridge spaces, and let them be called, for as long as this lasts."""
    async with (
        ways(config.bridge, hall.spaces, hall.media, metrics, place, config.x) as found,
        telephone(config.telephone, hall, found.bridges.marks, metrics),
    ):
        yield found


@contextlib.asynccontextmanager
async def _known(config: HubConfig, server: HubServer, store: Store) -> AsyncIterator[None]:
    """Let boxes find the hub, and Home Assistant see it, for as long as this lasts."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(home_assistant(config.home, server.house, store))
        if config.advertise:
            stack.push_async_callback(_advertiser(config, server).aclose)
        yield


def _advertiser(config: HubConfig, server: HubServer) -> Advertiser:
    """Return what announces the hub, begun, and that a box may be added whenever it may."""
    trust, metrics = server.house.trust, server.house.metrics
    advertiser = Advertiser(
        hub_id=trust.identity.id,
        name=config.name,
        port=server.port,
        secure_port=server.secure_port,
        bind=config.bind,
        metrics=metrics,
    )
    trust.enrolling.changed = advertiser.enrolling
    advertiser.start()
    return advertiser


async def _media(processes: int, metrics: Metrics, *, verbose: bool) -> MediaPlane:
    if processes == 0:
        prepare()  # takes a moment, which the first member's session should not wait for
        return HubMedia()
    media = MediaProcesses(processes, verbose=verbose)
    await media.start()
    metrics.add_source("media_processes", media.counts)
    return media


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
