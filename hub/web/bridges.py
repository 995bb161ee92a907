"""Bridges over the API: what they are, where they are, and how to make and switch them."""

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

from hub.bridges.bridge import Status
from hub.bridges.bridges import Bridges
from hub.bridges.plan import BridgeId, Plan, PlanError, RoomId, Secret, Url
from hub.bridges.terms import Abilities, Cause, Part, State, System
from hub.web.call import Call
from hub.web.problems import Refused, WebCode
from hub.web.route import Route, Who
from hub.web.spaces import space_for_chairs
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count, MemberId, Name, SpaceId

PATH = "/bridges/{bridge}"


class PersonView(Struct, frozen=True, kw_only=True):
    """Somebody on the far side; null: the far side does not tell.

    ``id``: under which they may be given the right to speak there; empty: not from here.
    """

    name: str
    muted: bool | None
    talking: bool | None
    bridge: bool
    hand: bool | None
    may_speak: bool | None
    id: str


class AbilitiesView(Struct, frozen=True, kw_only=True):
    """What the far side has of what a space has; what is false is not available there."""

    roster: bool
    mute: bool
    talker: bool
    hands: bool
    recording: bool


class BridgeView(Struct, frozen=True, kw_only=True):
    """A bridge. ``member``: its seat in the space; ``next_s``: when it is tried again, from now.

    ``waits_for``: why the voice over there is not heard here, while there is one.
    ``standing``: it is one of the hub's settings, which this API cannot take away.
    """

    id: BridgeId
    name: Name
    space: SpaceId
    system: System
    url: str
    room: str
    member: MemberId
    state: State
    cause: Cause
    detail: str
    since_s: float
    next_s: float | None
    people: tuple[PersonView, ...]
    can: AbilitiesView
    speaks: bool
    waits_for: str
    joins: Count
    standing: bool


class BridgeList(Struct, frozen=True, kw_only=True):
    """All bridges, or those of one space."""

    bridges: tuple[BridgeView, ...]


