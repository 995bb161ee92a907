"""Where the playing of a space on a speaker is, and when it is tried again. Pure; data.

What broke is tried again at once and then less often; what the speaker refuses, rarely.
What a person stopped at the speaker stays stopped until somebody asks for it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.speakers.terms import Cause, State

# A speaker or a server that restarts is back within seconds, and sound is promised 5 s later.
FIRST_S: Final = 0.25
SOON_S: Final = 2.0
# One that fails for minutes is not asked every other second all night.
PATIENT_AFTER: Final = 30
LATER_S: Final = 15.0
REFUSED_S: Final = 30.0
# What played this long did not fail because of how it was begun.
PROVEN_S: Final = 10.0


class Event(StrEnum):
    """What happens."""

    ON = "on"
    OFF = "off"
    FOUND = "found"
    GONE = "gone"
    STREAMED = "streamed"
    SILENCED = "silenced"  # the space is not streamed any more
    PLAYING = "playing"
    OVER = "over"  # for a cause
    DUE = "due"  # the wait is over


class _Way(StrEnum):
    """Where an entry of the table leads, if that depends on something."""

    BEGIN = "begin"  # start, or wait for what is missing
    CAUSE = "cause"


# Where a cause leads to.
AFTER: Final[Mapping[Cause, State]] = MappingProxyType(
    {
        Cause.NONE: State.WAITING,
        Cause.UNREACHABLE: State.WAITING,
        Cause.NO_ANSWER: State.WAITING,
        Cause.LOST: State.WAITING,
        Cause.FAILED: State.WAITING,
        Cause.BAD_ANSWER: State.REFUSED,
        Cause.NOT_ALLOWED: State.REFUSED,
        Cause.NO_FORMAT: State.REFUSED,
        Cause.TAKEN: State.STOPPED,
        Cause.STOPPED_THERE: State.STOPPED,
    }
)
_Target = State | _Way
_BEGIN: Final = _Way.BEGIN
_ENDS: Final[Mapping[Event, _Target]] = MappingProxyType({Event.OFF: State.OFF})
_RUNNING: Final[Mapping[Event, _Target]] = MappingProxyType(
    {**_ENDS, Event.SILENCED: State.HELD, Event.OVER: _Way.CAUSE}
)
_RESTING: Final[Mapping[Event, _Target]] = MappingProxyType(
    {
        **_ENDS,
        Event.ON: _BEGIN,
        Event.DUE: _BEGIN,
        Event.SILENCED: State.HELD,
        Event.GONE: State.ABSENT,
    }
)
# What is not in a row changes nothing. A speaker that plays is there, whatever is announced.
TABLE: Final[Mapping[State, Mapping[Event, _Target]]] = MappingProxyType(
    {
        State.OFF: MappingProxyType({Event.ON: _BEGIN}),
        State.ABSENT: MappingProxyType(
            {**_ENDS, Event.ON: _BEGIN, Event.FOUND: _BEGIN, Event.SILENCED: State.HELD}
        ),
        State.HELD: MappingProxyType({**_ENDS, Event.ON: _BEGIN, Event.STREAMED: _BEGIN}),
        State.STARTING: MappingProxyType({**_RUNNING, Event.PLAYING: State.PLAYING}),
        State.PLAYING: _RUNNING,
        State.WAITING: _RESTING,
        State.REFUSED: _RESTING,
        State.STOPPED: MappingProxyType({**_ENDS, Event.ON: _BEGIN}),
    }
)
AT_WORK: Final = frozenset({State.STARTING, State.PLAYING})


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


class SpeakerMachine:
    """One wish's condition: that a speaker plays a space."""

    def __init__(self) -> None:
        self.condition = Condition()
        self.plays = 0
        self._failures = 0
        self._is_there = False
        self._is_streamed = False

    @property
    def is_at_work(self) -> bool:
        """Whether something is to be done at the speaker now."""
        return self.condition.state in AT_WORK

    @property
    def is_wanted(self) -> bool:
        """Whether it goes on by itself: also after the hub starts anew."""
        return self.condition.state not in {State.OFF, State.STOPPED}

    def handle(self, event: Event, now: float) -> bool:
        """Let something happen that has no cause; say whether it changed the state.

        Raises:
            ValueError: ``Event.OVER`` has a cause: see ``over``.
        """
        if event is Event.OVER:
            raise ValueError("what is over is over for a cause: call over()")
        self._know(event)
        target = TABLE[self.condition.state].get(event)
        state = self._beginning() if target is _Way.BEGIN else target
        if not isinstance(state, State) or state is self.condition.state:
            return False
        if state is State.PLAYING:
            self.plays += 1
        # While it tries again, people see why it has to.
        kept = event is Event.DUE
        cause, detail = self.condition.cause, self.condition.detail
        self.condition = Condition(
            state, cause if kept else Cause.NONE, detail if kept else "", now
        )
        return True

    def over(self, cause: Cause, detail: str, now: float) -> bool:
        """Note that it does not play, or no longer; say whether that changed anything."""
        before = self.condition
        if Event.OVER not in TABLE[before.state]:
            return False
        if before.state is State.PLAYING and now - before.since >= PROVEN_S:
            self._failures = 0
        state = AFTER[cause]
        wait_s = self._wait_s(state)
        self._failures += 1
        if state is State.WAITING and not self._is_there:
            state, wait_s = State.ABSENT, None
        next_at = None if wait_s is None else now + wait_s
        self.condition = Condition(state, cause, detail, now, next_at)
        return True

    def _know(self, event: Event) -> None:
        if event in {Event.FOUND, Event.GONE}:
            self._is_there = event is Event.FOUND
        elif event in {Event.STREAMED, Event.SILENCED}:
            self._is_streamed = event is Event.STREAMED
        elif event in {Event.ON, Event.OFF}:
            self._failures = 0

    def _beginning(self) -> State:
        if not self._is_streamed:
            return State.HELD
        return State.STARTING if self._is_there else State.ABSENT

    def _wait_s(self, state: State) -> float | None:
        if state is State.REFUSED:
            return REFUSED_S
        if state is State.STOPPED:
            return None
        if self._failures >= PATIENT_AFTER:
            return LATER_S
        return min(FIRST_S * 2.0 ** min(self._failures, 16), SOON_S)
