"""How often something may happen: a burst at once, and a rate in the long run. Pure."""


class TokenBucket:
    """Lets ``rate`` things a second pass, ``burst`` at once after a rest."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token and return True, or return False if there is none."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    @property
    def wait_s(self) -> float:
        """Seconds from the last call of ``take`` until a token is there."""
        return max(0.0, 1.0 - self._tokens) / self._rate
