"""The boxes and browsers that the hub has met, and how each is doing. For administrators."""

from dataclasses import replace
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from hub.control.health import Facts
from hub.store.database import StoredMember
from hub.store.records import Memory
from hub.trust.gate import Standing
from hub.web.call import Call
from hub.web.paging import LIMIT, Cursor, Limit, page
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from stagebox.wire.fingerprint import in_words
from stagebox.wire.messages import Health
from stagebox.wire.terms import Kind, MemberId, Name, Role, SpaceId

# More were never met by one hub without many of them being nobody any more.
_MAX_MET: Final = 5_000


class Box(Struct, frozen=True, kw_only=True):
    """A member. ``name``: as people see it; ``own_name``: as it calls itself.

    ``since_s``: how long it is connected, or was not; ``told_s``: how old ``health`` is.
    ``standing``: of a box, whether the hub believes its key; ``words`` stand for that.
    ``twice``: two machines use its key.
    """

    id: MemberId
    name: Name
    own_name: Name
    kind: Kind
    role: Role
    known: bool
    connected: bool
    last_seen: str
    space: SpaceId | None = None
    software: str = ""
    address: str = ""
    since_s: float | None = None
    health: Health | None = None
    told_s: float | None = None
    standing: Standing | None = None
    words: str = ""
    twice: bool = False


class Boxes(Struct, frozen=True, kw_only=True):
    """Members, those that are connected first; ``next``: the cursor of the next page."""

    boxes: tuple[Box, ...]
    next: Cursor | None = None


class BoxQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which members."""

    kind: Kind | None = None
    connected: bool | None = None
    cursor: Cursor | None = None
    limit: Limit = LIMIT


class BoxPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an administrator says of a member; null: what it says of itself."""

    name: Name | UnsetType | None = UNSET
    known: bool | UnsetType | None = UNSET


async def boxes(call: Call, given: BoxQuery) -> Boxes:
    """List who the hub has met."""
    met = await call.desk.store.fetch(_MET, (_MAX_MET,), _member)
    found = [
        box
        for box in (_box(call, each) for each in met)
        if given.kind in {None, box.kind} and given.connected in {None, box.connected}
    ]
    some, following = page(found, _place, given.cursor, given.limit)
    return Boxes(boxes=tuple(some), next=following)


async def patch_box(call: Call, given: BoxPatch) -> Box:
    """Name a member, or say whether it is known."""
    desk, member_id = call.desk, call.path["box"]
    met = await desk.store.member(member_id)
    if met is None:
        raise Refused(WebCode.NO_SUCH_BOX, "The hub has met nobody of this id.")
    name = met.given if given.name is UNSET else given.name
    known = met.known if given.known is UNSET else given.known
    await desk.store.describe(member_id, given=name, known=known)
    desk.house.spaces.rename(member_id, name or met.name)
    desk.house.health.renamed(member_id, name or met.name)
    desk.know(member_id, known=bool(known))
    return _box(call, replace(met, given=name, known=known))


def _box(call: Call, met: StoredMember) -> Box:
    facts = call.desk.house.health.get(met.id)
    now = call.desk.now()
    live = {} if facts is None else _live(facts, now)
    return Box(
        id=met.id,
        name=met.given or met.name,
        own_name=met.name,
        kind=met.kind,
        role=met.role,
        known=Memory(known=met.known).is_known(met.kind),
        last_seen=met.last_seen,
        standing=call.desk.house.trust.book.standing(met.id),
        words=in_words(met.key) if met.kind is Kind.BOX else "",
        twice=call.desk.house.trust.doubles.is_one(met.id, call.desk.now()),
        **{"connected": False, **live},
    )


def _live(facts: Facts, now: float) -> dict[str, Any]:
    told = facts.health is not None
    return {
        "connected": facts.connected,
        "space": facts.space,
        "software": facts.software,
        "address": facts.address,
        "since_s": round(now - facts.since, 1),
        "health": facts.health,
        "told_s": round(now - facts.told_at, 1) if told else None,
    }


def _place(box: Box) -> tuple[int, str, str]:
    return int(not box.connected), box.name.casefold(), box.id


def _member(row: tuple[Any, ...]) -> StoredMember:
    member_id, key, name, kind, role, first, last, space, given, known = row
    seen = None if known is None else bool(known)
    return StoredMember(
        member_id, key, name, Kind(kind), Role(role), first, last, space, given, seen
    )


_MET: Final = (
    "SELECT id, key, name, kind, role, first_seen, last_seen, last_space, given, known"
    " FROM members ORDER BY last_seen DESC LIMIT ?"
)

ROUTES: Final = (
    Route(
        "GET",
        "/boxes",
        boxes,
        "Who the hub has met, and how each is doing.",
        who=Who.ADMIN,
        takes=BoxQuery,
        gives={200: Boxes},
    ),
    Route(
        "PATCH",
        "/boxes/{box}",
        patch_box,
        "Name a member, or say whether it is known.",
        who=Who.ADMIN,
        takes=BoxPatch,
        gives={200: Box},
    ),
)
