"""Where the parts of a picture stand, and which way their wires go.

Parts stand beside the row of pins that most of their wires go to, as near to their pins as
there is room. A wire leaves its pin level, turns once and comes to its part level; the upright
pieces have lanes between header and parts. Going down, the wire of an upper pin takes the lane
farther out, going up that of a lower pin: so two wires cross only where they must.
"""

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device.profiles.header import Wire, wires
from device.profiles.model import FittedConfig

WIDTH: Final = 720
PITCH: Final = 31  # from one row of pins to the next
TOP: Final = 108  # of the first row
BOTTOM: Final = TOP + 20 * PITCH
PIN_X: Final = (347, 373)  # the two columns
HEADER_X: Final = (262, 458)  # the edges of the header with its names
PART_W: Final = 180
PART_X: Final = (8, WIDTH - 8 - PART_W)
LINE: Final = 25  # of text in a part
HEAD: Final = 31  # a part's title
NOTE: Final = 20  # of small text in a part
NOTE_LETTERS: Final = 22  # of small text in the width of a part
_GAP: Final = 13  # between two parts
_FIRST: Final = TOP - 34  # where the uppermost part may begin
# A crossing is as bad as a wire that is longer by two rows.
_CROSSING: Final = 2.0 * PITCH
_MOST_TRIED: Final = 6  # parts on a side: 720 orders
_CLEAR: Final = 12.0  # between the parts and the first lane, for the ends of their wires
# A wire this little out of level needs no lane: a slight slope joins its ends.
_LEVEL: Final = 3.0


@dataclass(frozen=True, slots=True)
class Box:
    """A part in the picture: its wires from top to bottom, and where it stands."""

    title: str
    side: int
    wires: tuple[Wire, ...]
    note: tuple[str, ...]
    top: float = 0.0

    @property
    def height(self) -> float:
        """In the picture's units."""
        return HEAD + LINE * len(self.wires) + NOTE * len(self.note) + 8

    @property
    def wanted(self) -> float:
        """Where its top would be if there were no other part: beside its signals."""
        signals = [wire for wire in self.wires if wire.what.isdigit()] or self.wires
        return sum(map(level, signals)) / len(signals) - self.height / 2

    @property
    def edge(self) -> float:
        """The edge that its wires come to."""
        return PART_X[self.side] + (PART_W if self.side == 0 else 0)

    def end_y(self, index: int) -> float:
        """Return the height of one of its ends."""
        return self.top + HEAD + LINE * index + 10


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one wire, from the edge of the header to its part."""

    wire: Wire
    side: int
    start: float  # its height at the header
    stop: float  # and at the part
    end_x: float
    lane_x: float | None = None  # None: no turn

    @property
    def crosses(self) -> bool:
        """Whether its pin is in the other row, so that it goes over the header."""
        return self.wire.side != self.side


def level(wire: Wire) -> float:
    """Return the height of a wire's pin."""
    return TOP + wire.row * PITCH


def placed(config: FittedConfig) -> tuple[Box, ...]:
    """Return the parts of a box with their places: down each side, none over another."""
    every = sorted(_boxes(config), key=lambda box: box.wanted)
    columns = ([box for box in every if box.side == where] for where in (0, 1))
    return tuple(box for column in columns for box in _ordered(column))


def routed(boxes: Iterable[Box]) -> tuple[Route, ...]:
    """Return the way of every wire."""
    ways = [_way(box, index) for box in boxes for index in range(len(box.wires))]
    return tuple(way for where in (0, 1) for way in _lanes(where, ways))


def _boxes(config: FittedConfig) -> Iterator[Box]:
    groups: dict[str, list[Wire]] = {}
    for wire in wires(config):
        groups.setdefault(wire.part, []).append(wire)
    notes = {module.name: module.note for module in config.board.modules}
    for title, found in groups.items():
        # Half of the pins in either row: the left side has more room.
        where = round(sum(wire.side for wire in found) / len(found) - 0.01)
        ordered = tuple(sorted(found, key=lambda wire: (wire.row, wire.pin)))
        remark = _remark(ordered, notes.get(title, ""))
        yield Box(title, where, ordered, tuple(textwrap.wrap(remark, NOTE_LETTERS)))


def _remark(found: Sequence[Wire], note: str) -> str:
    each = [wire.note.replace("ohm", "Ω") for wire in found if wire.note]
    if not each:
        return note
    return f"{'each ' if len(each) > 1 else ''}{each[0]}"


def _ordered(column: list[Box]) -> tuple[Box, ...]:
    """Return the parts of a side in the order whose wires are shortest and cross least."""
    orders = itertools.permutations(column) if len(column) <= _MOST_TRIED else [tuple(column)]
    return min((_stacked(order) for order in orders), key=_cost)


def _stacked(order: Sequence[Box]) -> tuple[Box, ...]:
    return tuple(replace(b, top=top) for b, top in zip(order, _tops(order), strict=True))


def _cost(stack: Sequence[Box]) -> float:
    ways = [_way(box, index) for box in stack for index in range(len(box.wires))]
    pairs = itertools.combinations(ways, 2)
    crossings = sum((a.start - b.start) * (a.stop - b.stop) < 0 for a, b in pairs)
    return _CROSSING * crossings + sum(abs(way.start - way.stop) for way in ways)


def _tops(column: Sequence[Box]) -> list[float]:
    """Return the tops: pushed down where there is no room, then up again from the bottom."""
    tops: list[float] = []
    free = float(_FIRST)
    for box in column:
        tops.append(max(free, box.wanted))
        free = tops[-1] + box.height + _GAP
    limit = max(float(BOTTOM), sum(box.height + _GAP for box in column) + _FIRST)
    for index in reversed(range(len(column))):
        tops[index] = min(tops[index], limit - column[index].height)
        limit = tops[index] - _GAP
    return tops


def _way(box: Box, index: int) -> Route:
    wire = box.wires[index]
    # To the other row it passes between two pins of the near one.
    start = level(wire) - (0 if wire.side == box.side else PITCH / 2)
    return Route(wire, box.side, start, box.end_y(index), box.edge)


def _lanes(where: int, ways: list[Route]) -> Iterator[Route]:
    """Yield the ways of one side, those that turn each in a lane."""
    mine = [way for way in ways if way.side == where]
    straight = [way for way in mine if abs(way.start - way.stop) <= _LEVEL]
    down = sorted((w for w in mine if w.stop > w.start + _LEVEL), key=lambda w: w.start)
    up = sorted((w for w in mine if w.stop < w.start - _LEVEL), key=lambda w: -w.start)
    turning = [*down, *up]
    depths = _depths(turning)
    count = max(depths, default=0) + 1
    yield from straight
    for way, depth in zip(turning, depths, strict=True):
        first = way.end_x + (_CLEAR if where == 0 else -_CLEAR)
        yield replace(way, lane_x=first - (first - HEADER_X[where]) * depth / count)


def _depths(turning: list[Route]) -> list[int]:
    """Return the lane of each, counted from the parts: nearer to the header than all it meets."""
    found: list[int] = []
    for index, way in enumerate(turning):
        met = [found[other] for other in range(index) if _meet(turning[other], way)]
        found.append(max(met, default=-1) + 1)
    return found


def _meet(one: Route, other: Route) -> bool:
    """Whether two upright pieces would lie beside each other."""
    low, high = sorted((one.start, one.stop))
    return (
        low - PITCH < max(other.start, other.stop) and min(other.start, other.stop) < high + PITCH
    )
