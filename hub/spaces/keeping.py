"""Writes down what lasts of one running space, behind everybody's back.

At most one write of a space is under way. What changes meanwhile is written by the next
one, in its newest state; so a burst of raised hands costs the disk no more than one hand.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from hub.spaces.attendance import Attendance
from hub.store.database import StoreError
from hub.store.shelf import AuditRow, KeptSpace, Shelf
from stagebox.calendar import utc_stamp
from stagebox.wire.terms import SpaceId

# The first change is written at once, those that follow four times a second: that much is
# lost when the plug is pulled, and an SD card lasts.
PAUSE_S: Final = 0.25
# A disk that failed is tried again so soon.
RETRY_S: Final = 5.0
# Who was there is worth less than who is waiting.
ATTENDANCE_S: Final = 10.0
# Acts waiting for a disk that hangs; the oldest give way.
MAX_ROWS: Final = 500

log = logging.getLogger(__name__)


class Keeper:
    """One space's way to the store. ``kept`` returns what lasts of it now, as JSON."""

    def __init__(
        self, shelf: Shelf, space_id: SpaceId, settings: str, kept: Callable[[], str]
    ) -> None:
        self.attendance = Attendance()
        self._shelf = shelf
        self._id = space_id
        self._settings = settings
        self._kept = kept
        self._is_new = False
        self._rows: list[AuditRow] = []
        self._attended = False
        self._attended_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def changed(self) -> None:
        """Note that ``kept`` returns something new."""
        self._is_new = True
        self._wake()

    def happened(self, row: AuditRow) -> None:
        """Note something for the audit."""
        self._rows.append(row)
        del self._rows[:-MAX_ROWS]
        self._wake()

    def attended(self) -> None:
        """Note that ``attendance`` has changed."""
        self._attended = True
        self._wake()

    async def aclose(self) -> None:
        """Write what is not written, and stop."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._write(everything=True)

    def _wake(self) -> None:
        if self._task is None and not self._closing.is_set():
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while (self._is_new or self._rows or self._attended) and not self._closing.is_set():
            good = await self._write()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S if good else RETRY_S):
                    await self._closing.wait()
        self._task = None

    async def _write(self, *, everything: bool = False) -> bool:
        is_new, rows, now = self._is_new, self._rows, asyncio.get_running_loop().time()
        self._is_new, self._rows = False, []
        try:
            space = KeptSpace(self._id, self._kept(), self._settings) if is_new else None
            await self._shelf.save(space, rows, utc_stamp())
            if self._attended and (everything or now >= self._attended_at + ATTENDANCE_S):
                self._attended, self._attended_at = False, now
                book = msgspec.json.encode(self.attendance.book(now)).decode()
                await self._shelf.save_attendance(self._id, book)
        except StoreError as error:
            log.debug("the space %s is not kept: %s", self._id, error)
            self._is_new |= is_new
            self._rows = [*rows, *self._rows][-MAX_ROWS:]
            return False
        return True
