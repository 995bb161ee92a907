"""How late sound leaves, as a histogram of fixed size. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

# Upper bounds in seconds: from "nobody can tell" over the promise (5 ms) to "a box takes
# the hub for lost". Finest around the promise, because that is what is looked for.
BOUNDS: Final = (
    *(0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008),
    *(0.010, 0.015, 0.020, 0.030, 0.050, 0.100, 0.250, 1.0, 3.0),
)


class Lateness:
    """Counts delays by size."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)  # the last one: beyond all bounds
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one delay; a negative one is none."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total_s += max(0.0, seconds)

    def take(self, counts: Sequence[int], total_s: float) -> None:
        """Add what another one counted.

        Raises:
            ValueError: it has other bounds.
        """
        self.counts = [mine + its for mine, its in zip(self.counts, counts, strict=True)]
        self.total_s += total_s


def buckets(counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return ``(upper bound, counted up to it)`` as Prometheus wants them."""
    names = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    return list(zip(names, map(float, accumulate(counts)), strict=True))


def percentile(counts: Sequence[int], share: float) -> float:
    """Return the upper bound of the bucket that holds the ``share`` of all; 0 of none.

    Beyond all bounds it is infinite.
    """
    wanted = share * sum(counts)
    for bound, reached in zip((*BOUNDS, float("inf")), accumulate(counts), strict=True):
        if reached and reached >= wanted:
            return bound
    return 0.0
