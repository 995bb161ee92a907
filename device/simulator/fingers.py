"""Which keys are down on a panel that several people touch at once. Pure.

Each hand has its own fingers: a button is down while any hand holds it. A hand that is lost has
let go of everything. MUTE is no button but a switch of the box: one for all, and it stays as it
was left.
"""

from collections.abc import Iterable
from typing import Final

from device.buttons.ports import Key

# What springs back.
BUTTONS: Final = frozenset(Key) - {Key.MUTE}
Edge = tuple[Key, bool]


class Fingers:
    """Hands by number, with what each holds; every change returns the edges that it makes."""

    def __init__(self) -> None:
        self._held: dict[int, frozenset[Key]] = {}
        self._is_mute = False

    @property
    def down(self) -> frozenset[Key]:
        """Every key that is down, the switch among them."""
        held = frozenset[Key]().union(*self._held.values())
        return held | {Key.MUTE} if self._is_mute else held

    def holds(self, hand: int) -> bool:
        """Whether this hand is on any button."""
        return bool(self._held.get(hand))

    def put(self, hand: int, keys: Iterable[Key]) -> list[Edge]:
        """Take everything that a hand holds now."""
        before = self.down
        self._held[hand] = BUTTONS & frozenset(keys)
        return self._edges(before)

    def slide(self, *, on: bool) -> list[Edge]:
        """Move the MUTE switch."""
        before = self.down
        self._is_mute = on
        return self._edges(before)

    def lose(self, hand: int) -> list[Edge]:
        """Forget a hand, whose fingers are off."""
        before = self.down
        self._held.pop(hand, None)
        return self._edges(before)

    def clear(self) -> None:
        """Nobody is there any more, and the switch is off."""
        self._held.clear()
        self._is_mute = False

    def _edges(self, before: frozenset[Key]) -> list[Edge]:
        after = self.down
        ups = [(key, False) for key in sorted(before - after)]
        return ups + [(key, True) for key in sorted(after - before)]