class BridgeNew(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bridge to be made; what the fields are, the guide to bridges says."""

    name: Name
    space: SpaceId
    system: System
    url: Url
    room: RoomId = ""
    pin: Secret = ""
    key: Secret = ""
    secret: Secret = ""
    token: Secret = ""
    part: Part | None = None


class BridgeSwitch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On: it is tried at once. Off: it leaves both sides."""

    on: bool


class Permission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who over there may speak from now on, or no longer; ``person``: the ``id`` in the list."""

    person: Annotated[str, Meta(min_length=1, max_length=200)]
    speaks: bool


class Agreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The word of somebody who has asked everybody over there."""

    all_were_asked: Annotated[bool, Meta(description="Must be true.")]


async def show(call: Call) -> BridgeList:
    """Show all bridges of the hub."""
    return BridgeList(bridges=tuple(_view(call, each) for each in _house(call).statuses()))


async def show_space(call: Call) -> BridgeList:
    """Show a space's bridges to its hosts."""
    info = space_for_chairs(call).info
    ways = call.desk.ways
    found = ways.bridges.statuses(info.id) if ways is not None else []
    return BridgeList(bridges=tuple(_view(call, each) for each in found))


async def make(call: Call, new: BridgeNew) -> BridgeView:
    """Make a bridge, and begin to join."""
    try:
        bridge = _house(call).add(Plan(**asdict(new)))
    except PlanError as error:
        raise Refused(ErrorCode.BAD_VALUE, str(error), field=error.field) from None
    except OSError:
        raise Refused(WebCode.NOT_KEPT, _DISK) from None
    return _view(call, bridge.status())


async def switch(call: Call, wish: BridgeSwitch) -> BridgeView:
    """Switch a bridge on or off."""
    house, found = _house(call), _found(call)
    try:
        await house.switch(found.plan.id, on=wish.on)
    except OSError:
        raise Refused(WebCode.NOT_KEPT, _DISK) from None
    bridge = house.get(found.plan.id)
    return _view(call, bridge.status() if bridge is not None else found)


async def remove(call: Call) -> None:
    """Take a bridge away."""
    house, found = _house(call), _found(call)
    if house.is_standing(found.plan.id):
        detail = "This bridge stands in the hub's settings: take it out there, or switch it off."
        raise Refused(ErrorCode.STANDING, detail)
    try:
        await house.remove(found.plan.id)
    except OSError:
        raise Refused(WebCode.NOT_KEPT, _DISK) from None


async def agree(call: Call, agreement: Agreement) -> None:
    """Agree to the recording for everybody over there."""
    if not agreement.all_were_asked:
        detail = "Ask everybody over there first; then send true."
        raise Refused(ErrorCode.BAD_VALUE, detail, field="all_were_asked")
    bridge = _house(call).get(_found(call).plan.id)
    if bridge is None or not bridge.agree():
        detail = "The space is not recorded, or the bridge is not in it."
        raise Refused(ErrorCode.NOT_IN_SPACE, detail)


async def permit(call: Call, wish: Permission) -> None:
    """Let somebody over there speak, or no longer."""
    bridge = _house(call).get(_found(call).plan.id)
    if bridge is None or not bridge.permit(wish.person, speaks=wish.speaks):
        detail = "Nobody there is called so, or their rights cannot be changed from here."
        raise Refused(ErrorCode.NOT_IN_SPACE, detail)


_DISK = "The hub cannot keep this now: look at its disk."


def _house(call: Call) -> Bridges:
    if call.desk.ways is None:
        raise Refused(WebCode.NO_SUCH_BRIDGE, "This hub has no bridges.")
    return call.desk.ways.bridges


def _found(call: Call) -> Status:
    bridge = _house(call).get(call.path["bridge"])
    if bridge is None:
        raise Refused(WebCode.NO_SUCH_BRIDGE, "There is no such bridge.")
    return bridge.status()


def _view(call: Call, status: Status) -> BridgeView:
    plan, how, now = status.plan, status.condition, call.desk.now()
    return BridgeView(
        id=plan.id,
        name=plan.name,
        space=plan.space,
        system=plan.system,
        url=plan.url,
        room=plan.room,
        member=plan.member_id,
        state=how.state,
        cause=how.cause,
        detail=how.detail or status.note,
        since_s=round(max(0.0, now - how.since), 1),
        next_s=None if how.next_at is None else round(max(0.0, how.next_at - now), 1),
        people=tuple(
            PersonView(
                name=each.name,
                muted=each.muted,
                talking=each.talking,
                bridge=each.is_bridge,
                hand=each.hand,
                may_speak=each.may_speak,
                id=each.id,
            )
            for each in status.people
        ),
        can=_abilities(status.can),
        speaks=status.speaks,
        waits_for=status.waits_for,
        joins=status.joins,
        standing=_house(call).is_standing(plan.id),
    )


def _abilities(can: Abilities) -> AbilitiesView:
    return AbilitiesView(
        roster=can.roster,
        mute=can.mute,
        talker=can.talker,
        hands=can.hands,
        recording=can.recording,
    )


ROUTES = (
    Route(
        "GET",
        "/bridges",
        show,
        "Ways to rooms hosted elsewhere, and how they are.",
        who=Who.ADMIN,
        gives={200: BridgeList},
        errors=(WebCode.NO_SUCH_BRIDGE,),
    ),
    Route(
        "GET",
        "/spaces/{space}/bridges",
        show_space,
        "Where else a space is: for its hosts.",
        gives={200: BridgeList},
        errors=(ErrorCode.NOT_ALLOWED,),
    ),
    Route(
        "POST",
        "/bridges",
        make,
        "Bridge a space to a room hosted elsewhere.",
        who=Who.ADMIN,
        takes=BridgeNew,
        gives={201: BridgeView},
        errors=(WebCode.NO_SUCH_BRIDGE,),
    ),
    Route(
        "PATCH",
        PATH,
        switch,
        "Switch it on or off; on also means: try again at once.",
        who=Who.ADMIN,
        takes=BridgeSwitch,
        gives={200: BridgeView},
    ),
    Route(
        "DELETE",
        PATH,
        remove,
        "Take it away. One of the hub's settings stays.",
        who=Who.ADMIN,
        errors=(ErrorCode.STANDING,),
    ),
    Route(
        "POST",
        f"{PATH}/agree",
        agree,
        "Everybody over there was asked, and agrees to the recording that runs.",
        who=Who.ADMIN,
        takes=Agreement,
        errors=(ErrorCode.NOT_IN_SPACE,),
    ),
    Route(
        "POST",
        f"{PATH}/permit",
        permit,
        "Let somebody over there speak, or no longer, where the far side has such rights.",
        who=Who.ADMIN,
        takes=Permission,
        errors=(ErrorCode.NOT_IN_SPACE,),
    ),
)
