"""Spaces as streams for players that know nothing of Stagebox. One shell, on the event loop.

A stream runs while somebody listens to it, and is the same packets that members hear: no
sound is decoded or encoded for it. Whether a space is streamed is for its hosts to say.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from hub.crowd.fan import Fan, FanCounts, Outlet
from hub.crowd.programme import OggFeed
from hub.ports import Tape
from stagebox import __version__

# How often pages are made: each costs every listener a write, and is so much delay.
PAGE_S: Final = 0.2
# A listener whose player starts again finds the stream where it was.
LINGER_S: Final = 10.0
_VENDOR: Final = f"stagebox {__version__}"


class Tapes(Protocol):
    """What streams need of the media plane."""

    def tape(self, space_id: str, on: bool) -> None:
        """See ``hub.ports.MediaPlane``."""

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """See ``hub.ports.MediaPlane``."""


class FullError(Exception):
    """As many listen as the settings allow."""


@dataclass(slots=True)
class _Stream:
    feed: OggFeed
    fan: Fan
    idle_since: float


class Streams:
    """The streams of all spaces.

    ``title(space_id)`` is a space's name, or None once it is not streamed any more;
    ``on_air(space_id)`` tells whether its audience hears it.
    """

    def __init__(
        self,
        tapes: Tapes,
        title: Callable[[str], str | None],
        on_air: Callable[[str], bool],
        most: int,
    ) -> None:
        self._tapes = tapes
        self._title = title
        self._on_air = on_air
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._streams: dict[str, _Stream] = {}
        self._counts = FanCounts()
        self._beat = self._loop.create_task(self._run())
        tapes.on_tape(self._taped)

    async def aclose(self) -> None:
        """End all streams."""
        self._beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beat
        for space_id in tuple(self._streams):
            self._end(space_id)

    def listeners(self) -> Mapping[str, float]:
        """Return how many listen to each space this way."""
        return {space_id: len(stream.fan) for space_id, stream in self._streams.items()}

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        return {
            "came": self._counts.came,
            "lost": self._counts.lost,
            "pieces": self._counts.pieces,
            "left_out": sum(each.feed.programme.left_out for each in self._streams.values()),
        }

    def begin(self, space_id: str) -> bytes:
        """Return what a new listener is sent first.

        Raises:
            FullError: no more may listen.
        """
        if sum(self.listeners().values()) >= self._most:
            raise FullError(f"{self._most} listen, which is all that this hub is set up for")
        stream = self._streams.get(space_id) or self._start(space_id)
        return stream.feed.head

    @contextlib.contextmanager
    def listening(self, space_id: str, outlet: Outlet) -> Iterator[None]:
        """Send everything to an outlet that has what ``begin`` gave."""
        stream = self._streams.get(space_id) or self._start(space_id)
        stream.fan.add(outlet)
        try:
            yield
        finally:
            stream.fan.drop(outlet)
            stream.idle_since = self._loop.time()

    # --- private --------------------------------------------------------------

    def _start(self, space_id: str) -> _Stream:
        now = self._loop.time()
        serial = secrets.randbits(32)
        feed = OggFeed(serial, _VENDOR, self._title(space_id) or space_id, now)
        stream = self._streams[space_id] = _Stream(feed, Fan(self._counts), now)
        self._tapes.tape(space_id, True)
        return stream

    def _end(self, space_id: str) -> None:
        self._tapes.tape(space_id, False)
        self._streams.pop(space_id).fan.end()

    def _taped(self, tape: Tape) -> None:
        stream = self._streams.get(tape.space) if tape.member is None else None
        if stream is not None and self._on_air(tape.space):
            stream.feed.take(tape)

    async def _run(self) -> None:
        due = self._loop.time()
        while True:
            # Kept to the clock, not to when the last turn ended: each page is as long.
            due = max(due + PAGE_S, self._loop.time())
            await asyncio.sleep(due - self._loop.time())
            now = self._loop.time()
            for space_id, stream in tuple(self._streams.items()):
                self._turn(space_id, stream, now)

    def _turn(self, space_id: str, stream: _Stream, now: float) -> None:
        idle = not len(stream.fan) and now - stream.idle_since > LINGER_S
        if idle or self._title(space_id) is None:
            self._end(space_id)
        elif pages := stream.feed.tick(now):
            stream.fan.send(pages)
