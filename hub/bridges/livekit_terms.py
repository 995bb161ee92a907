"""What LiveKit says, as far as a room of voices goes: who is there, and why it is over. Pure.

Whatever it says is somebody else's word: it is read with bounds, and what is not as
expected is left out.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from hub.bridges.livekit_mail import Entry
from hub.bridges.mark import is_bridge, without
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name, clean_text
from stagebox.wire.terms import Mark

# Names may carry a mark of 32 characters behind 40 of their own, and be somebody else's.
MAX_SHOWN: Final = 200
# By these attributes an app shows a raised hand; LiveKit itself has no word for it.
HAND_ATTRIBUTES: Final = ("hand", "hand_raised", "handRaised", "raised_hand")
_DOWN: Final = frozenset({"", "0", "false", "no", "off", "null", "down"})
_MOST_TOKEN: Final = 8_000
# What goes through the socket to the hub in one piece is at most 64 KiB.
_MOST_BYTES: Final = 60_000
# Numbers, flags and lengths of one entry, encoded.
_FRAMING: Final = 32

# Why LiveKit ended it, by its own names; what is not here is a line that broke.
_REASONS: Final[Mapping[str, tuple[Cause, str]]] = MappingProxyType(
    {
        "PARTICIPANT_REMOVED": (
            Cause.REMOVED_THERE,
            "Somebody put this hub out of the room in LiveKit.",
        ),
        "DUPLICATE_IDENTITY": (
            Cause.REMOVED_THERE,
            "Somebody else came into the room in LiveKit under this hub's identity.",
        ),
        "ROOM_DELETED": (Cause.ROOM_ENDED, "The room in LiveKit was closed."),
        "ROOM_CLOSED": (Cause.ROOM_ENDED, "The room in LiveKit was closed."),
        "SERVER_SHUTDOWN": (Cause.LOST, "The LiveKit server shuts down."),
    }
)
# What LiveKit's library says when it does not get in, by what is in its sentence. The first
# that fits counts.
_REFUSALS: Final = (
    ("401", Cause.WRONG_SECRET, "LiveKit wants another key, secret or token"),
    ("unauthorized", Cause.WRONG_SECRET, "LiveKit wants another key, secret or token"),
    ("invalid token", Cause.WRONG_SECRET, "LiveKit wants another key, secret or token"),
    ("403", Cause.NOT_ALLOWED, "LiveKit does not let this hub in"),
    ("permission", Cause.NOT_ALLOWED, "LiveKit does not let this hub in"),
    ("not found", Cause.NOTHING_THERE, "LiveKit has no such room"),
    ("404", Cause.NOTHING_THERE, "There is no LiveKit at this address, or no such room"),
    ("429", Cause.BUSY, "LiveKit has no room for more"),
    ("503", Cause.BUSY, "LiveKit has no room for more"),
)


# Data of this topic are reactions; apps have no common word for them, and most send a sign.
REACTION_TOPIC: Final = "reaction"
_SIGNS: Final[Mapping[str, Mark]] = MappingProxyType(
    {
        "\U0001f44f": Mark.CLAP,
        "\u2764\ufe0f": Mark.HEART,
        "\U0001f602": Mark.LAUGH,
        "\U0001f62e": Mark.WOW,
        "\U0001f64f": Mark.THANKS,
    }
)
_MOST_REACTION: Final = 100


class _Grants(msgspec.Struct):
    room: str = ""


class _Reaction(msgspec.Struct):
    emoji: str


class _Claims(msgspec.Struct):
    video: _Grants = msgspec.field(default_factory=_Grants)


def room_of(token: str) -> str:
    """Return the room that a join token is for; empty: it is for none, or no token.

    It is not checked: only the server can do that.
    """
    parts = token[:_MOST_TOKEN].split(".")
    if len(parts) != 3:
        return ""
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return ""
    return claims.video.room


def mark_of(data: bytes) -> Mark | None:
    """Return the reaction that data are: a sign, its name, or either in ``{"emoji": …}``."""
    if len(data) > _MOST_REACTION:
        return None
    try:
        text = data.decode()
        if text.startswith("{"):
            text = msgspec.json.decode(text, type=_Reaction).emoji
    except (UnicodeDecodeError, msgspec.MsgspecError):
        return None
    bare = {sign.removesuffix("\ufe0f"): mark for sign, mark in _SIGNS.items()}
    named = {mark.value: mark for mark in Mark}
    return (bare | named).get(text.strip().removesuffix("\ufe0f"))


def sign_of(mark: Mark) -> bytes:
    """Return a reaction as it is sent."""
    return next(sign for sign, each in _SIGNS.items() if each is mark).encode()


def http_of(url: str) -> str:
    """Return the address of a server's web service, which is where its WebSocket is."""
    parts = urlsplit(url)
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def refusal(text: object) -> FarError:
    """Return what it means that LiveKit's library does not get into a room."""
    said = clean_text(text)
    for sign, cause, sentence in _REFUSALS:
        if sign in said.lower():
            # It repeats a token that it does not take, and nobody is to read that.
            more = "" if cause is Cause.WRONG_SECRET else f": {said}"
            return FarError(cause, f"{sentence}{more}".rstrip(".") + ".")
    return FarError(Cause.UNREACHABLE, f"LiveKit does not answer: {said}".rstrip(": .") + ".")


def ended(reason: str) -> FarError:
    """Return what one of LiveKit's reasons for the end means."""
    lost = (Cause.LOST, f"The connection to LiveKit broke ({clean_text(reason, 40)}).")
    return FarError(*_REASONS.get(reason, lost))


def has_hand(attributes: Mapping[str, str]) -> bool:
    """Say whether somebody's attributes say that a hand is up."""
    return any(attributes.get(name, "").strip().lower() not in _DOWN for name in HAND_ATTRIBUTES)


def fitting(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return as many as the hub shows, and as go through its socket."""
    kept: list[Entry] = []
    room = _MOST_BYTES
    for entry in entries:
        room -= len(entry.identity.encode()) + len(entry.name.encode()) + _FRAMING
        if room < 0 or len(kept) >= MAX_PEOPLE:
            break
        kept.append(entry)
    return tuple(kept)


def shown(entries: Iterable[Entry], *, moderates: bool) -> tuple[Person, ...]:
    """Return people as the port has them; no more than fit. ``moderates``: we may give rights."""
    return tuple(
        Person(
            name=clean_name(without(entry.name[:MAX_SHOWN])),
            muted=entry.muted,
            talking=entry.talking,
            is_bridge=is_bridge(entry.name[:MAX_SHOWN]),
            hand=entry.hand,
            may_speak=entry.may_speak,
            id=entry.identity if moderates else "",
        )
        for _, entry in zip(range(MAX_PEOPLE), entries, strict=False)
    )
