"""Opus in Ogg (RFC 7845), mono at 48 kHz, written as it comes. Pure.

Pages are short, so that a file that is cut off anywhere has lost little, and is a file
that players take. Silence and lost packets are written as packets of their own: in this
format a gap would make everything after it early.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.recording.ogg import BEGIN, END, MAX_SEGMENTS, Page, read_pages, segments, whole
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.toc import packet_samples

# A page is written at the latest when it holds so much: what a crash can cost.
PAGE_SAMPLES: Final = SAMPLE_RATE // 2
# What libopus's encoders look ahead at 48 kHz; players leave out so much at the beginning.
PRE_SKIP: Final = 312
# One frame of 20 ms of silence, CELT, full band, mono: a well-known constant of Opus.
SILENCE: Final = b"\xf8\xff\xfe"
_FRAMES: Final = 6
# 120 ms, the longest packet: six such frames of equal size (RFC 6716, code 3).
LONG_SILENCE: Final = b"\xfb" + bytes([_FRAMES]) + b"\xff\xfe" * _FRAMES
# 2.5 ms, the shortest.
SHORT_SILENCE: Final = b"\xe0\xff\xfe"
_SHORT: Final = 120

_HEAD: Final = struct.Struct("<8sBBHIhB")
_TITLES: Final = b"OpusTags"


def silence(samples: int) -> Iterator[bytes]:
    """Yield packets of silence, so long together; what is over 2.5 ms steps is left out."""
    for length, packet in (
        (FRAME_SAMPLES * _FRAMES, LONG_SILENCE),
        (FRAME_SAMPLES, SILENCE),
        (_SHORT, SHORT_SILENCE),
    ):
        count, samples = divmod(samples, length)
        for _ in range(count):
            yield packet


def head() -> bytes:
    """Return the packet that identifies the stream."""
    return _HEAD.pack(b"OpusHead", 1, 1, PRE_SKIP, SAMPLE_RATE, 0, 0)


def tags(vendor: str, comments: Mapping[str, str]) -> bytes:
    """Return the packet with the comments."""
    texts = [f"{name}={text}" for name, text in comments.items()]
    lines = [_text(vendor), struct.pack("<I", len(texts)), *map(_text, texts)]
    return _TITLES + b"".join(lines)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<I", len(raw)) + raw


@dataclass(slots=True)
class OpusStream:
    """The pages of one file, in order. ``granule`` counts the samples so far.

    Every call returns the bytes to append to the file; ``flush`` what still waits.
    """

    serial: int
    number: int = 0
    granule: int = 0
    _waiting: list[bytes] = field(default_factory=list)
    _samples: int = 0
    _segments: int = 0

    def begin(self, vendor: str, comments: Mapping[str, str]) -> bytes:
        """Return the two pages that a file begins with."""
        first = self._page((head(),), BEGIN)
        return first + self._page((tags(vendor, comments),))

    @property
    def end(self) -> int:
        """The position after all packets, those that wait included."""
        return self.granule + self._samples

    @property
    def waits(self) -> bool:
        """Whether packets wait for their page to be full."""
        return bool(self._waiting)

    def put(self, packets: Iterable[bytes]) -> bytes:
        """Take packets, each well-formed."""
        written = b""
        for packet in packets:
            if self._segments + segments(packet) > MAX_SEGMENTS:
                written += self.flush()
            self._waiting.append(packet)
            self._segments += segments(packet)
            self._samples += packet_samples(packet)
            if self._samples >= PAGE_SAMPLES:
                written += self.flush()
        return written

    def flush(self, *, last: bool = False) -> bytes:
        """Write what waits; with ``last``, end the stream, by a frame of silence if need be."""
        if last and not self._waiting:
            self._waiting, self._samples = [SILENCE], FRAME_SAMPLES
        if not self._waiting:
            return b""
        packets, self._waiting = tuple(self._waiting), []
        self.granule += self._samples
        self._samples = self._segments = 0
        return self._page(packets, END if last else 0)

    def _page(self, packets: tuple[bytes, ...], flags: int = 0) -> bytes:
        page = Page(self.serial, self.number, self.granule, packets, flags)
        self.number += 1
        return page.encode()


@dataclass(frozen=True, slots=True)
class Sound:
    """One page of sound in a file, and where it begins in it and in time."""

    at: int
    begin: int
    page: Page


def sounds(data: bytes) -> Iterator[Sound]:
    """Yield the pages of sound of a file of ours, up to the first that is not whole."""
    begin = 0
    for at, page in read_pages(data):
        if page.number >= 2:
            yield Sound(at, begin, page)
        begin = page.granule


def mended(data: bytes) -> tuple[int, bytes]:
    """Return how much of a file that was cut off is good, and what is to follow on that."""
    last: Page | None = None
    for _at, page in read_pages(data):
        last = page
    size = whole(data)
    if last is None or last.flags & END:
        return size, b""
    stream = OpusStream(last.serial, last.number + 1, last.granule)
    return size, stream.flush(last=True)


def length(data: bytes) -> int:
    """Return how many samples a file of ours holds."""
    return max((page.granule for _at, page in read_pages(data)), default=0)
