"""Who may do what, as data: for each act the least place, and what else it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.spaces.effects import Reply
from hub.spaces.lifecycle import OPEN_FLOOR, OVER
from hub.spaces.machine import SpaceMachine
from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    InviteNew,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceCancel,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.space import Member
from stagebox.wire.terms import MemberId, Place, Req

RANK: Final[Mapping[Place, int]] = {place: rank for rank, place in enumerate(Place)}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member, in the space or not, or an admin at a console. Both at once is fine."""

    member_id: MemberId | None
    name: str
    admin: bool = False

    @property
    def key(self) -> str:
        """Return by what this actor's requests are told from those of others."""
        return self.member_id or f"admin {self.name}"


@dataclass(frozen=True, slots=True)
class Right:
    """``least``: the place it takes. ``seated``: one must be in the space, by name.

    ``floor``: the floor must be open.
    """

    least: Place
    seated: bool = False
    floor: bool = False


_ANYBODY: Final = Right(Place.LISTENER)
_ONESELF: Final = Right(Place.LISTENER, seated=True)
_CHAIR: Final = Right(Place.COHOST)
_HOST: Final = Right(Place.HOST)

RIGHTS: Final[Mapping[type[Act], Right]] = {
    FloorNext: Right(Place.COHOST, floor=True),
    FloorPriority: Right(Place.COHOST, seated=True, floor=True),
    FloorHold: _CHAIR,
    FloorClear: _CHAIR,
    FloorMove: _CHAIR,
    MemberPlace: _ANYBODY,  # down; what it takes to go up, or to move others, is below
    MemberVolume: _CHAIR,
    MemberRemove: _CHAIR,
    MemberUnblock: _CHAIR,
    SpaceEdit: _CHAIR,
    SpaceStart: _HOST,
    SpaceEnd: _HOST,
    SpaceCancel: _HOST,
    InviteNew: _CHAIR,  # to a place that this actor may give; and so to take it back
    InviteRevoke: _CHAIR,
    PinAdd: _CHAIR,
    PinRemove: _CHAIR,
    React: _ONESELF,
    RecordSet: _CHAIR,
    Agree: _ONESELF,
}

# To give or take these places takes the host.
HOSTS_TO_GIVE: Final = frozenset({Place.COHOST, Place.HOST})


def refuse(machine: SpaceMachine, actor: Actor, act: Act) -> Error | None:
    """Return why this actor may not do this at all; None if it may."""
    right, req = RIGHTS[type(act)], act.req
    if machine.info.state in OVER:
        return error(req, ErrorCode.SPACE_ENDED, "This space is over. Make a new one.")
    rank = rank_of(machine, actor)
    if rank is None:
        return _stranger(machine, actor, req)
    if rank < RANK[right.least]:
        return _too_low(right, req)
    if right.seated and machine.member(actor.member_id) is None:
        return _stranger(machine, actor, req)
    if right.floor and machine.info.state not in OPEN_FLOOR:
        detail = "Nobody has the floor now: it opens when the space is live and has its host."
        return error(req, ErrorCode.NOT_LIVE, detail)
    return None


def is_stranger(reply: Reply) -> bool:
    """Whether this is the refusal of somebody who has no place here."""
    return isinstance(reply, Error) and reply.code is ErrorCode.NOT_IN_SPACE


def rank_of(machine: SpaceMachine, actor: Actor) -> int | None:
    """Return the rank by which an actor acts; None for who does not belong here."""
    if actor.admin:
        return RANK[Place.HOST]
    if actor.member_id is None:
        return None
    if actor.member_id in machine.hidden:
        return RANK[Place.LISTENER]
    place = machine.place_of(actor.member_id)
    return None if place is None else RANK[place]


def is_protected(machine: SpaceMachine, actor: Actor, target: Member) -> bool:
    """Whether a chair may not be held, moved or put out by this actor: it takes a higher one."""
    if actor.admin or RANK[target.place] < RANK[Place.COHOST]:
        return False
    rank = rank_of(machine, actor)
    return rank is None or rank <= RANK[target.place]


def protected(req: Req) -> Error:
    """Return the refusal that goes with ``is_protected``."""
    detail = "Co-hosts are the host's to hold or to move, and the host is an admin's. Ask one."
    return error(req, ErrorCode.CHAIR_PROTECTED, detail)


def error(req: Req, code: ErrorCode, detail: str) -> Error:
    """Return the refusal of an act."""
    return Error(code=code, detail=detail, req=req)


def no_such_member(req: Req) -> Error:
    """Return the refusal of an act on somebody who is not there."""
    detail = "That member is not in this space. Look at the list of members again."
    return error(req, ErrorCode.NO_SUCH_MEMBER, detail)


def unnamed(req: Req) -> Error:
    """Return the refusal of what somebody asks who listens hidden."""
    detail = "You listen unnamed here. Join again with your name to do that."
    return error(req, ErrorCode.NOT_ALLOWED, detail)


def _stranger(machine: SpaceMachine, actor: Actor, req: Req) -> Error:
    if actor.member_id in machine.hidden:
        return unnamed(req)
    return error(req, ErrorCode.NOT_IN_SPACE, "You are not in this space. Join it first.")


def _too_low(right: Right, req: Req) -> Error:
    if right.least is Place.HOST:
        return error(req, ErrorCode.ONLY_HOST, "Only the host can do that. Ask the host.")
    detail = "Only a host or co-host can do that. Ask one of them."
    return error(req, ErrorCode.NOT_ALLOWED, detail)
