"""What the hub's messages mean to the press, the hand and the view of the space.

One row for each type of message; a type without a row concerns somebody else.
"""

from collections.abc import Callable
from math import ceil
from typing import Any, Final

from device.floor.hand import RaisedHand
from device.floor.model import Effect, FloorState, Out, Say, Send
from device.floor.prompts import Prompt
from device.floor.space import KnownSpace, overlay
from device.floor.tables import Talk
from device.floor.talk import TalkKey
from device.floor.timers import Heartbeat
from stagebox.wire.causes import CancelCause, DenyCause
from stagebox.wire.messages import (
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
    HubMessage,
    Ping,
    Pong,
    Snapshot,
    SnapshotRequest,
    SpaceLeft,
)
from stagebox.wire.space import (
    FloorChanged,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    PinAdded,
    PinRemoved,
    SpaceChanged,
    StateEvent,
)

# The space itself keeps the microphone closed; the box does not wait to be told twice.
_SHUT: Final = frozenset({FloorState.FROZEN, FloorState.SOON, FloorState.CONSENT})

# Not refused for good: the host, who holds the microphone, will let go of it.
HOLD_DENIALS: Final = frozenset({DenyCause.FROZEN, DenyCause.HELD})
_LEFT: Final = Say(Prompt.SPACE_LEFT)

_Row = Callable[[Any, float], list[Effect]]


class Inbox:
    """Hands each message to the part that it concerns. Pure."""

    def __init__(self, talk: TalkKey, hand: RaisedHand, new_req: Callable[[], str]) -> None:
        self._talk = talk
        self._hand = hand
        self._new_req = new_req
        self._heartbeat = Heartbeat()
        self._last_space: str | None = None
        self.space = KnownSpace()
        self.round_trip_s = 0.0  # of the last ping that was answered
        self._rows: dict[type, _Row] = {
            Pong: self._on_pong,
            Snapshot: self._on_snapshot,
            MemberJoined: self._on_event,
            MemberChanged: self._on_event,
            MemberLeft: self._on_event,
            FloorChanged: self._on_event,
            SpaceChanged: self._on_event,
            PinAdded: self._on_event,
            PinRemoved: self._on_event,
            SpaceLeft: self._on_left,
            FloorGranted: self._on_granted,
            FloorQueued: self._on_queued,
            FloorOffered: self._on_offered,
            FloorDenied: self._on_denied,
            FloorRevoked: self._talk.revoke,
            FloorCancelled: self._on_cancelled,
            FloorReleased: self._on_released,
            Error: self._on_error,
        }

    def handle(self, message: HubMessage, now: float) -> list[Effect]:
        """Take one message of the session."""
        row = self._rows.get(type(message))
        return [] if row is None else row(message, now)

    def ping(self, now: float) -> Ping:
        """Return the next ping, which is sent at ``now``."""
        return Ping(n=self._heartbeat.ping(now))

    def new_session(self) -> None:
        """Pings count from 1 again, and the space is to be learnt anew."""
        self._heartbeat = Heartbeat()
        self.space.forget()

    def leave(self, now: float, say: Say = _LEFT) -> list[Effect]:
        """Forget the space: the box is not in it any more."""
        if self.space.view is None:
            return []
        self.space.forget()
        self._last_space = None
        effects = self._talk.stop(now)
        self._hand.clear()
        return [*effects, Out(), say]

    def _on_pong(self, message: Pong, now: float) -> list[Effect]:
        sent_at = self._heartbeat.sent_at(message.n)
        if sent_at is not None:
            self.round_trip_s = now - sent_at
            if message.grant is not None:
                self._talk.renew(message.grant, sent_at)
        return []

    def _on_snapshot(self, message: Snapshot, now: float) -> list[Effect]:
        was, self._last_space = self._last_space, message.space.id
        self.space.learn(message)
        if was == message.space.id:
            return self._shut(now)
        effects = self._talk.stop(now)
        self._hand.clear()
        self._talk.cooldown_until = None
        return [*effects, Say(Prompt.SPACE_JOINED, name=message.space.name)]

    def _on_event(self, event: StateEvent, now: float) -> list[Effect]:
        before = self.space.view
        if not self.space.apply(event):
            asks = self.space.may_ask(now)
            return [Send(SnapshotRequest(req=self._new_req()))] if asks else []
        view = self.space.view
        if view is None or view is before:
            return []
        if isinstance(event, MemberLeft) and event.id == view.you:
            return self.leave(now)
        return self._shut(now)

    def _shut(self, now: float) -> list[Effect]:
        """Close the microphone where the space itself does."""
        view = self.space.view
        is_shut = view is not None and overlay(view) in _SHUT
        return self._talk.stop(now) if is_shut else []

    def _on_left(self, message: SpaceLeft, now: float) -> list[Effect]:
        view = self.space.view
        is_here = view is not None and view.space.id == message.space
        return self.leave(now, Say(Prompt.GONE, cause=message.cause)) if is_here else []

    def _on_granted(self, message: FloorGranted, now: float) -> list[Effect]:
        was_open = self._talk.is_open
        effects = self._talk.grant(message, now)
        if self._talk.is_open and not was_open:
            self._hand.clear()  # the floor is what the hand was up for
        return effects

    def _on_queued(self, message: FloorQueued, now: float) -> list[Effect]:
        effects = self._talk.queue(now) if self._talk.is_mine(message.req) else []
        return [*effects, *self._hand.queued(message.req, message.position)]

    def _on_offered(self, message: FloorOffered, now: float) -> list[Effect]:
        self._talk.cooldown_until = None
        # A press that is asking under another name may be taking up this very offer.
        is_old = self._talk.phase is Talk.QUEUED or self._talk.is_mine(message.req)
        effects = self._talk.spend(now) if is_old else []
        return [*effects, *self._hand.offered(message.req)]

    def _on_denied(self, message: FloorDenied, now: float) -> list[Effect]:
        taken = message.cause is DenyCause.FLOOR_TAKEN
        seconds = ceil(message.retry_after_s) or None
        say = Say(Prompt.BUSY if taken else Prompt.DENY, seconds, message.cause, message.holder)
        return self._no(message.req, say, message.retry_after_s, now)

    def _on_error(self, message: Error, now: float) -> list[Effect]:
        if message.req is None:
            return []
        seconds = ceil(message.retry_after_s) or None
        cause = DenyCause.INTERNAL if seconds is None else DenyCause.RETRY_AFTER
        return self._no(message.req, Say(Prompt.DENY, seconds, cause), message.retry_after_s, now)

    def _on_cancelled(self, message: FloorCancelled, now: float) -> list[Effect]:
        passed = message.cause is CancelCause.OFFER_EXPIRED
        say = Say(Prompt.TURN_PASSED) if passed else Say(Prompt.CANCELLED, cause=message.cause)
        return self._no(message.req, say, 0, now)

    def _on_released(self, message: FloorReleased, now: float) -> list[Effect]:
        self._hand.ended(message.req)
        return self._talk.stop(now) if self._talk.is_mine(message.req) else []

    def _no(self, req: str, say: Say, retry_after_s: float, now: float) -> list[Effect]:
        is_press, is_hand = self._talk.is_mine(req), self._hand.knows(req)
        self._hand.ended(req)
        if is_press:
            held = say.cause in HOLD_DENIALS
            return [*self._talk.refuse(now, retry_after_s, held=held), say]
        return [say] if is_hand else []
