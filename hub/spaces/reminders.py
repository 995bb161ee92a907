"""The shell around the agenda: looks at the calendar from time to time, and spreads the news."""

import asyncio
from collections.abc import Callable, Iterable

from hub.spaces.agenda import LOOK_EVERY_S, Agenda, lapsed
from hub.spaces.running import RunningSpace
from stagebox.calendar import utc_now
from stagebox.wire.messages import Notice
from stagebox.wire.terms import SpaceId


class Reminders:
    """News of ``spaces`` that have a day; ``cancel`` is called for one that nobody opened."""

    def __init__(self, spaces: Iterable[RunningSpace], cancel: Callable[[SpaceId], None]) -> None:
        self.on_notice: list[Callable[[Notice], None]] = []
        self._spaces = spaces
        self._cancel = cancel
        self._agenda = Agenda()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._work())

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def look(self) -> None:
        """Tell what is new."""
        now = utc_now()
        for space_id in lapsed((space.info for space in self._spaces), now):
            self._cancel(space_id)
        for word in self._agenda.look((space.info for space in self._spaces), now):
            notice = Notice(
                news=word.news, space=word.space, name=word.name, starts_at=word.starts_at
            )
            for callback in self.on_notice:
                callback(notice)

    async def _work(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)
