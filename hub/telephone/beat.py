"""The beat of telephones: one task that lets every call send its frame each 20 ms."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from stagebox.media.frames import FRAME_S

# A computer that hesitated longer than this does not send the frames that it owes.
_MOST_BEHIND_S: Final = 0.1

Tick = Callable[[float], None]
log = logging.getLogger(__name__)


class Beat:
    """Calls everybody in ``add`` on the beat; it runs while somebody is there."""

    def __init__(self) -> None:
        self._ticks: set[Tick] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, tick: Tick) -> None:
        """Call ``tick(now)`` from now on. It must neither wait nor fail."""
        self._ticks.add(tick)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, tick: Tick) -> None:
        """Call it no more. Unknown ones are no error."""
        self._ticks.discard(tick)

    async def aclose(self) -> None:
        """End it."""
        self._ticks.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._ticks:
            now = loop.time()
            for tick in tuple(self._ticks):
                try:
                    tick(now)
                except Exception:
                    log.exception("the sound of a call failed")
                    self._ticks.discard(tick)  # that call is silent; the others go on
            due = max(due + FRAME_S, now - _MOST_BEHIND_S)
            await asyncio.sleep(max(0.0, due - loop.time()))
