"""Servers that spaces are told on to, and how each is.

One task for each, which feeds it for as long as its space is streamed and tries it again
when it is gone.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from hub.crowd.shelf import FullError
from hub.crowd.station import Attempts, Condition, State
from hub.crowd.streams import Streams

# As long as a handshake across an ocean takes, twice.
CONNECT_S: Final = 5.0
# How soon a space that is streamed by now is noticed.
LOOK_S: Final = 0.5

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The server said no; the text says what."""


class Place(Protocol):
    """A server that takes a space's stream."""

    @property
    def space(self) -> str:
        """The space that is heard there."""

    @property
    def url(self) -> str:
        """Where it is, for people: without what is secret."""

    async def feed(self, streams: Streams, up: Callable[[], None], title: str) -> None:
        """Be the source until the server or the stream is gone; say when it is ``up``.

        Raises:
            RefusedError: the server said no.
            OSError, TimeoutError, FullError: there is no way to it now.
        """


class Stations:
    """Feeds all stations. ``title(space_id)`` is None while a space is not streamed."""

    def __init__(
        self, places: tuple[Place, ...], streams: Streams, title: Callable[[str], str | None]
    ) -> None:
        self._streams = streams
        self._title = title
        self._attempts = [(place, Attempts()) for place in places]
        self._tasks = [asyncio.create_task(self._run(*each)) for each in self._attempts]

    async def aclose(self) -> None:
        """Leave all servers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, space_id: str) -> Iterator[tuple[str, Condition]]:
        """Yield the address and the condition of each station of a space."""
        for place, attempts in self._attempts:
            if place.space == space_id:
                yield place.url, attempts.condition

    def up(self) -> Mapping[str, float]:
        """Return which stations are fed, for /metrics."""
        return {
            place.url: float(attempts.condition.state is State.UP)
            for place, attempts in self._attempts
        }

    # --- private --------------------------------------------------------------

    async def _run(self, place: Place, attempts: Attempts) -> None:
        def up() -> None:
            attempts.up()
            log.info("%s is fed", place.url)

        while True:
            title = self._title(place.space)
            if title is None:
                attempts.off()
                await asyncio.sleep(LOOK_S)
                continue
            attempts.begin()
            try:
                await place.feed(self._streams, up, title)
                pause = attempts.lost("the server is gone.") if self._title(place.space) else 0.0
            except RefusedError as error:
                pause = attempts.refused(str(error))
            except (OSError, TimeoutError, FullError, asyncio.LimitOverrunError) as error:
                pause = attempts.lost(f"{str(error) or 'no answer in time'}.")
            if attempts.condition.detail:
                log.warning("%s: %s", place.url, attempts.condition.detail)
            await asyncio.sleep(pause)
