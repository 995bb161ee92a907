"""The floor of one space as it stands: rules, seats, rows, and what keeps members silent.

Holds and answers questions; what changes it is the machine, the arbiter and the chair's
orders.
"""

from dataclasses import dataclass, field
from typing import Final

from hub.floor.rules import FloorRules
from hub.floor.seat import Seat
from hub.floor.table import Row, State, Trigger
from stagebox.wire.causes import DenyCause
from stagebox.wire.space import Floor
from stagebox.wire.terms import MemberId, Place


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a member may not talk: what ends its turn, and what a new request is told."""

    trigger: Trigger
    deny: DenyCause
    bars_hand: bool = False


FROZEN: Final = Stop(Trigger.FREEZE, DenyCause.FROZEN, bars_hand=True)
UNAGREED: Final = Stop(Trigger.CONSENT, DenyCause.CONSENT_NEEDED, bars_hand=True)
HELD: Final = Stop(Trigger.HOLD, DenyCause.HELD)
ALL_HELD: Final = Stop(Trigger.HOLD, DenyCause.FROZEN)
PAUSED: Final = Stop(Trigger.PRE_EMPT, DenyCause.FROZEN)


def _no_rows() -> dict[Row, list[MemberId]]:
    return {row: [] for row in Row}


@dataclass(slots=True)
class Board:
    """The state of a floor.

    ``consent``: the version of the recording to agree to, 0 for none. ``ghosts``: until
    when the microphones of members who were put out may still be open; each keeps a slot.
    """

    rules: FloorRules
    seats: dict[MemberId, Seat] = field(default_factory=dict)
    rows: dict[Row, list[MemberId]] = field(default_factory=_no_rows)
    frozen: bool = False
    held: bool = False
    priority: MemberId | None = None
    consent: int = 0
    ghosts: list[float] = field(default_factory=list)

    def floor(self) -> Floor:
        """Return the floor as members see it."""
        talkers = tuple(self.rows[Row.TALKERS])
        return Floor(
            mode=self.rules.mode,
            open_limit=self.rules.open_limit,
            talkers=talkers,
            since=tuple(self.seats[each].granted_at for each in talkers),
            offered=tuple(self.rows[Row.OFFERED]),
            queue=tuple(self.rows[Row.QUEUE]),
            talk_limit_s=self.rules.talk_limit_s,
            held=self.held,
            priority=self.priority,
        )

    def in_row(self, row: Row) -> list[Seat]:
        """Return the seats of a row, in its order."""
        return [self.seats[each] for each in self.rows[row]]

    def stop(self, seat: Seat) -> Stop | None:
        """Return why this member may not talk now, whatever the mode; None if it may."""
        if self.frozen:
            return FROZEN
        if self.consent and seat.member.agreed != self.consent:
            return UNAGREED
        if seat.member.held:
            return HELD
        if self.held and not seat.is_chair:
            return ALL_HELD
        others = self.priority is not None and self.priority != seat.member.id
        return PAUSED if others and seat.member.place is not Place.HOST else None

    def is_ready(self, seat: Seat) -> bool:
        """Whether an offer would reach somebody who can take it up."""
        return seat.is_there and self.stop(seat) is None

    def is_exempt(self, seat: Seat) -> bool:
        """Whether this member talks without taking a slot."""
        return seat.is_chair and self.rules.chair_always

    def has_room(self, seat: Seat) -> bool:
        """Whether one more microphone, this member's, may be open or offered."""
        return self.is_exempt(seat) or self.has_slot()

    def has_slot(self) -> bool:
        """Whether a slot is free."""
        return self.taken() < self.rules.open_limit

    def has_stage(self, seat: Seat) -> bool:
        """Whether this member stands on the stage, or still could."""
        if seat.member.place is not Place.LISTENER:
            return True
        places = [each.member.place for each in self.seats.values()]
        return len(places) - places.count(Place.LISTENER) < self.rules.stage_limit

    def taken(self) -> int:
        """Return how many slots are in use."""
        return len(self.counted_talkers()) + len(self.counted_offers()) + len(self.ghosts)

    def counted_talkers(self) -> list[Seat]:
        """Return those whose microphones may be open and take a slot, longest first."""
        return [seat for seat in self.in_row(Row.TALKERS) if not self.is_exempt(seat)]

    def counted_offers(self) -> list[Seat]:
        """Return those for whom a slot is kept, first one first."""
        return [seat for seat in self.in_row(Row.OFFERED) if not self.is_exempt(seat)]

    def victim(self) -> Seat | None:
        """Return who has talked longest, of those that a break-in may take the floor from."""
        talkers = self.counted_talkers() if self.rules.override else []
        return next((seat for seat in talkers if seat.state is not State.CLOSING), None)

    def is_freeing(self) -> bool:
        """Whether a slot is being freed, or will be before long."""
        closing = (seat.state is State.CLOSING for seat in self.counted_talkers())
        return bool(self.ghosts) or any(closing)
