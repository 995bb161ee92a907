"""A stream as HLS of low latency (RFC 8216bis): parts, segments and the list of them. Pure.

Positions are samples at 48 kHz. Segments end at multiples of four seconds and their
numbers are those multiples, so all formats of a space are cut at the same places, and a
stream that begins anew never takes a number that caches know.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from hub.crowd import fmp4
from hub.crowd.fmp4 import Sample
from hub.crowd.formats import Format
from hub.recording.opusfile import LONG_SILENCE, SILENCE
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.toc import packet_samples

# Half a second: each costs a player two requests and is so much delay.
PART: Final = SAMPLE_RATE // 2
PARTS: Final = 8
SEGMENT: Final = PARTS * PART
SEGMENT_S: Final = SEGMENT // SAMPLE_RATE
# Frames do not end where parts should; one of 60 ms is off by 30 ms. No part may be longer
# than this, nor shorter than 85 % of it.
PART_TARGET_S: Final = 0.55
# How far behind the newest a player stays: three parts, the least that the standard advises.
HOLD_BACK_S: Final = 3 * PART_TARGET_S
# A player of the old kind stays three segments behind, and may stand still for as many more.
KEPT: Final = 6
# Parts are listed for the newest three segments; who is further behind takes whole ones.
IN_PARTS: Final = 3

CODECS: Final = {Format.OPUS: "opus", Format.AAC: "mp4a.40.2"}
_CAPTIONS: Final = (
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Captions",DEFAULT=NO,AUTOSELECT=YES,'
    'FORCED=NO,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog",'
    'URI="captions/live.m3u8"'
)
# With headers of pieces, the most that a second takes.
_BITS_PER_S: Final = 80_000
_LONG: Final = (Sample(SILENCE, FRAME_SAMPLES),) * (packet_samples(LONG_SILENCE) // FRAME_SAMPLES)
_NAME: Final = re.compile(r"([0-9a-f]{8})-(init\.mp4|([0-9]{1,12})(?:-([0-9]))?\.m4s)")


class TooFarError(ValueError):
    """A player asks for what is not the next thing to come."""


def master(formats: Iterable[Format], *, captions: bool = False) -> bytes:
    """Return the list of a space's formats; a player takes the first that it can play."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if captions:
        lines.append(_CAPTIONS)
    for each in formats:
        about = f'BANDWIDTH={_BITS_PER_S},CODECS="{CODECS[each]}"'
        lines += [
            f"#EXT-X-STREAM-INF:{about}" + ',SUBTITLES="captions"' * captions,
            f"{each}/live.m3u8",
        ]
    return _text(lines)


def lead(at: int) -> int:
    """Return how much silence goes before a stream that begins at a position.

    With it, a segment begins where the stream does, and who comes first has one to play.
    """
    return at - (at // SEGMENT - 1) * SEGMENT


def opus_samples(packets: Iterable[bytes]) -> Iterator[Sample]:
    """Yield packets, long silence in frames as short as parts need them."""
    for packet in packets:
        if packet == LONG_SILENCE:
            yield from _LONG
        else:
            yield Sample(packet, packet_samples(packet))


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, slots=True)
class _Part:
    data: bytes
    seconds: float


@dataclass(slots=True)
class _Segment:
    number: int
    parts: list[_Part] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return len(self.parts) == PARTS

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)


class Rendition:
    """One format of one stream.

    ``tag``: eight hexadecimal digits of no other stream. ``begin``: the position of the
    first sample, where a segment must begin.
    """

    def __init__(self, format_: Format, tag: str, begin: int) -> None:
        self.head = fmp4.head(format_)
        self._tag = tag
        self._at = self._end = begin
        self._count = begin // PART
        self._waiting: list[Sample] = []
        self._segments = deque([_Segment(begin // SEGMENT)], KEPT + 1)
        self._list = b""

    @property
    def end(self) -> int:
        """The position after everything that was put in."""
        return self._end

    @property
    def playable(self) -> bool:
        """Whether there is as much as a player is to stay behind."""
        return sum(each.seconds for each in self._segments) >= HOLD_BACK_S

    def put(self, samples: Iterable[Sample]) -> bool:
        """Take what follows; return whether there are new parts."""
        before = self._count
        for sample in samples:
            self._waiting.append(sample)
            self._end += sample.duration
            if self._end + sample.duration // 2 >= (self._count + 1) * PART:
                self._cut()
        return self._count > before

    def playlist(self) -> bytes:
        """Return the list of what there is."""
        if not self._list:
            self._list = _text(self._lines())
        return self._list

    def has(self, number: int, part: int | None) -> bool:
        """Say whether the list has come to a part of a segment, or to its end.

        Raises:
            TooFarError: it is beyond the segment after the one that is being made.
        """
        if part is not None and part >= PARTS:
            number, part = number + 1, 0
        newest = self._segments[-1]
        if number > newest.number + 1:
            raise TooFarError(f"segment {number} is far from {newest.number}, the newest")
        if number == newest.number and part is not None:
            return part < len(newest.parts)
        return number < newest.number

    def piece(self, name: str) -> bytes | None:
        """Return what the list calls so; None: it is the next that comes.

        Raises:
            KeyError: there is none, or not any more.
        """
        found = _NAME.fullmatch(name)
        if found is None or found[1] != self._tag:
            raise KeyError(name)
        if found[3] is None:
            return self.head
        if name == self._next():
            return None
        for segment in self._segments:
            if segment.number == int(found[3]):
                return _data(segment, found[4], name)
        raise KeyError(name)

    # --- private --------------------------------------------------------------

    def _cut(self) -> None:
        seconds = (self._end - self._at) / SAMPLE_RATE
        data = fmp4.piece(self._count, self._at, self._waiting)
        newest = self._segments[-1]
        newest.parts.append(_Part(data, seconds))
        if newest.whole:
            self._segments.append(_Segment(newest.number + 1))
        self._at, self._waiting = self._end, []
        self._count += 1
        self._list = b""

    def _next(self) -> str:
        newest = self._segments[-1]
        return f"{self._tag}-{newest.number}-{len(newest.parts)}.m4s"

    def _lines(self) -> list[str]:
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:6",
            f"#EXT-X-TARGETDURATION:{SEGMENT_S}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK_S:.2f}",
            f"#EXT-X-PART-INF:PART-TARGET={PART_TARGET_S:.2f}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._segments[0].number}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f'#EXT-X-MAP:URI="{self._tag}-init.mp4"',
        ]
        in_parts = self._segments[-1].number - IN_PARTS
        for segment in self._segments:
            name = f"{self._tag}-{segment.number}"
            if segment.number >= in_parts:
                lines += [
                    f'#EXT-X-PART:DURATION={part.seconds:.5f},URI="{name}-{at}.m4s",INDEPENDENT=YES'
                    for at, part in enumerate(segment.parts)
                ]
            if segment.whole:
                lines += [f"#EXTINF:{segment.seconds:.5f},", f"{name}.m4s"]
        return [*lines, f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{self._next()}"']


def _data(segment: _Segment, part: str | None, name: str) -> bytes:
    if part is None and segment.whole:
        return b"".join(each.data for each in segment.parts)
    if part is None or int(part) >= len(segment.parts):
        raise KeyError(name)
    return segment.parts[int(part)].data
