"""What Janus's VideoRoom says: who is there, and who of them can be heard. Pure.

Whatever it says is somebody else's word: it is read with bounds, and what is not as
expected is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.bridges.janus_terms import Body
from hub.bridges.mark import is_bridge, without
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name

PLUGIN: Final = "janus.plugin.videoroom"
# More streams of one person than a camera, a screen and their microphones.
_MAX_STREAMS: Final = 16

FeedId = int | str


@dataclass(frozen=True, slots=True)
class Feed:
    """One person's sound: whose, and the name of the stream that it is."""

    id: FeedId
    mid: str


class VideoRoster:
    """Who is in the room, from what Janus tells bit by bit.

    ``mid``: which stream is the sound of somebody of whom no streams are told; None: none.
    """

    def __init__(self, mid: str | None = None) -> None:
        self._mid = mid
        self.private_id: object = None
        self._people: dict[FeedId, Person] = {}
        self._feeds: dict[FeedId, Feed] = {}
        self._own: object = None

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody but ourselves."""
        return tuple(self._people.values())

    @property
    def own(self) -> object:
        """Our own number in the room."""
        return self._own

    def number_of(self, name: str) -> FeedId | None:
        """Return the number of somebody who is shown so; None: there is nobody."""
        found = (key for key, person in self._people.items() if person.name == name)
        return next(found, None)

    @property
    def feeds(self) -> dict[FeedId, Feed]:
        """Who can be heard."""
        return dict(self._feeds)

    def listed(self, data: Body) -> None:
        """Take the list of those who are there, whether they can be heard or not."""
        for each in _bodies(data.get("participants")):
            self._put(each)

    def joined(self, data: Body) -> None:
        """Take the answer to our own joining."""
        self._own, self.private_id = data.get("id"), data.get("private_id")
        self._gone(self._own)
        self.take(data)

    def take(self, data: Body) -> bool:
        """Take an event; say whether it changed anything.

        Raises:
            FarError: by this event it is over.
        """
        if data.get("videoroom") == "destroyed":
            raise FarError(Cause.ROOM_ENDED, "The room in Janus was closed.")
        put_out = data.get("leaving") == "ok" and data.get("reason") == "kicked"
        if put_out or (self._own is not None and data.get("kicked") == self._own):
            raise FarError(Cause.REMOVED_THERE, "Somebody put this hub out of the room in Janus.")
        before = self.people, self._feeds.copy()
        for each in (*_bodies(data.get("attendees")), *_bodies([data.get("joining")])):
            self._put(each)
        for each in _bodies(data.get("publishers")):
            self._put(each)
            self._publishes(each)
        for word in ("leaving", "kicked"):
            self._gone(data.get(word))
        self._silent(data.get("unpublished"))
        return (self.people, self._feeds) != before

    def talks(self, feed: FeedId, *, talking: bool) -> bool:
        """Note whether somebody is heard to speak; say whether that is new."""
        person = self._people.get(feed)
        if person is None or feed not in self._feeds or person.talking == talking:
            return False
        self._people[feed] = replace(person, talking=talking)
        return True

    def _put(self, each: Body) -> None:
        number = _number(each.get("id"))
        if number is None or number == self._own:
            return
        old = self._people.get(number)
        if old is None and len(self._people) >= MAX_PEOPLE:
            return
        shown = each.get("display")
        shown = shown[:1_000] if isinstance(shown, str) else ""
        talking = None if old is None else old.talking
        self._people[number] = Person(
            name=clean_name(without(shown)), talking=talking, is_bridge=is_bridge(shown)
        )

    def _publishes(self, each: Body) -> None:
        number = _number(each.get("id"))
        mid = _sound_of(each) if "streams" in each else self._mid
        if number not in self._people:
            return
        if mid is None:
            self._silent(number)
        else:
            self._feeds[number] = Feed(number, mid)

    def _silent(self, number: Any) -> None:  # noqa: ANN401 - whatever a server sends
        known = _number(number)
        if known is not None and known in self._feeds:
            del self._feeds[known]
            self._people[known] = replace(self._people[known], talking=None)

    def _gone(self, number: Any) -> None:  # noqa: ANN401 - whatever a server sends
        known = _number(number)
        if known is not None:
            self._feeds.pop(known, None)
            self._people.pop(known, None)


def _sound_of(each: Body) -> str | None:
    """Return the name of somebody's first stream of sound that is on."""
    for stream in _bodies(each.get("streams"))[:_MAX_STREAMS]:
        mid = stream.get("mid")
        is_on = stream.get("type") == "audio" and not stream.get("disabled")
        if is_on and isinstance(mid, str) and 0 < len(mid) <= 32:
            return mid
    return None


def _number(value: Any) -> FeedId | None:  # noqa: ANN401 - whatever a server sends
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _bodies(found: Any) -> list[Body]:  # noqa: ANN401 - whatever a server sends
    found = found if isinstance(found, list) else []
    return [each for each in found[: 2 * MAX_PEOPLE] if isinstance(each, Mapping)]
