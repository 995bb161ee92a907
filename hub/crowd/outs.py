"""A space's programme in one format: for players that stay connected, and in pieces.

What it is made of is made once, however many listen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hub.crowd.encoder import Encoder
from hub.crowd.fan import Fan
from hub.crowd.fmp4 import Sample
from hub.crowd.formats import SORTS, Format, joined
from hub.crowd.hls import Rendition, lead, opus_samples
from hub.crowd.programme import OggPages
from hub.crowd.shelf import Queue, Shelf
from hub.recording.opusfile import silence


@dataclass(frozen=True, slots=True)
class Start:
    """Where an output begins. ``at``: its position; ``tag``: for the names of its pieces."""

    at: int
    tag: str


class Out(Protocol):
    """One output. ``head``: what who listens is sent first."""

    head: bytes
    fan: Fan

    @property
    def shelf(self) -> Shelf | None:
        """Its pieces, if it is cut into some."""

    def put(self, packets: Sequence[bytes]) -> None:
        """Take what the programme goes on with; called five times a second."""

    def end(self) -> None:
        """Let everybody go."""

    async def aclose(self) -> None:
        """Wait until nothing of it is left."""


class PlainOut:
    """The packets that members hear, in Ogg and in pieces of MP4: nothing is encoded."""

    def __init__(self, ogg: OggPages, fan: Fan, queue: Queue, start: Start) -> None:
        self.head = ogg.head
        self.fan = fan
        self._ogg = ogg
        before = lead(start.at)
        self.shelf = Shelf(Rendition(Format.OPUS, start.tag, start.at - before), queue)
        self.shelf.put(opus_samples(silence(before)))

    def put(self, packets: Sequence[bytes]) -> None:
        """See ``Out``."""
        if pages := self._ogg.put(packets):
            self.fan.send(pages)
        self.shelf.put(opus_samples(packets))

    def end(self) -> None:
        """See ``Out``."""
        self.fan.end()
        self.shelf.end()

    async def aclose(self) -> None:
        """See ``Out``."""


# What an encoder gives before the sound it was given: its look-ahead. Left out of pieces.
_AHEAD: Final = 1


class CodedOut:
    """The same in another format, encoded once in a process of its own."""

    def __init__(
        self, format_: Format, encoder: Encoder, fan: Fan, queue: Queue, start: Start
    ) -> None:
        self.head = b""
        self.fan = fan
        self.shelf: Shelf | None = None
        self._format = format_
        self._frame = SORTS[format_].frame
        self._encoder = encoder
        # How many frames are silence that only the pieces have, so that they begin evenly.
        self._before = self._came = 0
        if format_ is Format.AAC:
            before = lead(start.at)
            self.shelf = Shelf(Rendition(format_, start.tag, start.at - before), queue)
            self._before = before // self._frame + _AHEAD
            encoder.feed(silence(before))

    def put(self, packets: Sequence[bytes]) -> None:
        """See ``Out``: what comes back is sent with the next turn."""
        self._encoder.feed(packets)
        frames = self._encoder.take()
        if self.shelf is not None:
            late = max(0, _AHEAD - self._came)
            self.shelf.put(Sample(each, self._frame) for each in frames[late:])
        heard = frames[max(0, self._before - self._came) :]
        self._came += len(frames)
        if heard:
            self.fan.send(joined(self._format, heard))

    def end(self) -> None:
        """See ``Out``."""
        self._encoder.stop()
        self.fan.end()
        if self.shelf is not None:
            self.shelf.end()

    async def aclose(self) -> None:
        """See ``Out``."""
        await self._encoder.aclose()
