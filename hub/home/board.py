"""What the broker should have of this hub, and what of that is still to be sent. Pure.

A message that waits waits by its topic alone and is looked up when it is sent, so there is
never more than one for each, and always the newest.
"""

from collections.abc import Iterable
from typing import Final

from hub.home.entities import ONLINE, Messages, Places, View, key_of, messages

# What is sent at one look: an evening changes two or three, a new connection brings all.
MOST_AT_ONCE: Final = 100
# What may be cleared at the broker in one connection: more than a hub ever left there.
MOST_FOUND: Final = 20_000
# Home Assistant comes up once a week; a program that says so all the time is not followed.
AGAIN_S: Final = 2.0
_CLEARED: Final = b""


class Board:
    """The messages of one hub's devices. Times are seconds of any clock that only counts on."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._views: dict[tuple[str, str], tuple[View, Messages]] = {}
        self._wanted: dict[str, bytes] = {places.status: ONLINE}
        self._waiting: dict[str, None] = {}
        self._found = 0
        self._again = False
        self._last_again = float("-inf")

    def show(self, views: Iterable[View]) -> None:
        """Know how everything is now; what is in no view is no more."""
        seen = {key_of(view): view for view in views}
        for key in [each for each in self._views if each not in seen]:
            self._replace(self._views.pop(key)[1], {})
        for key, view in seen.items():
            before, told = self._views.get(key, (None, {}))
            if view != before:
                now = messages(self._places, view)
                self._replace(told, now)
                self._views[key] = (view, now)

    def connected(self) -> None:
        """Know that the broker is there anew, and may have forgotten everything."""
        self._found = 0
        self._all()

    def found(self, topic: str) -> None:
        """Know that the broker keeps something there; what is not ours any more is cleared."""
        if topic not in self._wanted and self._found < MOST_FOUND:
            self._found += 1
            self._waiting[topic] = None

    def born(self) -> None:
        """Know that Home Assistant has come up, and is to be told everything."""
        self._again = True

    def due(self, now: float) -> list[tuple[str, bytes]]:
        """Return what is to be sent now, in order; it counts as sent."""
        if self._again and now - self._last_again >= AGAIN_S:
            self._again, self._last_again = False, now
            self._all()
        some = list(self._waiting)[:MOST_AT_ONCE]
        for topic in some:
            del self._waiting[topic]
        return [(topic, self._wanted.get(topic, _CLEARED)) for topic in some]

    # --- private --------------------------------------------------------------

    def _replace(self, old: Messages, new: Messages) -> None:
        for topic in [each for each in old if each not in new]:
            del self._wanted[topic]
            self._waiting[topic] = None
        for topic, payload in new.items():
            if self._wanted.get(topic) != payload:
                self._wanted[topic] = payload
                self._waiting[topic] = None

    def _all(self) -> None:
        """Send everything: that the hub is there at last, when all else is right."""
        status = self._places.status
        self._waiting.update(dict.fromkeys(each for each in self._wanted if each != status))
        self._waiting.pop(status, None)
        self._waiting[status] = None
