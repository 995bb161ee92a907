"""What the rules of a mode say of a request: talk now, wait your turn, or neither.

Reads the board and changes nothing.
"""

from typing import Final

from hub.floor.board import Board
from hub.floor.seat import TALKING, Seat
from hub.floor.table import Row, State, Trigger
from stagebox.wire.causes import DenyCause, ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import MemberId, Mode, Place, Req, Role, Via

_NOT_READY: Final = "away, muted, held or not yet in agreement with the recording"


class Judge:
    """Judges requests over the live ``board`` of one floor."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def verdict(self, seat: Seat, via: Via, now: float) -> Trigger | DenyCause:
        """Return what a new request of this member comes to."""
        barred = self._bar(seat, via)
        if barred is not None:
            return barred
        if now < seat.barred_until:
            return DenyCause.RETRY_AFTER
        queues = self._board.rules.queues
        return self._of_hand(seat, via) if queues else self._of_press(seat, via)

    def holder(self, seat: Seat) -> str | None:
        """Return the name to give for "the floor is taken": its own, or the longest talker's."""
        if seat.state in TALKING:
            return seat.member.name
        return next((talker.member.name for talker in self._board.counted_talkers()), None)

    def may_queue(self, seat: Seat) -> bool:
        """Whether this member may have a hand up, as the rules and its place go."""
        rules, member = self._board.rules, seat.member
        may_ask = member.place is not Place.LISTENER or rules.listeners_ask
        return rules.queues and may_ask and member.role is not Role.SPEAKER

    def callee(self, req: Req, target: MemberId | None) -> Seat | Error:
        """Return whom a chair's Next means, or what to answer the chair instead."""
        board = self._board
        if not board.rules.queues:
            detail = f"In the mode {board.rules.mode} nobody waits."
            return Error(code=ErrorCode.HANDS_OFF, detail=detail, req=req)
        if board.frozen:
            return Error(
                code=ErrorCode.NOT_LIVE,
                detail="The space is frozen until it has a host again.",
                req=req,
            )
        seat = self._first_ready() if target is None else board.seats.get(target)
        if seat is None:
            return self._nobody(req, target)
        return self._unfit(req, seat) or seat

    def _nobody(self, req: Req, target: MemberId | None) -> Error:
        if target is not None:
            return Error(code=ErrorCode.NO_SUCH_MEMBER, detail="Nobody by that id.", req=req)
        if self._board.rows[Row.QUEUE]:
            return not_allowed(req, f"Those who wait are {_NOT_READY}. Their hands stay up.")
        return Error(code=ErrorCode.QUEUE_EMPTY, detail="Nobody is waiting.", req=req)

    def _unfit(self, req: Req, seat: Seat) -> Error | None:
        if seat.state is not State.WAITING:
            return not_allowed(req, "That member has no hand up.")
        if not self._board.is_ready(seat):
            return not_allowed(req, f"That member is {_NOT_READY}. Its hand stays up.")
        if not self._board.has_room(seat):
            detail = "All microphones are taken or offered. Try again when one is free."
            return not_allowed(req, detail)
        if not self._board.has_stage(seat):
            limit = self._board.rules.stage_limit
            detail = f"The stage is full: it takes {limit}. Ask somebody to step down first."
            return Error(code=ErrorCode.STAGE_FULL, detail=detail, req=req)
        return None

    def _bar(self, seat: Seat, via: Via) -> DenyCause | None:
        if seat.member.role is Role.SPEAKER:
            return DenyCause.RECEIVE_ONLY
        if seat.member.place is Place.LISTENER and not self.may_queue(seat):
            return DenyCause.NOT_INVITED
        stop = self._board.stop(seat)
        if stop is not None and (via is Via.TALK or stop.bars_hand):
            return stop.deny
        if seat.state in TALKING:
            return DenyCause.FLOOR_TAKEN
        return DenyCause.MUTED_AT_DEVICE if seat.member.muted and via is Via.TALK else None

    def _of_press(self, seat: Seat, via: Via) -> Trigger | DenyCause:
        board = self._board
        if via is Via.HAND:
            return DenyCause.HANDS_OFF
        if board.has_room(seat):
            return Trigger.GRANT
        may_break_in = board.victim() is not None or self._may_wait(seat)
        return Trigger.BREAK_IN if may_break_in else DenyCause.FLOOR_TAKEN

    def _of_hand(self, seat: Seat, via: Via) -> Trigger | DenyCause:
        board = self._board
        if via is Via.TALK and self._may_talk(seat):
            return Trigger.GRANT
        if via is Via.TALK and self._may_wait(seat):
            return Trigger.BREAK_IN
        is_full = len(board.rows[Row.QUEUE]) >= board.rules.queue_limit
        return DenyCause.QUEUE_FULL if is_full and seat.state is State.IDLE else Trigger.QUEUE

    def _may_talk(self, seat: Seat) -> bool:
        board = self._board
        if seat.state is State.OFFERED or board.is_exempt(seat):
            return True
        # A slot that is free after the queue was served is one that nobody waits for; a
        # listener comes on the stage by an offer only.
        takes_it = board.rules.mode is Mode.FIFO and seat.member.place is not Place.LISTENER
        return (takes_it or self._is_first(seat)) and board.has_room(seat)

    def _is_first(self, seat: Seat) -> bool:
        """Whether this is the chair for whom everybody else is paused."""
        return self._board.priority == seat.member.id

    def _may_wait(self, seat: Seat) -> bool:
        """Whether its finger may stay down until those who must have let go."""
        is_waiting = seat.state is State.PRESSED
        return is_waiting or (self._is_first(seat) and self._board.is_freeing())

    def _first_ready(self) -> Seat | None:
        waiting = (seat for seat in self._board.in_row(Row.QUEUE) if seat.state is State.WAITING)
        return next((seat for seat in waiting if self._board.is_ready(seat)), None)


def not_allowed(req: Req, detail: str) -> Error:
    """Return the refusal of a request that is not a request for the floor."""
    return Error(code=ErrorCode.NOT_ALLOWED, detail=detail, req=req)
