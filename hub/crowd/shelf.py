"""A stream's pieces, and players that wait for the next one.

What HLS calls blocking: a request for what is not there yet is answered when it is.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hub.crowd.fmp4 import Sample
from hub.crowd.hls import Rendition

# An encoder needs a second to begin, several on a Pi; parts come twice a second after that.
WAIT_S: Final = 8.0


class FullError(Exception):
    """As many listen, or as much is encoded, as the settings allow."""


class GoneError(Exception):
    """The stream has ended, or stands still."""


@dataclass(slots=True)
class Queue:
    """Who waits, at all shelves together; each holds a connection."""

    most: int
    waiting: int = 0
    asked: int = 0


class Shelf:
    """One rendition, and who waits at it."""

    def __init__(self, rendition: Rendition, queue: Queue) -> None:
        self._rendition = rendition
        self._queue = queue
        self._changed = asyncio.Event()
        self._over = False

    def put(self, samples: Iterable[Sample]) -> None:
        """Take what follows."""
        if self._rendition.put(samples):
            self._wake()

    def end(self) -> None:
        """Know that nothing more comes."""
        self._over = True
        self._wake()

    async def playlist(self, number: int | None, part: int | None) -> bytes:
        """Return the list, once it has come so far.

        Raises:
            TooFarError: a player asks for what is not next.
            FullError, GoneError: it cannot be waited for.
        """
        rendition = self._rendition
        if number is None:
            await self._until(lambda: rendition.playable)
        else:
            wanted = number
            await self._until(lambda: rendition.playable and rendition.has(wanted, part))
        return rendition.playlist()

    async def piece(self, name: str) -> bytes:
        """Return a piece, once it is there.

        Raises:
            KeyError: there is none, or not any more.
            FullError, GoneError: it cannot be waited for.
        """
        await self._until(lambda: self._rendition.piece(name) is not None)
        return self._rendition.piece(name) or b""

    # --- private --------------------------------------------------------------

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _until(self, ready: Callable[[], bool]) -> None:
        self._queue.asked += 1
        if ready():
            return
        if self._queue.waiting >= self._queue.most:
            raise FullError(f"{self._queue.most} wait, which is all that this hub is set up for")
        self._queue.waiting += 1
        try:
            async with asyncio.timeout(WAIT_S):
                while not ready():
                    if self._over:
                        raise GoneError
                    await self._changed.wait()
        except TimeoutError:
            raise GoneError from None
        finally:
            self._queue.waiting -= 1
