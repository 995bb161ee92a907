"""One wish at work: one machine, and one player at a time. A shell with one task."""

import asyncio
import logging
from collections.abc import Callable

from msgspec.structs import replace

from hub.speakers.machine import Condition, Event, SpeakerMachine
from hub.speakers.port import Player
from hub.speakers.terms import Cause, Found, Sound, SpeakerError, State, Told
from hub.speakers.wish import Wish

log = logging.getLogger(__name__)

_FAILED = SpeakerError(Cause.FAILED, "It failed here: look at the hub's log.")

_BROKE = SpeakerError(Cause.LOST, "The stream broke off here.")


class Playing:
    """That a speaker plays a space, from ``start`` to ``aclose``.

    ``make`` returns a player for each try, ``sound`` what a space sounds like for a speaker,
    None once it is not streamed. ``settled(wish)`` is called when a person at the speaker
    ended it, so that it stays ended.
    """

    def __init__(
        self,
        wish: Wish,
        make: Callable[[Found], Player],
        sound: Callable[[str, Found], Sound | None],
        settled: Callable[[Wish], None],
    ) -> None:
        self.wish = wish
        self.found: Found | None = None
        self.level: float | None = None
        self._make = make
        self._sound = sound
        self._settled = settled
        self._loop = asyncio.get_running_loop()
        self._machine = SpeakerMachine()
        self._news = asyncio.Event()
        self._turn = 0
        self._player: Player | None = None
        self._logged = ""
        self._broke = 0.0
        # How many streams ended here by the hub's own fault.
        self.broke: Callable[[], float] = lambda: 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def condition(self) -> Condition:
        """What people are shown."""
        return self._machine.condition

    @property
    def plays(self) -> int:
        """How often it began to play."""
        return self._machine.plays

    def start(self) -> None:
        """Begin, as the wish says."""
        self._task = asyncio.create_task(self._run())
        if self.wish.on:
            self.handle(Event.ON)

    async def aclose(self) -> None:
        """Fall silent, and be gone. The wish is as it was."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def handle(self, event: Event) -> None:
        """Let something happen."""
        if self._machine.handle(event, self._loop.time()):
            self._news.set()

    def see(self, found: Found) -> None:
        """Know where the speaker is."""
        self.found = found
        self.handle(Event.FOUND)

    def change(self, wish: Wish) -> None:
        """Want something else of the same speaker; what it plays already plays on."""
        if wish.space != self.wish.space:
            self._turn += 1
            self._news.set()
            self.handle(Event.OFF)
        self.wish = wish
        self.handle(Event.ON if wish.on else Event.OFF)

    async def set_volume(self, level: float) -> None:
        """Set the speaker's volume, 0 to 1.

        Raises:
            SpeakerError: it does not play, or does not take it.
        """
        player = self._player
        if player is None or self.condition.state is not State.PLAYING:
            raise SpeakerError(Cause.LOST, "It does not play now: start it first.")
        await player.set_volume(level)
        self.level = level

    # --- private --------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._news.clear()
            if self._machine.is_at_work:
                await self._once()
            else:
                await self._rest()

    async def _rest(self) -> None:
        next_at = self.condition.next_at
        try:
            async with asyncio.timeout_at(next_at):
                await self._news.wait()
        except TimeoutError:
            self.handle(Event.DUE)

    async def _once(self) -> None:
        """Play once, until it is over or is not wanted any more."""
        sound = self._sound(self.wish.space, self.found) if self.found is not None else None
        if self.found is None or sound is None:
            self.handle(Event.SILENCED)
            return
        player, turn = self._make(self.found), self._turn
        work = asyncio.create_task(self._play(player, sound))
        try:
            while not work.done() and self._machine.is_at_work and self._turn == turn:
                await self._something(work)
            if work.done() and not work.cancelled() and self._turn == turn:
                self._over(work.exception())
        finally:
            self._player = None
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await asyncio.shield(player.stop())

    async def _something(self, work: asyncio.Task[None]) -> None:
        """Wait for the end of the work, or for news."""
        self._news.clear()
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait((work, news), return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()

    async def _play(self, player: Player, sound: Sound) -> None:
        self._broke = self.broke()
        await player.play(sound, self._told)
        self._player = player
        self.handle(Event.PLAYING)
        self._logged = ""
        log.info("speaker %s plays %s", self.wish.name, sound.space)
        await player.stay()

    def _told(self, told: Told) -> None:
        if told.level is not None:
            self.level = min(1.0, max(0.0, told.level))

    def _over(self, error: BaseException | None) -> None:
        if self.found is not None and self._sound(self.wish.space, self.found) is None:
            self.handle(Event.SILENCED)  # it ended with the stream, and not by anybody there
            return
        if not isinstance(error, SpeakerError):
            log.error("speaker %s failed", self.wish.name, exc_info=error)
            error = _FAILED
        elif error.cause is Cause.STOPPED_THERE and self.broke() != self._broke:
            error = _BROKE  # a speaker has one word for this and for what a person does
        self._machine.over(error.cause, error.detail, self._loop.time())
        if error.detail != self._logged:  # a speaker that is away for a night is one line
            self._logged = error.detail
            log.warning("speaker %s: %s (%s)", self.wish.name, error.detail, error.cause)
        if self.condition.state is State.STOPPED:
            self.wish = replace(self.wish, on=False)
            self._settled(self.wish)
