"""Members who lost their control connection: they hear on for a while, and come back."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hub.ports import MediaPlane
from stagebox.wire.terms import MemberId

# A box whose control connection breaks keeps hearing the space while it connects again.
MEDIA_LINGER_S: Final = 10.0
# More members than a hub has, and a few kilobytes.
UNTOLD_MOST: Final = 4_096

log = logging.getLogger(__name__)


class Lingering:
    """Ends media sessions, at once or after a while."""

    def __init__(self, media: MediaPlane) -> None:
        self._media = media
        self._timers: dict[MemberId, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Who lost its sound while its control connection was broken, and has to be told: it may
        # not have noticed. The longest ago first.
        self._untold: dict[MemberId, None] = {}

    def wait(self, member_id: MemberId) -> None:
        """End this member's media unless it comes back in time."""
        self._stop(member_id)
        loop = asyncio.get_running_loop()
        self._timers[member_id] = loop.call_later(MEDIA_LINGER_S, self._give_up, member_id)

    def is_back(self, member_id: MemberId, tell: Callable[[], None]) -> None:
        """Go on; ``tell`` a member whose sound was lost meanwhile."""
        self._stop(member_id)
        if member_id in self._untold:
            del self._untold[member_id]
            tell()

    def lost(self, member_id: MemberId) -> None:
        """Note that the hub lost a member's media."""
        if member_id in self._timers:
            self._note(member_id)

    def hang_up(self, member_id: MemberId) -> None:
        """End a member's media now."""
        self._stop(member_id)
        self._untold.pop(member_id, None)
        task = asyncio.create_task(self._disconnect(member_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop all timers; wait for what is under way."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await asyncio.gather(*self._tasks)

    def _give_up(self, member_id: MemberId) -> None:
        self.hang_up(member_id)
        self._note(member_id)

    def _note(self, member_id: MemberId) -> None:
        if len(self._untold) == UNTOLD_MOST:
            del self._untold[next(iter(self._untold))]
        self._untold[member_id] = None

    def _stop(self, member_id: MemberId) -> None:
        timer = self._timers.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    async def _disconnect(self, member_id: MemberId) -> None:
        try:
            await self._media.disconnect(member_id)
        except Exception:
            log.exception("ending a media session failed")
