"""How much each address may ask, and how often it may guess. Pure; ``now`` is monotonic seconds.

Everything is bounded: beyond so many addresses the one not seen for longest is forgotten.
"""

from collections import deque
from typing import Final

from stagebox.bucket import TokenBucket

# Addresses on a large LAN; each takes some hundred bytes.
MAX_ADDRESSES: Final = 4_096
WINDOW_S: Final = 60.0


class Pace:
    """One bucket of requests for each address."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._buckets)

    def wait_s(self, address: str, now: float) -> float:
        """Take one request from an address; return 0, or how long it has to wait first."""
        bucket = self._buckets.pop(address, None) or TokenBucket(self._per_s, self._burst, now)
        self._buckets[address] = bucket
        if len(self._buckets) > MAX_ADDRESSES:
            del self._buckets[next(iter(self._buckets))]
        return 0.0 if bucket.take(now) else max(bucket.wait_s, 0.001)


class Guesses:
    """Wrong answers by address and in all, each limited in any ``WINDOW_S``."""

    def __init__(self, per_address: int, in_all: int) -> None:
        self._per_address = per_address
        self._times: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=in_all)

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._times)

    def wait_s(self, address: str, now: float) -> float:
        """Return how long this address has to wait before it may guess; 0: not at all."""
        own = self._times.get(address)
        return max(_wait_s(own, now) if own else 0.0, _wait_s(self._all, now))

    def wrong(self, address: str, now: float) -> None:
        """Note a wrong answer."""
        own = self._times.pop(address, None) or deque(maxlen=self._per_address)
        own.append(now)
        self._times[address] = own
        self._all.append(now)
        if len(self._times) > MAX_ADDRESSES:
            del self._times[next(iter(self._times))]

    def right(self, address: str) -> None:
        """Take back the last ``wrong`` of an address, which was noted before it was known."""
        own = self._times.get(address)
        if own and self._all:
            own.pop()
            self._all.pop()
            if not own:
                del self._times[address]


def _wait_s(times: deque[float], now: float) -> float:
    full = len(times) == times.maxlen
    return max(0.0, times[0] + WINDOW_S - now) if full else 0.0
