"""What X answers, as far as it is of use: read with bounds, and never believed. Pure.

An answer that is not as expected is an error with a sentence: X has changed something,
or it is not X.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name
from hub.bridges.x_terms import Body, Request

# What a person there may be called by programs; X's own ids have 13 to 20 characters.
_ID: Final = re.compile(r"^[A-Za-z0-9_:.-]{1,64}\Z")
# The longest token that is known has some 1,500 characters.
_LONGEST: Final = 8_000
# A Space that is over stays so; one that has not begun is looked at every two minutes.
LATER_S: Final = 120.0
# X counts by the quarter of an hour; a bridge waits no longer than this.
_BUSY_S: Final = 120.0

_ENDED: Final = {
    "Ended": "This Space is over.",
    "TimedOut": "This Space is over: nobody was in it any more.",
    "Canceled": "This Space was cancelled.",
    "NotStarted": "This Space has not begun.",
}
_STATUSES: Final[Mapping[int, tuple[Cause, str]]] = {
    401: (Cause.WRONG_SECRET, "X does not take this session: log in anew, and renew its file"),
    403: (Cause.WRONG_SECRET, "X does not take this session: log in anew, and renew its file"),
    404: (Cause.NOTHING_THERE, "X knows nothing of it, or has moved it (see [x.endpoints])"),
    429: (Cause.BUSY, "X wants to be asked less often"),
}


@dataclass(frozen=True, slots=True)
class Space:
    """A Space that is live. ``people``: who may speak there, by their ids."""

    media_key: str
    people: Mapping[str, Person]


@dataclass(frozen=True, slots=True)
class Stream:
    """Where it is heard, and the token of its chat (empty: it has none for us)."""

    playlist: str
    chat_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A cookie of the service, and our own id there."""

    cookie: str = field(repr=False)
    user: str


@dataclass(frozen=True, slots=True)
class Door:
    """The way into a chat."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where one speaks, and the pass for it."""

    url: str
    jwt: str = field(repr=False)


def check_status(asked: Request, status: int) -> None:
    """Refuse an answer that is no success.

    Raises:
        FarError: it is none, and what that means. The body of such an answer is not read.
    """
    if status == 200:
        return
    busy = (Cause.BUSY, "X is in trouble") if status >= 500 else None
    cause, why = busy or _STATUSES.get(status, (Cause.FAILED, "X refuses"))
    wait_s = _BUSY_S if cause is Cause.BUSY else 0.0
    raise FarError(cause, f"{why} ({asked.what}: {status}).", wait_s)


def space_of(found: object) -> Space:
    """Return the Space that was asked for.

    Raises:
        FarError: it is not live, there is none, or it is no answer.
    """
    metadata = _at(found, "data", "audioSpace", "metadata")
    state = metadata.get("state")
    if not metadata:
        raise FarError(Cause.NOTHING_THERE, "X has no such Space.", LATER_S)
    if isinstance(state, str) and state in _ENDED:
        raise FarError(Cause.ROOM_ENDED, _ENDED[state], LATER_S)
    if state != "Running":
        raise FarError(Cause.BAD_ANSWER, "X does not say whether this Space is live.")
    key = _text(metadata, "media_key", "this Space")
    return Space(key, dict(_people(_at(found, "data", "audioSpace", "participants"))))


def stream_of(found: object, asked: str) -> Stream:
    """Return where a Space is heard; ``asked``: the address that was asked."""
    body = _at(found)
    playlist = told(_text(_at(body, "source"), "location", "its sound"), asked)
    token = body.get("chatToken")
    return Stream(playlist, token[:_LONGEST] if isinstance(token, str) else "")


def pass_of(found: object) -> str:
    """Return the pass to the service."""
    return _text(_at(found, "data"), "authenticate_periscope", "a pass")


def login_of(found: object) -> Login:
    """Return who we are there."""
    cookie = _text(_at(found), "cookie", "a login")
    user = _at(found, "user").get("id")
    if not is_id(user):
        raise _strange("a login")
    return Login(cookie, user)


def authorization_of(found: object) -> str:
    """Return the right to ask."""
    return _token(_at(found), "authorization_token", "an authorization")


def door_of(found: object, asked: str) -> Door:
    """Return the way into the chat, as the address of its socket."""
    body = _at(found)
    base = told(_text(body, "endpoint", "the chat"), asked).rstrip("/")
    url = f"ws{base.removeprefix('http')}/chatapi/v1/chatnow"
    return Door(url, _text(body, "access_token", "the chat"))


def wish_of(found: object) -> str:
    """Return the id of our wish to speak."""
    return id_in(found, "session_uuid")


def gateway_of(found: object, asked: str) -> Gateway:
    """Return where one speaks."""
    body = _at(found)
    url = told(_text(body, "webrtc_gw_url", "a gateway"), asked).rstrip("/")
    return Gateway(url, _token(body, "janus_jwt", "a gateway"))


def told(url: str, asked: str) -> str:
    """Return an address that an answer holds.

    Raises:
        FarError: it is none, or less secure than the one that was asked.
    """
    try:
        parts = urlsplit(url)
        usable = parts.hostname is not None and parts.port != 0 and parts.username is None
    except ValueError:
        parts, usable = urlsplit(""), False
    allowed = ("https",) if urlsplit(asked).scheme == "https" else ("https", "http")
    if not usable or parts.scheme not in allowed or not url.isascii() or len(url) > 2_000:
        raise FarError(Cause.BAD_ANSWER, "X names an address that is not to be used.")
    return url


def _people(participants: Body) -> Iterator[tuple[str, Person]]:
    left = MAX_PEOPLE
    for role in ("admins", "speakers"):
        found = participants.get(role)
        for each in found[:left] if isinstance(found, list) else []:
            user = each.get("periscope_user_id") if isinstance(each, Mapping) else None
            if is_id(user):
                left -= 1
                muted = each.get("is_muted_by_guest"), each.get("is_muted_by_admin")
                name = clean_name(each.get("display_name"))
                yield user, Person(name, muted=True in muted, may_speak=True)


def text_in(found: object, key: str) -> str:
    """Return a text of an answer.

    Raises:
        FarError: there is none.
    """
    return _text(_at(found), key, f"a {key}")


def id_in(found: object, key: str) -> str:
    """Return an id of an answer.

    Raises:
        FarError: there is none.
    """
    value = _at(found).get(key)
    if not is_id(value):
        raise _strange(f"a {key}")
    return value


def is_id(value: Any) -> TypeGuard[str]:  # noqa: ANN401 - whatever a server sends
    """Say whether something may be the id of a person or of a wish."""
    return isinstance(value, str) and _ID.match(value) is not None


def _at(found: object, *path: str) -> Body:
    """Return the object at a path; an empty one if there is none."""
    body: Body = found if isinstance(found, Mapping) else {}
    for step in path:
        inner = body.get(step)
        body = inner if isinstance(inner, Mapping) else {}
    return body


def _text(body: Body, key: str, what: str) -> str:
    found = body.get(key)
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST:
        raise _strange(what)
    return found


def _token(body: Body, key: str, what: str) -> str:
    """Return a text that may be the value of a header."""
    found = _text(body, key, what)
    if not found.isascii() or not found.isprintable():
        raise _strange(what)
    return found


def _strange(what: str) -> FarError:
    why = f"X answers something else than {what}: it has changed, or is not X."
    return FarError(Cause.BAD_ANSWER, why)
