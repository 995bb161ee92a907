"""Members who lost their control connection: they hear on for a while, and come back."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hub.ports import MediaPlane
from stagebox.wire.terms import MemberId

# A box whose control connection breaks keeps hearing the space while it connects again.
MEDIA_LINGER_S: Final = 10.0

log = logging.getLogger(__name__)


class Lingering:
    """Ends media sessions, at once or after a while."""

    def __init__(self, media: MediaPlane) -> None:
        self._media = media
        self._timers: dict[MemberId, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Who lost its sound while its control connection was broken, and has to be told.
        self._untold: set[MemberId] = set()

    def wait(self, member_id: MemberId) -> None:
        """End this member's media unless it comes back in time."""
        self._stop(member_id)
        loop = asyncio.get_running_loop()
        self._timers[member_id] = loop.call_later(MEDIA_LINGER_S, self.hang_up, member_id)

    def is_back(self, member_id: MemberId, tell: Callable[[], None]) -> None:
        """Go on; ``tell`` a member whose sound was lost meanwhile."""
        self._stop(member_id)
        if member_id in self._untold:
            self._untold.discard(member_id)
            tell()

    def lost(self, member_id: MemberId) -> None:
        """Note that the hub lost a member's media."""
        if member_id in self._timers:
            self._untold.add(member_id)

    def hang_up(self, member_id: MemberId) -> None:
        """End a member's media now."""
        self._stop(member_id)
        self._untold.discard(member_id)
        task = asyncio.create_task(self._disconnect(member_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop all timers; wait for what is under way."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await asyncio.gather(*self._tasks)

    def _stop(self, member_id: MemberId) -> None:
        timer = self._timers.pop(member_id, None)
        if timer is not None:
            timer.cancel()

    async def _disconnect(self, member_id: MemberId) -> None:
        try:
            await self._media.disconnect(member_id)
        except Exception:
            log.exception("ending a media session failed")
