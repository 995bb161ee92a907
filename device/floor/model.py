"""What the floor participant is told, what it answers, and its two tables.

``TALK`` is the life of one press of the TALK key; ``HAND`` is the life of the
raised hand, which is also the place in the queue that a TALK press may earn.
A pair that is not in a table changes nothing. Only ``TALK`` can open a burst,
and it opens in one row: a grant, while the press that asked is still down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from device.buttons.gesture import Gesture
from device.buttons.meanings import Act as Deed
from device.buttons.ports import Key
from device.floor.prompts import Prompt
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import HubMessage, MemberMessage
from stagebox.wire.terms import Gone, News

Cause = DenyCause | RevokeCause | CancelCause | ErrorCode | Gone | News


class FloorState(StrEnum):
    """What the lamp shows: how this box stands to the floor."""

    OFFLINE = "offline"
    NO_SPACE = "no_space"
    IDLE_FREE = "idle_free"
    IDLE_BUSY = "idle_busy"
    ASKING = "asking"
    QUEUED = "queued"
    NEXT = "next"
    OFFERED = "offered"
    LIVE = "live"
    COUGH = "cough"  # the floor is held, and nothing leaves while the finger is down
    HELD = "held"
    FROZEN = "frozen"
    SOON = "soon"  # backstage, and this member is audience
    CONSENT = "consent"  # recorded, and this member has not agreed
    COOLDOWN = "cooldown"
    CUT = "cut"


# --- events ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyDown:
    """A finger went down. ``at``: when, if that was before the event is handled."""

    key: Key
    at: float | None = None


@dataclass(frozen=True, slots=True)
class KeyUp:
    """A finger came up. ``at`` as for KeyDown."""

    key: Key
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """The keys that are down, as read just now: at start, and again and again.

    Mends a lost edge. An edge may still be on its way, and contacts chatter, so a level
    counts when it is read twice in a row; only MUTE found on counts at once. A TALK key
    that is found down without an edge never opens a burst; it must be seen up first.
    """

    down: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the hub."""

    message: HubMessage


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The session with the hub is open (welcomed)."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """There is no session with the hub any more."""


@dataclass(frozen=True, slots=True)
class PingDue:
    """The heartbeat's time has come."""


@dataclass(frozen=True, slots=True)
class MicrophoneOk:
    """Whether frames come from the microphone. Not ok until told otherwise."""

    ok: bool


@dataclass(frozen=True, slots=True)
class BurstOver:
    """The last of the burst that ``EndBurst`` ended has left."""


@dataclass(frozen=True, slots=True)
class Left:
    """The box left the space by its own wish."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """HAND was tapped: raise the hand, or take it down."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing may leave, and the press that is down is spent."""


Event = (
    KeyDown
    | KeyUp
    | Levels
    | Received
    | LinkUp
    | LinkDown
    | PingDue
    | MicrophoneOk
    | BurstOver
    | Left
    | Tapped
    | Halt
)


# --- effects --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to the hub."""

    message: MemberMessage


@dataclass(frozen=True, slots=True)
class StartBurst:
    """Audio captured from ``since`` on, the instant of the press, may leave."""

    since: float


@dataclass(frozen=True, slots=True)
class EndBurst:
    """Audio captured after ``until`` must not leave."""

    until: float


@dataclass(frozen=True, slots=True)
class CutBurst:
    """Nothing leaves from now on, and nothing captured until now ever will."""


@dataclass(frozen=True, slots=True)
class Say:
    """Tell the user. ``number``: queue position, seconds to wait, or people; ``name``: who."""

    prompt: Prompt
    number: int | None = None
    cause: Cause | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """What the lamp shows changed.

    ``refused``: the finger is down, in vain. ``warning``: the burst ends soon. ``recorded``:
    the space is being recorded.
    """

    state: FloorState
    refused: bool = False
    warning: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Out:
    """The box is in no space any more: its media session is over."""


@dataclass(frozen=True, slots=True)
class Sparkle:
    """Somebody shows a mark: a wink of the lamp."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The user wants the programme louder by so many steps, or less loud."""

    steps: int


@dataclass(frozen=True, slots=True)
class Meant:
    """What fingers did, and what was made of it. What came of it came before."""

    gesture: Gesture
    act: Deed


Effect = Send | StartBurst | EndBurst | CutBurst | Say | Show | Out | Sparkle | Volume | Meant


# --- tables ---------------------------------------------------------------------


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
