"""What is said to a Mumble server to come in, and what its refusals mean. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from hub.bridges.mumble_wire import message
from hub.bridges.terms import Cause, FarError, clean_text

PORT: Final = 64_738
# As which Mumble we behave: 1.5.0, the first one with voice in protobuf, in both ways to say it.
_VERSION: Final = 1 << 16 | 5 << 8
_VERSION_LONG: Final = 1 << 48 | 5 << 32
_BOT: Final = 1
# A path of names; deeper ones no server allows by itself (10).
MAX_DEPTH: Final = 20

# What servers take in a name as they come; each can be told otherwise.
_NOT_IN_NAMES: Final = re.compile(r"[^-=\w\[\]{}()@|.]+")

_REFUSALS: Final = {
    2: (Cause.NOT_ALLOWED, "The Mumble server does not take this name: give the bridge another"),
    3: (Cause.WRONG_SECRET, "The Mumble server knows somebody else by this name"),
    4: (Cause.WRONG_SECRET, "The Mumble server wants another password"),
    5: (Cause.BUSY, "Somebody of this name is on the Mumble server already"),
    6: (Cause.BUSY, "The Mumble server is full"),
    7: (Cause.NOT_ALLOWED, "The Mumble server does not take our certificate"),
    8: (Cause.WRONG_SECRET, "The Mumble server's own check refuses us"),
    9: (Cause.BUSY, "The Mumble server lets nobody in now"),
}
_CHANNEL_FULL: Final = 9


@dataclass(frozen=True, slots=True)
class Address:
    """Where to: a server, and a channel by the names from the top; none: where it puts us."""

    host: str
    port: int
    channel: tuple[str, ...]


def address_of(url: str) -> Address:
    """Read ``mumble://host:port/Channel/Channel below``, as Mumble itself writes it."""
    parts = urlsplit(url)
    names = (unquote(each).strip() for each in parts.path.split("/"))
    channel = tuple(each for each in names if each)[:MAX_DEPTH]
    return Address(parts.hostname or "", parts.port or PORT, channel)


def version(release: str) -> bytes:
    """Return our first message."""
    return message((1, _VERSION), (2, release), (3, "Linux"), (5, _VERSION_LONG))


def login(name: str) -> str:
    """Return a name as Mumble takes it: without spaces, among others."""
    return _NOT_IN_NAMES.sub("_", name)


def authenticate(name: str, password: str, tokens: tuple[str, ...]) -> bytes:
    """Return the message that asks to come in; ``tokens`` open channels that have such."""
    own = ((2, password),) if password else ()
    return message((1, login(name)), *own, *((3, each) for each in tokens), (5, 1), (6, _BOT))


def refusal(kind: int | None, reason: str | None) -> FarError:
    """Return what a Reject means."""
    cause, sentence = _REFUSALS.get(kind or 0, (Cause.NOT_ALLOWED, "The Mumble server refuses us"))
    return FarError(cause, _sentence(sentence, reason))


def denial(kind: int | None, reason: str | None) -> FarError:
    """Return what it means that we may not go to the channel."""
    if kind == _CHANNEL_FULL:
        return FarError(Cause.BUSY, "The channel in Mumble is full.")
    sentence = "The Mumble server does not let this hub into the channel"
    return FarError(Cause.NOT_ALLOWED, _sentence(sentence, reason))


def farewell(reason: str | None, *, banned: bool) -> FarError:
    """Return what it means that we were put out."""
    what = "banned this hub from" if banned else "put this hub out of"
    return FarError(Cause.REMOVED_THERE, _sentence(f"The Mumble server {what} the channel", reason))


def _sentence(sentence: str, reason: str | None) -> str:
    return f"{sentence}: {clean_text(reason, 120)}".rstrip(": .") + "."
