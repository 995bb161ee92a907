"""Playlists of HLS, as a player reads them, and what their pieces are. Pure.

Only what Spaces have: pieces of plain AAC (ADTS), behind an ID3 tag or none. Nothing is
believed: lists, names and tags have bounds.
"""

import re
import struct
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from hub.bridges.terms import Cause, FarError
from hub.bridges.x_answers import told

MAX_LIST: Final = 256 * 1024
# A piece of three seconds has 40 KB.
MAX_PIECE: Final = 1024 * 1024
# How long a piece is, on its way to the decoder, and how long a packet that comes back.
PIECE: Final = struct.Struct(">I")
PACKET: Final = struct.Struct(">H")
# A player begins so many pieces before the end, as the standard (RFC 8216, 6.3.3) asks.
BEHIND: Final = 3
_MOST_PIECES: Final = 32
_LONGEST_S: Final = 30
# Sound that is locked, or wrapped as another kind.
_STRANGE: Final = frozenset({"#EXT-X-KEY", "#EXT-X-MAP"})

_BANDWIDTH: Final = re.compile(r"(?:^|[,:])BANDWIDTH=(\d{1,12})(?:,|\Z)")
_INTEGER: Final = re.compile(r"^\d{1,15}\Z")
_ID3: Final = b"ID3"
_ID3_HEAD: Final = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of sound, by its number in the whole broadcast."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Playlist:
    """What is to be had now. ``every_s``: how long a piece may be; ``over``: no more comes."""

    pieces: tuple[Piece, ...]
    every_s: float
    over: bool

    def after(self, last: int | None) -> tuple[Piece, ...]:
        """Return what is new to somebody who has the pieces up to ``last``; None: to a newcomer.

        A number far from what was before is a broadcast that began anew.
        """
        if last is None or not self.pieces:
            return self.pieces[-BEHIND:]
        first, end = self.pieces[0].number, self.pieces[-1].number
        if first > last + 1 or end < last:
            return self.pieces[-BEHIND:]
        return tuple(each for each in self.pieces if each.number > last)


def variant_of(text: str, url: str) -> str:
    """Return the list of pieces that a list leads to; ``url``: where it was. It may be one itself.

    Of several the leanest is taken: sound is the same in all of them.

    Raises:
        FarError: it is no playlist.
    """
    found: list[tuple[int, str]] = []
    weight: int | None = None
    for line in _lines(text):
        if line.startswith("#EXT-X-STREAM-INF:"):
            width = _BANDWIDTH.search(line)
            weight = int(width[1]) if width else 0
        elif weight is not None and not line.startswith("#"):
            found.append((weight, line))
            weight = None
    return _joined(url, min(found)[1]) if found else url


def playlist_of(text: str, url: str) -> Playlist:
    """Return what a list of pieces holds; ``url``: where it was.

    Raises:
        FarError: it is no playlist, or not of this kind.
    """
    tags: dict[str, str] = {}
    names: list[str] = []
    for line in _lines(text):
        if line.startswith("#"):
            tag, _, value = line.partition(":")
            tags[tag] = value
        else:
            names.append(line)
    if tags.keys() & _STRANGE:
        raise _unknown()
    every_s = _whole(tags.get("#EXT-X-TARGETDURATION", ""))
    if not 0 < every_s <= _LONGEST_S:
        raise _no_list()
    first = _whole(tags.get("#EXT-X-MEDIA-SEQUENCE", "0"))
    # Who comes anew needs the last few, and who was away for a minute is better off with those.
    kept = list(enumerate(names, first))[-_MOST_PIECES:]
    pieces = tuple(Piece(number, _joined(url, name)) for number, name in kept)
    return Playlist(pieces, float(every_s), "#EXT-X-ENDLIST" in tags)


def sound_of(data: bytes) -> bytes:
    """Return the AAC of a piece, without its tag.

    Raises:
        FarError: it is something else.
    """
    if data.startswith(_ID3) and len(data) >= _ID3_HEAD:
        size = 0
        for byte in data[6:_ID3_HEAD]:  # seven bits each
            size = size << 7 | byte & 0x7F
        data = data[_ID3_HEAD + size :]
    if len(data) < 2 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        raise _unknown()
    return data


def _lines(text: str) -> list[str]:
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].strip() != "#EXTM3U":
        raise _no_list()
    return [line.strip() for line in lines if line.strip()]


def _whole(text: str) -> int:
    if not _INTEGER.match(text) or not text.isascii():
        raise _no_list()
    return int(text)


def _joined(base: str, name: str) -> str:
    try:
        return told(urljoin(base, name), base)
    except ValueError:
        raise _no_list() from None


def _unknown() -> FarError:
    return FarError(Cause.BAD_ANSWER, "This Space is broadcast in a form that is not known here.")


def _no_list() -> FarError:
    return FarError(Cause.BAD_ANSWER, "What X names as the sound of this Space is no playlist.")
