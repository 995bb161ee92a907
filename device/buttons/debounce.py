"""What a contact that bounces means.

A key is down with the first edge, because TALK is not to wait for anything, and MUTE least of
all. It is up when the contact was open for ``settle_s`` without a break: what opens for less is
bounce or chatter, and no finger. The last level is never lost, because an open contact that
stays open always ends the wait.
"""

from typing import Final

from device.buttons.ports import Key, KeyEvent

# Contacts of push buttons bounce for 1 to 10 ms, worn ones for 20; no finger is quicker.
SETTLE_S: Final = 0.020
# One edge may be lost, and what hangs then is one press. So many in a row, and none between
# them that came by itself, is a thread that brings no edges any more.
HUNG: Final = 3


class Debounce:
    """Edges as they come in; edges that mean a finger out. Pure, for all keys of a panel."""

    def __init__(self, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._down: set[Key] = set()
        self._opened: dict[Key, float] = {}
        self._missed = 0

    @property
    def hangs(self) -> bool:
        """Whether contacts move and their edges stay away."""
        return self._missed >= HUNG

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        first = min(self._opened.values(), default=None)
        return None if first is None else first + self._settle_s

    def edge(self, event: KeyEvent) -> list[KeyEvent]:
        """Take an edge of a contact, at the time it names; return the edges of fingers."""
        self._missed = 0
        done = self.tick(event.at)
        if event.down:
            self._opened.pop(event.key, None)
            if event.key not in self._down:
                self._down.add(event.key)
                done.append(event)
        elif event.key in self._down:
            self._opened.setdefault(event.key, event.at)
        return done

    def begin(self, down: frozenset[Key]) -> None:
        """Take which fingers are down before there were any edges."""
        self._down = set(down)

    def correct(self, down: frozenset[Key]) -> None:
        """Take which fingers are down by what was read besides: an edge may have been lost."""
        self._missed += down != self._down
        self._down = set(down)
        self._opened = {key: at for key, at in self._opened.items() if key in down}

    def tick(self, now: float) -> list[KeyEvent]:
        """Return the fingers that came up; each at the instant at which its contact opened."""
        due = [key for key, at in self._opened.items() if now >= at + self._settle_s]
        done = [KeyEvent(key, False, self._opened.pop(key)) for key in due]
        self._down.difference_update(due)
        return done
