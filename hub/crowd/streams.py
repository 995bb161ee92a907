"""Spaces as streams for players that know nothing of Stagebox. One shell, on the event loop.

A stream runs while somebody listens to it. As Opus it is the same packets that members
hear; in any other format it is encoded once, in a process of its own, however many listen.
Whether a space is streamed is for its hosts to say.
"""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.crowd.encoder import Encoder
from hub.crowd.fan import Fan, FanCounts, Outlet
from hub.crowd.formats import SORTS, Format
from hub.crowd.hls import SEGMENT, SEGMENT_S
from hub.crowd.outs import CodedOut, Out, PlainOut, Start
from hub.crowd.programme import OggPages, Programme
from hub.crowd.shelf import FullError, Queue, Shelf
from hub.crowd.subtitles import Subtitles
from hub.ports import Tape
from stagebox import __version__

# How often pages are made: each costs every listener a write, and is so much delay.
PAGE_S: Final = 0.2
# A listener whose player starts again finds the stream where it was; a player of pieces,
# which comes and goes, asks more often.
LINGER_S: Final = 10.0
# An encoder that fails is not started again for each who asks.
RECOVER_S: Final = 5.0
_VENDOR: Final = f"stagebox {__version__}"


class Tapes(Protocol):
    """What streams need of the media plane."""

    def tape(self, space_id: str, on: bool) -> None:
        """See ``hub.ports.MediaPlane``."""

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """See ``hub.ports.MediaPlane``."""


@dataclass(frozen=True, slots=True)
class Spaces:
    """What streams know of spaces.

    ``title(space_id)`` is a space's name, or None once it is not streamed any more;
    ``on_air(space_id)`` tells whether its audience hears it; ``captioned(space_id)`` whether
    it has captions.
    """

    title: Callable[[str], str | None]
    on_air: Callable[[str], bool]
    captioned: Callable[[str], bool] = lambda _space_id: False


@dataclass(slots=True)
class _Output:
    out: Out
    used_at: float


@dataclass(slots=True)
class _Source:
    """One space. ``given``: how many samples its outputs have; ``origin``: where pieces count."""

    programme: Programme
    origin: int
    subtitles: Subtitles
    outputs: dict[Format, _Output] = field(default_factory=dict)
    ready: list[bytes] = field(default_factory=list)
    given: int = 0

    def turn(self, now: float) -> list[bytes]:
        """Return what came since the last time, and what is due."""
        packets, self.ready = self.ready + self.programme.tick(now), []
        self.given = self.programme.end
        self.subtitles.advance(self.origin + self.given)
        return packets


