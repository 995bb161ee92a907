"""The words of bridges: what a bridge can be, why it is not joined, and who is over there. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# As long as a member's name may be (``stagebox.wire.terms.Name``).
MAX_NAME: Final = 40
# A roster that somebody else writes: more than a large room has, less than hurts.
MAX_PEOPLE: Final = 200
# Controls, line separators and whatever turns the text of others around.
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_NOBODY: Final = "?"


class System(StrEnum):
    """What hosts the far side, and how it is spoken to."""

    WHIP = "whip"  # we publish the space to a WHIP endpoint
    WHEP = "whep"  # we play a WHEP endpoint into the space
    HUB = "stagebox"  # another hub, both ways in one session
    JANUS = "janus-audiobridge"
    JANUS_STREAM = "janus-streaming"  # we play a stream of Janus into the space
    JANUS_VIDEO = "janus-videoroom"
    LIVEKIT = "livekit"
    MUMBLE = "mumble"
    SIP = "sip"  # a call, to a telephone or a conference
    DISCORD = "discord-stage"  # we are heard in a stage of Discord
    X = "x"  # a Space, unofficially: off unless the settings accept the risk


class Part(StrEnum):
    """What a bridge is to do over there, where that is somebody's to grant."""

    LISTEN = "listen"
    SPEAK = "speak"  # ask to, and until then listen
    HOST = "host"  # make it, whenever somebody switches it on


# From there nobody hears us.
ONLY_HEARD: Final = (System.WHEP, System.JANUS_STREAM)
# From there nothing is heard here.
ONLY_HEARS: Final = (System.WHIP, System.DISCORD)


class State(StrEnum):
    """Where a bridge is."""

    OFF = "off"
    CONNECTING = "connecting"
    JOINED = "joined"
    WAITING = "waiting"  # to try again soon: the way there is broken
    REFUSED = "refused"  # the far side does not want us: tried again rarely
    ENDED = "ended"  # nothing is there to join at present


class Cause(StrEnum):
    """Why a bridge is not joined."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    LOST = "lost"
    BUSY = "busy"
    BAD_ANSWER = "bad_answer"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of a cause
    NOT_ALLOWED = "not_allowed"
    REMOVED_THERE = "removed_there"
    ALREADY_BRIDGED = "already_bridged"
    RING = "ring"  # between hubs: another bridge leads there already
    NOTHING_THERE = "nothing_there"
    ROOM_ENDED = "room_ended"
    NOT_LET_IN_HERE = "not_let_in_here"
    PUT_OUT_HERE = "put_out_here"
    NOT_BEGUN_AGAIN = "not_begun_again"
    FAILED = "failed"


class FarError(Exception):
    """The far side cannot be joined, or is joined no longer; the text is for people.

    ``retry_after_s``: what the far side asks for; 0: it says nothing.
    """

    def __init__(self, cause: Cause, detail: str, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = clean_text(detail)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the far side, as the far side tells it; None: it does not tell that.

    ``id``: under which they may be given the right to speak there; empty: not from here.
    """

    name: str
    muted: bool | None = None
    talking: bool | None = None
    is_bridge: bool = False
    hand: bool | None = None
    may_speak: bool | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the far side has of what a space has; the rest is "not available there".

    ``recording``: it can be shown there that the space is recorded.
    """

    roster: bool = False
    mute: bool = False
    talker: bool = False
    hands: bool = False
    recording: bool = False


def clean_name(text: object) -> str:
    """Return a far side's name as it may be shown: one line, of at most ``MAX_NAME``."""
    cleaned = _cleaned(text)[:MAX_NAME].strip()
    return cleaned or _NOBODY


def clean_text(text: object, most: int = 200) -> str:
    """Return a far side's sentence as it may be shown; may be empty."""
    return _cleaned(text)[:most].strip()


def reason(error: Exception) -> str:
    """Return what an error says; one that says nothing is a deadline's."""
    return clean_text(str(error)) or "not in time"


def _cleaned(text: object) -> str:
    shown = text if isinstance(text, str) else ""
    # Bounded before it is looked at: a name may come with a megabyte of accents.
    return _FORBIDDEN.sub("", unicodedata.normalize("NFC", shown[:1_000]))
