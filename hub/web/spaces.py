"""The spaces as those see them who are not in them: a list, and a look through the door.

Who is in a space sees all of it over its WebSocket. Others see the names of those who may
speak in a space that is open to everybody, and of listeners only how many there are.
"""

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from hub.spaces.archive import Ended
from hub.spaces.lifecycle import ON_AIR, OVER
from hub.spaces.registry import NoSuchSpaceError
from hub.spaces.running import RunningSpace
from hub.web.acts import actor_of, new_req, refused
from hub.web.bodies import act_of, body_of
from hub.web.call import Call, Reply
from hub.web.paging import LIMIT, Cursor, Limit, page
from hub.web.problems import Refused
from hub.web.route import BASE, Route, Who
from stagebox.wire.acts import SpaceNew
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.space import Floor, Member, SpaceInfo
from stagebox.wire.terms import Count, MemberId, Mode, Name, Place, SpaceId, SpaceState, Speak

Search = Annotated[str, Meta(max_length=100)]


class SpaceSummary(Struct, frozen=True, kw_only=True):
    """A line of the list: the space, and how many are in it. ``host``: its name.

    A space that is over has nobody in it, and no ``mode``.
    """

    space: SpaceInfo
    mode: Mode | None = None
    members: Count = 0
    talkers: Count = 0
    waiting: Count = 0
    host: Name | None = None


class SpaceList(Struct, frozen=True, kw_only=True):
    """Spaces; ``next``: the cursor of the next page, if there is one."""

    spaces: tuple[SpaceSummary, ...]
    next: Cursor | None = None


class SpaceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which spaces: in a state, with words in their name, topic or tags.

    Without ``state`` those that are not over.
    """

    state: SpaceState | None = None
    q: Search = ""
    cursor: Cursor | None = None
    limit: Limit = LIMIT


class SpaceView(Struct, frozen=True, kw_only=True):
    """A space from outside. ``members``: who is named to you; ``listeners``: how many are not.

    ``floor`` is left out where nobody is named. A space that is over has nobody in it.
    """

    space: SpaceInfo
    mode: Mode | None = None
    members: tuple[Member, ...] = ()
    listeners: Count = 0
    floor: Floor | None = None


class SpaceCreated(Struct, frozen=True, kw_only=True):
    """The new space: join it to be its host."""

    space: SpaceInfo


async def list_spaces(call: Call, given: SpaceQuery) -> SpaceList:
    """List the spaces that the caller may know of."""
    words, spaces = given.q.casefold().split(), call.desk.house.spaces
    if given.state in OVER:
        states = _ALIKE.get(given.state, {given.state})
        past = [each for each in spaces.ended() if each.state in states]
        past = [each for each in past if not words or _matches(_of_ended(each), words)]
        ended, following = page(past, _latest_first, given.cursor, given.limit)
        lines = [SpaceSummary(space=_of_ended(each)) for each in ended]
    else:
        present = [each for each in spaces if given.state in {None, each.info.state}]
        present = [each for each in present if _matches(each.info, words)]
        some, following = page(present, _place, given.cursor, given.limit)
        lines = [summary(each) for each in some]
    return SpaceList(spaces=tuple(lines), next=following)


async def show_space(call: Call) -> SpaceView:
    """Show a space to somebody who is not in it."""
    space = call.desk.house.spaces.get(call.path["space"])
    if space is not None:
        return view(space, call)
    return SpaceView(space=_discreet(past_space(call)))


async def make_space(call: Call, given: Any) -> Reply:  # noqa: ANN401 - made by body_of
    """Make a space."""
    new = act_of(SpaceNew, new_req(), {}, given)
    made = call.desk.house.spaces.create(actor_of(call), new)
    if isinstance(made, Error):
        raise refused(made)
    space = call.desk.house.spaces.find(made.space)
    location = f"{BASE}/spaces/{made.space}"
    return Reply(201, SpaceCreated(space=space.info), headers={"Location": location})


def space_of(call: Call) -> RunningSpace:
    """Return the running space that the path names.

    Raises:
        Refused: there is none, or it is over.
    """
    try:
        return call.desk.house.spaces.find(call.path["space"])
    except NoSuchSpaceError as error:
        detail = "There is no such space: look at the list of spaces."
        over = error.code is ErrorCode.SPACE_ENDED
        raise Refused(error.code, "This space is over." if over else detail) from None


def past_space(call: Call) -> SpaceInfo:
    """Return the space that the path names and that is over.

    Raises:
        Refused: there is none, or it is purged.
    """
    wanted = call.path["space"]
    ended = call.desk.house.spaces.get_ended(wanted)
    if ended is not None and ended.info is not None:
        return ended.info
    return space_of(call).info


def is_chair_of(call: Call, space_id: SpaceId) -> bool:
    """Tell whether the caller is host, co-host or admin of a space that runs or ran."""
    visitor = call.caller.visitor
    if call.caller.admin or visitor is None:
        return call.caller.admin
    space = call.desk.house.spaces.get(space_id)
    if space is not None:
        return space.place_of(visitor.id) in _CHAIRS
    ended = call.desk.house.spaces.get_ended(space_id)
    return ended is not None and _hosted(ended) == visitor.id


def space_for_chairs(call: Call) -> RunningSpace:
    """Return the running space that the path names, to who is a host, co-host or admin.

    Raises:
        Refused: there is none, it is over, or the caller is none of them.
    """
    space, visitor = space_of(call), call.caller.visitor
    place = space.place_of(visitor.id) if visitor else None
    if not call.caller.admin and place not in _CHAIRS:
        detail = "Only a host, a co-host or an administrator sees this."
        raise Refused(ErrorCode.NOT_ALLOWED, detail)
    return space


def summary(space: RunningSpace) -> SpaceSummary:
    """Return the line of a space."""
    seen = space.snapshot("", None)
    names = {member.id: member.name for member in seen.members}
    open_to_all = is_public(seen.space)
    return SpaceSummary(
        space=seen.space if open_to_all else _discreet(seen.space),
        mode=seen.floor.mode,
        members=sum(member.connected for member in seen.members),
        talkers=len(seen.floor.talkers),
        waiting=len(seen.floor.queue),
        host=names.get(seen.space.host or "") if open_to_all else None,
    )


def view(space: RunningSpace, call: Call) -> SpaceView:
    """Return a space as the caller may see it."""
    seen = space.snapshot("", None)
    everything = call.caller.admin or _is_in(seen.members, call)
    named = seen.members if everything else tuple(_named(seen.members, seen.space))
    shown = everything or is_public(seen.space)
    return SpaceView(
        space=seen.space if shown else _discreet(seen.space),
        mode=seen.floor.mode,
        members=named,
        listeners=len(seen.members) - len(named) + seen.space.hidden,
        floor=seen.floor if shown else None,
    )


def is_public(info: SpaceInfo) -> bool:
    """Tell whether everybody on the network may know who speaks in a space."""
    return info.speak is Speak.EVERYONE and not info.locked and info.state in ON_AIR


def _named(members: tuple[Member, ...], info: SpaceInfo) -> list[Member]:
    if not is_public(info):
        return []
    return [member for member in members if member.place is not Place.LISTENER]


def _is_in(members: tuple[Member, ...], call: Call) -> bool:
    visitor = call.caller.visitor
    return visitor is not None and any(member.id == visitor.id for member in members)


def _discreet(info: SpaceInfo) -> SpaceInfo:
    return SpaceInfo(
        id=info.id,
        name=info.name,
        topic=info.topic,
        tags=info.tags,
        state=info.state,
        speak=info.speak,
        locked=info.locked,
        starts_at=info.starts_at,
        started_at=info.started_at,
    )


def _hosted(ended: Ended) -> MemberId | None:
    return ended.info.host if ended.info else None


def _of_ended(ended: Ended) -> SpaceInfo:
    if ended.info is None:
        return SpaceInfo(id=ended.id, name=ended.id, state=ended.state)
    return _discreet(ended.info)


def _matches(info: SpaceInfo, words: list[str]) -> bool:
    text = " ".join((info.name, info.topic, *info.tags)).casefold()
    return all(word in text for word in words)


def _place(space: RunningSpace) -> tuple[int, str]:
    return _ORDER.index(space.info.state), space.info.id


_CHAIRS: Final = frozenset({Place.HOST, Place.COHOST})


def _latest_first(ended: Ended) -> tuple[int, str]:
    return -int("".join(filter(str.isdecimal, ended.ended_at))), ended.id


# What is on comes first. A space that is over is in another list.
_ORDER: Final = (
    SpaceState.LIVE,
    SpaceState.FROZEN,
    SpaceState.BACKSTAGE,
    SpaceState.SCHEDULED,
    SpaceState.DRAFT,
    *OVER,
)
# Whoever asks for what has ended does not care whether it is in the archive yet.
_ALIKE: Final = {SpaceState.ENDED: {SpaceState.ENDED, SpaceState.ARCHIVED}}

ROUTES: Final = (
    Route(
        "GET",
        "/spaces",
        list_spaces,
        "The spaces, what is on first.",
        takes=SpaceQuery,
        gives={200: SpaceList},
    ),
    Route(
        "POST",
        "/spaces",
        make_space,
        "Make a space: live, backstage, or for a day.",
        who=Who.NAMED,
        takes=body_of(SpaceNew),
        gives={201: SpaceCreated},
        errors=(ErrorCode.HOST_NOT_ALLOWED, ErrorCode.TOO_MANY),
        keyed=True,
    ),
    Route(
        "GET",
        "/spaces/{space}",
        show_space,
        "One space.",
        gives={200: SpaceView},
        errors=(ErrorCode.SPACE_ENDED,),
    ),
)
