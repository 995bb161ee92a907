"""Make parts of the programme anew from the files of the voices: one of them is to go.

Page by page: a page in which the voice may be heard is replaced by one of the same
length, mixed from the other voices' files, or silent if nobody else talks. All other
pages stay byte for byte as they are. Each voice's file has the programme's positions, so
nothing has to be searched for. Pure.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hub.recording.ogg import Page, page_size
from hub.recording.opusfile import LONG_SILENCE, PRE_SKIP, SILENCE, Sound, silence, sounds
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.mixing import Mixer
from stagebox.media.opus import Decoder, Encoder

Range = tuple[int, int]
# A decoder that begins in the middle has settled after 80 ms (RFC 7845, section 4.6).
_SETTLE: Final = 3_840
_SILENT: Final = frozenset((SILENCE, LONG_SILENCE))
# Nothing is worth encoding below this: one step of 16 bit.
_NOTHING: Final = 1


class _Loud:
    """Where in a file there is anything to hear: most of a voice's file is silence."""

    def __init__(self, pages: Sequence[Sound]) -> None:
        loud = [each for each in pages if not _SILENT.issuperset(each.page.packets)]
        self._begins = [each.begin for each in loud]
        self._ends = [each.page.granule for each in loud]

    def touches(self, begin: int, end: int) -> bool:
        """Say whether there is, between two positions."""
        first = bisect_right(self._ends, begin)
        return first < len(self._ends) and self._begins[first] < end


@dataclass(slots=True)
class _Voice:
    """The sound of one file, decoded only where it is asked for."""

    pages: Sequence[Sound]
    _decoder: Decoder = field(default_factory=Decoder)
    _next: int = 0
    _held: Pcm = field(default_factory=lambda: np.zeros(0, np.int16))
    _at: int = 0

    def pcm(self, begin: int, samples: int) -> Pcm:
        """Return so many samples from a position on; beyond its end it is silent."""
        if not self._at <= begin <= self._at + self._held.size + _SETTLE:
            self._seek(begin)
        while self._at + self._held.size < begin + samples and self._next < len(self.pages):
            self._held = np.concatenate((self._held, self._decoded(self.pages[self._next].page)))
            self._next += 1
        cut = min(begin - self._at, self._held.size)
        self._held, self._at = self._held[cut:], begin
        got = self._held[:samples]
        return np.concatenate((got, np.zeros(samples - got.size, np.int16)))

    def _seek(self, begin: int) -> None:
        settle = max(0, begin - _SETTLE)
        self._next = next(
            (n for n, sound in enumerate(self.pages) if sound.page.granule > settle),
            len(self.pages),
        )
        self._held = self._held[:0]
        self._at = self.pages[self._next].begin if self._next < len(self.pages) else begin
        self._decoder.reset()

    def _decoded(self, page: Page) -> Pcm:
        return np.concatenate([self._decoder.decode(packet) for packet in page.packets])


def remade(programme: bytes, ranges: Iterable[Range], voices: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of the programme, those of its pages that touch a range made anew.

    ``voices``: the files of those who are to be heard.
    """
    wanted = sorted(ranges)
    files = [list(sounds(voice)) for voice in voices]
    loud = [_Loud(file) for file in files]
    mix = _mixing(files)
    at = 0
    for sound in sounds(programme):
        page = sound.page
        if any(begin < page.granule and sound.begin < end for begin, end in wanted):
            yield programme[at : sound.at]
            heard = any(each.touches(sound.begin, page.granule + PRE_SKIP) for each in loud)
            packets = tuple(_packets(sound, mix) if heard else silence(page.granule - sound.begin))
            yield Page(page.serial, page.number, page.granule, packets, page.flags).encode()
            at = sound.at + page_size(programme, sound.at)
    yield programme[at:]


def _packets(sound: Sound, mix: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield packets for the time of a page."""
    frames, rest = divmod(sound.page.granule - sound.begin, FRAME_SAMPLES)
    for number in range(frames):
        yield mix(sound.begin + number * FRAME_SAMPLES)
    yield from silence(rest)


def _mixing(files: list[list[Sound]]) -> Callable[[int], bytes]:
    voices = {str(n): _Voice(pages) for n, pages in enumerate(files)}
    mixer = Mixer(max(1, len(voices)))
    encoder = Encoder()
    last = -1

    def mix(position: int) -> bytes:
        """Return the packet of the frame at a position."""
        nonlocal last
        if position != last:
            encoder.reset()
        last = position + FRAME_SAMPLES
        # What comes out of an encoder is later by its look-ahead: so what goes in is earlier.
        begin = position + PRE_SKIP
        frames = {name: voice.pcm(begin, FRAME_SAMPLES) for name, voice in voices.items()}
        pcm = mixer.mix(frames).full
        if np.abs(pcm).max() <= _NOTHING:
            last = -1
            return SILENCE
        return encoder.encode(pcm)

    return mix
