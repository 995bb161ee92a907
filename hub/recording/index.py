"""A recording as it is listed, played and changed once it is over. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from hub.recording.journal import (
    Agreed,
    Began,
    Closed,
    Ended,
    Line,
    Opened,
    Paused,
    Said,
    Withdrew,
)
from stagebox.wire.terms import MemberId, SpaceId

# One talker's bursts this close together are one chapter; people take breath.
_SAME_TURN: Final = 96_000
# An interjection ("yes") is no chapter of its own.
_SHORTEST: Final = 48_000
# Why a recording ended whose hub did not come to say why.
CRASH: Final = "crash"


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is in the index. Positions are samples at 48 kHz."""


class Voice(_Kept, frozen=True, kw_only=True):
    """A member who agreed. ``withdrawn``: when it was taken out again, or empty."""

    member: MemberId
    name: str
    agreed_at: str
    withdrawn: str = ""


class Turn(_Kept, frozen=True, kw_only=True):
    """A member talks."""

    member: MemberId
    begin: int
    end: int


class Gap(_Kept, frozen=True, kw_only=True):
    """Seconds that are left out there, because nobody spoke."""

    position: int
    seconds: float


class Words(_Kept, frozen=True, kw_only=True):
    """A caption."""

    member: MemberId
    begin: int
    end: int
    text: str


class Chapter(_Kept, frozen=True, kw_only=True):
    """From here on mostly this member talks."""

    position: int
    member: MemberId


class Index(_Kept, frozen=True, kw_only=True):
    """One recording. ``trim``: where playing begins. ``why`` it ended, in one word."""

    id: str
    space: SpaceId
    title: str
    version: int
    by: str
    began_at: str
    ended_at: str
    why: str
    keep_days: int
    notice: str
    notice_samples: int
    samples: int
    trim: int = 0
    chairs: tuple[MemberId, ...] = ()
    voices: tuple[Voice, ...] = ()
    turns: tuple[Turn, ...] = ()
    gaps: tuple[Gap, ...] = ()
    words: tuple[Words, ...] = ()

    def name_of(self, member: MemberId) -> str:
        """Return a member's name; of one who is not in it, nothing."""
        return next((voice.name for voice in self.voices if voice.member == member), "")

    def without(self, member: MemberId, at: str) -> "Index":
        """Return it after a member was taken out at a moment."""
        return msgspec.structs.replace(
            self,
            voices=tuple(
                msgspec.structs.replace(voice, withdrawn=at) if voice.member == member else voice
                for voice in self.voices
            ),
            turns=tuple(turn for turn in self.turns if turn.member != member),
            words=tuple(words for words in self.words if words.member != member),
        )


encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Index)


class IndexDamagedError(ValueError):
    """What is no index was taken for one."""


def read(data: bytes) -> Index:
    """Read an index.

    Raises:
        IndexDamagedError: it is none.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise IndexDamagedError(str(error)) from None


def made_of(journal: Sequence[Line], samples: int, now: str, why: str = CRASH) -> Index:
    """Make the index of a journal; ``samples`` are in the file.

    A journal without its end ends with the file, ``now``, for the reason ``why``.

    Raises:
        IndexDamagedError: the journal does not begin with a beginning.
    """
    opened = journal[0] if journal else None
    if not isinstance(opened, Opened):
        raise IndexDamagedError("its journal has no beginning")
    closed = next((line for line in journal if isinstance(line, Closed)), None)
    return Index(
        id=opened.id,
        space=opened.space,
        title=opened.title,
        version=opened.version,
        by=opened.by,
        began_at=opened.since,
        ended_at=closed.at if closed else now,
        why=closed.why if closed else why,
        keep_days=opened.keep_days,
        notice=opened.notice,
        notice_samples=opened.notice_samples,
        samples=samples,
        chairs=opened.chairs,
        voices=tuple(_voices(journal)),
        turns=tuple(_turns(journal, samples)),
        gaps=tuple(
            Gap(position=line.position, seconds=round(line.seconds, 3))
            for line in journal
            if isinstance(line, Paused)
        ),
        words=tuple(
            Words(member=line.member, begin=line.began, end=line.ended, text=line.text)
            for line in journal
            if isinstance(line, Said)
        ),
    )


def chapters(turns: Iterable[Turn]) -> list[Chapter]:
    """Return where another member takes over, interjections aside."""
    merged: list[Turn] = []
    for turn in sorted(turns, key=lambda each: each.begin):
        last = next((each for each in reversed(merged) if each.member == turn.member), None)
        if last is not None and turn.begin - last.end <= _SAME_TURN:
            merged[merged.index(last)] = msgspec.structs.replace(last, end=max(last.end, turn.end))
        else:
            merged.append(turn)
    found: list[Chapter] = []
    for turn in merged:
        if turn.end - turn.begin < _SHORTEST and len(merged) > 1:
            continue
        if not found or found[-1].member != turn.member:
            found.append(Chapter(position=turn.begin, member=turn.member))
    return found


def _voices(journal: Iterable[Line]) -> Iterable[Voice]:
    found: dict[MemberId, Voice] = {}
    for line in journal:
        if isinstance(line, Agreed):
            found[line.member] = Voice(member=line.member, name=line.name, agreed_at=line.at)
        elif isinstance(line, Withdrew) and line.member in found:
            found[line.member] = msgspec.structs.replace(found[line.member], withdrawn=line.at)
    return found.values()


def _turns(journal: Iterable[Line], samples: int) -> Iterable[Turn]:
    """Pair beginnings with ends; one without an end lasts to the end of the file."""
    found: list[Turn] = []
    begun: dict[MemberId, int] = {}
    for line in journal:
        if isinstance(line, Began):
            begun[line.member] = line.position
        elif isinstance(line, Ended) and line.member in begun:
            begin = begun.pop(line.member)
            found.append(Turn(member=line.member, begin=begin, end=line.position))
    found += [
        Turn(member=member, begin=begin, end=max(begin, samples)) for member, begin in begun.items()
    ]
    return sorted(found, key=lambda turn: (turn.begin, turn.member))
