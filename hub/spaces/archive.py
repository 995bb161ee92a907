"""The spaces that are over: kept for their days, then purged down to an id and a time."""

import contextlib
import logging
from dataclasses import dataclass

import msgspec

from hub.spaces.attendance import AttendanceBook
from hub.spaces.kept import Kept
from hub.store.database import StoreError
from hub.store.shelf import EndedSpace, Shelf
from stagebox.calendar import utc_stamp
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import SpaceId, SpaceState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """A space that is over. ``info`` None: purged. ``ended_at`` is in UTC."""

    id: SpaceId
    state: SpaceState
    ended_at: str
    keep_days: int
    info: SpaceInfo | None


class Archive:
    """The spaces that ended, and their way out of the store."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._ids: set[SpaceId] = set()

    def __contains__(self, space_id: object) -> bool:
        """Tell whether a space of this id has been: ids are not used again."""
        return space_id in self._ids

    async def start(self) -> None:
        """Read which spaces have been, and purge."""
        await self.purge()
        try:
            self._ids = {each.id for each in await self._shelf.ended()}
        except StoreError as error:
            log.error("The archive cannot be read: %s", error)

    def take(self, space_id: SpaceId) -> None:
        """Note that a space is over, before it is written down."""
        self._ids.add(space_id)

    async def put(self, kept: Kept) -> None:
        """Move a space that is over from the running ones into the archive."""
        self.take(kept.info.id)
        cancelled = kept.info.state is SpaceState.CANCELLED
        kept = kept.over(SpaceState.CANCELLED if cancelled else SpaceState.ARCHIVED)
        json = kept.encode().decode()
        row = EndedSpace(kept.info.id, kept.info.state, json, utc_stamp(), kept.keep_days)
        try:
            await self._shelf.end(row)
        except StoreError as error:
            log.error("The end of the space %s is not kept: %s", kept.info.id, error)
        if kept.keep_days == 0:
            await self.purge()

    async def ended(self) -> list[Ended]:
        """Return the spaces that are over, the latest first.

        Raises:
            StoreError: they cannot be read.
        """
        return [_ended(row) for row in await self._shelf.ended()]

    async def attendance(self, space_id: SpaceId) -> AttendanceBook | None:
        """Return who was in a space, as last written down; None: nothing is known.

        Raises:
            StoreError: it cannot be read.
        """
        book = await self._shelf.attendance(space_id)
        try:
            return msgspec.json.decode(book, type=AttendanceBook) if book else None
        except ValueError as error:
            log.error("Who was in %s cannot be read: %s", space_id, error)
            return None

    async def purge(self) -> None:
        """Purge what was kept for its days."""
        try:
            count = await self._shelf.purge(utc_stamp())
        except StoreError as error:
            log.error("Spaces that are over cannot be purged: %s", error)
            return
        if count:
            log.info("%d spaces that were over are purged", count)


def _ended(row: EndedSpace) -> Ended:
    info = None
    if row.kept:
        with contextlib.suppress(ValueError):
            info = Kept.decode(row.kept).info
    return Ended(row.id, row.state, row.ended_at, row.keep_days, info)
