"""One space: its members, its floor, and the revisions in which all of it changes.

After every event the space is compared with what its members were last told; each
difference becomes one state event with the next ``rev``. A snapshot is what they were
last told, so it always equals the sum of the events before it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hub.floor.arbiter import FloorArbiter
from hub.floor.events import Announce, Effect, Enter, Event, Spoke
from hub.floor.rules import FloorRules
from stagebox.wire.messages import Snapshot
from stagebox.wire.space import (
    FloorChanged,
    Member,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    SpaceInfo,
)
from stagebox.wire.terms import MemberId, Req


class SpaceFullError(Exception):
    """The space has as many members as it may have; nothing was changed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"This space is full: it has {limit} members. Try again later.")
        self.limit = limit


class Space:
    """A space without its sound and its sockets: events in, effects out.

    ``rev`` is the revision that a space restored from an earlier run had reached.
    """

    def __init__(self, info: SpaceInfo, rules: FloorRules, rev: int = 0) -> None:
        self.info = info
        self.rules = rules
        self._arbiter = FloorArbiter(rules)
        self._rev = rev
        self._members: dict[MemberId, Member] = {}
        self._floor = self._arbiter.floor()

    @property
    def rev(self) -> int:
        """The revision of the last state event."""
        return self._rev

    @property
    def members(self) -> Mapping[MemberId, Member]:
        """The members as everybody sees them; vanished ones stay until their place is lost."""
        return MappingProxyType(self._members)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is next due; None for never. Ask again after every event."""
        return self._arbiter.deadline

    def grant_of(self, member_id: MemberId) -> Req | None:
        """Return the request whose lease a pong to this member renews, asked at its ping."""
        return self._arbiter.grant_of(member_id)

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Apply one event at ``now`` (monotonic seconds); return what to do, in order.

        Raises:
            SpaceFullError: an ``Enter`` of somebody new beyond the limit.
        """
        if isinstance(event, Spoke):
            return self._arbiter.handle(event, now)
        is_full = len(self._members) >= self.rules.member_limit
        if is_full and isinstance(event, Enter) and event.member_id not in self._members:
            raise SpaceFullError(self.rules.member_limit)
        return self._arbiter.handle(event, now) + self._announce()

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at ``now``; return what to do, in order."""
        return self._arbiter.tick(now) + self._announce()

    def snapshot(self, member_id: MemberId, req: Req | None) -> Snapshot:
        """Return the whole space as this member is to see it."""
        return Snapshot(
            req=req,
            rev=self._rev,
            you=member_id,
            space=self.info,
            members=tuple(self._members.values()),
            floor=self._floor,
        )

    def _announce(self) -> list[Effect]:
        """Newcomers before the floor that may name them, leavers after the one that does not."""
        members = {member.id: member for member in self._arbiter.members()}
        effects = [
            self._member_event(member)
            for member in members.values()
            if member != self._members.get(member.id)
        ]
        floor = self._arbiter.floor()
        if floor != self._floor:
            self._floor = floor
            effects.append(Announce(FloorChanged(rev=self._next_rev(), floor=floor)))
        gone = [member_id for member_id in self._members if member_id not in members]
        effects += [Announce(MemberLeft(rev=self._next_rev(), id=each)) for each in gone]
        self._members = members
        return list[Effect](effects)

    def _member_event(self, member: Member) -> Announce:
        known = member.id in self._members
        event = MemberChanged if known else MemberJoined
        return Announce(event(rev=self._next_rev(), member=member))

    def _next_rev(self) -> int:
        self._rev += 1
        return self._rev
