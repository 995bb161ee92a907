"""What a member knows of its space: a snapshot, kept current by events.

Applying every event to an old snapshot gives the same view as a new snapshot.
An event that skips a ``rev`` cannot be applied; the view then says so, and stays
as it was until a fresh snapshot comes.
"""

from dataclasses import dataclass, replace

from stagebox.wire.messages import Snapshot
from stagebox.wire.space import (
    Floor,
    FloorChanged,
    Member,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    Pin,
    PinAdded,
    PinRemoved,
    SpaceChanged,
    SpaceInfo,
    StateEvent,
)
from stagebox.wire.terms import MemberId


@dataclass(frozen=True, slots=True)
class SpaceView:
    """The state of a space at ``rev``, as one member sees it."""

    rev: int
    you: MemberId
    space: SpaceInfo
    members: dict[MemberId, Member]
    floor: Floor
    pins: tuple[Pin, ...] = ()

    @classmethod
    def of(cls, snapshot: Snapshot) -> "SpaceView":
        """Return the view that a snapshot describes."""
        members = {member.id: member for member in snapshot.members}
        you, space, floor, pins = snapshot.you, snapshot.space, snapshot.floor, snapshot.pins
        return cls(snapshot.rev, you, space, members, floor, pins)

    def apply(self, event: StateEvent) -> "SpaceView | None":
        """Return the view after ``event``; the same one for an old event; None for a gap."""
        if event.rev != self.rev + 1:
            return self if event.rev <= self.rev else None
        match event:
            case MemberJoined() | MemberChanged() | MemberLeft():
                return replace(self, rev=event.rev, members=_members(self.members, event))
            case FloorChanged(floor=floor):
                return replace(self, rev=event.rev, floor=floor)
            case SpaceChanged(space=space):
                return replace(self, rev=event.rev, space=space)
            case PinAdded() | PinRemoved():
                return replace(self, rev=event.rev, pins=_pins(self.pins, event))


def _members(
    members: dict[MemberId, Member], event: MemberJoined | MemberChanged | MemberLeft
) -> dict[MemberId, Member]:
    if isinstance(event, MemberLeft):
        return {key: value for key, value in members.items() if key != event.id}
    return {**members, event.member.id: event.member}


def _pins(pins: tuple[Pin, ...], event: PinAdded | PinRemoved) -> tuple[Pin, ...]:
    if isinstance(event, PinRemoved):
        return tuple(pin for pin in pins if pin.id != event.id)
    return (*pins, event.pin)
