"""The last things that happened in a box, numbered, for people who look on. Pure.

Whoever looks asks for what is new since the number it knows, so each looks at its own pace, and
one that was away for too long has missed what fell out at the other end.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

# Some minutes of a lively evening.
KEPT: Final = 200
# Fifty of each come in a second; nobody reads them.
_TOO_MANY: Final = frozenset({"frame_sent", "frame_played"})


@dataclass(frozen=True, slots=True)
class Note:
    """One event of the log: its number, when it happened (monotonic seconds), its fields."""

    n: int
    at: float
    event: str
    fields: Mapping[str, object]


class Feed:
    """Watches an event log. Each of ``watchers`` is called after each note that is kept."""

    def __init__(self, kept: int = KEPT) -> None:
        self._notes: deque[Note] = deque(maxlen=kept)
        self._n = 0
        self.watchers: list[Callable[[], None]] = []

    @property
    def last(self) -> int:
        """The number of the newest note; 0 before the first."""
        return self._n

    def take(self, event: str, at: float, fields: Mapping[str, object]) -> None:
        """Keep an event, unless it is one of a stream."""
        if event in _TOO_MANY:
            return
        self._n += 1
        self._notes.append(Note(self._n, at, event, fields))
        for watch in self.watchers:
            watch()

    def since(self, n: int) -> tuple[Note, ...]:
        """Return the notes after number ``n``, as far as they are kept, oldest first."""
        return tuple(dropwhile(lambda note: note.n <= n, self._notes))
