"""The utterances that wait for an engine: bounded in time, and the oldest gives way.

A caption that is half a minute late is of no use to anybody, so what cannot be kept up
with is dropped, whole utterances first, and counted. Nothing here ever waits.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from hub.captions.sampling import BYTES_PER_S

# Silence is cut out before; so many utterances are short words, or somebody is at play.
MOST_WAITING: Final = 64
# An engine is watched from piece to piece; what has waited for long is no larger piece.
MOST_TAKEN: Final = BYTES_PER_S // 2


@dataclass(slots=True)
class _Job:
    pieces: deque[bytes] = field(default_factory=deque)
    ended: bool = False
    taken: bool = False


@dataclass(slots=True)
class BacklogCounts:
    """Since the start: utterances dropped whole, and bytes dropped of those being heard."""

    dropped: int = 0
    dropped_bytes: int = 0


class Backlog:
    """Holds at most ``most_s`` seconds of sound. Keys are the caller's, each used once."""

    def __init__(self, most_s: float) -> None:
        self.counts = BacklogCounts()
        self._most = int(most_s * BYTES_PER_S)
        self._jobs: dict[int, _Job] = {}
        self._size = 0

    def __len__(self) -> int:
        """Return how many utterances are here, those being heard among them."""
        return len(self._jobs)

    @property
    def seconds(self) -> float:
        """How much sound waits."""
        return self._size / BYTES_PER_S

    def begin(self, key: int) -> list[int]:
        """Take a new utterance; return those that had to give way."""
        self._jobs[key] = _Job()
        return self._make_room()

    def sound(self, key: int, piece: bytes) -> list[int]:
        """Take more of it; return those that had to give way. Unknown keys are no error."""
        job = self._jobs.get(key)
        if job is None:
            return []
        job.pieces.append(piece)
        self._size += len(piece)
        gone = self._make_room()
        if self._size > self._most and key in self._jobs:
            # All that is left is being heard already, too slowly.
            job.pieces.pop()
            self._size -= len(piece)
            self.counts.dropped_bytes += len(piece)
        return gone

    def end(self, key: int) -> None:
        """Know that all of it is here."""
        if key in self._jobs:
            self._jobs[key].ended = True

    def next(self) -> int | None:
        """Return the oldest utterance that no engine hears yet; from now on one does."""
        for key, job in self._jobs.items():
            if not job.taken:
                job.taken = True
                return key
        return None

    def take(self, key: int) -> bytes | None:
        """Return the next sound that waits; empty: none yet; None: there will be no more."""
        job = self._jobs.get(key)
        if job is None or (job.ended and not job.pieces):
            return None
        sound = b""
        while job.pieces and len(sound) < MOST_TAKEN:
            sound += job.pieces.popleft()
        self._size -= len(sound)
        return sound

    def forget(self, key: int) -> bool:
        """Let go what an engine is through with or nobody wants; say whether it was here."""
        job = self._jobs.pop(key, None)
        if job is not None:
            self._size -= sum(map(len, job.pieces))
        return job is not None

    def _make_room(self) -> list[int]:
        gone = []
        while self._size > self._most or len(self._jobs) > MOST_WAITING:
            waiting = [key for key, job in self._jobs.items() if not job.taken]
            if not waiting:
                break
            self.forget(waiting[0])
            gone.append(waiting[0])
        self.counts.dropped += len(gone)
        return gone
