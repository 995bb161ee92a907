"""A stage of Discord: the hub's bot comes as audience, asks to speak, and is heard. Experimental.

What people say there does not come here: how bots receive sound is not documented by Discord,
so it is not available there.
"""

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import aiohttp

from hub.bridges import discord_link
from hub.bridges.discord_machine import Do, StageMachine
from hub.bridges.discord_terms import MISSING, Stage, shown
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError
from stagebox.media.toc import is_end_of_burst

# How often it is looked whether the voice server still has us, and somebody still talks.
LOOK_S: Final = 0.5
# A talker whose last packet was lost: the ring around our picture goes out.
QUIET_S: Final = 1.0
# A crowd that comes in is told once.
SETTLE_S: Final = 0.1

log = logging.getLogger(__name__)


class StageFar:
    """Implements ``Far`` by a stage. ``connector`` makes another way to Discord than the usual."""

    can = Abilities(roster=True, mute=True, hands=True)

    def __init__(
        self,
        stage: Stage,
        token: str,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self._stage = stage
        self._token = token
        self._connector = connector
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[FarError] = self._loop.create_future()
        self._machine = StageMachine()
        self._link: discord_link.Link | None = None
        self._ear: Ear | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._sent_at = self._loop.time()
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, ear: Ear) -> None:
        """See ``Far``. What it may do there is told by notes."""
        try:
            # Beside the loop: it takes a second on a PC, and more on a Pi.
            await asyncio.to_thread(discord_link.library)
        except ImportError as error:
            raise FarError(Cause.FAILED, f"{MISSING} ({error.name})") from None
        connector = self._connector() if self._connector is not None else None
        news = discord_link.News(self._changed, self._end)
        self._link = discord_link.Link(self._stage, news, connector)
        await self._link.join(self._token)
        self._ear = ear
        self._look()
        if self._over.done():
            raise self._over.result()

    async def stay(self) -> None:
        """See ``Far``."""
        was_gone = False
        while not self._over.done():
            await asyncio.wait((self._over,), timeout=LOOK_S)
            link = self._link
            is_gone = link is None or not link.is_connected
            if link is None or (is_gone and was_gone):  # why, is told in between if ever
                self._end(FarError(Cause.LOST, "Discord's voice server does not have us any more."))
            elif self._loop.time() - self._sent_at >= QUIET_S:
                link.rest()
            was_gone = is_gone
        raise self._over.result()

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:  # noqa: ARG002 - the port's
        """See ``Far``. In the audience nobody would hear it: then it asks to speak instead."""
        link, now = self._link, self._loop.time()
        if link is None or self._ear is None:
            return False
        if not self._machine.is_heard:
            self._do(self._machine.talk(now))
            return False
        self._sent_at = now
        if is_end_of_burst(payload):
            link.rest()
            return True
        return link.send(payload, timestamp)

    def show(self, name: str) -> None:
        """See ``Far``: a bot has the name that it was given."""

    def permit(self, identity: str, *, speaks: bool) -> None:
        """See ``Moderates``; people are invited, and decide themselves."""
        link = self._link
        if link is not None and identity.isdecimal():
            self._spawn(functools.partial(link.permit, int(identity), speaks=speaks))

    async def leave(self) -> None:
        """See ``Far``."""
        self._ear = None
        if self._settling is not None:
            self._settling.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        link, self._link = self._link, None
        if link is not None:
            await link.leave()

    # --- private --------------------------------------------------------------

    def _changed(self) -> None:
        if self._settling is None and self._ear is not None:
            self._settling = self._loop.call_later(SETTLE_S, self._look)

    def _look(self) -> None:
        """See what the stage looks like, do what that asks for, and tell."""
        self._settling = None
        link, ear = self._link, self._ear
        if link is None or ear is None:
            return
        view, was_heard = link.look(), self._machine.is_heard
        if view is None:
            return
        self._do(self._machine.see(view.shown, view.rights, self._loop.time()))
        if was_heard and not self._machine.is_heard:
            link.rest()
        ear.people(shown(view.entries, view.rights))
        ear.note(self._machine.note)

    def _do(self, deeds: list[Do]) -> None:
        link = self._link
        for deed in deeds:
            match deed:
                case Do.ASK if link is not None:
                    self._spawn(link.ask)
                case Do.STEP_UP if link is not None:
                    self._spawn(link.step_up)
                case _:
                    why = "Somebody put the hub's bot out of the stage in Discord, or moved it."
                    self._end(FarError(Cause.REMOVED_THERE, why))

    def _spawn(self, deed: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(self._try(deed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, deed: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it; what is not granted is seen in the stage, or asked for in another way."""
        try:
            await deed()
        except FarError as error:
            log.info("a stage in Discord: %s", error.detail)
            self._do(self._machine.refused(self._loop.time()))

    def _end(self, error: FarError) -> None:
        if not self._over.done():
            self._over.set_result(error)
