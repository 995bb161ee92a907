"""All speakers that a hub has found, and what each is to play; the wishes are kept."""

import asyncio
import contextlib
import dataclasses
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from hub.speakers.kept import Kept
from hub.speakers.machine import Condition, Event
from hub.speakers.playing import Playing
from hub.speakers.port import Adapter, Ear
from hub.speakers.terms import (
    MAX_SPEAKERS,
    Announced,
    Found,
    Kind,
    Sound,
    SpeakerError,
    State,
    clean_name,
    clean_text,
    is_id,
)
from hub.speakers.wish import Wish

# Each is a connection of its own; a house with more has an installer.
MOST: Final = 32
# How soon a space that is streamed by now is noticed.
LOOK_S: Final = 0.5
# How soon an adapter that failed looks again.
AGAIN_S: Final = 5.0

Key = tuple[Kind, str]

log = logging.getLogger(__name__)


class UnknownSpeakerError(LookupError):
    """There is no such speaker; the text says what to do."""


class TooManyError(Exception):
    """No more may play; the text says how many do."""


@dataclass(frozen=True, slots=True)
class Around:
    """What speakers know of the hub.

    ``title(space_id)``: a space's name, None while it is not streamed. ``urls(space_id, host)``:
    where a speaker at this address fetches it, by format. ``broke()``: how many streams ended
    here by a fault of the hub's own so far. ``hears(mark)``: an address that ends with this
    mark is being fetched. ``played``: hears which spaces are played where, by name, whenever
    that is another than before.
    """

    title: Callable[[str], str | None]
    urls: Callable[[str, str], Mapping[str, str]]
    broke: Callable[[], float] = lambda: 0.0
    hears: Callable[[str], bool] = lambda _mark: True
    played: Callable[[Mapping[str, tuple[str, ...]]], None] = lambda _played: None


@dataclass(frozen=True, slots=True)
class Status:
    """What people are shown of a speaker. ``space``: what it is to play; empty: nothing."""

    kind: Kind
    id: str
    name: str
    address: str
    is_there: bool
    space: str
    condition: Condition
    level: float | None


