"""Whether a program still works, from its signs of life: the judge behind its watchdog.

A watchdog that is fed by a timer proves only that the timer runs. This one is fed when the
event loop came round in time *and* every part that could hang says that it does not.
"""

from collections.abc import Callable, Mapping
from typing import Final

# The loop may be held up by a decode, a garbage collection, a slow card: not by seconds.
LATE_S: Final = 2.0
# One look more than this many fit into the watchdog's patience: a single bad one is no hang.
LOOKS: Final = 4


class Pulse:
    """``look`` at regular times; it says whether all is well. ``works`` of a part never waits."""

    def __init__(self, works: Mapping[str, Callable[[], bool]], patience_s: float) -> None:
        self._works = dict(works)
        self.interval_s = patience_s / LOOKS
        self._due: float | None = None
        self.ill: tuple[str, ...] = ()

    def look(self, now: float) -> bool:
        """Take a look at ``now``; the next is due after ``interval_s``."""
        late = self._due is not None and now > self._due + LATE_S
        self._due = now + self.interval_s
        ill = [name for name, works in self._works.items() if not works()]
        self.ill = tuple(["event loop", *ill] if late else ill)
        return not self.ill
