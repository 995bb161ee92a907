"""How much one source may write into a log. Pure: every call takes ``now`` in monotonic seconds.

Whoever can make a program complain can make it fill a disk. So a source has its lines a
second, what it says again and again is said once, and the line after that says what is
missing.
"""

from typing import Final

from stagebox.bucket import TokenBucket

# Nobody reads faster; a flood that is held to this costs 1 GB in a day, not in an hour.
LINES_PER_SECOND: Final = 20.0
LINES_AT_ONCE: Final = 40
# What is still said after this long is worth a line again.
REPEAT_S: Final = 10.0
# Sources are modules of ours and of the libraries: more cannot be told apart, nor need be.
MAX_SOURCES: Final = 64
_REST: Final = ""


class _Source:
    """What one source said last."""

    __slots__ = ("bucket", "dropped", "repeats", "said_at", "text")

    def __init__(self, now: float) -> None:
        self.bucket = TokenBucket(LINES_PER_SECOND, LINES_AT_ONCE, now)
        self.text: str | None = None
        self.said_at = now
        self.repeats = 0
        self.dropped = 0


class Flood:
    """Decides on each line of a log."""

    __slots__ = ("_sources",)

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def note(self, source: str, text: str, now: float) -> str | None:
        """Return what is to be said before the line, or None if it is left out."""
        kept = self._source(source, now)
        if text == kept.text and now - kept.said_at < REPEAT_S:
            kept.repeats += 1
            return None
        if not kept.bucket.take(now):
            kept.dropped += 1
            return None
        said = []
        if kept.repeats:
            said.append(f"the line before {kept.repeats} times more")
        if kept.dropped:
            said.append(f"{kept.dropped} lines left out")
        kept.text, kept.said_at, kept.repeats, kept.dropped = text, now, 0, 0
        return " and ".join(said)

    def _source(self, name: str, now: float) -> _Source:
        if name not in self._sources and len(self._sources) >= MAX_SOURCES:
            name = _REST
        return self._sources.setdefault(name, _Source(now))
