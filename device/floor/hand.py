"""The raised hand: a place in the queue, on the ``HAND`` table.

The hub names the place by the request that earned it, and by a later request of
the same member if it likes; the last few names are kept, so that lowering the
hand withdraws whatever the hub calls it.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from device.floor.model import Effect, Say, Send
from device.floor.prompts import Prompt
from device.floor.tables import HAND, Act, Hand, HandCue
from device.floor.timers import Ask
from stagebox.wire.causes import CancelCause
from stagebox.wire.messages import FloorRelease, FloorRequest
from stagebox.wire.terms import Via

# One by HAND and those of a few impatient presses of TALK.
NAMES_KEPT: Final = 4
# What was withdrawn a moment ago may still be spoken of in messages on their way.
WITHDRAWN_KEPT: Final = 16


class RaisedHand:
    """The hand of this box. Pure: events and ``now`` in, effects out."""

    def __init__(self, new_req: Callable[[], str]) -> None:
        self._new_req = new_req
        self.phase = Hand.DOWN
        self.position: int | None = None
        self._names: deque[str] = deque(maxlen=NAMES_KEPT)
        self._withdrawn: deque[str] = deque(maxlen=WITHDRAWN_KEPT)
        self._ask: Ask | None = None

    def tap(self, now: float) -> list[Effect]:
        """Raise the hand, or take it down."""
        names = tuple(self._names)
        act = self._step(HandCue.TAP)
        return self._raise(now) if act is Act.RAISE else self._lower(names)

    def knows(self, req: str) -> bool:
        """Whether ``req`` names this hand."""
        return req in self._names

    def queued(self, req: str, position: int) -> list[Effect]:
        """Take word that ``req`` waits at ``position``."""
        if not self._name(req):
            return []
        was, before = self.phase, self.position
        self._step(HandCue.QUEUE)
        self.position = position
        if was is not Hand.WAITING:
            return [Say(Prompt.QUEUED, number=position)]
        return [Say(Prompt.NEXT, number=1)] if position == 1 != before else []

    def offered(self, req: str) -> list[Effect]:
        """Take word that it is the turn of ``req``; the hub may repeat it."""
        if not self._name(req):
            return []
        was = self.phase
        self._step(HandCue.OFFER)
        return [] if was is Hand.OFFERED else [Say(Prompt.OFFERED)]

    def ended(self, req: str) -> None:
        """Take word that ``req`` waits no more. An older name ends nothing."""
        if self._names and self._names[-1] == req:
            self.clear()
        elif req in self._names:
            self._names.remove(req)

    def clear(self) -> None:
        """Take the hand down without a word."""
        self._step(HandCue.END)

    def withdraw(self, req: str) -> None:
        """Note that this box released ``req``: what the hub still says of it is late."""
        self._withdrawn.append(req)
        self.ended(req)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._ask.deadline if self._ask is not None else None

    def tick(self, now: float) -> list[Effect]:
        """Repeat the request, or give it up."""
        if self._ask is None or now < self._ask.deadline:
            return []
        if self._ask.may_resend:
            return [self._ask.resend()]
        req = self._ask.request.req
        self.withdraw(req)
        return [Send(FloorRelease(req=req)), Say(Prompt.NO_ANSWER)]

    def _step(self, cue: HandCue) -> Act:
        self.phase, act = HAND.get((self.phase, cue), (self.phase, Act.NONE))
        if self.phase is not Hand.ASKED:
            self._ask = None
        if self.phase is not Hand.WAITING:
            self.position = None
        if self.phase is Hand.DOWN:
            self._names.clear()
        return act

    def _raise(self, now: float) -> list[Effect]:
        request = FloorRequest(req=self._new_req(), via=Via.HAND)
        self._names.append(request.req)
        self._ask = Ask(request, now)
        return [Send(request)]

    def _lower(self, names: tuple[str, ...]) -> list[Effect]:
        self._withdrawn.extend(names)
        say = Say(Prompt.CANCELLED, cause=CancelCause.BY_SELF)
        return [*(Send(FloorRelease(req=name)) for name in names), say]

    def _name(self, req: str) -> bool:
        """Make ``req`` the newest name, unless it was withdrawn."""
        if req in self._withdrawn:
            return False
        if req in self._names:
            self._names.remove(req)
        self._names.append(req)
        return True
