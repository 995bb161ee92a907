"""An X Space: the hub listens as its audience does, and speaks once a host there lets it.

Unofficial, off by default, and with the session of the user: see ``x_settings``. While
it listens it hears what was said ten seconds ago; once it speaks it hears the others as
they do each other. It has never run against X itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError, Person
from hub.bridges.x_answers import (
    LATER_S,
    Stream,
    authorization_of,
    door_of,
    gateway_of,
    login_of,
    pass_of,
    space_of,
    stream_of,
    wish_of,
)
from hub.bridges.x_chat import Event, Reacted
from hub.bridges.x_desk import Desk, Talk
from hub.bridges.x_machine import Act, Crowd, Stage, Turn
from hub.bridges.x_podium import Entry, Podium
from hub.bridges.x_radio import Radio
from hub.bridges.x_settings import XConfig
from hub.bridges.x_terms import Guest, Service, Web, space_id
from stagebox.media.rtp import AudioPacket

# X counts what is asked, and who asks for the same thing again and again is no person.
CALM_S: Final = 20.0
# So long after we spoke the broadcast may still bring our own voice.
_TAIL_S: Final = 15.0
# To a chat that breaks again and again nobody comes back; a moment later it may be there.
_COMEBACKS: Final = 3
_COMEBACK_S: Final = 1.0
_GOODBYE_S: Final = 2.0
_REMOVED: Final = (
    "Somebody there took this hub's right to speak. From now on it only listens; to ask"
    " again, remove the bridge and make it anew, or start the hub anew."
)

Work = Callable[[], Coroutine[Any, Any, None]]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Memory:
    """What one try knows of the one before. ``removed``: it is not to ask to speak again.

    ``spoke_at``: when it last spoke there, which the broadcast brings back later.
    """

    removed: bool = False
    spoke_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Visit:
    """Where to. ``speaks``: whether it asks to speak there."""

    url: str
    speaks: bool
    config: XConfig


class XSpace:
    """Implements ``Far`` by a Space."""

    def __init__(self, visit: Visit, memory: Memory) -> None:
        self._visit = visit
        self._memory = memory
        self._asks = visit.speaks and not memory.removed
        self.can = Abilities(roster=True, mute=self._asks, talker=self._asks, hands=self._asks)
        self._turn = Turn(removed=visit.speaks and memory.removed)
        self._crowd = Crowd({})
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[FarError] = self._loop.create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ear = Ear(lambda _packet, _now: None, lambda _people: None)
        self._noted = ""  # of the stage
        self._desk: Desk | None = None
        self._radio: Radio | None = None
        self._listening: asyncio.Task[None] | None = None
        self._talk: Talk | None = None
        self._podium: Podium | None = None
        self._guest: Guest | None = None

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        try:
            await self._join(ear)
        except FarError as error:
            raise _calm(error) from None

    async def stay(self) -> None:
        """See ``Far``."""
        raise await asyncio.shield(self._over)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """See ``Far``: nobody there hears it before it may speak."""
        podium = self._podium
        if podium is None or self._turn.stage is not Stage.SPEAKING:
            return False
        self._memory.spoke_at = self._loop.time()
        return podium.send(payload, sequence, timestamp, marker)

    def show(self, name: str) -> None:
        """See ``Far``: an account has the name that it has."""

    async def leave(self) -> None:
        """See ``Far``."""
        tasks, self._tasks = self._tasks, set()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        radio, self._radio = self._radio, None
        podium, self._podium = self._podium, None
        talk, self._talk = self._talk, None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_S):
                await asyncio.gather(
                    self._withdraw(),
                    *(each.aclose() for each in (radio, talk) if each is not None),
                    *(each.leave() for each in (podium,) if each is not None),
                    return_exceptions=True,
                )
        desk, self._desk = self._desk, None
        if desk is not None:
            await desk.aclose()

    # --- private --------------------------------------------------------------

    async def _join(self, ear: Ear) -> None:
        config, self._ear = self._visit.config, ear
        web = Web(config.endpoints, config.session())
        space = space_id(self._visit.url)
        self._desk = desk = Desk()
        found = space_of(await desk.ask(web.space(space)))
        self._crowd = Crowd(found.people)
        asked = web.stream(found.media_key)
        stream = stream_of(await desk.ask(asked), asked.url)
        self._radio = radio = Radio(desk, stream.playlist, replace(ear, heard=self._heard))
        await radio.begin()
        if self._asks:
            await self._ask_to_speak(desk, web, space, stream)
        self._listening = self._begin(radio.run)
        self._tell()

    def _heard(self, packet: AudioPacket, now: float) -> None:
        """Hear the broadcast, but not ourselves in it."""
        if self._podium is None and now > self._memory.spoke_at + _TAIL_S:
            self._ear.heard(packet, now)

    async def _ask_to_speak(self, desk: Desk, web: Web, space: str, stream: Stream) -> None:
        """Become somebody there, follow the chat, and ask."""
        if not stream.chat_token:
            raise FarError(Cause.NOT_ALLOWED, "X lets this account into no chat of this Space.")
        service = Service(web.at)
        login = login_of(await desk.ask(service.login(pass_of(await desk.ask(web.periscope())))))
        right = authorization_of(await desk.ask(service.authorize(login.cookie)))
        if login.user in self._crowd.ids:
            why = "This account speaks in this Space already, here or elsewhere."
            raise FarError(Cause.ALREADY_BRIDGED, why)
        self._crowd.own = login.user
        self._guest = guest = Guest(web.at, right, space, stream.chat_token)
        asked = service.chat(login.cookie, stream.chat_token)
        # The chat comes first: an answer to what was asked is told there once.
        come = partial(desk.chat, door_of(await desk.ask(asked), asked.url), space)
        self._talk = await come()
        self._turn.asks(login.user, wish_of(await desk.ask(guest.submit())))
        self._begin(partial(self._follow, come))

    async def _follow(self, come: Callable[[], Coroutine[Any, Any, Talk]]) -> None:
        """Do what the chat tells. Whoever is on the stage comes back to a chat that broke."""
        left = _COMEBACKS
        while self._talk is not None:
            try:
                event = await self._talk.next()
            except FarError:
                # Before that, an answer may have been told meanwhile: it asks anew.
                if not left or not self._turn.is_on_stage:
                    raise
                left -= 1
                await asyncio.sleep(_COMEBACK_S)
                self._talk = await come()
            else:
                left = _COMEBACKS
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Reacted):
            self._ear.reacted(event.mark)
            return
        known, turned = self._crowd.take(event), self._turn.take(event)
        if turned and self._turn.stage is Stage.ACCEPTED:
            self._begin(self._speak)
        if known or turned:
            self._tell()

    async def _speak(self) -> None:
        """Go where those are who speak, for as long as it lasts.

        Raises:
            FarError: always, in the end.
        """
        desk, guest, turn = self._desk, self._guest, self._turn
        if desk is None or guest is None:
            raise FarError(Cause.FAILED, "It was left meanwhile.")
        asked = guest.negotiate(turn.wish)
        gateway = gateway_of(await desk.ask(asked), asked.url)
        podium = Podium(Entry(gateway, guest.space, turn.user, turn.wish))
        self._podium = podium
        await podium.join(replace(self._ear, people=self._on_stage, note=self._on_note))
        if self._listening is not None and self._radio is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            await self._radio.aclose()
        await desk.ask(guest.mute(turn.wish, muted=False))
        turn.handle(Act.ENTER)
        self._tell()
        await podium.stay()

    def _on_stage(self, people: tuple[Person, ...]) -> None:
        if self._crowd.heard(people):
            self._tell()

    def _on_note(self, sentence: str) -> None:
        self._noted = sentence
        self._tell()

    def _tell(self) -> None:
        self._ear.people(self._crowd.people)
        self._ear.note(self._turn.note or self._noted)

    def _begin(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.create_task(self._done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _done(self, work: Work) -> None:
        """Do something, whose end is the end of it all."""
        try:
            await work()
        except FarError as error:
            self._end(error)
        except Exception:
            log.exception("a bridge to a Space failed")
            self._end(FarError(Cause.FAILED, "The bridge failed: look at the hub's log."))

    def _end(self, error: FarError) -> None:
        if error.cause is Cause.REMOVED_THERE and self._turn.handle(Act.REMOVE):
            self._memory.removed = True
            error = FarError(error.cause, _REMOVED)
        if not self._turn.waits:  # else it withdraws as it leaves
            self._turn.handle(Act.END)
        if not self._over.done():
            self._over.set_result(_calm(error))

    async def _withdraw(self) -> None:
        """Ask no longer; a host there is not to let somebody speak who is gone."""
        desk, guest = self._desk, self._guest
        if desk is not None and guest is not None and self._turn.waits:
            self._turn.handle(Act.WITHDRAW)
            with contextlib.suppress(FarError):
                await desk.ask(guest.cancel(self._turn.wish))


def _calm(error: FarError) -> FarError:
    """Return the same, to be tried again later than other systems need."""
    over = error.cause in {Cause.ROOM_ENDED, Cause.NOTHING_THERE, Cause.WRONG_SECRET}
    wait_s = max(error.retry_after_s, LATER_S if over else CALM_S)
    return FarError(error.cause, error.detail, wait_s)
