"""The box as a program: starts its parts in order, stops them in reverse."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

from device.audio.capture import CaptureThread
from device.audio.playback import PlaybackThread
from device.buttons.ports import PanelError
from device.config import BoxConfig, hub_url
from device.dimmer import Dimmer, dimming
from device.making import Made, make
from device.profiles.shelf import load_settings
from device.setback import Setback
from device.simulator.start import open_page
from device.view.live import watch
from device.wellbeing import health
from stagebox import logs
from stagebox.config import ConfigError
from stagebox.health import Health, keep
from stagebox.identity import IdentityError
from stagebox.installed import installed
from stagebox.media.opus import OpusError
from stagebox.netstate import HELPER_DIR, SETTINGS_FILE
from stagebox.phrases import shown
from stagebox.rtc.prepare import prepare
from stagebox.rtc.seams import SeamError
from stagebox.service import Service
from stagebox.statefile import state_dir

# A recording of half an hour is read and converted in less.
SOUND_START_S: Final = 10.0

_REFUSED: Final = 2
_log = logging.getLogger(__name__)


def main(arguments: argparse.Namespace) -> int:
    """Run a box until it is told to stop; return its exit status."""
    logs.set_up(verbose=arguments.verbose)
    try:
        config = settings(arguments)
        asyncio.run(run(config, arguments))
    except (ConfigError, IdentityError, PanelError, OpusError, SeamError) as error:
        print(f"stagebox box: {error}", file=sys.stderr)
        return _REFUSED
    return 0


def settings(arguments: argparse.Namespace) -> BoxConfig:
    """Return the settings from profile, file and command line.

    Raises:
        ConfigError: something in either cannot be.
    """
    for name in ("mic", "speaker", "script", "room", "page"):
        if getattr(arguments, name) is not None and not arguments.simulate:
            raise ConfigError(f"command line: --{name} is for the simulator; add --simulate.")
    if arguments.room is not None and None in (arguments.mic, arguments.speaker):
        raise ConfigError("command line: --room joins two files; add --mic and --speaker.")
    given: dict[str, Any] = {
        "profile": arguments.profile,
        "hub": hub_url(arguments.hub),
        "name": arguments.name,
        "space": arguments.space,
        "role": arguments.role,
        "state_dir": str(arguments.state) if arguments.state else None,
    }
    # What the boot file of a real box says about it goes over its settings.
    over = None if arguments.simulate else Path(HELPER_DIR) / SETTINGS_FILE
    return load_settings(arguments.config, given, over)


async def run(config: BoxConfig, arguments: argparse.Namespace) -> None:
    """Run the box until SIGTERM, SIGINT, the q key or ``--seconds``.

    Raises:
        IdentityError, PanelError, OpusError: the box cannot start, and why.
    """
    service = Service()  # first: what is started from here does not speak for the box
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    prepare()
    made = make(config, arguments, stop)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(service.close)
        stack.callback(made.parts.events.close)
        stack.callback(made.parts.panel.close)
        stack.callback(made.parts.knob.close)
        for thread in made.threads:
            stack.push_async_callback(thread.stop)
        await open_page(made.page, stack, arguments.page)
        dimmer = Dimmer(dimming(config.panel), made.parts.tally.dim)
        jobs = made.box.run(), made.signalling.run(), made.browse(), made.office.run()
        setback = Setback(state_dir(Path(config.state_dir)), installed().build)
        told = setback.run(lambda: made.parts.complaints.has_sound, made.box.say)
        for job in (*jobs, made.network(), dimmer.run(), told):
            stack.push_async_callback(_end, asyncio.create_task(_report(job, stop)))
        if made.has_terminal:
            view = watch(made.parts.status, made.feed, config.sound.language)
            stack.push_async_callback(_end, asyncio.create_task(view))
        if arguments.wait_joined:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.box.ready.wait(), arguments.wait_joined)
        for thread in made.threads:
            thread.start()
        if arguments.simulate:  # the script's clock is the recording's
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.box.sounding.wait(), SOUND_START_S)
        made.box.start_panel()
        watchers = asyncio.gather(
            _watched(service, made), _told(made, is_real=not arguments.simulate)
        )
        stack.push_async_callback(_end, watchers)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), arguments.seconds)
        service.stopping()


async def _watched(service: Service, made: Made) -> None:
    """Tell systemd that the box is up, hub or no hub, and from then on that it works."""
    service.ready()
    names = "loudspeaker thread", "microphone thread"
    serves = {name: partial(_serves, part) for name, part in zip(names, made.threads, strict=False)}
    works: dict[str, Callable[[], bool]] = {**serves, "keys": made.box.feels}
    status = made.parts.status
    await service.run(works, lambda: f"{status.name}: {shown(f'state.{status.floor}')}")


async def _told(made: Made, *, is_real: bool) -> None:
    """Tell who looks after this machine how the box does (``stagebox.health``)."""
    pid, build = os.getpid(), installed().build

    def look() -> Health:
        status, candidate = made.parts.status, made.signalling.candidate
        return health(
            status, candidate, pid=pid, build=build, audio=made.parts.complaints.has_sound
        )

    if is_real:
        await keep(look)


def _serves(thread: CaptureThread | PlaybackThread) -> bool:
    return thread.serves


async def _report(job: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Run a part; if it fails, the whole box stops, and its service starts it anew."""
    try:
        await job
    except Exception:
        _log.exception("a part of the box failed")
        stop.set()
        raise


async def _end(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
