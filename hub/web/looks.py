"""What else there is to see of a space: who came, what was done, who is blocked, and when it is."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from hub.spaces.attendance import AttendanceBook
from hub.store.shelf import AuditRow
from hub.web.calendarfile import MEDIA_TYPE, entry
from hub.web.call import Call
from hub.web.links import SPACE, link_to
from hub.web.paging import LIMIT, Limit
from hub.web.problems import Refused, WebCode
from hub.web.route import Blob, Route, Who
from hub.web.spaces import is_chair_of, past_space, space_for_chairs, space_of
from stagebox.calendar import utc_now
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count, MemberId, Name


class Attendee(Struct, frozen=True, kw_only=True):
    """One person. ``left_at`` null: still there. ``served``: hands that got their turn."""

    id: MemberId
    name: Name
    joined_at: str
    left_at: str | None
    present_s: float
    turns: Count
    talked_s: float
    hands: Count
    served: Count


class Stats(Struct, frozen=True, kw_only=True):
    """How it was. ``people`` is for hosts, co-hosts and administrators; others get totals."""

    peak: Count
    came: Count
    present_s: float
    turns: Count
    talked_s: float
    hands: Count
    served: Count
    people: tuple[Attendee, ...] | None = None


class Deed(Struct, frozen=True, kw_only=True):
    """Something that happened: to ``name``, or done by it unless ``by`` says who did it."""

    n: Count
    at: str
    kind: str
    member: MemberId | None
    name: str
    detail: str
    by: str


class Audit(Struct, frozen=True, kw_only=True):
    """What was done, the latest first; ``next``: ask for what was before that."""

    deeds: tuple[Deed, ...]
    next: Count | None = None


class AuditQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``before``: older than this ``n``."""

    before: Annotated[int, Meta(ge=0, le=2**62)] | None = None
    limit: Limit = LIMIT


class BlockedMember(Struct, frozen=True, kw_only=True):
    """Somebody who may not come in."""

    id: MemberId
    name: Name


class Blocked(Struct, frozen=True, kw_only=True):
    """Who may not come in."""

    members: tuple[BlockedMember, ...]


async def stats(call: Call) -> Stats:
    """Show how a space is or was attended."""
    space_id = call.path["space"]
    book = await call.desk.house.spaces.attendance(space_id)
    if book is None:
        past_space(call)
        book = AttendanceBook()
    return _stats(book, named=is_chair_of(call, space_id))


async def audit(call: Call, given: AuditQuery) -> Audit:
    """Show what was done in a space."""
    space_id = call.path["space"]
    if not is_chair_of(call, space_id):
        space_for_chairs(call)
    rows = await call.desk.house.spaces.audit(space_id, given.limit, given.before)
    if not rows:
        past_space(call)
    following = rows[-1].n if len(rows) == given.limit else None
    return Audit(deeds=tuple(_deed(row) for row in rows), next=following)


async def blocked(call: Call) -> Blocked:
    """Show who is blocked."""
    found = space_for_chairs(call).blocked.items()
    return Blocked(members=tuple(BlockedMember(id=each, name=name) for each, name in found))


async def calendar(call: Call) -> web.Response:
    """Give a scheduled space as a calendar entry."""
    info = space_of(call).info
    if info.starts_at is None:
        raise Refused(WebCode.NOT_SCHEDULED, "This space has no day: it is open already.")
    body = entry(info, link_to(call, SPACE, info.id), call.desk.hub_id, utc_now())
    return web.Response(
        body=body,
        content_type=MEDIA_TYPE,
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{info.id}.ics"'},
    )


def _stats(book: AttendanceBook, *, named: bool) -> Stats:
    people = tuple(
        Attendee(
            id=each.id,
            name=each.name,
            joined_at=each.joined_at,
            left_at=each.left_at,
            present_s=round(each.present_s, 1),
            turns=each.turns,
            talked_s=round(each.talked_s, 1),
            hands=each.hands,
            served=each.served,
        )
        for each in book.attendees
    )
    return Stats(
        peak=book.peak,
        came=len(people) + book.unnamed,
        present_s=round(sum(each.present_s for each in people), 1),
        turns=sum(each.turns for each in people),
        talked_s=round(sum(each.talked_s for each in people), 1),
        hands=sum(each.hands for each in people),
        served=sum(each.served for each in people),
        people=people if named else None,
    )


def _deed(row: AuditRow) -> Deed:
    return Deed(
        n=row.n,
        at=row.at,
        kind=row.kind,
        member=row.member,
        name=row.name,
        detail=row.detail,
        by=row.by,
    )


ROUTES: Final = (
    Route(
        "GET",
        "/spaces/{space}/stats",
        stats,
        "Who was there; for guests in totals.",
        gives={200: Stats},
        errors=(ErrorCode.SPACE_ENDED,),
    ),
    Route(
        "GET",
        "/spaces/{space}/audit",
        audit,
        "What was done, by whom.",
        who=Who.NAMED,
        takes=AuditQuery,
        gives={200: Audit},
        errors=(ErrorCode.NOT_ALLOWED, ErrorCode.SPACE_ENDED),
    ),
    Route(
        "GET",
        "/spaces/{space}/blocked",
        blocked,
        "Who may not come in.",
        who=Who.NAMED,
        gives={200: Blocked},
        errors=(ErrorCode.NOT_ALLOWED, ErrorCode.SPACE_ENDED),
    ),
    Route(
        "GET",
        "/spaces/{space}/calendar.ics",
        calendar,
        "A scheduled space as a calendar entry.",
        gives={200: Blob(MEDIA_TYPE)},
        errors=(WebCode.NOT_SCHEDULED, ErrorCode.SPACE_ENDED),
    ),
)
