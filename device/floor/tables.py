"""The two tables of the floor participant.

``TALK`` is the life of one press of the TALK key; ``HAND`` is the life of the
raised hand, which is also the place in the queue that a TALK press may earn.
A pair that is not in a table changes nothing. Only ``TALK`` can open a burst: by a
grant, while the press that asked is still down, and, where a tap has kept it open, by
the finger that coughed and comes up.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Talk(StrEnum):
    """Where a press of TALK stands. SPENT: it cannot open any more, lift the finger first.

    LATCHED: the floor outlives the finger that tapped. COUGH: a finger is down again, and
    nothing leaves while it is.
    """

    UP = "up"
    ASKING = "asking"
    QUEUED = "queued"
    LIVE = "live"
    LATCHED = "latched"
    COUGH = "cough"
    TAIL = "tail"
    SPENT = "spent"


class TalkCue(StrEnum):
    """What can happen to a press."""

    PRESS = "press"
    BAR = "bar"
    LIFT = "lift"
    TAP = "tap"  # LIFT, soon after the press, on a box that latches
    GRANT = "grant"
    QUEUE = "queue"
    SPEND = "spend"
    REFUSE = "refuse"
    STOP = "stop"
    TAIL_OVER = "tail_over"


class Hand(StrEnum):
    """Where the raised hand stands."""

    DOWN = "down"
    ASKED = "asked"
    WAITING = "waiting"
    OFFERED = "offered"


class HandCue(StrEnum):
    """What can happen to a hand."""

    TAP = "tap"
    QUEUE = "queue"
    OFFER = "offer"
    END = "end"


class Act(StrEnum):
    """What a transition does besides."""

    NONE = "none"
    ASK = "ask"
    WITHDRAW = "withdraw"
    OPEN = "open"
    HANG = "hang"
    RELEASE = "release"
    LATCH = "latch"
    PAUSE = "pause"
    RESUME = "resume"
    CUT = "cut"
    CUT_ASK = "cut_ask"
    RAISE = "raise"
    LOWER = "lower"


TALK: Final[Mapping[tuple[Talk, TalkCue], tuple[Talk, Act]]] = MappingProxyType(
    {
        (Talk.UP, TalkCue.PRESS): (Talk.ASKING, Act.ASK),
        (Talk.UP, TalkCue.BAR): (Talk.SPENT, Act.NONE),
        (Talk.ASKING, TalkCue.LIFT): (Talk.UP, Act.WITHDRAW),
        (Talk.ASKING, TalkCue.GRANT): (Talk.LIVE, Act.OPEN),
        (Talk.ASKING, TalkCue.QUEUE): (Talk.QUEUED, Act.NONE),
        (Talk.ASKING, TalkCue.SPEND): (Talk.SPENT, Act.NONE),
        (Talk.ASKING, TalkCue.REFUSE): (Talk.SPENT, Act.NONE),
        (Talk.ASKING, TalkCue.STOP): (Talk.SPENT, Act.WITHDRAW),
        # The place in the queue outlives the press that earned it. The floor may still
        # come to this press, while its lease runs; an offer wants a fresh one.
        (Talk.QUEUED, TalkCue.LIFT): (Talk.UP, Act.NONE),
        (Talk.QUEUED, TalkCue.GRANT): (Talk.LIVE, Act.OPEN),
        (Talk.QUEUED, TalkCue.SPEND): (Talk.SPENT, Act.NONE),
        (Talk.QUEUED, TalkCue.REFUSE): (Talk.SPENT, Act.NONE),
        (Talk.QUEUED, TalkCue.STOP): (Talk.SPENT, Act.NONE),
        (Talk.LIVE, TalkCue.LIFT): (Talk.TAIL, Act.HANG),
        (Talk.LIVE, TalkCue.TAP): (Talk.LATCHED, Act.LATCH),
        (Talk.LIVE, TalkCue.QUEUE): (Talk.SPENT, Act.CUT),
        (Talk.LIVE, TalkCue.SPEND): (Talk.SPENT, Act.CUT),
        (Talk.LIVE, TalkCue.REFUSE): (Talk.SPENT, Act.CUT),
        (Talk.LIVE, TalkCue.STOP): (Talk.SPENT, Act.CUT),
        # Whether it is the closing tap or a cough, nothing is to be heard from here on.
        (Talk.LATCHED, TalkCue.PRESS): (Talk.COUGH, Act.PAUSE),
        (Talk.LATCHED, TalkCue.BAR): (Talk.SPENT, Act.CUT),
        (Talk.LATCHED, TalkCue.QUEUE): (Talk.UP, Act.CUT),
        (Talk.LATCHED, TalkCue.SPEND): (Talk.UP, Act.CUT),
        (Talk.LATCHED, TalkCue.REFUSE): (Talk.UP, Act.CUT),
        (Talk.LATCHED, TalkCue.STOP): (Talk.UP, Act.CUT),
        (Talk.COUGH, TalkCue.LIFT): (Talk.LATCHED, Act.RESUME),
        (Talk.COUGH, TalkCue.TAP): (Talk.UP, Act.RELEASE),
        (Talk.COUGH, TalkCue.QUEUE): (Talk.SPENT, Act.CUT),
        (Talk.COUGH, TalkCue.SPEND): (Talk.SPENT, Act.CUT),
        (Talk.COUGH, TalkCue.REFUSE): (Talk.SPENT, Act.CUT),
        (Talk.COUGH, TalkCue.STOP): (Talk.SPENT, Act.CUT),
        (Talk.TAIL, TalkCue.PRESS): (Talk.ASKING, Act.CUT_ASK),
        (Talk.TAIL, TalkCue.BAR): (Talk.SPENT, Act.CUT),
        (Talk.TAIL, TalkCue.QUEUE): (Talk.UP, Act.CUT),
        (Talk.TAIL, TalkCue.SPEND): (Talk.UP, Act.CUT),
        (Talk.TAIL, TalkCue.REFUSE): (Talk.UP, Act.CUT),
        (Talk.TAIL, TalkCue.STOP): (Talk.UP, Act.CUT),
        (Talk.TAIL, TalkCue.TAIL_OVER): (Talk.UP, Act.RELEASE),
        (Talk.SPENT, TalkCue.LIFT): (Talk.UP, Act.NONE),
    }
)

HAND: Final[Mapping[tuple[Hand, HandCue], tuple[Hand, Act]]] = MappingProxyType(
    {
        (Hand.DOWN, HandCue.TAP): (Hand.ASKED, Act.RAISE),
        (Hand.DOWN, HandCue.QUEUE): (Hand.WAITING, Act.NONE),
        (Hand.DOWN, HandCue.OFFER): (Hand.OFFERED, Act.NONE),
        (Hand.ASKED, HandCue.TAP): (Hand.DOWN, Act.LOWER),
        (Hand.ASKED, HandCue.QUEUE): (Hand.WAITING, Act.NONE),
        (Hand.ASKED, HandCue.OFFER): (Hand.OFFERED, Act.NONE),
        (Hand.ASKED, HandCue.END): (Hand.DOWN, Act.NONE),
        (Hand.WAITING, HandCue.TAP): (Hand.DOWN, Act.LOWER),
        (Hand.WAITING, HandCue.OFFER): (Hand.OFFERED, Act.NONE),
        (Hand.WAITING, HandCue.END): (Hand.DOWN, Act.NONE),
        (Hand.OFFERED, HandCue.TAP): (Hand.DOWN, Act.LOWER),
        (Hand.OFFERED, HandCue.QUEUE): (Hand.WAITING, Act.NONE),
        (Hand.OFFERED, HandCue.END): (Hand.DOWN, Act.NONE),
    }
)
