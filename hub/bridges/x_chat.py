"""The chat of a Space, by which everything is told there: frames and events. Pure.

A frame is JSON, in which there is JSON as text, in which there is JSON as text again. What
is not understood is left out: most of what is said there is no concern of a bridge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hub.bridges.terms import clean_name
from hub.bridges.x_answers import is_id
from hub.bridges.x_terms import Body
from stagebox.wire.terms import Mark

MAX_FRAME: Final = 64 * 1024

_MESSAGE, _CONTROL, _PASS, _JOIN = 1, 2, 3, 1
_REACTION: Final = 2
_WISH, _ACCEPTED, _MUTED, _UNMUTED = 1, 12, 16, 17
_MARKS: Final = {
    "\U0001f44f": Mark.CLAP,
    "\u2764": Mark.HEART,
    "\U0001f49c": Mark.HEART,
    "\U0001f602": Mark.LAUGH,
    "\U0001f62e": Mark.WOW,
    "\U0001f64f": Mark.THANKS,
}
# Colours of skin and of hearts, which mean the same.
_VARIANTS: Final = "\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


@dataclass(frozen=True, slots=True)
class Wished:
    """Somebody there asks to speak; ``wish``: under which that is granted."""

    user: str
    name: str
    wish: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody there may speak from now on."""

    user: str
    name: str
    wish: str


@dataclass(frozen=True, slots=True)
class Muted:
    """Somebody there is muted, or no longer, by whoever."""

    user: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody there shows a mark."""

    mark: Mark


Event = Wished | Accepted | Muted | Reacted


def hello(token: str, room: str) -> tuple[str, str]:
    """Return the two frames by which one comes in: the pass, and the room."""
    inner = _json({"room": room})
    return (
        _json({"payload": _json({"access_token": token}), "kind": _PASS}),
        _json({"payload": _json({"body": inner, "kind": _JOIN}), "kind": _CONTROL}),
    )


def event_of(frame: str) -> Event | None:
    """Return what a frame tells; None: nothing for a bridge."""
    outer = _object(frame)
    payload = _object(outer.get("payload")) if outer.get("kind") == _MESSAGE else {}
    body = _object(payload.get("body"))
    if body.get("type") == _REACTION:
        return _reaction(body.get("body"))
    user, kind = body.get("guestRemoteID"), body.get("guestBroadcastingEvent")
    if not is_id(user):
        return None
    if kind in (_MUTED, _UNMUTED):
        return Muted(user, kind == _MUTED)
    wish, name = body.get("sessionUUID"), clean_name(body.get("guestUsername"))
    if kind == _ACCEPTED:  # it comes without the wish, too
        return Accepted(user, name, wish if is_id(wish) else "")
    return Wished(user, name, wish) if kind == _WISH and is_id(wish) else None


def _reaction(shown: Any) -> Reacted | None:  # noqa: ANN401 - whatever somebody sends
    plain = shown[:16].strip(_VARIANTS) if isinstance(shown, str) else ""
    return Reacted(_MARKS[plain]) if plain in _MARKS else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _object(text: Any) -> Body:  # noqa: ANN401 - whatever somebody sends
    if not isinstance(text, str) or len(text) > MAX_FRAME:
        return {}
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
