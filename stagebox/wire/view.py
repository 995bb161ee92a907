"""What a member knows of its space: a snapshot, kept current by events.

Applying every event to an old snapshot gives the same view as a new snapshot.
An event that skips a ``rev`` cannot be applied; the view then says so, and stays
as it was until a fresh snapshot comes.
"""

from dataclasses import dataclass, replace

from stagebox.wire.messages import (
    Floor,
    FloorChanged,
    Member,
    MemberChanged,
    MemberId,
    MemberJoined,
    MemberLeft,
    Snapshot,
    SpaceChanged,
    SpaceInfo,
    StateEvent,
)


@dataclass(frozen=True, slots=True)
class SpaceView:
    """The state of a space at ``rev``, as one member sees it."""

    rev: int
    you: MemberId
    space: SpaceInfo
    members: dict[MemberId, Member]
    floor: Floor

    @classmethod
    def of(cls, snapshot: Snapshot) -> "SpaceView":
        """Return the view that a snapshot describes."""
        members = {member.id: member for member in snapshot.members}
        return cls(snapshot.rev, snapshot.you, snapshot.space, members, snapshot.floor)

    def apply(self, event: StateEvent) -> "SpaceView | None":
        """Return the view after ``event``; the same one for an old event; None for a gap."""
        if event.rev <= self.rev:
            return self
        if event.rev != self.rev + 1:
            return None
        match event:
            case MemberJoined(member=member) | MemberChanged(member=member):
                return replace(self, rev=event.rev, members={**self.members, member.id: member})
            case MemberLeft(id=gone):
                rest = {key: value for key, value in self.members.items() if key != gone}
                return replace(self, rev=event.rev, members=rest)
            case FloorChanged(floor=floor):
                return replace(self, rev=event.rev, floor=floor)
            case SpaceChanged(space=space):
                return replace(self, rev=event.rev, space=space)
