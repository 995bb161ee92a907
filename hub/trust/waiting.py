"""Boxes that know this hub and that it does not know: for an administrator to let in. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from stagebox.wire.messages import Hello
from stagebox.wire.terms import Key, MemberId, Name, Role

# More boxes than anybody sets up in one go; whoever fills the list pushes out the oldest.
MOST_WAITING: Final = 32
# A box that waits comes again all the time; this one was switched off.
FORGET_S: Final = 900.0
# A box whose line breaks twice within seconds looks like two; one that is copied keeps on.
ALARM: Final = 3


@dataclass(frozen=True, slots=True)
class WaitingBox:
    """A box that proved its key. ``seen_at`` is monotonic, in seconds."""

    id: MemberId
    key: Key
    name: Name
    role: Role
    address: str
    seen_at: float


class Doubles:
    """Boxes whose key two machines use: again and again one came while the other was there."""

    def __init__(self) -> None:
        self._seen: OrderedDict[MemberId, tuple[int, float]] = OrderedDict()

    def saw(self, member_id: MemberId, now: float) -> None:
        """Note that a second machine came."""
        times, at = self._seen.pop(member_id, (0, now))
        self._seen[member_id] = (times + 1 if now - at <= FORGET_S else 1, now)
        while len(self._seen) > MOST_WAITING:
            self._seen.popitem(last=False)

    def is_one(self, member_id: MemberId, now: float) -> bool:
        """Tell whether that happened too often lately to be a line that broke twice."""
        times, at = self._seen.get(member_id, (0, now))
        return times >= ALARM and now - at <= FORGET_S


class WaitingList:
    """The newest boxes that wait, each once."""

    def __init__(self) -> None:
        self._boxes: OrderedDict[MemberId, WaitingBox] = OrderedDict()

    def came(self, hello: Hello, address: str, now: float) -> None:
        """Note a box, or that it came again."""
        self._boxes.pop(hello.id, None)
        self._boxes[hello.id] = WaitingBox(
            hello.id, hello.key, hello.name, hello.role, address, now
        )
        while len(self._boxes) > MOST_WAITING:
            self._boxes.popitem(last=False)

    def now(self, now: float) -> tuple[WaitingBox, ...]:
        """Return who waits, the newest first."""
        for box in [each for each in self._boxes.values() if now - each.seen_at > FORGET_S]:
            del self._boxes[box.id]
        return tuple(reversed(self._boxes.values()))

    def take(self, member_id: MemberId) -> WaitingBox | None:
        """Return a box and forget it; None: it does not wait."""
        return self._boxes.pop(member_id, None)
