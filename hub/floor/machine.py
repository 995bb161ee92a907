"""Moves requests through the floor's table and keeps the rows of the board.

The arbiter decides which trigger fires; this carries it out: state, clocks, rows of
the floor, gates and what the member is told.
"""

from collections.abc import Callable
from typing import Final

from hub.floor.board import Board
from hub.floor.events import Answer, CloseGate, Effect, OpenGate, Tell
from hub.floor.rules import OFFER_REPEAT_S
from hub.floor.seat import Seat
from hub.floor.table import ROW_OF, STOPS, TABLE, Action, Row, State, Trigger
from stagebox.wire.causes import CancelCause, RevokeCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
)
from stagebox.wire.terms import MemberId

_REVOKED: Final = {
    Trigger.LIMIT: RevokeCause.TOO_LONG,
    Trigger.SILENCE: RevokeCause.SILENCE,
    Trigger.PRE_EMPT: RevokeCause.PRE_EMPTED,
    Trigger.VANISH: RevokeCause.LOST,
    Trigger.HOLD: RevokeCause.HOST_HOLD,
    Trigger.FREEZE: RevokeCause.FROZEN,
    Trigger.CONSENT: RevokeCause.CONSENT_NEEDED,
    Trigger.DEMOTE: RevokeCause.LEFT_STAGE,
}
_CANCELLED: Final = {
    Trigger.EXPIRE: CancelCause.OFFER_EXPIRED,
    Trigger.MUTE: CancelCause.BY_SELF,
    Trigger.CLEAR: CancelCause.BY_HOST,
    **dict.fromkeys(STOPS, CancelCause.BY_HOST),
}


class FloorMachine:
    """The requests of one floor."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._out: list[Effect] = []
        self._acts: Final[dict[Action, Callable[[Seat, Trigger, float], None]]] = {
            Action.OPEN_GATE: self._open_gate,
            Action.CLOSE_GATE: self._close_gate,
            Action.TO_HEAD: self._to_head,
            Action.TELL_GRANTED: self._tell_granted,
            Action.TELL_PLACE: self._tell_place,
            Action.TELL_OFFERED: self._tell_offered,
            Action.TELL_REVOKED: self._tell_revoked,
            Action.TELL_CANCELLED: self._tell_cancelled,
            Action.TELL_RELEASED: self._tell_released,
            Action.TELL_ENDING: self._tell_ending,
            Action.PENALISE: self._penalise,
            Action.SET_LIMIT: self._set_limit,
            Action.FROM_HEARD: self._from_heard,
        }

    def take_effects(self) -> list[Effect]:
        """Return what has to be done since the last call, in order."""
        effects, self._out = self._out, []
        return effects

    def tell(self, member_id: MemberId, answer: Answer) -> None:
        """Say this to a member."""
        self._out.append(Tell(member_id, answer))

    def conclude(self, seat: Seat, answer: Answer) -> None:
        """Answer a request that is over with this, now and whenever it is repeated."""
        seat.remember(answer.req or "", answer)
        self.tell(seat.member.id, answer)

    def fire(self, seat: Seat, trigger: Trigger, now: float) -> None:
        """Move the request on, if the table has a row for it."""
        move = TABLE.get((seat.state, trigger))
        if move is None:
            return
        if move.next is not seat.state:
            self._enter_state(seat, move.next, now)
        for action in move.actions:
            self._acts[action](seat, trigger, now)
        if move.next is State.IDLE:
            seat.finish()

    def expire(self, now: float) -> None:
        """Fire what is due, until nothing is."""
        self._board.ghosts = [until for until in self._board.ghosts if until > now]
        for seat in [each for each in self._board.seats.values() if each.has_clocks]:
            while (trigger := self._due(seat, now)) is not None:
                self.fire(seat, trigger, now)
                if trigger is Trigger.GONE:
                    del self._board.seats[seat.member.id]
                    break

    def tell_places(self) -> None:
        """Tell their position to those in the queue for whom it is news."""
        for place, member_id in enumerate(self._board.rows[Row.QUEUE], start=1):
            seat = self._board.seats[member_id]
            if seat.told_place != place and seat.member.connected:
                seat.told_place = place
                self.tell(seat.member.id, FloorQueued(req=seat.req, position=place))

    def _enter_state(self, seat: Seat, state: State, now: float) -> None:
        before, after = ROW_OF.get(seat.state), ROW_OF.get(state)
        if before is not after:
            if before is not None:
                self._board.rows[before].remove(seat.member.id)
            if after is not None:
                self._board.rows[after].append(seat.member.id)
        seat.state = state
        seat.begin(now, self._board.rules)

    def _due(self, seat: Seat, now: float) -> Trigger | None:
        due = (trigger for at, trigger in seat.clocks(self._board.rules) if at <= now)
        return next(due, None)

    def _open_gate(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        self._out.append(OpenGate(seat.member.id))

    def _close_gate(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        self._out.append(CloseGate(seat.member.id))

    def _to_head(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        self._board.rows[Row.QUEUE].remove(seat.member.id)
        self._board.rows[Row.QUEUE].insert(0, seat.member.id)

    def _tell_granted(self, seat: Seat, _trigger: Trigger, now: float) -> None:
        left = None if seat.limit_at is None else seat.limit_at - now
        self.tell(seat.member.id, FloorGranted(req=seat.req, duration_s=left))

    def _tell_place(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        seat.told_place = 0

    def _tell_offered(self, seat: Seat, _trigger: Trigger, now: float) -> None:
        seat.repeats_left -= 1
        seat.repeat_at = now + OFFER_REPEAT_S if seat.repeats_left > 0 else None
        self.tell(seat.member.id, FloorOffered(req=seat.req, expires_in_s=seat.until - now))

    def _tell_revoked(self, seat: Seat, trigger: Trigger, now: float) -> None:
        graced = trigger is Trigger.LIMIT
        answer = FloorRevoked(
            req=seat.req,
            cause=_REVOKED[trigger],
            grace_s=self._board.rules.grace_s if graced else 0,
            retry_after_s=seat.barred_until - now if graced else 0,
        )
        self._end_with(seat, answer)

    def _tell_cancelled(self, seat: Seat, trigger: Trigger, _now: float) -> None:
        cause = _CANCELLED.get(trigger, CancelCause.LEFT)
        self._end_with(seat, FloorCancelled(req=seat.req, cause=cause))

    def _tell_released(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        self._end_with(seat, FloorReleased(req=seat.req))

    def _tell_ending(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        self.tell(seat.member.id, seat.ending or FloorReleased(req=seat.req))

    def _end_with(self, seat: Seat, answer: Answer) -> None:
        seat.ending = seat.ending or answer  # the first reason is the one that is remembered
        self.tell(seat.member.id, answer)

    def _penalise(self, seat: Seat, _trigger: Trigger, now: float) -> None:
        seat.barred_until = now + self._board.rules.grace_s + self._board.rules.penalty_s

    def _set_limit(self, seat: Seat, _trigger: Trigger, now: float) -> None:
        seat.set_limit(now, self._board.rules)

    def _from_heard(self, seat: Seat, _trigger: Trigger, _now: float) -> None:
        seat.lease_from_heard()
