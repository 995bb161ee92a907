"""The spaces as those see them who are not in them: a list, and a look through the door.

Who is in a space sees all of it over its WebSocket. Others see the names of those who may
speak in a space that is open to everybody, and of listeners only how many there are.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.spaces.running import RunningSpace
from hub.web.call import Call
from hub.web.paging import LIMIT, Cursor, Limit, page
from hub.web.problems import Refused
from hub.web.route import Route
from stagebox.wire.causes import ErrorCode
from stagebox.wire.space import Floor, Member, SpaceInfo
from stagebox.wire.terms import Count, Mode, Name, Place, SpaceState, Speak

Search = Annotated[str, Meta(max_length=100)]


class SpaceSummary(Struct, frozen=True, kw_only=True):
    """A line of the list: the space, and how many are in it. ``host``: its name."""

    space: SpaceInfo
    mode: Mode
    members: Count
    talkers: Count
    waiting: Count
    host: Name | None = None


class SpaceList(Struct, frozen=True, kw_only=True):
    """Spaces; ``next``: the cursor of the next page, if there is one."""

    spaces: tuple[SpaceSummary, ...]
    next: Cursor | None = None


class SpaceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which spaces: in a state, with words in their name, topic or tags."""

    state: SpaceState | None = None
    q: Search = ""
    cursor: Cursor | None = None
    limit: Limit = LIMIT


class SpaceView(Struct, frozen=True, kw_only=True):
    """A space from outside. ``members``: who is named to you; ``listeners``: how many are not.

    ``floor`` is left out where nobody is named.
    """

    space: SpaceInfo
    mode: Mode
    members: tuple[Member, ...]
    listeners: Count
    floor: Floor | None = None


async def list_spaces(call: Call, given: SpaceQuery) -> SpaceList:
    """List the spaces that the caller may know of."""
    wanted = given.q.casefold().split()
    found = [
        space
        for space in call.desk.house.spaces
        if given.state in {None, space.info.state} and _matches(space.info, wanted)
    ]
    some, following = page(found, _place, given.cursor, given.limit)
    return SpaceList(spaces=tuple(summary(each) for each in some), next=following)


async def show_space(call: Call) -> SpaceView:
    """Show a space to somebody who is not in it."""
    return view(space_of(call), call)


def space_of(call: Call) -> RunningSpace:
    """Return the space that the path names.

    Raises:
        Refused: there is none.
    """
    wanted = call.path["space"]
    for space in call.desk.house.spaces:
        if space.info.id == wanted:
            return space
    raise Refused(ErrorCode.NO_SUCH_SPACE, "There is no such space: look at the list of spaces.")


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
    return info.speak is Speak.EVERYONE and not info.locked and info.state is SpaceState.LIVE


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


def _matches(info: SpaceInfo, words: list[str]) -> bool:
    text = " ".join((info.name, info.topic, *info.tags)).casefold()
    return all(word in text for word in words)


def _place(space: RunningSpace) -> tuple[int, str]:
    return _ORDER.index(space.info.state), space.info.id


# What is on comes first, what is over last.
_ORDER: Final = (
    SpaceState.LIVE,
    SpaceState.FROZEN,
    SpaceState.BACKSTAGE,
    SpaceState.SCHEDULED,
    SpaceState.DRAFT,
    SpaceState.ENDED,
    SpaceState.ARCHIVED,
    SpaceState.CANCELLED,
    SpaceState.PURGED,
)

ROUTES: Final = (
    Route(
        "GET",
        "/spaces",
        list_spaces,
        "The spaces, what is on first.",
        takes=SpaceQuery,
        gives={200: SpaceList},
    ),
    Route("GET", "/spaces/{space}", show_space, "One space.", gives={200: SpaceView}),
)
