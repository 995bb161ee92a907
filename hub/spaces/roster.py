"""The spaces that run: how they begin, come back after the hub's restart, and are put away."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Iterable
from datetime import timedelta
from typing import Any, Final

import msgspec

from hub.config import SpaceConfig
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.archive import Archive
from hub.spaces.attendance import Attendance
from hub.spaces.herald import Herald
from hub.spaces.keeping import Keeper
from hub.spaces.kept import Invitation, Kept
from hub.spaces.lifecycle import OVER
from hub.spaces.lingering import Lingering
from hub.spaces.making import as_settings_say
from hub.spaces.running import RunningSpace
from hub.spaces.settings import KEEP_DAYS, Facilities, SpaceSettings
from hub.spaces.space import Space
from hub.store.database import Store, StoreError
from hub.store.shelf import EndedSpace, KeptSpace, Shelf
from stagebox.calendar import STAMP, utc_now, utc_stamp
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Code, SpaceId, Token

# "After thirty days" is not a matter of hours; and a clock that was wrong at the start of a
# Raspberry Pi is right by the next time.
HOUSEKEEPING_S: Final = 3_600.0

log = logging.getLogger(__name__)


class Secrets:
    """Names that nobody can guess. ``taken`` tells which codes are valid now."""

    def __init__(self, taken: Callable[[Code], bool]) -> None:
        self._taken = taken

    def new_token(self) -> Token:
        """See ``Names``."""
        return secrets.token_urlsafe(24)

    def new_code(self) -> Code:
        """See ``Names``."""
        while True:
            code = f"{secrets.randbelow(10**6):06}"
            if not self._taken(code):
                return code


class Roster:
    """All running spaces by id, those of the settings first, and what has been."""

    def __init__(
        self,
        configs: Iterable[SpaceConfig],
        *,
        media: MediaPlane,
        store: Store,
        metrics: Metrics,
        settings: SpaceSettings,
    ) -> None:
        self.running: dict[SpaceId, RunningSpace] = {}
        self.shelf = Shelf(store)
        self.archive = Archive(self.shelf)
        self.lingering = Lingering(media)
        self.herald = Herald(self.lingering, self._retire)
        self._configs = {config.id: config for config in configs}
        self._media = media
        self._metrics = metrics
        self._settings = settings
        self.facilities = Facilities(captions=False)
        self._names = Secrets(self._is_taken)
        self._tasks: set[asyncio.Task[None]] = set()
        self._housekeeping: asyncio.Task[None] | None = None

    def __contains__(self, space_id: object) -> bool:
        """Tell whether a space of this id runs or ran."""
        return space_id in self.running or space_id in self.archive

    async def start(self) -> None:
        """Run the spaces of the settings, and those that ran when the hub stopped."""
        await self.archive.start()
        try:
            stored = {each.id: each for each in await self.shelf.spaces()}
        except StoreError as error:
            log.error("The stored spaces cannot be read: %s", error)
            stored = {}
        for config in self._configs.values():
            await self._run_standing(config, stored.pop(config.id, None))
        for each in stored.values():
            await self._restore(each)
        self._housekeeping = asyncio.create_task(self._keep_house())

    async def aclose(self) -> None:
        """Stop all timers and keep what is noted. Sessions are to be closed before."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.wait([self._housekeeping])
        for space in self.running.values():
            space.close()
        await self.lingering.aclose()
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(keeper.aclose() for keeper in self.herald.keepers.values()))

    async def _run_standing(self, config: SpaceConfig, stored: KeptSpace | None) -> None:
        settings = msgspec.json.encode(config).decode()
        info, rules = SpaceInfo(id=config.id, name=config.name), config.rules()
        kept = None if stored is None else _decode(stored)
        if stored is None or kept is None:
            kept = Kept.standing_space(info, rules)
        elif stored.settings != settings:
            kept = as_settings_say(kept, info, rules)
        await self._run(kept, settings)

    async def _restore(self, stored: KeptSpace) -> None:
        kept = _decode(stored)
        if kept is None:
            return
        if kept.standing or kept.info.state in OVER:
            # It is in the settings no longer, or the hub stopped before it was put away.
            await self.archive.put(self.archive.take(kept))
        else:
            await self._run(kept, "")

    async def _run(self, kept: Kept, settings: str) -> RunningSpace:
        space = self.make(kept, settings)
        try:
            book = await self.archive.attendance(kept.info.id)
            self.herald.keepers[kept.info.id].attendance = Attendance(book, utc_stamp())
        except StoreError as error:
            log.error("Who was in %s cannot be read: %s", kept.info.id, error)
        space.wake()
        return space

    def make(self, kept: Kept, settings: str) -> RunningSpace:
        """Run a space; ``settings``: what the hub's file says of it, empty if it does not."""
        now = asyncio.get_running_loop().time()
        core = Space(kept, now, self._names, self._settings)
        core.facilities(self.facilities)
        space = RunningSpace(core, self._media, self._metrics, self.herald)
        space_id = kept.info.id
        self.herald.keepers[space_id] = Keeper(
            self.shelf, space_id, settings, lambda: space.kept().encode().decode()
        )
        self.running[space_id] = space
        return space

    def _retire(self, space: RunningSpace) -> None:
        """Put a space that is over away."""
        space_id = space.info.id
        if self.running.pop(space_id, None) is None:
            return
        space.close()
        self._behind(self._put_away(self.archive.take(space.kept())))

    async def _put_away(self, space: EndedSpace) -> None:
        # Until it is written down, the keeper is the only one who knows who was there.
        await self.herald.keepers[space.id].aclose()
        await self.archive.put(space)
        del self.herald.keepers[space.id]

    async def _keep_house(self) -> None:
        while True:
            await self.keep_house()
            await asyncio.sleep(HOUSEKEEPING_S)

    async def keep_house(self) -> None:
        """Purge what was kept for its days: spaces that are over, and names in those that run."""
        await self.archive.purge()
        await self._forget_strangers()
        for space_id, space in list(self.running.items()):
            before = _days_ago(space.kept().keep_days)
            keeper = self.herald.keepers[space_id]
            keeper.attendance.forget(before)
            keeper.attended()
            try:
                await self.shelf.forget(space_id, before)
            except StoreError as error:
                log.error("What was done in %s is not forgotten: %s", space_id, error)

    async def _forget_strangers(self) -> None:
        try:
            count = await self.shelf.forget_strangers(_days_ago(KEEP_DAYS))
        except StoreError as error:
            log.error("Visitors who come no more are not forgotten: %s", error)
            return
        if count:
            log.info("%d visitors who came no more are forgotten", count)

    def drop(self, space: RunningSpace) -> None:
        """Forget a space that never began."""
        space.close()
        del self.running[space.info.id], self.herald.keepers[space.info.id]

    def invitation(
        self, *, token: Token = "", code: Code = ""
    ) -> tuple[RunningSpace, Invitation] | None:
        """Return the valid invitation of this token or this code, and its space."""
        for space in self.running.values():
            invitation = space.invitation(token=token, code=code)
            if invitation is not None:
                return space, invitation
        return None

    def set_facilities(self, facilities: Facilities) -> None:
        """Say what the hub can do from now on, in all spaces."""
        self.facilities = facilities
        for space in list(self.running.values()):
            space.facilities(facilities)

    def _is_taken(self, code: Code) -> bool:
        return self.invitation(code=code) is not None

    def _behind(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _days_ago(days: int) -> str:
    return (utc_now() - timedelta(days=days)).strftime(STAMP)


def _decode(stored: KeptSpace) -> Kept | None:
    try:
        return Kept.decode(stored.kept)
    except ValueError as error:
        log.error("The stored space %s cannot run: %s", stored.id, error)
        return None
