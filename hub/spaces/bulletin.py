"""What the members of a space were last told of it, and what is news.

After everything that happens the space is compared with what was told; each difference
becomes one state event with the next ``rev``. A snapshot is what was last told, so it
always equals the sum of the events before it.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from hub.floor.events import Announce, Tell
from hub.spaces.effects import Captions, Effect, Happened, Happening, Silence
from hub.spaces.lifecycle import ON_AIR
from hub.spaces.machine import SpaceMachine
from stagebox.wire.messages import MediaLost
from stagebox.wire.space import (
    Floor,
    FloorChanged,
    Member,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    PinAdded,
    PinRemoved,
    SpaceChanged,
    SpaceInfo,
)
from stagebox.wire.terms import MemberId, Place, SpaceState

# Each listener who hears a space from now on sets up its media: at this rate the hub keeps
# up with it (``media_at_once`` set-ups, each under a second).
_SETUPS_PER_S = 16


class Bulletin:
    """What was told of one space, and its revision."""

    def __init__(self, machine: SpaceMachine, rev: int) -> None:
        self._machine = machine
        self.rev = rev
        self.members: dict[MemberId, Member] = machine.members()
        self.floor: Floor = machine.arbiter.floor()
        self.info = machine.info
        self.pins = machine.pins
        # The space and who listens unnamed, at the last look; None: look again.
        self._seen: tuple[SpaceInfo, set[MemberId]] | None = None
        self._facilities = machine.facilities
        self._ears: frozenset[MemberId] = frozenset()  # who is there and hears
        self._deaf: frozenset[MemberId] = frozenset()  # who is there and does not
        self._writes: frozenset[MemberId] = frozenset()

    def is_still(self) -> bool:
        """Whether nothing but the floor and the pins may differ from what was told."""
        machine = self._machine
        if machine.facilities is not self._facilities:
            return False
        return self._seen == (machine.info, {*machine.hidden}) and self.members == machine.members()

    def news(self) -> list[Effect]:
        """Return what is to be told now, to everybody and to some.

        Newcomers come before the floor that may name them, and whoever is put out hears
        last that the space is over; leavers come after the floor that names them no more.
        """
        if self.is_still():
            return [*self._floor_news(), *self._pin_news()]
        machine = self._machine
        members = machine.members()
        effects = [
            *self._comers(members),
            *self._floor_news(),
            *self._space_news(),
            *self._pin_news(),
            *machine.expelled,
            *self._leavers(members),
        ]
        machine.expelled.clear()
        self.members, self._seen = members, (machine.info, {*machine.hidden})
        self._facilities = machine.facilities
        return [*effects, *self._ear_news(), *self._caption_news()]

    def hears(self, member_id: MemberId) -> bool:
        """Whether this member is in the space and hears it now."""
        machine = self._machine
        member = machine.member(member_id)
        if member is None:
            return member_id in machine.hidden and machine.info.state in ON_AIR
        if machine.info.state is SpaceState.BACKSTAGE:
            return member.place is not Place.LISTENER or member_id in machine.admins
        return machine.info.state in ON_AIR

    def entering(self, member_id: MemberId) -> None:
        """Note that a member comes: it sets up its media without being asked."""
        self._deaf -= {member_id}
        self._seen = None

    def _next_rev(self) -> int:
        self.rev += 1
        return self.rev

    def _comers(self, members: dict[MemberId, Member]) -> Iterator[Effect]:
        for member in members.values():
            before = self.members.get(member.id)
            if member == before:
                continue
            event = MemberJoined if before is None else MemberChanged
            yield Announce(event(rev=self._next_rev(), member=member))
            was_there = before is not None and before.connected
            if member.connected is not was_there:
                kind = Happening.JOINED if member.connected else Happening.LEFT
                yield Happened(kind, member.id, member.name)

    def _leavers(self, members: dict[MemberId, Member]) -> Iterator[Effect]:
        for member in self.members.values():
            if member.id not in members:
                yield Announce(MemberLeft(rev=self._next_rev(), id=member.id))
                if member.connected:
                    yield Happened(Happening.LEFT, member.id, member.name)

    def _floor_news(self) -> Iterator[Effect]:
        floor, before = self._machine.arbiter.floor(), self.floor
        if floor == before:
            return
        self.floor = floor
        yield Announce(FloorChanged(rev=self._next_rev(), floor=floor))
        waited = {*before.queue, *before.offered, *before.talkers}
        served = {*floor.offered, *floor.talkers}
        for member_id in floor.queue:
            if member_id not in waited:
                yield self._happened(Happening.HAND_RAISED, member_id)
        for member_id in before.queue:
            if member_id in served:
                yield self._happened(Happening.GRANTED, member_id)

    def _space_news(self) -> Iterator[Effect]:
        machine = self._machine
        away = machine.info.captions and machine.facilities.captions_away
        info = replace(
            machine.info,
            hidden=len(machine.hidden),
            captions_away=away,
            # What is over plays nowhere, whatever a loudspeaker still has to be told.
            played_on=() if machine.over else machine.facilities.played_on.get(machine.info.id, ()),
        )
        if info != self.info:
            self.info = info
            yield Announce(SpaceChanged(rev=self._next_rev(), space=info))

    def _pin_news(self) -> Iterator[Effect]:
        pins, before = self._machine.pins, self.pins
        if pins is before:
            return
        self.pins = pins
        for pin in before:
            if pin not in pins:
                yield Announce(PinRemoved(rev=self._next_rev(), id=pin.id))
        for pin in pins:
            if pin not in before:
                yield Announce(PinAdded(rev=self._next_rev(), pin=pin))

    def _ear_news(self) -> Iterator[Effect]:
        """Who was there and hears from now on sets up its media; who no longer does, ends it."""
        connected = {each.id for each in self.members.values() if each.connected}
        there = connected | self._machine.hidden.keys()
        ears = frozenset(each for each in there if self.hears(each))
        begin = sorted(self._deaf & ears)
        spread_s = (len(begin) - 1) / _SETUPS_PER_S
        yield from (Tell(each, MediaLost(spread_s=spread_s)) for each in begin)
        yield from (Silence(each) for each in sorted(self._ears & there - ears))
        self._ears, self._deaf = ears, frozenset(there - ears)

    def _caption_news(self) -> Iterator[Effect]:
        info = self._machine.info  # what is said backstage is not for the audience to read
        members = self.members.values() if info.captions and info.state in ON_AIR else ()
        writes = frozenset(each.id for each in members if each.captioned)
        if writes != self._writes:
            self._writes = writes
            yield Captions(writes)

    def _happened(self, kind: Happening, member_id: MemberId) -> Happened:
        return Happened(kind, member_id, self._machine.name_of(member_id))
