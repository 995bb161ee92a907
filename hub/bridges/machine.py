"""Where one bridge is, and when it tries again. Pure; the table is data.

What is over for a moment (a cable, a restart) is tried again at once and then less
often; what the far side refuses, rarely; a room that is not there, every few seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.bridges.terms import Cause, State

# A server that restarts is back within seconds, and sound is promised 5 s later: the
# longest wait, a connection's own deadline and the set-up must fit in that.
FIRST_S: Final = 0.25
MOST_S: Final = 2.0
# A refusal is a person's decision or mistake, and is undone by one.
REFUSED_S: Final = 30.0
# A room that ended may be opened again; asking costs one small request.
ENDED_S: Final = 3.0
# A spare way, to be there soon after the first one is gone; asking is one small request.
RING_S: Final = 5.0
# What a server may ask for by Retry-After; beyond it we would seem dead.
MOST_ASKED_S: Final = 120.0
# A connection that held this long did not fail because of how it was made.
PROVEN_S: Final = 10.0
# How far the waits of many hubs that lost one server are spread.
SPREAD: Final = 0.25


class Event(StrEnum):
    """What happens to a bridge."""

    ON = "on"
    OFF = "off"
    JOINED = "joined"
    OVER = "over"  # for a cause
    DUE = "due"  # the wait is over


# Where a cause leads to.
AFTER: Final[Mapping[Cause, State]] = MappingProxyType(
    {
        Cause.NONE: State.WAITING,
        Cause.UNREACHABLE: State.WAITING,
        Cause.NO_ANSWER: State.WAITING,
        Cause.LOST: State.WAITING,
        Cause.BUSY: State.WAITING,
        Cause.NOT_LET_IN_HERE: State.WAITING,
        Cause.FAILED: State.WAITING,
        Cause.BAD_ANSWER: State.REFUSED,
        Cause.WRONG_SECRET: State.REFUSED,
        Cause.NOT_ALLOWED: State.REFUSED,
        Cause.REMOVED_THERE: State.REFUSED,
        Cause.ALREADY_BRIDGED: State.REFUSED,
        Cause.RING: State.REFUSED,
        Cause.NOTHING_THERE: State.ENDED,
        Cause.ROOM_ENDED: State.ENDED,
        # A host of ours said no: it comes back only when somebody switches it on.
        Cause.PUT_OUT_HERE: State.OFF,
        # What others see at once is begun by a person, each time.
        Cause.NOT_BEGUN_AGAIN: State.OFF,
    }
)
_BY_CAUSE: Final = None
_RUNNING: Final[Mapping[Event, State | None]] = MappingProxyType(
    {Event.OFF: State.OFF, Event.OVER: _BY_CAUSE}
)
_RESTING: Final[Mapping[Event, State | None]] = MappingProxyType(
    {Event.OFF: State.OFF, Event.DUE: State.CONNECTING, Event.ON: State.CONNECTING}
)
# What is not in a row changes nothing.
TABLE: Final[Mapping[State, Mapping[Event, State | None]]] = MappingProxyType(
    {
        State.OFF: MappingProxyType({Event.ON: State.CONNECTING}),
        State.CONNECTING: MappingProxyType({**_RUNNING, Event.JOINED: State.JOINED}),
        State.JOINED: _RUNNING,
        State.WAITING: _RESTING,
        State.REFUSED: _RESTING,
        State.ENDED: _RESTING,
    }
)


@dataclass(frozen=True, slots=True)
class Condition:
    """What people are shown. ``since``: when the state began; ``next_at``: when it is tried again.

    Both in seconds of the hub's clock.
    """

    state: State = State.OFF
    cause: Cause = Cause.NONE
    detail: str = ""
    since: float = 0.0
    next_at: float | None = None


class BridgeMachine:
    """One bridge's condition. ``spread``: 0 to 1, this hub's own place among many."""

    def __init__(self, spread: float = 0.0) -> None:
        self.condition = Condition()
        self.joins = 0
        self._failures = 0
        self._spread = spread

    def handle(self, event: Event, now: float) -> bool:
        """Let something happen that has no cause; say whether it changed the state.

        Raises:
            ValueError: ``Event.OVER`` has a cause: see ``over``.
        """
        if event is Event.OVER:
            raise ValueError("what is over is over for a cause: call over()")
        state = TABLE[self.condition.state].get(event)
        if state is None:
            return False
        if event is Event.JOINED:
            self.joins += 1
        if event in {Event.ON, Event.OFF}:
            self._failures = 0
        # While it tries again, people see why it has to.
        kept = event is Event.DUE
        cause, detail = self.condition.cause, self.condition.detail
        self.condition = Condition(
            state, cause if kept else Cause.NONE, detail if kept else "", now
        )
        return True

    def over(self, cause: Cause, detail: str, now: float, asked_s: float = 0.0) -> float | None:
        """Note that it is not joined, or no longer, and return the wait; None: for ever.

        ``asked_s``: what the far side asked for.
        """
        before = self.condition
        if Event.OVER not in TABLE[before.state]:
            return self._left(now)
        if before.state is State.JOINED and now - before.since >= PROVEN_S:
            self._failures = 0
        state = AFTER[cause]
        wait_s = self._wait_s(state, cause, asked_s)
        self._failures += 1
        next_at = None if wait_s is None else now + wait_s
        self.condition = Condition(state, cause, detail, now, next_at)
        return wait_s

    def _left(self, now: float) -> float | None:
        next_at = self.condition.next_at
        return None if next_at is None else max(0.0, next_at - now)

    def _wait_s(self, state: State, cause: Cause, asked_s: float) -> float | None:
        if state is State.OFF:
            return None
        own = {State.REFUSED: REFUSED_S, State.ENDED: ENDED_S}.get(state)
        if cause is Cause.RING:
            own = RING_S
        if own is None:
            own = min(FIRST_S * 2.0 ** min(self._failures, 16), MOST_S)
        own *= 1 - SPREAD * self._spread
        return max(own, min(asked_s, MOST_ASKED_S))
