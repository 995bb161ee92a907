"""The floor's transition table: for each state of a member's request, what may happen.

Data only: the arbiter runs on it and the diagrams in the docs are drawn from it.
A pair that is not in the table does not apply and changes nothing.

``closing`` is the one state a reader may not expect: the floor is taken back, but the
box may not know yet. Its gate is closed and its lease no longer renewed; the slot is
given away only when the box says so itself or its lease has run out for certain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a member's one request stands."""

    IDLE = "idle"
    WAITING = "waiting"  # hand up; will be offered the floor
    PRESSED = "pressed"  # finger down on a floor that is being freed for it
    OFFERED = "offered"
    LIVE = "live"
    GRACE = "grace"  # told to stop, and still heard
    CLOSING = "closing"  # no longer heard, but may still have an open microphone


class Row(StrEnum):
    """The three lists of the floor that members see."""

    QUEUE = "queue"
    OFFERED = "offered"
    TALKERS = "talkers"


ROW_OF: Final[Mapping[State, Row]] = {
    State.WAITING: Row.QUEUE,
    State.PRESSED: Row.QUEUE,
    State.OFFERED: Row.OFFERED,
    State.LIVE: Row.TALKERS,
    State.GRACE: Row.TALKERS,
    State.CLOSING: Row.TALKERS,
}


class Trigger(StrEnum):
    """What happened to the request, after the rules of the mode were asked."""

    GRANT = "asked, may talk now"
    QUEUE = "asked, must wait"
    AGAIN = "asked again"
    BREAK_IN = "asked, takes the floor from another"
    CALL = "its turn"
    RELEASE = "released"
    MUTE = "muted"
    VANISH = "vanished"
    REENTER = "entered again"
    GONE = "left for good"
    REPEAT = "offer not taken up yet"
    EXPIRE = "offer ran out"
    LIMIT = "talk limit reached"
    SILENCE = "no audio"
    PRE_EMPT = "pre-empted"
    HOLD = "held by a chair"
    FREEZE = "space frozen"
    CONSENT = "has not agreed to be recorded"
    DEMOTE = "made a listener"
    CLEAR = "hand taken down by a chair"
    RECALL = "no room for the offer any more"
    RERANK = "made a chair, or one no longer"
    GRACE_END = "grace over"
    LEASE_END = "lease has run out"


class Action(StrEnum):
    """What the arbiter does on the way."""

    OPEN_GATE = "open gate"
    CLOSE_GATE = "close gate"
    TO_HEAD = "to the head of the queue"
    TELL_GRANTED = "granted"
    TELL_PLACE = "queued"
    TELL_OFFERED = "offered"
    TELL_REVOKED = "revoked"
    TELL_CANCELLED = "cancelled"
    TELL_ENDING = "how it ended"
    TELL_RELEASED = "released"
    PENALISE = "must wait before asking again"
    SET_LIMIT = "talk limit starts"
    FROM_HEARD = "lease counts from when last heard"


@dataclass(frozen=True, slots=True)
class Move:
    """The state after, and what is done in this order."""

    next: State
    actions: tuple[Action, ...] = ()


# What silences a member whatever the mode; its hand stays up.
STOPS: Final = (Trigger.PRE_EMPT, Trigger.HOLD, Trigger.FREEZE, Trigger.CONSENT)


def _table() -> dict[tuple[State, Trigger], Move]:
    return {**_of_members(), **_of_chairs()}


