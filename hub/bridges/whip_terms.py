"""WHIP (RFC 9725) and WHEP as text: statuses, entity tags, and fragments of SDP. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import Cause, FarError

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
# By which two hubs know each other's bridges, where a room has no roster to carry a mark.
MARK_HEADER: Final = "Stagebox-Bridge"
# How a hub says that a trunk would close a ring (Loop Detected, RFC 5842).
LOOP: Final = 508
# A fragment carries what a network adapter adds: two lines each, twenty of them at most.
MAX_FRAGMENT: Final = 8 * 1024
MAX_CANDIDATES: Final = 32

_TEXT: Final = re.compile(r"[\x20-\x7e\t\r\n]*\Z")
_USER: Final = re.compile(r"^a=ice-ufrag:(\S{4,256})\s*$", re.MULTILINE)
_CREATED: Final = 201
_GOOD: Final = range(200, 300)
_REDIRECTS: Final = (307, 308)
# What a status means on the way in; the rest is a refusal.
_CAUSES: Final = {
    401: Cause.WRONG_SECRET,
    403: Cause.NOT_ALLOWED,
    404: Cause.NOTHING_THERE,
    409: Cause.NOTHING_THERE,
    410: Cause.ROOM_ENDED,
    423: Cause.NOT_ALLOWED,
    429: Cause.BUSY,
}
_SENTENCES: Final = {
    Cause.WRONG_SECRET: "The server wants another token.",
    Cause.NOT_ALLOWED: "The server does not let this hub in.",
    Cause.NOTHING_THERE: "Nothing is there at present.",
    Cause.ROOM_ENDED: "The room is over.",
    Cause.BUSY: "The server is busy.",
    Cause.BAD_ANSWER: "The server does not take our offer.",
}


class FragmentError(ValueError):
    """A fragment of SDP that is none; the text says what to send."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a PATCH says: whose candidates, and how many."""

    user: str
    candidates: int


def read_fragment(text: str) -> Fragment:
    """Read the body of a PATCH (RFC 8840, section 9).

    Raises:
        FragmentError: it cannot be used.
    """
    if len(text) > MAX_FRAGMENT or not _TEXT.match(text):
        raise FragmentError(f"send plain text of at most {MAX_FRAGMENT} characters")
    users = set(_USER.findall(text))
    if len(users) != 1:
        raise FragmentError("the fragment must have one ice-ufrag")
    candidates = text.count("a=candidate:")
    if candidates > MAX_CANDIDATES:
        raise FragmentError(f"send at most {MAX_CANDIDATES} candidates")
    return Fragment(users.pop(), candidates)


def user_of(sdp: str) -> str:
    """Return the ICE user of an SDP; empty if there is none."""
    found = _USER.search(sdp)
    return found[1] if found else ""


def redirected(status: int) -> bool:
    """Say whether the answer is elsewhere: those redirects that keep the method."""
    return status in _REDIRECTS


def check_status(status: int, detail: str, retry_after: str | None) -> None:
    """Take the status of the answer to our offer.

    ``detail``: what the server says; ``retry_after``: its header.

    Raises:
        FarError: it is not 201, with what that means.
    """
    if status == _CREATED:
        return
    if status in _GOOD:
        why = f"The server says {status} where 201 belongs: it is no WHIP or WHEP endpoint."
        raise FarError(Cause.BAD_ANSWER, why)
    cause = _CAUSES.get(status, Cause.BUSY if status >= 500 else Cause.BAD_ANSWER)
    sentence = f"{_SENTENCES[cause]} It says {status} {detail}".rstrip()
    raise FarError(cause, sentence, seconds(retry_after))


def seconds(retry_after: str | None) -> float:
    """Return what a Retry-After header asks for; a date, or nonsense, asks for nothing."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0.0
