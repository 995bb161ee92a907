"""Which keys have a finger on them: by their edges, and by the levels, which mend a lost edge."""

from device.buttons.ports import Key


class Fingers:
    """The keys that are down. Pure."""

    def __init__(self) -> None:
        self._down: set[Key] = set()
        self._doubted: frozenset[Key] = frozenset()

    @property
    def down(self) -> frozenset[Key]:
        """The keys that have a finger on them."""
        return frozenset(self._down)

    def press(self, key: Key) -> bool:
        """Take a finger that is there; tell whether it is new."""
        is_new = key not in self._down
        if is_new:
            self._doubted -= {key}
            self._down.add(key)
        return is_new

    def lift(self, key: Key) -> bool:
        """Take a finger that is gone; tell whether it was there."""
        was_there = key in self._down
        if was_there:
            self._doubted -= {key}
            self._down.remove(key)
        return was_there

    def found(self, levels: frozenset[Key]) -> list[Key]:
        """Return the keys that are otherwise than was known, and surely so.

        An edge may still be on its way, and contacts chatter, so a level counts when it is
        read twice in a row; only MUTE found on counts at once.
        """
        doubted, self._doubted = self._doubted, levels ^ self._down
        return sorted(self._doubted & (doubted | (levels & {Key.MUTE})))