def _of_members() -> dict[tuple[State, Trigger], Move]:
    s, t, a = State, Trigger, Action
    to_live = Move(s.LIVE, (a.OPEN_GATE, a.TELL_GRANTED))
    place, offer = (a.TELL_PLACE,), (a.TELL_OFFERED,)
    hand_down = Move(s.IDLE, (a.TELL_RELEASED,))
    dropped = Move(s.IDLE, (a.TELL_CANCELLED,))
    back = Move(s.WAITING, (a.TO_HEAD, a.TELL_PLACE))
    released = Move(s.IDLE, (a.CLOSE_GATE, a.TELL_RELEASED))
    ended = Move(s.IDLE, (a.CLOSE_GATE,))
    cut = Move(s.CLOSING, (a.CLOSE_GATE, a.TELL_REVOKED))
    muted = Move(s.CLOSING, (a.CLOSE_GATE, a.TELL_RELEASED))
    lost = Move(s.CLOSING, (a.CLOSE_GATE, a.FROM_HEARD, a.TELL_REVOKED))
    return {
        (s.IDLE, t.GRANT): to_live,
        (s.IDLE, t.QUEUE): Move(s.WAITING, place),
        (s.IDLE, t.BREAK_IN): Move(s.PRESSED, place),
        (s.WAITING, t.GRANT): to_live,
        (s.WAITING, t.QUEUE): Move(s.WAITING, place),
        (s.WAITING, t.AGAIN): Move(s.WAITING, place),
        (s.WAITING, t.BREAK_IN): Move(s.PRESSED, place),
        (s.WAITING, t.CALL): Move(s.OFFERED, offer),
        (s.WAITING, t.RELEASE): hand_down,
        (s.WAITING, t.REENTER): Move(s.WAITING, place),
        (s.WAITING, t.GONE): dropped,
        (s.PRESSED, t.GRANT): to_live,
        (s.PRESSED, t.BREAK_IN): Move(s.PRESSED, place),
        (s.PRESSED, t.QUEUE): Move(s.WAITING, place),
        (s.PRESSED, t.AGAIN): Move(s.PRESSED, place),
        (s.PRESSED, t.RELEASE): hand_down,
        (s.PRESSED, t.MUTE): dropped,
        (s.PRESSED, t.VANISH): dropped,
        (s.PRESSED, t.REENTER): dropped,
        (s.PRESSED, t.GONE): dropped,
        (s.OFFERED, t.GRANT): to_live,
        (s.OFFERED, t.QUEUE): Move(s.OFFERED, offer),
        (s.OFFERED, t.AGAIN): Move(s.OFFERED, offer),
        (s.OFFERED, t.REPEAT): Move(s.OFFERED, offer),
        (s.OFFERED, t.RELEASE): hand_down,
        (s.OFFERED, t.MUTE): back,
        (s.OFFERED, t.VANISH): back,
        (s.OFFERED, t.REENTER): back,
        (s.OFFERED, t.EXPIRE): dropped,
        (s.OFFERED, t.GONE): dropped,
        (s.LIVE, t.AGAIN): Move(s.LIVE, (a.TELL_GRANTED,)),
        (s.LIVE, t.RELEASE): released,
        (s.LIVE, t.MUTE): muted,
        (s.LIVE, t.VANISH): lost,
        (s.LIVE, t.REENTER): ended,
        (s.LIVE, t.GONE): ended,
        (s.LIVE, t.LIMIT): Move(s.GRACE, (a.PENALISE, a.TELL_REVOKED)),
        (s.LIVE, t.SILENCE): cut,
        (s.GRACE, t.AGAIN): Move(s.GRACE, (a.TELL_ENDING,)),
        (s.GRACE, t.RELEASE): released,
        (s.GRACE, t.MUTE): muted,
        (s.GRACE, t.VANISH): lost,
        (s.GRACE, t.REENTER): ended,
        (s.GRACE, t.GONE): ended,
        (s.GRACE, t.GRACE_END): Move(s.CLOSING, (a.CLOSE_GATE,)),
        (s.CLOSING, t.AGAIN): Move(s.CLOSING, (a.TELL_ENDING,)),
        (s.CLOSING, t.RELEASE): hand_down,
        (s.CLOSING, t.VANISH): Move(s.CLOSING, (a.FROM_HEARD,)),
        (s.CLOSING, t.REENTER): Move(s.IDLE),
        (s.CLOSING, t.GONE): Move(s.IDLE),
        (s.CLOSING, t.LEASE_END): Move(s.IDLE),
    }


def _of_chairs() -> dict[tuple[State, Trigger], Move]:
    s, t, a = State, Trigger, Action
    cut = Move(s.CLOSING, (a.CLOSE_GATE, a.TELL_REVOKED))
    back = Move(s.WAITING, (a.TO_HEAD, a.TELL_PLACE))
    dropped = Move(s.IDLE, (a.TELL_CANCELLED,))
    stopped = {s.LIVE: cut, s.GRACE: cut, s.OFFERED: back, s.PRESSED: dropped}
    lowered = {s.WAITING: dropped, s.OFFERED: dropped, s.PRESSED: dropped}
    return {
        **{(state, stop): move for stop in STOPS for state, move in stopped.items()},
        **{(state, t.CLEAR): move for state, move in lowered.items()},
        **{
            (state, t.DEMOTE): move
            for state, move in {**lowered, s.LIVE: cut, s.GRACE: cut}.items()
        },
        (s.OFFERED, t.RECALL): back,
        (s.LIVE, t.RERANK): Move(s.LIVE, (a.SET_LIMIT, a.TELL_GRANTED)),
    }


TABLE: Final[Mapping[tuple[State, Trigger], Move]] = _table()
