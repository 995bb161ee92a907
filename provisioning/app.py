"""The set-up helper's composition root: it watches the network and the files, for ever."""

import argparse
import asyncio
import contextlib
import itertools
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final

from provisioning import bootroot
from provisioning.bootfile import BootFile
from provisioning.network import terms as t
from provisioning.network.bus import Service as BusService
from provisioning.network.bus import ServiceError, open_system_bus
from provisioning.network.conductor import Conductor, fresh_key
from provisioning.network.manager import NAME, NetworkManager
from provisioning.network.surroundings import Places, Surroundings
from stagebox import logs
from stagebox.service import Service

_REFUSED: Final = 2
# A finger that was held waits this long at most.
_LOOK_S: Final = 1.0
# A key that should be gone is asked for again; who removes it needs seconds.
_SCRUB_LOOKS: Final = 60
_SUFFIX: Final = 4  # digits of the radio's address, to tell two boxes apart

_log = logging.getLogger(__name__)


def main(arguments: argparse.Namespace) -> int:
    """Run the helper until it is told to stop, or the part of it that root does."""
    logs.set_up(verbose=arguments.verbose)
    boot = tuple(arguments.boot)
    if arguments.boot_file:
        return bootroot.take_care(boot, arguments.runtime, arguments.state)
    places = Places(arguments.runtime, arguments.state, arguments.ask, boot)
    try:
        asyncio.run(serve(places))
    except ServiceError as error:
        print(f"stagebox provision: {error}", file=sys.stderr)
        return _REFUSED
    return 0


async def serve(places: Places) -> None:
    """Set up the network until SIGTERM or SIGINT.

    Raises:
        ServiceError: there is no message bus.
    """
    service = Service()
    with contextlib.closing(service):
        bus = await open_system_bus()
        try:
            await _Helper(places, BusService(bus, NAME)).run(service)
        finally:
            bus.disconnect()


class _Helper:
    """The parts and how they are joined."""

    def __init__(self, places: Places, nm: BusService) -> None:
        self._world = Surroundings(places, self._post)
        self._manager = NetworkManager(nm, self._on_event)
        self._file: BootFile | t.FileFault | None = None
        self._stamp: tuple[str, int, int] | None = None
        self._conductor: Conductor | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, service: Service) -> None:
        """Serve until told to stop."""
        self._read_file()
        service.ready()
        await self._manager.start()
        is_there = await self._manager.is_there()
        started = await self._looked() if is_there else None
        name = await self._hotspot_name() if is_there else "Stagebox"
        self._conductor = Conductor(name, self._manager, self._world)
        self._post(t.ManagerGone() if started is None else started)
        async with _together() as begin:
            begin(self._conductor.run())
            begin(self._watch_files())
            begin(service.run({"network": lambda: True}, self._describe))
            await _told_to_stop()

    async def _looked(self) -> t.Started | None:
        try:
            await self._manager.provide_cable()
            return await self._completed(await self._manager.look())
        except ServiceError as error:
            _log.warning("network: %s", error)
            return None

    async def _hotspot_name(self) -> str:
        with contextlib.suppress(ServiceError):
            digits = (await self._manager.address()).replace(":", "")[-_SUFFIX:].upper()
            return f"Stagebox-{digits}" if digits else "Stagebox"
        return "Stagebox"

    def _post(self, event: t.Event) -> None:
        if self._conductor is not None:
            self._conductor.post(event)

    def _on_event(self, event: t.Event) -> None:
        if not isinstance(event, t.Started):
            self._post(event)
            return
        task = asyncio.ensure_future(self._complete(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _complete(self, event: t.Started) -> None:
        self._post(await self._completed(event))

    async def _completed(self, event: t.Started) -> t.Started:
        file = self._file if isinstance(self._file, BootFile) else None
        country = await self._world.known_country(file)
        return replace(event, country=country, file=self._wish())

    # --- files ------------------------------------------------------------------------

    def _read_file(self) -> None:
        # The stamp first: what is written in between is read once too often, and never missed.
        self._stamp = self._world.boot_stamp()
        self._file = self._world.boot_file()
        if isinstance(self._file, BootFile):
            self._world.hand_over(self._file)

    def _wish(self) -> t.Target | t.FileFault | None:
        if isinstance(self._file, BootFile):
            wifi = self._file.wifi
            return None if wifi is None else t.Target(wifi, self._file.country, self._file.hub)
        return self._file

    async def _watch_files(self) -> None:
        asked, wiped = self._world.ask_stamp(), self._world.forget_stamp()
        for look in itertools.count(1):
            await asyncio.sleep(_LOOK_S)
            if look % _SCRUB_LOOKS == 0:
                self._world.scrub_still()
            before, asked = asked, self._world.ask_stamp()
            if asked not in {before, None}:
                self._post(t.Asked(fresh_key()))
            before, wiped = wiped, self._world.forget_stamp()
            if wiped not in {before, None}:
                self._post(t.Wiped())
            if self._world.boot_stamp() != self._stamp:
                self._read_file()
                if (wish := self._wish()) is not None:
                    self._post(t.FileChanged(wish))

    def _describe(self) -> str:
        return "" if self._conductor is None else f"network: {self._conductor.machine.phase.value}"


@contextlib.asynccontextmanager
async def _together() -> AsyncIterator[Callable[..., None]]:
    """Run several things until the block is left, or one of them fails."""
    tasks: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as group:
        yield lambda work: tasks.append(group.create_task(work))
        for task in tasks:
            task.cancel()


async def _told_to_stop() -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    await told.wait()
