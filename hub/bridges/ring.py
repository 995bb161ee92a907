"""Trunks between hubs that would close a ring: which one has to go. Pure.

In a ring a voice comes back to where it was said, and goes round for ever. Each space knows
what is behind each of its trunks, because the hub at the other end tells it. A new trunk is
refused if it leads to where another one leads already. Of trunks that were made at the same
time nobody can know that, so it is noticed a moment later, when the same space is behind two
of them: then the newest trunk of that ring goes, and no other. Its own two ends see the same
ring and the same births, so one end is enough to end it, and both agree.

Births are no times: each hub counts on from the newest that it knows (Lamport's clock), so a
trunk that was made after one that was known is newer, without a common clock.
"""

import hashlib
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from hub.bridges.behind import MAX_BIRTH, MOST, Behind, Hop

_PUBLIC_CHARACTERS: Final = 12


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """How trunks are told apart and ordered, the same on both ends."""

    birth: int
    trunk: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A trunk that makes a ring. ``by``: how the other way there is called here; may be empty."""

    way: str
    by: str


@dataclass(frozen=True, slots=True)
class _Spot:
    """One space in what is behind a trunk. ``path``: all up to it; ``newest``: trunk of these."""

    node: str
    key: Key
    above: int
    path: frozenset[str]
    newest: Key


@dataclass(slots=True)
class _Trunk:
    name: str
    key: Key
    behind: Behind

    def spots(self, without: str) -> list[_Spot]:
        """Return all behind it, its other end first; nothing that is behind ``without``."""
        node = self.behind.node
        found = [_Spot(node, self.key, -1, frozenset((node,)), self.key)]
        # Where a hop of the list stands among those that are kept.
        places: list[int | None] = []
        for hop in self.behind.hops:
            above = places[hop.above] if hop.above >= 0 else 0
            if above is None or hop.node == without or hop.node in found[above].path:
                places.append(None)
                continue
            key, near = Key(hop.birth, hop.trunk), found[above]
            newest = max(near.newest, key)
            found.append(_Spot(hop.node, key, above, near.path | {hop.node}, newest))
            places.append(len(found) - 1)
        return found


class Ring:
    """All trunks of one space. ``node``: how others know the space. Not thread-safe."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._trunks: dict[str, _Trunk] = {}
        self._clock = 0

    @property
    def ways(self) -> frozenset[str]:
        """Its trunks."""
        return frozenset(self._trunks)

    def tell(self, but: str = "") -> Behind:
        """Return what is behind this space, leaving out what is behind the trunk ``but``."""
        every = [
            (len(spot.path), number, place, spot)
            for number, (way, trunk) in enumerate(self._trunks.items())
            if way != but
            for place, spot in enumerate(trunk.spots(self._node))
        ]
        every.sort(key=lambda each: each[0])  # so whatever is above something comes before it
        places: dict[tuple[int, int], int] = {}
        hops: list[Hop] = []
        for _, number, place, spot in every[:MOST]:
            places[number, place] = len(hops)
            above = places[number, spot.above] if spot.above >= 0 else -1
            hops.append(Hop(spot.node, above, spot.key.birth, spot.key.trunk))
        return Behind(self._node, self._clock, tuple(hops))

    def refusal(self, way: str, behind: Behind) -> Closed | None:
        """Say whether a trunk to whoever tells this would close a ring, and by which other one.

        A trunk of the same ``way`` is an old session of it, and no reason.
        """
        theirs = behind.nodes
        for other, trunk in self._trunks.items():
            if other != way and any(spot.node in theirs for spot in trunk.spots(self._node)):
                return Closed(way, trunk.name)
        return Closed(way, "") if self._node in theirs else None

    def admit(self, way: str, name: str, behind: Behind) -> None:
        """Take in a trunk that another hub makes; its birth is our clock then."""
        self._clock = min(max(self._clock, behind.clock) + 1, MAX_BIRTH)
        self._trunks[way] = _Trunk(name, Key(self._clock, _public(way)), behind)

    def join(self, way: str, name: str, behind: Behind) -> list[Closed]:
        """Take in a trunk that we made; its birth is the other hub's clock. See ``learn``."""
        self._trunks[way] = _Trunk(name, Key(behind.clock, _public(way)), behind)
        return self.learn(way, behind)

    def learn(self, way: str, behind: Behind) -> list[Closed]:
        """Take in what is behind a trunk by now; return which trunks have to go, taken out."""
        trunk = self._trunks.get(way)
        if trunk is None:
            return []
        trunk.behind = behind
        self._clock = max(self._clock, behind.clock)
        closed = self._closed()
        for each in closed:
            del self._trunks[each.way]
        return closed

    def leave(self, way: str) -> None:
        """Forget a trunk that is over."""
        self._trunks.pop(way, None)

    # --- private --------------------------------------------------------------

    def _closed(self) -> list[Closed]:
        every = {way: trunk.spots(self._node) for way, trunk in self._trunks.items()}
        found: dict[str, Closed] = {}
        for way, other in permutations(every, 2):
            if way not in found and _is_newest(self._trunks[way].key, every[way], every[other]):
                found[way] = Closed(way, self._trunks[other].name)
        return list(found.values())


def _is_newest(key: Key, here: list[_Spot], there: list[_Spot]) -> bool:
    """Say whether two trunks lead to one space in a ring in which that of ``key`` is the newest."""
    newest: dict[str, Key] = {}
    for spot in there:
        newest[spot.node] = min(spot.newest, newest.get(spot.node, spot.newest))
    # Where the two ways meet first: what is before it is on one of them only, so it is a ring.
    return any(
        spot.node in newest
        and not (spot.path - {spot.node}) & newest.keys()
        and max(spot.newest, newest[spot.node]) == key
        for spot in here
    )


def _public(way: str) -> str:
    """Return what all hubs may know of a trunk; whoever knows its ``way`` can take its place."""
    return hashlib.sha256(way.encode()).hexdigest()[:_PUBLIC_CHARACTERS]


def why(by: str) -> str:
    """Return what people are told of a trunk that would close a ring."""
    how = f'by way of "{by}"' if by else "by another way"
    return f"That hub is already joined {how}: in a ring this space would hear itself."
