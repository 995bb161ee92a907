"""The floor arbiter: who may talk in one space, and until when.

Theory of operation. Each member has a *seat* with at most one request, in one of the
states of ``hub.floor.table``. An event is first judged by the rules of the mode (may this
member talk now, wait, or neither?), which gives a trigger; the table then says what
becomes of the request and what to tell whom. After every event the queue is served, and
those whose position changed hear the new one.

A grant is a lease. The box may send audio only while the last ping that was answered with
a pong naming its grant (or the first sending of the request that was granted) is younger
than ``LEASE_MS``. The hub renews through ``grant_of``, and stops the moment it takes the
floor back or loses the member. It gives the slot away only when the member itself let go
(released, left, started anew) or ``LOST_AFTER_MS`` after the last possible renewal, which
is longer than the lease. A ping is sent before it is heard; so whatever the network
loses, delays, repeats or reorders, the old microphone is closed before the next one opens.

Nothing here can open a microphone: a grant answers a request that a finger made. The one
grant that comes later, after a break-in, names that same request; a box whose finger has
gone up since releases it.

Every request may be repeated. While it is open the answer is where it stands; after that,
how it ended. A release that arrives before its request ends it.

Orders (``hub.floor.chair``) change what may be. They close microphones and take back offers,
they never open one; a member that was held, paused, frozen or asked to agree presses anew.
A lower limit ends nobody's turn: it only keeps the next one waiting.
"""

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from hub.floor.board import Board
from hub.floor.chair import Chair
from hub.floor.events import (
    Ask,
    Depart,
    Effect,
    Enter,
    Event,
    Next,
    Order,
    Release,
    Request,
    SetMuted,
    Spoke,
    Vanish,
)
from hub.floor.judge import Judge, not_allowed
from hub.floor.machine import FloorMachine
from hub.floor.rules import LOST_AFTER_S, FloorRules
from hub.floor.seat import TALKING, Seat
from hub.floor.table import Row, State, Trigger
from stagebox.wire.causes import DenyCause, ErrorCode
from stagebox.wire.messages import Done, Error, FloorDenied, FloorReleased
from stagebox.wire.space import Floor, Member
from stagebox.wire.terms import MemberId, Place, Req, Role


