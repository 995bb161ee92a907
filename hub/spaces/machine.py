"""The parts of one space, and the few moves by which all acts change them.

``hub.spaces.space`` lets things in, the handlers of acts decide, this carries it out. What
members are told of it is found out afterwards, by ``hub.spaces.bulletin``.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from hub.floor.arbiter import FloorArbiter
from hub.floor.events import (
    CloseGate,
    Event,
    Freeze,
    OpenGate,
    SetPlace,
    SetRules,
    Tell,
)
from hub.floor.rules import FloorRules
from hub.spaces.effects import Effect, Expel, Happened, Happening
from hub.spaces.kept import Invitation, Kept, Person, in_step
from hub.spaces.lifecycle import OPEN_FLOOR, OVER
from hub.spaces.settings import Facilities, Names, SpaceSettings
from stagebox.wire.space import Member, Pin, SpaceInfo
from stagebox.wire.terms import Gone, MemberId, Name, Place, SpaceState

_BURSTS: Final[Mapping[type[Effect], Happening]] = {
    OpenGate: Happening.BURST_BEGAN,
    CloseGate: Happening.BURST_ENDED,
}


class SpaceMachine:
    """One space. ``now`` is monotonic seconds; ``utc`` the calendar as it was last told.

    ``expelled``: who has to hear that it is out, after the space's own news. ``hidden``: who
    listens unnamed. ``frozen_until``, ``return_at``: deadlines of the host.
    """

    def __init__(self, kept: Kept, now: float, names: Names, settings: SpaceSettings) -> None:
        self.settings: Final = settings
        self.names: Final = names
        self.facilities = Facilities()
        self.standing: Final = kept.standing
        self.now = now
        self.utc = datetime.fromtimestamp(0, UTC)
        self.info: SpaceInfo = replace(kept.info, hidden=0, frozen_until=None)
        self.rules: FloorRules = kept.rules
        self.people: Mapping[MemberId, Person] = kept.people  # never changed, but replaced
        self.blocked: dict[MemberId, Name] = dict(kept.blocked)
        self.pins: tuple[Pin, ...] = kept.pins
        self.last_pin = kept.last_pin
        self.invites: tuple[Invitation, ...] = kept.invites
        self.recordings = kept.recordings
        self.keep_days = kept.keep_days
        self.line: tuple[MemberId, ...] = kept.line
        self.arbiter: Final = FloorArbiter(kept.rules)
        self.hidden: dict[MemberId, Name] = {}
        self.admins: set[MemberId] = set()
        self.expelled: list[Expel] = []
        self.host_came = False
        self.return_at = now
        self.empty_at: float | None = None
        self._out: list[Effect] = []

    # --- what there is --------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the space has ended."""
        return self.info.state in OVER

    def members(self) -> dict[MemberId, Member]:
        """Return who is in the space or waited for, hidden ones apart."""
        return {member.id: member for member in self.arbiter.members()}

    def member(self, member_id: MemberId | None) -> Member | None:
        """Return one of them."""
        return self.arbiter.member(member_id)

    def place_of(self, member_id: MemberId) -> Place | None:
        """Return where somebody stands, or will stand when it comes back."""
        member = self.member(member_id)
        if member is not None:
            return member.place
        if member_id == self.info.host:
            return Place.HOST
        person = self.people.get(member_id)
        return person.place if person is not None and person.given else None

    def cohosts(self) -> list[Member]:
        """Return the co-hosts who are in the space or waited for."""
        return [each for each in self.arbiter.members() if each.place is Place.COHOST]

    def on_stage(self) -> int:
        """Return how many speakers, co-hosts and hosts there are."""
        return sum(each.place is not Place.LISTENER for each in self.arbiter.members())

    def count(self) -> int:
        """Return how many are in the space or waited for, hidden ones included."""
        return sum(1 for _ in self.arbiter.members()) + len(self.hidden)

    def name_of(self, member_id: MemberId | None) -> str:
        """Return the name of somebody who is, or was, in the space."""
        if member_id is None:
            return ""
        person = self.people.get(member_id)
        known = person.name if person is not None else self.blocked.get(member_id, "")
        member = self.member(member_id)
        return known if member is None else member.name

    @property
    def has_effects(self) -> bool:
        """Whether there is something to take."""
        return bool(self._out)

    # --- what is done ---------------------------------------------------------------

    def take(self) -> list[Effect]:
        """Return what has to be done since the last call, in order."""
        effects, self._out = self._out, []
        return effects

    def do(self, effect: Effect) -> None:
        """Have this done."""
        self._out.append(effect)

    def happened(
        self, kind: Happening, member_id: MemberId | None = None, detail: str = "", by: str = ""
    ) -> None:
        """Note this."""
        self.do(Happened(kind, member_id, self.name_of(member_id), detail, by))

    def floor(self, event: Event, *, untold: bool = False) -> None:
        """Let this happen on the floor; ``untold``: those concerned hear it otherwise."""
        effects = self.arbiter.handle(event, self.now)
        self.floor_did([each for each in effects if not (untold and isinstance(each, Tell))])

    def floor_did(self, effects: Sequence[Effect]) -> None:
        """Take over what the floor wants done."""
        for effect in effects:
            self.do(effect)
            if isinstance(effect, OpenGate | CloseGate):
                self.happened(_BURSTS[type(effect)], effect.member_id)

    def set_info(self, **changes: object) -> None:
        """Change what members know of the space itself."""
        self.info = replace(self.info, **changes)

    def enter_state(self, state: SpaceState) -> None:
        """Go on in ``state``: the floor is open in some and closed in all others."""
        self.set_info(state=state, frozen_until=None)
        self.set_rules(self.rules)
        self.floor(Freeze(state not in OPEN_FLOOR), untold=self.over)

    def set_rules(self, rules: FloorRules) -> None:
        """Go by these rules of the floor, as far as the space itself does not decide."""
        rules = in_step(self.info, rules)
        if rules != self.rules:
            self.rules = rules
            self.floor(SetRules(rules))

    def close_microphones(self) -> None:
        """End every talk burst; who wants to go on presses anew."""
        self.floor(Freeze(on=True))
        self.floor(Freeze(self.info.state not in OPEN_FLOOR))

    def set_place(self, member_id: MemberId, place: Place, *, given: bool = True) -> None:
        """Give somebody a place; ``given``: for its next visit, too."""
        self.floor(SetPlace(member_id, place))
        person = self.people.get(member_id)
        if person is not None:
            self.keep(member_id, replace(person, place=place, given=given))

    def note_admin(self, member_id: MemberId, admin: bool) -> None:
        """Note whether who comes in is an admin."""
        self.admins.discard(member_id)
        if admin:
            self.admins.add(member_id)

    def keep(self, member_id: MemberId, person: Person) -> None:
        """Keep this of somebody."""
        self.people = {**self.people, member_id: person}

    def forget(self, member_id: MemberId) -> None:
        """Keep nothing of somebody who is not here."""
        self.people = {each: known for each, known in self.people.items() if each != member_id}

    def expel(self, member_id: MemberId, cause: Gone) -> None:
        """Let somebody be told that it is out. It has left the floor already."""
        if self.hidden.pop(member_id, None) is not None:
            self.happened(Happening.LEFT)
        self.admins.discard(member_id)
        self.expelled.append(Expel(member_id, cause))