class Speakers:
    """All of them. ``folder``: where wishes are kept. One shell, on the event loop."""

    def __init__(self, adapters: Iterable[Adapter], around: Around, folder: Path) -> None:
        self._adapters = {each.kind: each for each in adapters}
        self._around = around
        self._kept = Kept(folder)
        self._found: dict[Key, Found] = {}
        self._playing: dict[Key, Playing] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._left_out = 0
        self._played: Mapping[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """Look for speakers, and go on with what was wished before."""
        for wish in self._kept.read():
            if wish.kind in self._adapters and len(self._playing) < MOST:
                self._begin(wish)
        self._tasks = [asyncio.create_task(self._look(each)) for each in self._adapters.values()]
        self._tasks.append(asyncio.create_task(self._watch()))

    async def aclose(self) -> None:
        """Fall silent everywhere; after the next start everything plays on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(each.aclose() for each in self._playing.values()))

    @property
    def services(self) -> tuple[str, ...]:
        """The mDNS types that its adapters want to hear of."""
        return tuple(sorted({each for one in self._adapters.values() for each in one.services}))

    def announced(self, service: Announced) -> None:
        """Tell the adapters what mDNS announces."""
        for adapter in self._adapters.values():
            if service.service in adapter.services:
                adapter.announced(service)

    def withdrawn(self, service: str, name: str) -> None:
        """Tell the adapters what it does not announce any more."""
        for adapter in self._adapters.values():
            if service in adapter.services:
                adapter.withdrawn(service, name)

    def statuses(self) -> list[Status]:
        """Return what people are shown, by name."""
        every = self._found.keys() | self._playing.keys()
        return sorted(map(self.status, every), key=lambda each: (each.name.casefold(), each.id))

    def status(self, key: Key) -> Status:
        """Return what people are shown of one.

        Raises:
            UnknownSpeakerError: there is none.
        """
        found, playing = self._found.get(key), self._playing.get(key)
        if found is None and playing is None:
            raise UnknownSpeakerError("No such speaker was found: is it switched on?")
        seen = found or (playing.found if playing is not None else None)
        return Status(
            kind=key[0],
            id=key[1],
            name=seen.name if seen is not None else playing.wish.name if playing else "",
            address=seen.address if seen is not None else "",
            is_there=found is not None,
            space=playing.wish.space if playing is not None else "",
            condition=playing.condition if playing is not None else Condition(),
            level=playing.level if playing is not None else None,
        )

    def play(self, key: Key, space: str) -> Status:
        """Have a speaker play a space, now and whenever it can.

        Raises:
            UnknownSpeakerError: there is none.
            TooManyError: it would be one too many.
            OSError: it cannot be kept; then nothing has changed.
        """
        wish = Wish(kind=key[0], id=key[1], name=self.status(key).name, space=space)
        playing = self._playing.get(key)
        if playing is None and len(self._playing) >= MOST:
            raise TooManyError(f"{MOST} speakers play or wait, which is all that may: remove one.")
        self._keep(wish)
        if playing is None:
            self._begin(wish)
        else:
            playing.change(wish)
        return self.status(key)

    def stop(self, key: Key) -> Status:
        """Have a speaker play nothing of ours any more.

        Raises:
            UnknownSpeakerError: there is none.
            OSError: it cannot be kept; then nothing has changed.
        """
        playing = self._playing.get(key)
        if playing is not None:
            wish = replace(playing.wish, on=False)
            self._keep(wish)
            playing.change(wish)
        return self.status(key)

    async def forget(self, key: Key) -> None:
        """Have it play nothing, and know nothing of it unless it is there.

        Raises:
            UnknownSpeakerError: there is none.
            OSError: it cannot be kept; then nothing has changed.
        """
        self.status(key)
        playing = self._playing.get(key)
        if playing is not None:
            self._kept.write(each.wish for each in self._playing.values() if each is not playing)
            del self._playing[key]
            await playing.aclose()

    async def set_volume(self, key: Key, level: float) -> Status:
        """Set a speaker's volume, 0 to 1.

        Raises:
            UnknownSpeakerError: there is none.
            SpeakerError: it does not play, or does not take it.
        """
        status = self.status(key)
        playing = self._playing.get(key)
        if playing is None:
            raise SpeakerError(status.condition.cause, "It plays nothing: start it first.")
        await playing.set_volume(level)
        return self.status(key)

    def states(self) -> Mapping[str, float]:
        """Return how many speakers are in which state, for /metrics."""
        found: dict[str, float] = {each.value: 0.0 for each in State}
        for playing in self._playing.values():
            found[playing.condition.state.value] += 1
        return found

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        return {
            "found": len(self._found),
            "left_out": self._left_out,
            "plays": sum(each.plays for each in self._playing.values()),
        }

    # --- private --------------------------------------------------------------

    def _begin(self, wish: Wish) -> None:
        adapter = self._adapters[wish.kind]
        playing = Playing(wish, adapter.player, self._sound, self._settled)
        playing.broke = self._around.broke
        self._playing[wish.key] = playing
        if self._around.title(wish.space) is not None:
            playing.handle(Event.STREAMED)
        if wish.key in self._found:
            playing.see(self._found[wish.key])
        playing.start()

    def _sound(self, space: str, found: Found) -> Sound | None:
        title = self._around.title(space)
        if title is None:
            return None
        mark = secrets.token_hex(8)
        plain = self._around.urls(space, found.host)
        # Some look at how an address ends, to know what they get.
        urls = {kind: f"{url}?for={mark}.{kind}" for kind, url in plain.items() if kind != "hls"}
        return Sound(space, title, {**plain, **urls}, lambda: self._around.hears(mark))

    async def _look(self, adapter: Adapter) -> None:
        """Let an adapter look, through whatever it stumbles over."""

        def gone(id_: str) -> None:
            self._found.pop((adapter.kind, id_), None)
            if (playing := self._playing.get((adapter.kind, id_))) is not None:
                playing.handle(Event.GONE)

        while True:
            try:
                await adapter.run(Ear(lambda found: self._take(adapter.kind, found), gone))
            except Exception:
                log.exception("looking for %s speakers failed", adapter.kind)
            await asyncio.sleep(AGAIN_S)

    def _take(self, kind: Kind, found: Found) -> None:
        key = (kind, found.id)
        of_kind = sum(each is kind for each, _ in self._found)
        is_new = key not in self._found and key not in self._playing
        if not is_id(found.id) or (is_new and of_kind >= MAX_SPEAKERS):
            self._left_out += 1
            return
        found = dataclasses.replace(
            found, name=clean_name(found.name), address=clean_text(found.address)
        )
        self._found[key] = found
        if (playing := self._playing.get(key)) is not None:
            playing.see(found)

    async def _watch(self) -> None:
        """Notice spaces that are streamed by now, or no longer, and tell what is played."""
        while True:
            for playing in self._playing.values():
                streamed = self._around.title(playing.wish.space) is not None
                playing.handle(Event.STREAMED if streamed else Event.SILENCED)
            self._tell_played()
            await asyncio.sleep(LOOK_S)

    def _tell_played(self) -> None:
        found: dict[str, list[str]] = {}
        for each in self.statuses():
            if each.condition.state is State.PLAYING:
                found.setdefault(each.space, []).append(each.name)
        played = {space: tuple(names) for space, names in found.items()}
        if played != self._played:
            self._played = played
            self._around.played(played)

    def _settled(self, wish: Wish) -> None:
        with contextlib.suppress(OSError):  # it is stopped, and will be asked about at worst
            self._keep(wish)

    def _keep(self, wish: Wish) -> None:
        others = (each.wish for each in self._playing.values() if each.wish.key != wish.key)
        self._kept.write((*others, wish))
