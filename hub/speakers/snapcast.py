"""Snapcast: clients of a server that play one stream at the same moment, room by room.

The hub feeds a source of the server's with samples, and says by its control port which
group of clients plays it. Clients of one group always play the same.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from hub.speakers.port import Ear
from hub.speakers.snapcast_feed import Feed, Feeds, Programmes
from hub.speakers.snapcast_link import SnapcastLink
from hub.speakers.snapcast_terms import SERVICE, Client, Group, Server
from hub.speakers.terms import (
    Announced,
    Cause,
    Found,
    Kind,
    Sound,
    SpeakerError,
    Told,
    clean_text,
    is_id,
)

# A server that was started again is back within a second or two, and its rooms play on.
AGAIN_S: Final = 1.0
# News comes by itself; a look now and then finds a server that stands still.
LOOK_S: Final = 5.0
# News in a flood is looked at so often.
PACE_S: Final = 0.1
STOP_S: Final = 2.0
MAX_SERVERS: Final = 16
MAX_GROUPS: Final = 256

log = logging.getLogger(__name__)


class SnapcastHouse:
    """Implements ``Adapter``. ``addresses``: servers that are not announced."""

    kind = Kind.SNAPCAST
    services: tuple[str, ...] = (SERVICE,)

    def __init__(self, addresses: Iterable[str], programmes: Programmes) -> None:
        self._fixed = tuple(addresses)
        self._announced: dict[str, str] = {}
        self._feeds = Feeds(programmes)
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._shown: dict[str, set[str]] = {}
        self._rooms = Rooms()
        self._ear: Ear | None = None

    async def run(self, ear: Ear) -> None:
        """See ``Adapter``."""
        self._ear = ear
        self._adjust()
        try:
            await asyncio.Event().wait()
        finally:
            self._ear = None
            self._adjust()

    def announced(self, service: Announced) -> None:
        """See ``Adapter``."""
        host = f"[{service.host}]" if ":" in service.host else service.host
        if service.name in self._announced or len(self._announced) < MAX_SERVERS:
            self._announced[service.name] = f"{host}:{service.port}"
            self._adjust()

    def withdrawn(self, service: str, name: str) -> None:  # noqa: ARG002 - the port's
        """See ``Adapter``."""
        self._announced.pop(name, None)
        self._adjust()

    def player(self, speaker: Found) -> "SnapcastPlayer":
        """See ``Adapter``."""
        return SnapcastPlayer(speaker, self._feeds, self._rooms)

    # --- private --------------------------------------------------------------

    def _adjust(self) -> None:
        """Watch the servers that are known, and no others."""
        wanted = {*self._fixed, *self._announced.values()} if self._ear is not None else set()
        for address in self._watches.keys() - wanted:
            self._watches.pop(address).cancel()
        for address in wanted - self._watches.keys():
            self._watches[address] = asyncio.create_task(self._watch(address))

    async def _watch(self, address: str) -> None:
        logged = ""
        while True:
            try:
                await self._follow(address)
            except SpeakerError as error:
                if error.detail != logged:
                    logged = error.detail
                    log.info("%s", error.detail)
            finally:
                self._show(address, ())
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, address: str) -> None:
        link = await SnapcastLink.open(address)
        try:
            while True:
                link.news.clear()
                status = await link.status()
                self._show(address, [_found(each, address, link) for each in status.clients()])
                await _news(link)
        finally:
            await link.aclose()

    def _show(self, address: str, found: Iterable[Found]) -> None:
        ear, before = self._ear, self._shown.get(address, set())
        now = {each.id: each for each in found if is_id(each.id)}
        self._shown[address] = set(now)
        if ear is None:
            return
        elsewhere = {each for at, ids in self._shown.items() if at != address for each in ids}
        for id_ in before - now.keys() - elsewhere:
            ear.gone(id_)
        for each in now.values():
            ear.found(each)


class SnapcastPlayer:
    """Implements ``Player``: one client."""

    def __init__(self, speaker: Found, feeds: Feeds, rooms: "Rooms") -> None:
        self._speaker = speaker
        self._feeds = feeds
        self._rooms = rooms
        self._told: Callable[[Told], None] = lambda _told: None
        self._link: SnapcastLink | None = None
        self._feed: Feed | None = None
        self._group = ""

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """See ``Player``."""
        self._told = told
        link = self._link = await SnapcastLink.open(self._speaker.key)
        status = await link.status()
        group, _client = self._placed(status)
        server = (self._speaker.key, link.host)
        feed = self._feed = await self._feeds.take(server, status.lanes(), sound.space)
        self._group = group.id
        before = "" if group.stream_id in status.lanes() else group.stream_id
        self._rooms.enter((self._speaker.key, group.id), before)
        await link.ask("Group.SetStream", id=group.id, stream_id=feed.lane)

    async def stay(self) -> None:
        """See ``Player``."""
        link, feed = self._link, self._feed
        if link is None or feed is None:
            raise SpeakerError(Cause.FAILED, "It was never played.")
        while True:
            link.news.clear()
            self._look(await link.status(), feed)
            await _news(link, feed)
            if feed.over.done():
                raise SpeakerError(Cause.LOST, "The Snapcast server takes no sound any more.")

    async def set_volume(self, level: float) -> None:
        """See ``Player``."""
        if self._link is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        percent = round(100 * min(1.0, max(0.0, level)))
        volume = {"percent": percent, "muted": False}
        await self._link.ask("Client.SetVolume", id=self._speaker.id, volume=volume)
        # Of what we do ourselves a server sends us no news.
        self._told(Told(percent / 100))

    async def stop(self) -> None:
        """See ``Player``."""
        link, feed, group = self._link, self._feed, self._group
        self._link, self._feed, self._group = None, None, ""
        last = bool(group) and self._rooms.leave((self._speaker.key, group))
        if link is not None:
            if feed is not None and last:
                with contextlib.suppress(SpeakerError, TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await self._give_back(link, feed, group)
            await link.aclose()
        if feed is not None:
            self._feeds.release(self._speaker.key, feed)

    # --- private --------------------------------------------------------------

    def _placed(self, status: Server) -> tuple[Group, Client]:
        found = status.place_of(self._speaker.id)
        if found is None or not found[1].connected:
            raise SpeakerError(Cause.UNREACHABLE, "Its Snapcast client is not connected.")
        return found

    def _look(self, status: Server, feed: Feed) -> None:
        found = status.place_of(self._speaker.id)
        if found is None or not found[1].connected:
            raise SpeakerError(Cause.LOST, "Its Snapcast client is gone.")
        group, client = found
        if group.stream_id != feed.lane:
            other = clean_text(group.stream_id, 40)
            raise SpeakerError(Cause.TAKEN, f"Somebody chose another source there: {other}.")
        self._told(Told(client.level))

    async def _give_back(self, link: SnapcastLink, feed: Feed, group: str) -> None:
        """Let the group have what it had, unless it has something else by now."""
        before = self._rooms.before((self._speaker.key, group))
        status = await link.status()
        ours = any(each.id == group and each.stream_id == feed.lane for each in status.groups)
        if ours and any(stream.id == before for stream in status.streams):
            await link.ask("Group.SetStream", id=group, stream_id=before)


class Rooms:
    """Who of us plays in which group, and what each group played before, tries and all."""

    def __init__(self) -> None:
        self._here: Counter[tuple[str, str]] = Counter()
        self._before: dict[tuple[str, str], str] = {}

    def enter(self, group: tuple[str, str], before: str) -> None:
        """Play in a group; ``before``: what it played, empty if that was ours."""
        self._here[group] += 1
        if before:
            self._before.pop(group, None)
            self._before[group] = before
            if len(self._before) > MAX_GROUPS:
                del self._before[next(iter(self._before))]

    def leave(self, group: tuple[str, str]) -> bool:
        """Play there no more; say whether nobody of us does."""
        self._here[group] -= 1
        if self._here[group] > 0:
            return False
        del self._here[group]
        return True

    def before(self, group: tuple[str, str]) -> str:
        """Return what it played before; empty: not known."""
        return self._before.get(group, "")


async def _news(link: SnapcastLink, feed: Feed | None = None) -> None:
    """Wait until something changed, or it is time to look."""
    await asyncio.sleep(PACE_S)
    news = asyncio.ensure_future(link.news.wait())
    try:
        over = (feed.over,) if feed is not None else ()
        await asyncio.wait((news, *over), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()


def _found(client: Client, address: str, link: SnapcastLink) -> Found:
    return Found(
        kind=Kind.SNAPCAST,
        id=client.id,
        name=client.name,
        address=clean_text(f"{client.host.ip.removeprefix('::ffff:')} by {address}"),
        host=link.host,
        key=address,
    )
