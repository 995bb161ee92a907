"""What happened in a recording, line by line, and what that comes to. Pure.

While a recording runs its journal is the truth about it: lines are only ever added, so a
crash costs at most the last one. Afterwards ``read`` makes the index of it. Positions are
samples at 48 kHz from the beginning of the file.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from stagebox.media.frames import SAMPLE_RATE
from stagebox.wire.terms import MemberId, SpaceId


class _Line(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all lines: an object that names its type. Moments are calendar time in UTC."""


class Opened(_Line, frozen=True):
    """The recording ``version`` of a space began. ``notice``: what its first words say.

    ``chairs``: hosts and co-hosts; they and administrators may change and delete it.
    ``keep_days`` 0: it is deleted when the space ends.
    """

    id: str
    space: SpaceId
    title: str
    version: int
    by: str
    since: str
    keep_days: int
    notice: str
    notice_samples: int
    chairs: tuple[MemberId, ...] = ()


class Agreed(_Line, frozen=True):
    """A member agreed to be in it, by its own word."""

    member: MemberId
    name: str
    position: int
    at: str


class Withdrew(_Line, frozen=True):
    """It does not any more; its voice was taken out."""

    member: MemberId
    name: str
    position: int
    at: str


class Began(_Line, frozen=True):
    """A talk burst of a member begins."""

    member: MemberId
    position: int


class Ended(_Line, frozen=True):
    """It is over."""

    member: MemberId
    position: int


class Paused(_Line, frozen=True):
    """Nobody spoke: so many seconds are left out there."""

    position: int
    seconds: float


class Said(_Line, frozen=True):
    """What a member said, in words."""

    member: MemberId
    began: int
    ended: int
    text: str


class Closed(_Line, frozen=True):
    """It is over; ``why`` in one word."""

    position: int
    at: str
    why: str


Line = Opened | Agreed | Withdrew | Began | Ended | Paused | Said | Closed

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """Return a line of the file."""
    return _encoder.encode(line) + b"\n"


def lines(data: bytes) -> list[Line]:
    """Read a journal up to the first line that is not whole."""
    found: list[Line] = []
    for raw in data.split(b"\n")[:-1]:
        try:
            found.append(_decoder.decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return found


def without(journal: Iterable[Line], member: MemberId) -> list[Line]:
    """Return a journal without what a member said and when."""
    return [
        line
        for line in journal
        if not (isinstance(line, Began | Ended | Said) and line.member == member)
    ]


def as_seconds(position: int) -> float:
    """Return a position in seconds, to the millisecond."""
    return round(position / SAMPLE_RATE, 3)
