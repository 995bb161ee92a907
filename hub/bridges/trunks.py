"""All trunks of a hub: what is behind each, and who ends the one that makes a ring.

The hub that comes tells what is behind it with its offer, the other one with its answer;
then both tell again whenever that changes. Old hubs tell nothing, and are as they were.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.bridges.behind import Behind, BehindError, read_behind, write_behind
from hub.bridges.mark import Marks
from hub.bridges.ring import Closed, Ring, why
from stagebox.wire.terms import SpaceId

# How often the hub that came tells and asks; what is new on its own side it tells at once.
TELL_S: Final = 1.0


class RingError(Exception):
    """A trunk would close a ring; the text is for people."""


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """Our end of one trunk. ``end`` is called, once, with the reason if it has to go.

    ``news`` is called when there is something new to tell. Neither waits or fails.
    ``name``: how people here know it.
    """

    space: SpaceId
    way: str
    name: str
    end: Callable[[str], None]
    news: Callable[[], None] = lambda: None


class Trunks:
    """All ends of this hub."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._rings: dict[SpaceId, Ring] = {}
        self._ends: dict[tuple[SpaceId, str], End] = {}

    def way(self, bridge_id: str) -> str:
        """Return by what the far hub knows a bridge of ours again."""
        return self._marks.way(bridge_id)

    def holds(self, end: End) -> bool:
        """Say whether an end is one of a trunk, still."""
        return self._ends.get((end.space, end.way)) is end

    def tell(self, space: SpaceId, way: str) -> str:
        """Return what is behind a space, for whoever is at the other end of ``way``."""
        return write_behind(self._ring(space).tell(way))

    def admit(self, end: End, told: str) -> None:
        """Take in a trunk that another hub makes. An old session of it is ended.

        Raises:
            BehindError: what the other hub tells cannot be used.
            RingError: it would close a ring.
        """
        behind, ring = read_behind(told), self._ring(end.space)
        closed = ring.refusal(end.way, behind)
        if closed is not None:
            raise RingError(why(closed.by))
        old = self._ends.pop((end.space, end.way), None)
        ring.admit(end.way, end.name, behind)
        self._ends[end.space, end.way] = end
        if old is not None:
            old.end("Its hub came back by a new connection.")
        self._news(end.space, end.way)

    def refused(self, end: End, told: str) -> str:
        """Return why another hub did not take our trunk, in words of this hub."""
        by = ""
        with contextlib.suppress(BehindError):
            closed = self._ring(end.space).refusal(end.way, read_behind(told))
            by = closed.by if closed is not None else ""
        return why(by)

    def join(self, end: End, told: str) -> None:
        """Take in a trunk that we made; its ``end`` may be called at once.

        Raises:
            BehindError: what the other hub tells cannot be used.
        """
        behind = read_behind(told)
        self._ends[end.space, end.way] = end
        self._act(end, self._ring(end.space).join(end.way, end.name, behind))
        self._news(end.space, end.way)

    def learn(self, end: End, told: str) -> None:
        """Take in what is behind a trunk by now.

        Raises:
            BehindError: it cannot be used; what was told before stands.
        """
        behind, ring = read_behind(told), self._ring(end.space)
        if not self.holds(end):
            return
        before = self._seen(end.space)
        self._act(end, ring.learn(end.way, behind))
        if self._seen(end.space) != before:
            self._news(end.space, end.way)

    def leave(self, end: End) -> None:
        """Forget a trunk that is over."""
        if self.holds(end):
            del self._ends[end.space, end.way]
            self._ring(end.space).leave(end.way)
            self._news(end.space, end.way)

    # --- private --------------------------------------------------------------

    def _ring(self, space: SpaceId) -> Ring:
        ring = self._rings.get(space)
        if ring is None:
            ring = self._rings[space] = Ring(self._marks.node(space))
        return ring

    def _seen(self, space: SpaceId) -> Behind:
        return self._ring(space).tell()

    def _act(self, told: End, closed: list[Closed]) -> None:
        for each in closed:
            end = self._ends.pop((told.space, each.way))
            end.end(why(each.by))
        if closed:
            self._news(told.space, "")

    def _news(self, space: SpaceId, but: str) -> None:
        """Let those tell who have to come to the other hub; others tell when they are asked."""
        for (where, way), end in list(self._ends.items()):
            if where == space and way != but:
                end.news()
