"""What a box is told, and what it answers: the events and effects of its pure side."""

from dataclasses import dataclass, field
from enum import StrEnum

from device.buttons.gesture import Gesture
from device.buttons.meanings import Act
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
class NoHub:
    """Why there is no session with the hub: what to say instead of that contact was lost."""

    why: Prompt


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
class Learn:
    """The box is to explain itself: it never did, or a finger asks."""


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
    | NoHub
    | PingDue
    | MicrophoneOk
    | BurstOver
    | Left
    | Tapped
    | Learn
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
    """What fingers did, and what was made of it, also in words. What came of it came before."""

    gesture: Gesture
    act: Act
    words: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Hush:
    """Whatever is being said to the user, and whatever waits to be said, is over."""


@dataclass(frozen=True, slots=True)
class Teach:
    """Show the lamp pattern of this name, wherever the floor stands; None: not any more."""

    lamp: str | None


@dataclass(frozen=True, slots=True)
class Taught:
    """The box has explained itself, or was told that it need not."""


@dataclass(frozen=True, slots=True)
class Enrol:
    """A finger asks for a hub that this box may belong to."""


Effect = (
    Send
    | StartBurst
    | EndBurst
    | CutBurst
    | Say
    | Show
    | Out
    | Sparkle
    | Volume
    | Meant
    | Hush
    | Teach
    | Taught
    | Enrol
)