class FloorArbiter:
    """The floor of one space: events in, effects out. Announcing is ``hub.spaces.space``'s work."""

    def __init__(self, rules: FloorRules) -> None:
        self._board = Board(rules)
        self._seats = self._board.seats
        self._machine = FloorMachine(self._board)
        self._judge = Judge(self._board)
        self._chair = Chair(self._board, self._machine, self._judge)

    def members(self) -> Iterator[Member]:
        """Yield the members, in the order in which they came."""
        return (seat.member for seat in self._seats.values())

    def member(self, member_id: MemberId | None) -> Member | None:
        """Return one of them."""
        seat = self._seats.get(member_id or "")
        return None if seat is None else seat.member

    def floor(self) -> Floor:
        """Return the floor as members see it."""
        return self._board.floor()

    def hands(self) -> tuple[tuple[MemberId, Req], ...]:
        """Return who waits or has an offer, next one first, and by which request."""
        rows = (*self._board.in_row(Row.OFFERED), *self._board.in_row(Row.QUEUE))
        return tuple((seat.member.id, seat.req) for seat in rows if seat.state is not State.PRESSED)

    def grant_of(self, member_id: MemberId) -> Req | None:
        """Return the request whose lease a pong to this member renews now."""
        seat = self._seats.get(member_id)
        return seat.req if seat is not None and seat.state in (State.LIVE, State.GRACE) else None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is next due; None for never."""
        rules = self._board.rules
        seats = (seat for seat in self._seats.values() if seat.has_clocks)
        clocks = (at for seat in seats for at, _ in seat.clocks(rules))
        return min(chain(clocks, self._board.ghosts), default=None)

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Apply one event; return what is to be done, in order."""
        if isinstance(event, Spoke):
            # Before anything falls due: it may be the packet that was missed.
            if event.member_id in self._seats:
                self._seats[event.member_id].spoke_at = now
            return []
        self._machine.expire(now)
        if isinstance(event, Order):
            self._chair.carry_out(event, now)
        elif isinstance(event, Enter):
            self._on_enter(event, now)
        elif event.member_id not in self._seats:
            self._on_stranger(event)
        else:
            self._apply(self._seats[event.member_id], event, now)
        self._chair.settle(now)
        return self.tick(now)

    def call(self, req: Req, target: MemberId | None, now: float) -> Done | Error:
        """Offer the floor to ``target``, or to the next hand, for one who may; ``tick`` is next."""
        self._machine.expire(now)
        callee = self._judge.callee(req, target)
        if isinstance(callee, Error):
            return callee
        self._offer(callee, now)
        return Done(req=req)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due and serve the queue; return what is to be done, in order."""
        self._machine.expire(now)
        self._chair.end_hold()
        self._serve(now)
        self._machine.tell_places()
        return self._machine.take_effects()

    def _apply(self, seat: Seat, event: Depart | Vanish | Request, now: float) -> None:
        match event:
            case Depart():
                self._on_depart(seat, event, now)
            case Vanish():
                self._on_vanish(seat, event, now)
            case Release():
                self._on_release(seat, event, now)
            case _ if not seat.member.connected:
                self._on_stranger(event)
            case _:
                self._on_request(seat, event, now)

    def _on_enter(self, event: Enter, now: float) -> None:
        member = _member(event)
        seat = self._seats.setdefault(event.member_id, Seat(member))
        seat.member = member
        seat.forget_at = None
        self._machine.fire(seat, Trigger.REENTER, now)
        # A box that was restarted counts its requests from the beginning again, and nobody
        # knows whether a finger still holds its priority.
        seat.ended.clear()
        if self._board.priority == event.member_id:
            self._board.priority = None

    def _on_depart(self, seat: Seat, event: Depart, now: float) -> None:
        if event.put_out and seat.state in TALKING and not self._board.is_exempt(seat):
            until = seat.until if seat.state is State.CLOSING else now + LOST_AFTER_S
            self._board.ghosts.append(until)
        self._machine.fire(seat, Trigger.GONE, now)
        del self._seats[event.member_id]

    def _on_stranger(self, event: Depart | Vanish | Request) -> None:
        match event:
            case Release(req=req):
                self._machine.tell(event.member_id, FloorReleased(req=req))
            case Ask(req=req) | Next(req=req) | SetMuted(req=req):
                detail = "You are not in this space. Join it first."
                answer = Error(code=ErrorCode.NOT_IN_SPACE, detail=detail, req=req)
                self._machine.tell(event.member_id, answer)

    def _on_vanish(self, seat: Seat, event: Vanish, now: float) -> None:
        seat.heard_at = event.heard_at
        if seat.member.connected:
            seat.member = replace(seat.member, connected=False)
            seat.forget_at = now + self._board.rules.keep_place_s
        self._machine.fire(seat, Trigger.VANISH, now)

    def _on_release(self, seat: Seat, event: Release, now: float) -> None:
        if event.req == seat.req:
            self._machine.fire(seat, Trigger.RELEASE, now)
            return
        if event.req not in seat.ended:
            seat.remember(event.req, FloorReleased(req=event.req))
        self._machine.tell(event.member_id, FloorReleased(req=event.req))

    def _on_request(self, seat: Seat, event: Ask | Next | SetMuted, now: float) -> None:
        if event.req in seat.ended:
            self._machine.tell(event.member_id, seat.ended[event.req])
            return
        match event:
            case Ask():
                self._on_ask(seat, event, now)
            case Next():
                self._machine.conclude(seat, self._call(seat, event, now))
            case _:
                self._on_muted(seat, event, now)

    def _on_ask(self, seat: Seat, event: Ask, now: float) -> None:
        if event.req == seat.req:
            self._machine.fire(seat, Trigger.AGAIN, now)
            return
        verdict = self._judge.verdict(seat, event.via, now)
        if isinstance(verdict, DenyCause):
            self._machine.conclude(seat, self._denied(seat, event.req, verdict, now))
            return
        if seat.req:  # a press takes up the offer to a hand, or the hand's place in the queue
            self._machine.conclude(seat, FloorReleased(req=seat.req))
        seat.req = event.req
        victim = self._board.victim()
        breaks_in = verdict is Trigger.BREAK_IN and seat.state is not State.PRESSED
        if breaks_in and victim is not None:
            self._machine.fire(victim, Trigger.PRE_EMPT, now)
        self._machine.fire(seat, verdict, now)

    def _call(self, seat: Seat, event: Next, now: float) -> Done | Error:
        if not seat.is_chair:
            return not_allowed(event.req, "Only a host or co-host gives the floor.")
        return self.call(event.req, event.target, now)

    def _offer(self, seat: Seat, now: float) -> None:
        if seat.member.place is Place.LISTENER:
            seat.member = replace(seat.member, place=Place.SPEAKER)
        self._machine.fire(seat, Trigger.CALL, now)

    def _on_muted(self, seat: Seat, event: SetMuted, now: float) -> None:
        seat.member = replace(seat.member, muted=event.muted)
        if event.muted:
            self._machine.fire(seat, Trigger.MUTE, now)
        self._machine.conclude(seat, Done(req=event.req))

    def _serve(self, now: float) -> None:
        board = self._board
        has_slot = board.has_slot()
        for seat in board.in_row(Row.QUEUE):
            if not (has_slot or board.is_exempt(seat)) or not board.is_ready(seat):
                continue
            if seat.state is State.PRESSED:
                self._machine.fire(seat, Trigger.GRANT, now)
            elif board.rules.calls_itself and board.has_stage(seat):
                self._offer(seat, now)
            has_slot = board.has_slot()

    def _denied(self, seat: Seat, req: Req, cause: DenyCause, now: float) -> FloorDenied:
        taken = cause is DenyCause.FLOOR_TAKEN
        return FloorDenied(
            req=req,
            cause=cause,
            holder=self._judge.holder(seat) if taken else None,
            retry_after_s=seat.barred_until - now if cause is DenyCause.RETRY_AFTER else 0,
        )


def _member(event: Enter) -> Member:
    # A smart speaker has no microphone, whatever place it was given.
    place = Place.LISTENER if event.role is Role.SPEAKER else event.place
    return Member(
        id=event.member_id,
        name=event.name,
        kind=event.kind,
        place=place,
        role=event.role,
        held=event.held,
        agreed=event.agreed,
        captioned=event.captioned,
        volume=event.volume,
    )
