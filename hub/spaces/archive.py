"""The spaces that are over: kept for their days, then purged down to an id and a time."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec
from msgspec import Struct

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


class _Header(Struct):
    """What of ``Kept`` is shown of a space that is over."""

    info: SpaceInfo


class Archive:
    """The spaces that ended, and their way out of the store."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._ended: dict[SpaceId, Ended] = {}

    def __contains__(self, space_id: object) -> bool:
        """Tell whether a space of this id has been: ids are not used again."""
        return space_id in self._ended

    def __iter__(self) -> Iterator[Ended]:
        """Go through the spaces that are over, the latest first."""
        return iter(sorted(self._ended.values(), key=lambda each: each.ended_at, reverse=True))

    def get(self, space_id: SpaceId) -> Ended | None:
        """Return a space that is over."""
        return self._ended.get(space_id)

    async def start(self) -> None:
        """Read which spaces have been."""
        try:
            ended = await self._shelf.ended()
        except StoreError as error:
            log.error("The archive cannot be read: %s", error)
        else:
            self._ended = {row.id: _of_row(row) for row in ended}

    def take(self, kept: Kept) -> EndedSpace:
        """Note that a space is over; return what is to be ``put`` away."""
        cancelled = kept.info.state is SpaceState.CANCELLED
        kept = kept.over(SpaceState.CANCELLED if cancelled else SpaceState.ARCHIVED)
        info, days, stamp = kept.info, kept.keep_days, utc_stamp()
        self._ended[info.id] = Ended(info.id, info.state, stamp, days, info)
        return EndedSpace(info.id, info.state, kept.encode().decode(), stamp, days)

    async def put(self, space: EndedSpace) -> None:
        """Move a space that is over from the running ones into the archive."""
        try:
            await self._shelf.end(space)
        except StoreError as error:
            log.error("The end of the space %s is not kept: %s", space.id, error)
        if space.keep_days == 0:
            await self.purge()

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
            purged = await self._shelf.purge(utc_stamp())
        except StoreError as error:
            log.error("Spaces that are over cannot be purged: %s", error)
            return
        for space_id in purged:
            if space_id in self._ended:
                ended = self._ended[space_id]
                self._ended[space_id] = replace(ended, state=SpaceState.PURGED, info=None)
        if purged:
            log.info("%d spaces that were over are purged", len(purged))


def _of_row(row: EndedSpace) -> Ended:
    info = None
    if row.kept:
        with contextlib.suppress(ValueError):
            info = msgspec.json.decode(row.kept, type=_Header).info
    return Ended(row.id, row.state, row.ended_at, row.keep_days, info)
