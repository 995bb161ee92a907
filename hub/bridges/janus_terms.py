"""What Janus says, as far as an AudioBridge room goes: replies and events. Pure.

Whatever it says is somebody else's word: it is read with bounds, and what is not as
expected is left out.
"""

from collections.abc import Mapping
from typing import Any, Final

from hub.bridges.mark import is_bridge, without
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name, clean_text

PLUGIN: Final = "janus.plugin.audiobridge"
Body = Mapping[str, Any]

# Error codes: of Janus itself (403 API secret, 405 token), of the VideoRoom (42x, 43x), of
# Streaming (45x), and of the AudioBridge (48x and 49x).
_CAUSES: Final = {
    403: Cause.WRONG_SECRET,
    405: Cause.WRONG_SECRET,
    426: Cause.NOTHING_THERE,
    432: Cause.BUSY,
    433: Cause.WRONG_SECRET,
    455: Cause.NOTHING_THERE,
    457: Cause.WRONG_SECRET,
    485: Cause.NOTHING_THERE,
    489: Cause.WRONG_SECRET,
    493: Cause.BAD_ANSWER,
}
_SENTENCES: Final = {
    Cause.WRONG_SECRET: "Janus wants another secret, token or PIN",
    Cause.NOTHING_THERE: "Janus has no such room",
    Cause.BUSY: "Nobody else may speak in this room of Janus",
    Cause.BAD_ANSWER: "Janus does not take our offer",
}


def data_of(message: Body) -> Body:
    """Return what the plugin says in a message; nothing if it says nothing."""
    plugin = message.get("plugindata")
    data = plugin.get("data") if isinstance(plugin, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def check(message: Body) -> Body:
    """Return what the plugin says in an answer.

    Raises:
        FarError: Janus or the plugin refuses, and what that means.
    """
    error = message.get("error")
    if message.get("janus") == "error":
        error = error if isinstance(error, Mapping) else {}
        raise refusal(error.get("code"), error.get("reason"))
    data = data_of(message)
    if "error" in data:
        raise refusal(data.get("error_code"), data["error"])
    return data


def refusal(code: object, reason: object) -> FarError:
    """Return what an error code means."""
    cause = _CAUSES.get(code, Cause.FAILED) if isinstance(code, int) else Cause.FAILED
    sentence = _SENTENCES.get(cause, "Janus refuses")
    return FarError(cause, f"{sentence}: {clean_text(reason, 120)}".rstrip(": ") + ".")


def answer_of(message: Body) -> str:
    """Return the SDP that came with a message.

    Raises:
        FarError: there is none.
    """
    jsep = message.get("jsep")
    sdp = jsep.get("sdp") if isinstance(jsep, Mapping) else None
    if not isinstance(sdp, str):
        raise FarError(Cause.BAD_ANSWER, "Janus sends no SDP.")
    return sdp


def shown_in(data: Body) -> list[str]:
    """Return the names of all who are in a room, as they are shown, marks and all."""
    shown = (each.get("display") for each in _participants(data))
    return [name[:1_000] for name in shown if isinstance(name, str)]


class Roster:
    """Who is in the room, from what Janus tells bit by bit."""

    def __init__(self) -> None:
        self._people: dict[object, Person] = {}
        self._own: object = None

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody but ourselves."""
        return tuple(self._people.values())

    def joined(self, data: Body) -> None:
        """Take the answer to our own joining."""
        self._own = data.get("id")
        self.take(data)

    def take(self, data: Body) -> bool:
        """Take an event; say whether it changed anything.

        Raises:
            FarError: by this event it is over.
        """
        kind, before = data.get("audiobridge"), self.people
        if kind == "destroyed":
            raise FarError(Cause.ROOM_ENDED, "The room in Janus was closed.")
        for each in _participants(data):
            self._put(each)
        if kind in {"talking", "stopped-talking"}:
            self._talks(data.get("id"), talking=kind == "talking")
        for word in ("leaving", "kicked", "left"):
            self._gone(data.get(word), by_force=word == "kicked")
        return self.people != before

    def _put(self, each: Body) -> None:
        number = each.get("id")
        if not isinstance(number, int | str) or number == self._own:
            return
        if number not in self._people and len(self._people) >= MAX_PEOPLE:
            return
        shown = each.get("display")
        shown = shown if isinstance(shown, str) else ""
        self._people[number] = Person(
            name=clean_name(without(shown[:1_000])),
            muted=_flag(each.get("muted")),
            talking=_flag(each.get("talking")),
            is_bridge=is_bridge(shown[:1_000]),
        )

    def _talks(self, number: object, *, talking: bool) -> None:
        person = self._people.get(number) if isinstance(number, int | str) else None
        if person is not None:
            self._people[number] = Person(person.name, person.muted, talking, person.is_bridge)

    def _gone(self, number: object, *, by_force: bool) -> None:
        if not isinstance(number, int | str):
            return
        if number == self._own and by_force:
            raise FarError(Cause.REMOVED_THERE, "Somebody put this hub out of the room in Janus.")
        self._people.pop(number, None)


def _participants(data: Body) -> list[Body]:
    found = data.get("participants")
    if not isinstance(found, list):
        return []
    return [each for each in found[: 2 * MAX_PEOPLE] if isinstance(each, Mapping)]


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
