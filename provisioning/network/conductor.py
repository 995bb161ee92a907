"""Runs the machine: one event after the other, and what it wants done, in order."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable
from typing import Final, Protocol

from provisioning.network import terms as t
from provisioning.network.bus import ServiceError
from provisioning.network.machine import Machine
from provisioning.network.terms import Cause, Effect, Event, Expired, Timer
from provisioning.network.wifi import Seen, Wifi

# More than this at once is a NetworkManager gone mad; the newest are dropped then.
_MOST_WAITING: Final = 256
KEY_DIGITS: Final = 12  # eleven days of guessing at a million a second, for a window of minutes

_log = logging.getLogger(__name__)


class Manager(Protocol):
    """What is wanted of NetworkManager; ServiceError where it does not do it."""

    async def join(self, wifi: Wifi) -> None: ...
    async def keep(self) -> None: ...
    async def undo(self) -> None: ...
    async def forget(self) -> None: ...
    async def reconnect(self) -> None: ...
    async def glance(self) -> None: ...
    async def scan(self) -> tuple[Seen, ...]: ...
    async def raise_hotspot(self, ssid: str, key: str) -> None: ...
    async def lower_hotspot(self) -> None: ...


class World(Protocol):
    """Everything else that is done."""

    async def set_country(self, country: str) -> None: ...
    async def probe(self, hub: str) -> bool: ...
    def tell(self, told: t.Tell) -> None: ...
    def scrub(self) -> None: ...
    async def open_page(self, raised: t.Raise) -> None: ...
    async def close_page(self) -> None: ...


def fresh_key() -> str:
    """Return a key for a hotspot."""
    return "".join(secrets.choice("0123456789") for _ in range(KEY_DIGITS))


class Conductor:
    """Owns the machine and its timers."""

    def __init__(self, hotspot: str, manager: Manager, world: World) -> None:
        self.machine = Machine(hotspot)
        self._hotspot = hotspot
        self._manager = manager
        self._world = world
        self._events: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._raised: t.Raise | None = None

    def post(self, event: Event) -> None:
        """Take an event, from within this loop."""
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            _log.warning("network: too much happens at once; %s is left out", type(event).__name__)

    async def run(self) -> None:
        """Serve until cancelled; then the hotspot is closed."""
        try:
            while True:
                event = await self._events.get()
                for effect in self.machine.feed(event):
                    await self._do(effect)
                if self._raised is not None and self.machine.phase is t.Phase.HOTSPOT:
                    await self._open_page(self._raised)
        finally:
            for timer in list(self._timers):
                self._disarm(timer)
            for errand in self._errands:
                errand.cancel()
            await self._world.close_page()
            await self._manager.lower_hotspot()

    # --- effects ----------------------------------------------------------------------

    async def _do(self, effect: Effect) -> None:
        if isinstance(effect, t.Arm):
            self._arm(effect.timer, effect.seconds)
        elif isinstance(effect, t.Disarm):
            self._disarm(effect.timer)
        elif isinstance(effect, t.Tell):
            _log.info("network: %s", effect.step.value)
            self._world.tell(effect)
        elif isinstance(effect, t.Scrub):
            self._world.scrub()
        else:
            await self._ask(effect)

    async def _ask(self, effect: Effect) -> None:
        match effect:
            case t.SetCountry():
                await self._world.set_country(effect.country)
            case t.Scan():
                self._begin(self._scan())
            case t.Probe():
                self._begin(self._probe(effect.hub))
            case t.Raise():
                self._raised = effect
                await self._or(t.Expired(Timer.RAISE), self._raise(effect))
            case t.Lower():
                self._raised = None
                await self._world.close_page()
                await self._manager.lower_hotspot()
            case _:
                await self._manage(effect)

    async def _manage(self, effect: Effect) -> None:
        match effect:
            case t.Join():
                await self._or(t.Down(Cause.FAILED), self._manager.join(effect.wifi))
            case t.Keep():
                await self._or(None, self._manager.keep())
            case t.Undo():
                await self._manager.undo()
            case t.Forget():
                await self._or(t.ManagerGone(), self._manager.forget())
            case t.Look():
                await self._manager.glance()
            case t.Reconnect():
                await self._or(None, self._manager.reconnect())
            case _:
                raise AssertionError(f"nobody does {effect}")

    async def _or(self, otherwise: Event | None, work: Awaitable[None]) -> None:
        """Do it; post ``otherwise`` where NetworkManager does not."""
        try:
            await work
        except ServiceError as error:
            _log.warning("network: %s", error)
            if otherwise is not None:
                self.post(otherwise)

    async def _raise(self, effect: t.Raise) -> None:
        await self._manager.raise_hotspot(self._hotspot, effect.key)

    async def _open_page(self, raised: t.Raise) -> None:
        self._raised = None
        try:
            await self._world.open_page(raised)
        except OSError as error:
            _log.warning("network: the page cannot be served: %s", error)
            self.post(t.Expired(Timer.RAISE))

    async def _scan(self) -> None:
        networks: tuple[Seen, ...] = ()
        with contextlib.suppress(ServiceError):
            networks = await self._manager.scan()
        self.post(t.Scanned(networks))

    async def _probe(self, hub: str) -> None:
        self.post(t.Probed(await self._world.probe(hub)))

    def _begin(self, errand: Awaitable[None]) -> None:
        """Do it while other things happen; what comes of it is an event."""
        task = asyncio.ensure_future(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # --- timers -----------------------------------------------------------------------

    def _arm(self, timer: Timer, seconds: float) -> None:
        self._disarm(timer)
        loop = asyncio.get_running_loop()
        self._timers[timer] = loop.call_later(seconds, self._ring, timer)

    def _disarm(self, timer: Timer) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def _ring(self, timer: Timer) -> None:
        self._timers.pop(timer, None)
        self.post(Expired(timer, fresh_key() if timer is Timer.CABLE else ""))
