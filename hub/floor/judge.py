"""What the rules of a mode say of a request: talk now, wait your turn, or neither.

Reads the floor and changes nothing.
"""

from collections.abc import Mapping, Sequence

from hub.floor.rules import FloorRules
from hub.floor.seat import TALKING, Seat
from hub.floor.table import Row, State, Trigger
from stagebox.wire.causes import DenyCause, ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import MemberId, Mode, Place, Req, Via


class Judge:
    """Judges requests by ``rules`` over the live ``seats`` and ``rows`` of one floor."""

    def __init__(
        self,
        rules: FloorRules,
        seats: Mapping[MemberId, Seat],
        rows: Mapping[Row, Sequence[MemberId]],
    ) -> None:
        self._rules = rules
        self._seats = seats
        self._rows = rows

    def is_exempt(self, seat: Seat) -> bool:
        """Whether this member talks without taking a slot."""
        return seat.is_chair and self._rules.chair_always

    def has_room(self, seat: Seat) -> bool:
        """Whether one more microphone, this member's, may be open or offered."""
        return self.is_exempt(seat) or self._taken() < self._rules.open_limit

    def verdict(self, seat: Seat, via: Via, now: float) -> Trigger | DenyCause:
        """Return what a new request of this member comes to."""
        barred = self._bar(seat, via, now)
        if barred is not None:
            return barred
        return self._of_hand(seat, via) if self._rules.queues else self._of_press(seat, via)

    def victim(self) -> Seat | None:
        """Return who has talked longest, of those that a break-in may take the floor from."""
        return next((seat for seat in self._counted() if seat.state is not State.CLOSING), None)

    def holder(self, seat: Seat) -> str | None:
        """Return the name to give for "the floor is taken": its own, or the longest talker's."""
        if seat.state in TALKING:
            return seat.member.name
        return next((talker.member.name for talker in self._counted()), None)

    def callee(self, req: Req, target: MemberId | None) -> Seat | Error:
        """Return whom a host's Next means, or what to answer the host instead."""
        seat = self._first_ready() if target is None else self._seats.get(target)
        if seat is None:
            who = (
                "Nobody who could speak now is waiting." if target is None else "Nobody by that id."
            )
            return Error(code=ErrorCode.NO_SUCH_MEMBER, detail=who, req=req)
        if seat.state is not State.WAITING:
            return not_allowed(req, "That member has no hand up.")
        if not seat.is_ready:
            return not_allowed(req, "That member is muted or away. Its hand stays up.")
        if not self.has_room(seat):
            detail = "All microphones are taken or offered. Try again when one is free."
            return not_allowed(req, detail)
        return seat

    def _bar(self, seat: Seat, via: Via, now: float) -> DenyCause | None:
        if seat.state in TALKING:
            return DenyCause.FLOOR_TAKEN
        if seat.member.place is Place.LISTENER:
            return DenyCause.RECEIVE_ONLY
        if seat.member.muted and via is Via.TALK:
            return DenyCause.MUTED_AT_DEVICE
        return DenyCause.RETRY_AFTER if now < seat.barred_until else None

    def _of_press(self, seat: Seat, via: Via) -> Trigger | DenyCause:
        if via is Via.HAND:
            return DenyCause.HANDS_OFF
        if self.has_room(seat):
            return Trigger.GRANT
        if seat.state is State.PRESSED:
            return Trigger.QUEUE
        may_break_in = self._rules.override and self.victim() is not None
        return Trigger.BREAK_IN if may_break_in else DenyCause.FLOOR_TAKEN

    def _of_hand(self, seat: Seat, via: Via) -> Trigger | DenyCause:
        if via is Via.TALK and self._may_talk(seat):
            return Trigger.GRANT
        is_full = len(self._rows[Row.QUEUE]) >= self._rules.queue_limit
        return DenyCause.QUEUE_FULL if is_full and seat.state is State.IDLE else Trigger.QUEUE

    def _may_talk(self, seat: Seat) -> bool:
        if seat.state is State.OFFERED or self.is_exempt(seat):
            return True
        # A slot that is free after the queue was served is one that nobody waits for.
        return self._rules.mode is Mode.FIFO and self.has_room(seat)

    def _taken(self) -> int:
        offered = (self._seats[member_id] for member_id in self._rows[Row.OFFERED])
        return len(self._counted()) + sum(not self.is_exempt(seat) for seat in offered)

    def _counted(self) -> list[Seat]:
        talkers = (self._seats[member_id] for member_id in self._rows[Row.TALKERS])
        return [seat for seat in talkers if not self.is_exempt(seat)]

    def _first_ready(self) -> Seat | None:
        waiting = (self._seats[member_id] for member_id in self._rows[Row.QUEUE])
        return next((seat for seat in waiting if seat.is_ready), None)


def not_allowed(req: Req, detail: str) -> Error:
    """Return the refusal of a request that is not a request for the floor."""
    return Error(code=ErrorCode.NOT_ALLOWED, detail=detail, req=req)
