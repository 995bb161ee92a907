"""Carries out orders: what hosts, co-hosts and the space itself decide about the floor.

Rights were checked before. An order changes the board; what may then no longer be is
ended by ``settle``, which the arbiter calls after every event.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from hub.floor.board import Board
from hub.floor.events import (
    Agreed,
    Amend,
    Clear,
    Freeze,
    Hold,
    HoldAll,
    Move,
    Order,
    Priority,
    RequireConsent,
    Restore,
    SetPlace,
    SetRules,
)
from hub.floor.judge import Judge
from hub.floor.machine import FloorMachine
from hub.floor.seat import Seat
from hub.floor.table import Row, State, Trigger
from stagebox.wire.terms import MemberId, Place, Role


class Chair:
    """The orders of one floor."""

    def __init__(self, board: Board, machine: FloorMachine, judge: Judge) -> None:
        self._board = board
        self._machine = machine
        self._judge = judge
        self._had_chair = False

    def carry_out(self, order: Order, now: float) -> None:
        """Change what the order says; ``settle`` is the caller's next step."""
        self._HANDLERS[type(order)](self, order, now)

    def settle(self, now: float) -> None:
        """End what may no longer be: first open microphones, then offers, then presses."""
        board = self._board
        self._end_priority()
        self.end_hold()
        for seat in (
            *board.in_row(Row.TALKERS),
            *reversed(board.in_row(Row.OFFERED)),  # each goes to the head: they keep their order
            *board.in_row(Row.QUEUE),
        ):
            stop = board.stop(seat)
            if stop is not None:
                self._machine.fire(seat, stop.trigger, now)
        self._take_back_offers(now)
        self._take_down_hands(now)

    def _end_priority(self) -> None:
        if self._board.priority is None:
            return
        seat = self._board.seats.get(self._board.priority)
        if seat is None or not seat.is_chair or not seat.member.connected:
            self._board.priority = None

    def end_hold(self) -> None:
        """Hold nobody once the last chair is gone for good: who could let them go is not there."""
        has_chair = any(seat.is_chair for seat in self._board.seats.values())
        if self._had_chair and not has_chair:
            self._board.held = False
        self._had_chair = has_chair

    def _take_back_offers(self, now: float) -> None:
        board = self._board
        offers = board.counted_offers()
        while offers and board.taken() > board.rules.open_limit:
            self._machine.fire(offers.pop(), Trigger.RECALL, now)

    def _take_down_hands(self, now: float) -> None:
        """Take down what the rules do not know: a hand, or a press that waits for nothing."""
        for seat in (*self._board.in_row(Row.QUEUE), *self._board.in_row(Row.OFFERED)):
            if self._is_out_of_order(seat):
                self._machine.fire(seat, Trigger.CLEAR, now)

    def _is_out_of_order(self, seat: Seat) -> bool:
        if seat.state is not State.PRESSED:
            return not self._judge.may_queue(seat)
        return self._board.rules.queues and self._board.priority != seat.member.id

    # --- the orders -----------------------------------------------------------------

    def _hold(self, order: Hold, _now: float) -> None:
        self._change(order.member_id, held=order.on)

    def _hold_all(self, order: HoldAll, _now: float) -> None:
        self._board.held = order.on

    def _freeze(self, order: Freeze, _now: float) -> None:
        self._board.frozen = order.on

    def _require_consent(self, order: RequireConsent, _now: float) -> None:
        self._board.consent = order.version

    def _agreed(self, order: Agreed, _now: float) -> None:
        self._change(order.member_id, agreed=order.version)

    def _amend(self, order: Amend, _now: float) -> None:
        given = {"captioned": order.captioned, "volume": order.volume, "name": order.name}
        changes = {name: value for name, value in given.items() if value is not None}
        self._change(order.member_id, **changes)

    def _priority(self, order: Priority, _now: float) -> None:
        board = self._board
        seat = board.seats.get(order.member_id)
        if order.on and seat is not None and seat.is_chair and not self._is_outranked(seat):
            board.priority = order.member_id
        elif not order.on and board.priority == order.member_id:
            board.priority = None

    def _is_outranked(self, seat: Seat) -> bool:
        first = self._board.seats.get(self._board.priority or "", seat)
        return first.member.place is Place.HOST and seat.member.place is not Place.HOST

    def _clear(self, order: Clear, now: float) -> None:
        seats = self._board.seats
        ids = self._board.rows[Row.QUEUE] if order.member_id is None else [order.member_id]
        for seat in [seats[each] for each in ids if each in seats]:
            self._machine.fire(seat, Trigger.CLEAR, now)

    def _move(self, order: Move, _now: float) -> None:
        queue = self._board.rows[Row.QUEUE]
        if order.member_id in queue:
            queue.remove(order.member_id)
            queue.insert(max(order.position, 1) - 1, order.member_id)

    def _set_place(self, order: SetPlace, now: float) -> None:
        seat = self._board.seats.get(order.member_id)
        if seat is None or seat.member.role is Role.SPEAKER or seat.member.place is order.place:
            return
        was_chair = seat.is_chair
        seat.member = replace(seat.member, place=order.place)
        if order.place is Place.LISTENER:
            self._machine.fire(seat, Trigger.DEMOTE, now)
        elif seat.is_chair is not was_chair:
            seat.member = replace(seat.member, held=seat.member.held and was_chair)
            self._machine.fire(seat, Trigger.RERANK, now)

    def _set_rules(self, order: SetRules, _now: float) -> None:
        self._board.rules = order.rules

    def _restore(self, order: Restore, now: float) -> None:
        member = replace(order.member, connected=False, muted=False)
        if member.id in self._board.seats:
            return
        seat = self._board.seats[member.id] = Seat(member)
        seat.forget_at = now + self._board.rules.keep_place_s
        if order.req and self._judge.may_queue(seat):
            seat.req = order.req
            self._machine.fire(seat, Trigger.QUEUE, now)

    def _change(self, member_id: MemberId, **changes: bool | int | str) -> None:
        seat = self._board.seats.get(member_id)
        if seat is not None:
            seat.member = replace(seat.member, **changes)

    _HANDLERS: ClassVar[Mapping[type[Order], Callable[[Any, Any, float], None]]] = {
        Hold: _hold,
        HoldAll: _hold_all,
        Priority: _priority,
        Clear: _clear,
        Move: _move,
        SetPlace: _set_place,
        SetRules: _set_rules,
        Freeze: _freeze,
        RequireConsent: _require_consent,
        Agreed: _agreed,
        Amend: _amend,
        Restore: _restore,
    }