class Streams:
    """The streams of all spaces: for ``most`` listeners, with at most ``encoders`` at work."""

    def __init__(self, tapes: Tapes, spaces: Spaces, most: int, encoders: int) -> None:
        self._tapes = tapes
        self._spaces = spaces
        self._most = most
        self._most_encoders = encoders
        self._loop = asyncio.get_running_loop()
        self._sources: dict[str, _Source] = {}
        self._counts = FanCounts()
        self._queue = Queue(most)
        self._marks: Counter[str] = Counter()
        self._encoded = self._broke = 0
        self._rest_until = 0.0
        self._leaving: set[asyncio.Task[None]] = set()
        self._beat = self._loop.create_task(self._run())
        tapes.on_tape(self._taped)

    async def aclose(self) -> None:
        """End all streams."""
        self._beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beat
        for space_id in tuple(self._sources):
            self._end_all(space_id)
        await asyncio.gather(*self._leaving)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The ways in which a space can be heard: formats, and ``hls``."""
        plain = [each.value for each in Format if not SORTS[each].transcoded or self._most_encoders]
        return ("hls", *plain)

    def listeners(self) -> Mapping[str, float]:
        """Return how many are connected to each space's streams."""
        return {
            space_id: sum(len(each.out.fan) for each in source.outputs.values())
            for space_id, source in self._sources.items()
        }

    def encoders(self) -> Mapping[str, float]:
        """Return how many are at work for each format, for /metrics."""
        return Counter(
            each.value
            for source in self._sources.values()
            for each in source.outputs
            if SORTS[each].transcoded
        )

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        return {
            "came": self._counts.came,
            "lost": self._counts.lost,
            "pieces": self._counts.pieces,
            "left_out": sum(each.programme.left_out for each in self._sources.values()),
            "asked": self._queue.asked,
            "encoded": self._encoded,
            "encoders_broke": self._broke,
        }

    def begin(self, space_id: str, format_: Format = Format.OPUS) -> bytes:
        """Return what a new listener is sent first.

        Raises:
            FullError: no more may listen, or be encoded.
        """
        if sum(self.listeners().values()) >= self._most:
            raise FullError(f"{self._most} listen, which is all that this hub is set up for")
        return self._output(space_id, format_).out.head

    @contextlib.contextmanager
    def listening(
        self, space_id: str, outlet: Outlet, format_: Format = Format.OPUS, mark: str = ""
    ) -> Iterator[None]:
        """Send everything to an outlet that has what ``begin`` gave.

        ``mark``: by what ``hears`` knows who it is for; empty: nobody asks.

        Raises:
            FullError: no more may be encoded.
        """
        output = self._output(space_id, format_)
        output.out.fan.add(outlet)
        self._marks[mark] += 1
        try:
            yield
        finally:
            self._marks[mark] -= 1
            if not self._marks[mark]:
                del self._marks[mark]
            output.out.fan.drop(outlet)
            output.used_at = self._loop.time()

    def hears(self, mark: str) -> bool:
        """Tell whether something is being sent to a listener with this mark."""
        return self._marks[mark] > 0

    def shelf(self, space_id: str, format_: Format, *, start: bool) -> Shelf | None:
        """Return the pieces of a stream; with ``start``, begin it if need be.

        Raises:
            FullError: no more may be encoded.
        """
        source = self._sources.get(space_id)
        if not start and (source is None or format_ not in source.outputs):
            return None
        output = self._output(space_id, format_)
        output.used_at = self._loop.time()
        return output.out.shelf

    def captioned(self, space_id: str) -> bool:
        """Tell whether a space has captions."""
        return self._spaces.captioned(space_id)

    def caption(self, space_id: str, name: str, text: str) -> None:
        """Show what somebody has just said to all who read along."""
        source = self._sources.get(space_id)
        if source is not None and self._spaces.on_air(space_id):
            source.subtitles.say(name, text)

    def subtitles(self, space_id: str) -> Subtitles | None:
        """Return a stream's text; None: nobody listens to it."""
        source = self._sources.get(space_id)
        return source.subtitles if source is not None else None

    # --- private --------------------------------------------------------------

    def _output(self, space_id: str, format_: Format) -> _Output:
        source = self._sources.get(space_id)
        if source is not None and format_ in source.outputs:
            return source.outputs[format_]
        if SORTS[format_].transcoded:
            self._check_room()
        if source is None:
            source = self._start(space_id)
        start = Start(source.origin + source.given, secrets.token_hex(4))
        out = self._make(space_id, format_, start)
        output = source.outputs[format_] = _Output(out, self._loop.time())
        return output

    def _check_room(self) -> None:
        if sum(self.encoders().values()) >= self._most_encoders:
            raise FullError(
                f"{self._most_encoders} streams are encoded, which is all that are allowed"
            )
        if self._loop.time() < self._rest_until:
            raise FullError("the encoder has failed")

    def _start(self, space_id: str) -> _Source:
        now = self._loop.time()
        # Two on, so that there is room for the silence before a stream.
        origin = (int(now // SEGMENT_S) + 2) * SEGMENT
        text = Subtitles(secrets.token_hex(4), origin)
        source = self._sources[space_id] = _Source(Programme(now), origin, text)
        self._tapes.tape(space_id, True)
        return source

    def _make(self, space_id: str, format_: Format, start: Start) -> Out:
        fan = Fan(self._counts)
        if not SORTS[format_].transcoded:
            title = self._spaces.title(space_id) or space_id
            ogg = OggPages(secrets.randbits(32), _VENDOR, title)
            return PlainOut(ogg, fan, self._queue, start)
        self._encoded += 1
        encoder = Encoder(format_, lambda: self._broken(space_id, format_, encoder_out))
        encoder_out = CodedOut(format_, encoder, fan, self._queue, start)
        return encoder_out

    def _broken(self, space_id: str, format_: Format, out: Out) -> None:
        """End what an encoder fed; who listened asks again, and there is another by then."""
        self._broke += 1
        self._rest_until = self._loop.time() + RECOVER_S
        source = self._sources.get(space_id)
        output = source.outputs.get(format_) if source is not None else None
        if output is not None and output.out is out:
            self._end(space_id, format_)

    def _end(self, space_id: str, format_: Format) -> None:
        source = self._sources[space_id]
        out = source.outputs.pop(format_).out
        out.end()
        leaving = self._loop.create_task(out.aclose())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        if not source.outputs:
            self._tapes.tape(space_id, False)
            del self._sources[space_id]

    def _end_all(self, space_id: str) -> None:
        for format_ in tuple(self._sources[space_id].outputs):
            self._end(space_id, format_)

    def _taped(self, tape: Tape) -> None:
        source = self._sources.get(tape.space) if tape.member is None else None
        if source is not None and self._spaces.on_air(tape.space):
            source.ready += source.programme.take(tape)

    async def _run(self) -> None:
        due = self._loop.time()
        while True:
            # Kept to the clock, not to when the last turn ended: each page is as long.
            due = max(due + PAGE_S, self._loop.time())
            await asyncio.sleep(due - self._loop.time())
            now = self._loop.time()
            for space_id, source in tuple(self._sources.items()):
                self._turn(space_id, source, now)

    def _turn(self, space_id: str, source: _Source, now: float) -> None:
        if self._spaces.title(space_id) is None:
            self._end_all(space_id)
            return
        packets = source.turn(now)
        for format_, output in tuple(source.outputs.items()):
            if not len(output.out.fan) and now - output.used_at > LINGER_S:
                self._end(space_id, format_)
            else:
                output.out.put(packets)
