"""Which function carries out which act."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hub.spaces import on_floor, on_members, on_space, on_things
from hub.spaces.effects import Reply
from hub.spaces.machine import SpaceMachine
from hub.spaces.rights import Actor
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

Handler = Callable[[SpaceMachine, Actor, Any], Reply]


def handlers() -> Mapping[type[Act], Handler]:
    """Return what carries out the acts of one space."""
    confirmations, reactions = on_space.Confirmations(), on_things.Reactions()
    return {
        FloorNext: on_floor.give_next,
        FloorHold: on_floor.hold,
        FloorPriority: on_floor.priority,
        FloorClear: on_floor.clear,
        FloorMove: on_floor.move,
        MemberPlace: on_members.place,
        MemberVolume: on_members.volume,
        MemberRemove: on_members.remove,
        MemberUnblock: on_members.unblock,
        SpaceEdit: on_space.edit,
        SpaceStart: on_space.start,
        SpaceEnd: partial(on_space.end, confirmations),
        SpaceCancel: on_space.cancel,
        InviteNew: on_things.invite,
        InviteRevoke: on_things.uninvite,
        PinAdd: on_things.pin,
        PinRemove: on_things.unpin,
        React: reactions.react,
        RecordSet: on_things.record,
        Agree: on_things.agree,
    }
