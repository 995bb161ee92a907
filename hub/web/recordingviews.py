"""What a recording looks like to whoever may know of it, and who may."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.recording import retention
from hub.recording.index import Index, chapters
from hub.recording.journal import as_seconds
from hub.recording.library import has_voice
from hub.recording.studio import Beginning
from hub.web.call import Call
from hub.web.paging import LIMIT, Cursor, Limit
from stagebox.wire.terms import Count, MemberId, Name, SpaceId


class Voice(Struct, frozen=True, kw_only=True):
    """Somebody who agreed to be in it. ``withdrawn``: since when it is not any more."""

    member: MemberId
    name: str
    agreed_at: str
    withdrawn: str | None = None


class Part(Struct, frozen=True, kw_only=True):
    """From here to there, in seconds, mostly this member talks."""

    start: float
    end: float
    member: MemberId
    name: str


class Gap(Struct, frozen=True, kw_only=True):
    """At ``start`` so many seconds of silence are left out."""

    start: float
    seconds: float


class RecordingSummary(Struct, frozen=True, kw_only=True):
    """A line of the list; times in seconds.

    ``start``: where playing begins. ``why`` it ended. ``mine``: your voice is in it.
    """

    id: str
    space: SpaceId
    name: str
    since: str
    running: bool
    ended_at: str | None = None
    why: str | None = None
    seconds: float = 0.0
    start: float = 0.0
    talkers: Count = 0
    keep_days: Count = 0
    deleted_on: str | None = None
    mine: bool = False
    may_delete: bool = False


class RecordingView(Struct, frozen=True, kw_only=True):
    """One recording. ``notice``: what its first words say."""

    id: str
    space: SpaceId
    name: str
    since: str
    running: bool
    by: str
    notice: str
    seconds: float
    start: float
    keep_days: Count
    mine: bool
    may_delete: bool
    captions: bool
    chapters: tuple[Part, ...]
    turns: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    voices: tuple[Voice, ...]
    ended_at: str | None = None
    why: str | None = None
    deleted_on: str | None = None


class RecordingList(Struct, frozen=True, kw_only=True):
    """Recordings, the latest first; ``next``: the cursor of the next page, if there is one."""

    recordings: tuple[RecordingSummary, ...]
    next: Cursor | None = None


class RecordingQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which recordings: of one space, or of all."""

    space: SpaceId | None = None
    cursor: Cursor | None = None
    limit: Limit = LIMIT


class RecordingEdit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: what is left out stays. ``keep_days`` can only become less."""

    name: Name | None = None
    keep_days: Annotated[int, Meta(ge=0, le=365)] | None = None
    start: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None


def may_change(call: Call, recording: Index) -> bool:
    """Tell whether the caller may do everything with a recording."""
    visitor = call.caller.visitor
    return call.caller.admin or (visitor is not None and visitor.id in recording.chairs)


def may_hear(call: Call, recording: Index) -> bool:
    """Tell whether the caller may know of a recording."""
    visitor = call.caller.visitor
    known = visitor is not None and visitor.known
    return known or may_change(call, recording) or is_in(call, recording)


def is_in(call: Call, recording: Index) -> bool:
    """Tell whether the caller's voice is in a recording."""
    visitor = call.caller.visitor
    return visitor is not None and has_voice(recording, visitor.id)


def knows_of(call: Call, running: Beginning) -> bool:
    """Tell whether the caller may know of a recording that runs."""
    visitor = call.caller.visitor
    mine = visitor is not None and (visitor.known or visitor.id in running.chairs)
    return call.caller.admin or mine


def summary(call: Call, card: Index) -> RecordingSummary:
    """Return the line of a recording."""
    return RecordingSummary(
        id=card.id,
        space=card.space,
        name=card.title,
        since=card.began_at,
        running=False,
        ended_at=card.ended_at,
        why=card.why,
        seconds=as_seconds(card.samples),
        start=as_seconds(card.trim),
        talkers=sum(not voice.withdrawn for voice in card.voices),
        keep_days=card.keep_days,
        deleted_on=_deleted_on(card),
        mine=is_in(call, card),
        may_delete=may_change(call, card),
    )


def beginning(running: Beginning) -> RecordingSummary:
    """Return the line of a recording that runs."""
    return RecordingSummary(
        id=running.id,
        space=running.space,
        name=running.title,
        since=running.since,
        running=True,
        keep_days=running.keep_days,
    )


def view(call: Call, found: Index) -> RecordingView:
    """Return a whole recording."""
    parts = chapters(found.turns)
    # Of one in which nobody spoke there are none.
    ends = [*(each.position for each in parts[1:]), found.samples][: len(parts)]
    return RecordingView(
        id=found.id,
        space=found.space,
        name=found.title,
        since=found.began_at,
        running=False,
        by=found.by,
        notice=found.notice,
        seconds=as_seconds(found.samples),
        start=as_seconds(found.trim),
        keep_days=found.keep_days,
        mine=is_in(call, found),
        may_delete=may_change(call, found),
        captions=bool(found.words),
        chapters=tuple(
            _part(found, each.member, each.position, end)
            for each, end in zip(parts, ends, strict=True)
        ),
        turns=tuple(_part(found, each.member, each.begin, each.end) for each in found.turns),
        gaps=tuple(Gap(start=as_seconds(gap.position), seconds=gap.seconds) for gap in found.gaps),
        voices=tuple(
            Voice(
                member=each.member,
                name=each.name,
                agreed_at=each.agreed_at,
                withdrawn=each.withdrawn or None,
            )
            for each in found.voices
        ),
        ended_at=found.ended_at,
        why=found.why,
        deleted_on=_deleted_on(found),
    )


def _part(found: Index, member: MemberId, begin: int, end: int) -> Part:
    return Part(
        start=as_seconds(begin), end=as_seconds(end), member=member, name=found.name_of(member)
    )


def _deleted_on(card: Index) -> str | None:
    due = retention.deleted_on(card)
    return None if due is None else due.strftime("%Y-%m-%dT%H:%M:%SZ")
