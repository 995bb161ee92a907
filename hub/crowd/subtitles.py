"""The captions of a stream as text in pieces (WebVTT in HLS, RFC 8216bis section 3.1.4). Pure.

Live text is late: it is known when its words have been said. So a caption is shown from
where the stream was when it became known, and for some time more than it takes to read:
a player close to the newest gets its piece only when that piece is whole.

Pieces have the numbers and ends of those of the sound, and its clock.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Final

from hub.captions.webvtt import Spoken, cues, stamp
from hub.crowd.hls import KEPT, SEGMENT, SEGMENT_S
from stagebox.media.frames import SAMPLE_RATE
from stagebox.wire.terms import MemberId

# Slow readers read so many signs a second; nobody reads anything in less than two.
_SIGNS_PER_S: Final = 15.0
_LEAST_S: Final = 2.0
# A player that stays two seconds behind the newest still has so long of what a piece ends with.
_AFTER: Final = 3 * SAMPLE_RATE
# What is said at once by all who may speak, and more than anybody reads.
MOST: Final = 64
# Players count as MPEG does: 90 kHz in 33 bits.
_MPEG_RATE: Final = 90_000
_MPEG_WRAP: Final = 1 << 33
_NAME: Final = re.compile(r"([0-9a-f]{8})-([0-9]{1,12})\.vtt")
# In names of cues: who spoke is in their text.
_NOBODY: Final[MemberId] = "caption"


@dataclass(frozen=True, slots=True)
class _Cue:
    begin: int
    end: int
    text: str


class Subtitles:
    """The text of one stream. ``tag``: as a rendition's; ``begin``: where the stream begins."""

    def __init__(self, tag: str, begin: int) -> None:
        self._tag = tag
        self._end = begin
        self._number = begin // SEGMENT - 1
        self._said = 0
        self._cues: deque[_Cue] = deque(maxlen=MOST)
        self._pieces: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self.advance(begin)

    def say(self, name: str, text: str) -> None:
        """Show what somebody has just said."""
        begin, ends = self._end, (self._end // SEGMENT + 1) * SEGMENT
        reading = round(max(_LEAST_S, len(text) / _SIGNS_PER_S) * SAMPLE_RATE)
        end = max(begin + reading, ends + _AFTER)
        times = begin / SAMPLE_RATE, end / SAMPLE_RATE
        self._said += 1
        found = cues(Spoken(_NOBODY, name, *times, text), self._said)
        self._cues.append(_Cue(begin, end, found))

    def advance(self, end: int) -> None:
        """Know that the stream has come to a position."""
        self._end = max(self._end, end)
        while self._end >= (self._number + 1) * SEGMENT:
            self._pieces.append((self._number, self._made()))
            self._number += 1

    def playlist(self) -> bytes:
        """Return the list of pieces."""
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:6",
            f"#EXT-X-TARGETDURATION:{SEGMENT_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{self._pieces[0][0]}",
        ]
        for number, _ in self._pieces:
            lines += [f"#EXTINF:{SEGMENT_S:.5f},", f"{self._tag}-{number}.vtt"]
        return "".join(f"{line}\n" for line in lines).encode()

    def piece(self, name: str) -> bytes:
        """Return what the list calls so.

        Raises:
            KeyError: there is none, or not any more.
        """
        found = _NAME.fullmatch(name)
        if found is None or found[1] != self._tag:
            raise KeyError(name)
        return dict(self._pieces)[int(found[2])]

    # --- private --------------------------------------------------------------

    def _made(self) -> bytes:
        """Return the piece that ends now: all that is to be seen in its time."""
        begin = self._number * SEGMENT
        mpeg = begin * _MPEG_RATE // SAMPLE_RATE % _MPEG_WRAP
        clock = f"X-TIMESTAMP-MAP=LOCAL:{stamp(begin / SAMPLE_RATE)},MPEGTS:{mpeg}\n"
        while self._cues and self._cues[0].end <= begin:
            self._cues.popleft()
        shown = (each.text for each in self._cues if each.end > begin)
        return ("WEBVTT\n" + clock + "".join(shown)).encode()
