"""All spaces of the hub, and what happens when a member comes, leaves or is lost."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hub.config import SpaceConfig, SpaceLimits
from hub.floor.events import Enter, Spoke
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.running import Outbox, RunningSpace
from hub.store.database import Store, StoredSpace, StoreError
from hub.store.records import Records
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import MemberId

# A box whose control connection breaks keeps hearing the space while it connects again.
MEDIA_LINGER_S: Final = 10.0
# Each space costs a timer and, with two talkers, a mixer: more is another hub's job.
MAX_SPACES: Final = 100

log = logging.getLogger(__name__)


class SpaceExistsError(Exception):
    """The space cannot be made; the text says why."""


class NoSuchSpaceError(Exception):
    """There is no space of this id; the text says what to do."""


class Spaces:
    """All spaces of the hub: those of its settings, and those made while it ran."""

    def __init__(
        self, configs: Iterable[SpaceConfig], *, media: MediaPlane, store: Store, metrics: Metrics
    ) -> None:
        self.records = Records(store)
        self._media = media
        self._store = store
        self._metrics = metrics
        self._running: dict[str, RunningSpace] = {}
        self._lingering: dict[MemberId, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        for config in configs:
            self._run(config)
        # Who lost its sound while its control connection was broken, and has to be told.
        self._untold: set[MemberId] = set()
        media.on_audio(self._spoke)
        media.on_lost(self._media_lost)

    def __iter__(self) -> Iterator[RunningSpace]:
        """Go through the running spaces, the default one first."""
        return iter(self._running.values())

    def __len__(self) -> int:
        """Return how many spaces run."""
        return len(self._running)

    async def start(self) -> None:
        """Run the stored spaces, too; the settings win where both name one."""
        try:
            stored = await self._store.spaces()
        except StoreError as error:
            log.error("The stored spaces cannot be read: %s", error)
            return
        for space in stored:
            if space.id not in self._running:
                self._restore(space)

    async def create(self, config: SpaceConfig) -> RunningSpace:
        """Run a new space and keep it.

        Raises:
            SpaceExistsError: there is one of this id, or there are too many.
            StoreError: it cannot be kept (and does not run).
        """
        if config.id in self._running or len(self._running) >= MAX_SPACES:
            raise SpaceExistsError(f"The space {config.id!r} exists, or the hub is full.")
        limits = msgspec.json.encode(config.limits).decode()
        await self._store.save_space(StoredSpace(config.id, config.name, config.mode, limits))
        return self._running.get(config.id) or self._run(config)

    def pick(self, asked: str | None, last: str | None) -> RunningSpace:
        """Return the space asked for, else the member's last one, else the default.

        Raises:
            NoSuchSpaceError: there is no space of the id asked for.
        """
        if asked is not None:
            space = self._running.get(asked)
            if space is None:
                raise NoSuchSpaceError(f"There is no space {asked!r}; leave it out to get one.")
            return space
        default = next(iter(self._running.values()))
        return self._running.get(last or "", default)

    def enter(self, space: RunningSpace, enter: Enter, req: str, outbox: Outbox) -> None:
        """Let a session into a space and remember that.

        Raises:
            SpaceFullError: there is no place; nothing has changed.
        """
        space.enter(enter, req, outbox)
        self._stop_lingering(enter.member_id)
        if enter.member_id in self._untold:
            self._untold.discard(enter.member_id)
            space.media_lost(enter.member_id, 0)
        self.records.entered(enter.member_id, space.info.id)

    def leave(self, space: RunningSpace, member_id: MemberId) -> None:
        """Let a member out; its sound ends at once."""
        space.depart(member_id)
        self._hang_up(member_id)

    def lose(self, space: RunningSpace, member_id: MemberId, heard_at: float) -> None:
        """Note that a member's session is over; it may hear for a while, and come back."""
        space.vanish(member_id, heard_at)
        self._stop_lingering(member_id)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(MEDIA_LINGER_S, self._hang_up, member_id)
        self._lingering[member_id] = timer

    async def aclose(self) -> None:
        """Stop all timers and keep what is noted. Sessions are to be closed before."""
        for space in self:
            space.close()
        for timer in self._lingering.values():
            timer.cancel()
        self._lingering.clear()
        await asyncio.gather(*self._tasks)
        await self.records.aclose()

    def _run(self, config: SpaceConfig) -> RunningSpace:
        info = SpaceInfo(id=config.id, name=config.name)
        space = RunningSpace(info, config.rules(), self._media, self._metrics)
        self._running[config.id] = space
        return space

    def _restore(self, space: StoredSpace) -> None:
        try:
            limits = msgspec.json.decode(space.rules, type=SpaceLimits)
            self._run(SpaceConfig(id=space.id, name=space.name, mode=space.mode, limits=limits))
        except ValueError as error:
            log.error("The stored space %s cannot run: %s", space.id, error)

    def _spoke(self, member_id: MemberId) -> None:
        for space in self:
            if space.has(member_id):
                space.handle(Spoke(member_id))

    def _media_lost(self, member_id: MemberId, spread_s: float) -> None:
        for space in self:
            if space.has(member_id):
                space.media_lost(member_id, spread_s)
        if member_id in self._lingering:
            self._untold.add(member_id)

    def _stop_lingering(self, member_id: MemberId) -> None:
        timer = self._lingering.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    def _hang_up(self, member_id: MemberId) -> None:
        self._stop_lingering(member_id)
        self._untold.discard(member_id)
        task = asyncio.create_task(self._disconnect(member_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _disconnect(self, member_id: MemberId) -> None:
        try:
            await self._media.disconnect(member_id)
        except Exception:
            log.exception("ending a media session failed")
