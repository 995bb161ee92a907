"""One member of a space as the floor arbiter keeps it: its request and its clocks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hub.floor.events import Answer
from hub.floor.rules import LOST_AFTER_S, OFFER_REPEATS, FloorRules
from hub.floor.table import State, Trigger
from stagebox.wire.messages import FloorReleased
from stagebox.wire.space import Member
from stagebox.wire.terms import Place, Req

# How many ended requests are remembered, so that a late repetition hears how they ended.
# A finger makes a few requests in the few seconds for which a repetition may be under way.
REMEMBERED: Final = 32

CHAIR: Final = (Place.HOST, Place.COHOST)
TALKING: Final = (State.LIVE, State.GRACE, State.CLOSING)
_TIMED: Final = frozenset({*TALKING, State.OFFERED})


@dataclass(slots=True)
class Seat:
    """A member, its one request ``req`` (empty when idle) and when what falls due.

    ``until`` is the end of the present state where that has one; ``told_place`` the
    position in the queue that the member last heard, 0 for none.
    """

    member: Member
    state: State = State.IDLE
    req: Req = ""
    ending: Answer | None = None
    until: float = 0.0
    granted_at: float = 0.0
    spoke_at: float = 0.0
    limit_at: float | None = None
    heard_at: float = 0.0
    repeat_at: float | None = None
    repeats_left: int = 0
    told_place: int = 0
    barred_until: float = 0.0
    forget_at: float | None = None
    ended: dict[Req, Answer] = field(default_factory=dict)

    @property
    def is_chair(self) -> bool:
        """Whether this is a host or co-host."""
        return self.member.place in CHAIR

    @property
    def is_there(self) -> bool:
        """Whether somebody who could speak would hear an offer."""
        return self.member.connected and not self.member.muted

    def begin(self, now: float, rules: FloorRules) -> None:
        """Set the clocks of the state just entered."""
        match self.state:
            case State.LIVE:
                self.granted_at = self.spoke_at = now
                self.set_limit(now, rules)
            case State.OFFERED:
                self.until = now + rules.offer_s
                self.repeats_left = OFFER_REPEATS + 1
            case State.GRACE:
                self.until = now + rules.grace_s
            case State.CLOSING:
                # Until this moment the lease may have been renewed.
                self.until = now + LOST_AFTER_S

    def set_limit(self, now: float, rules: FloorRules) -> None:
        """Let the talk limit run from now; a chair has none."""
        limit = None if self.is_chair else rules.talk_limit_s
        self.limit_at = None if limit is None else now + limit

    def lease_from_heard(self) -> None:
        """Let the lease end sooner: nothing can have renewed it since the last message."""
        self.until = min(self.until, max(self.heard_at, self.granted_at) + LOST_AFTER_S)

    @property
    def has_clocks(self) -> bool:
        """Whether ``clocks`` yields anything: most members of a space just listen or wait."""
        return self.state in _TIMED or self.forget_at is not None

    def clocks(self, rules: FloorRules) -> Iterator[tuple[float, Trigger]]:
        """Yield what falls due when; of two that are due, the first one counts."""
        match self.state:
            case State.LIVE:
                yield self.spoke_at + rules.silence_s, Trigger.SILENCE
                if self.limit_at is not None:
                    yield self.limit_at, Trigger.LIMIT
            case State.GRACE:
                yield self.until, Trigger.GRACE_END
            case State.CLOSING:
                yield self.until, Trigger.LEASE_END
            case State.OFFERED:
                yield self.until, Trigger.EXPIRE
                if self.repeat_at is not None:
                    yield self.repeat_at, Trigger.REPEAT
        if self.forget_at is not None:
            yield self.forget_at, Trigger.GONE

    def remember(self, req: Req, answer: Answer) -> None:
        """Keep how ``req`` ended; the oldest is forgotten first."""
        self.ended[req] = answer
        if len(self.ended) > REMEMBERED:
            del self.ended[next(iter(self.ended))]

    def finish(self) -> None:
        """End the present request."""
        self.remember(self.req, self.ending or FloorReleased(req=self.req))
        self.req = ""
        self.ending = None
