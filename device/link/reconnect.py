"""When to try the hub again: full-jitter backoff, for ever.

The wait before try n is drawn evenly from 0 to a ceiling that doubles, so that the
boxes of a hub that restarts come back spread out (M. Brooker, "Exponential Backoff
And Jitter"). Waits count from the start of the last try: a try that ran into its
deadline has waited already. While the hub was there a short time ago the ceiling
stays low, because it is most likely restarting and a person is waiting for it.
"""

from collections.abc import Callable
from typing import Final

FIRST_CEILING_S: Final = 0.25
# A box left alone for a night should cost the network next to nothing.
LAST_CEILING_S: Final = 8.0
# With a connect deadline below this, the hub is found within 3 s of answering again.
RECENT_CEILING_S: Final = 2.0
# A hub that updates itself, or an access point that restarts, is back within this time.
RECENT_S: Final = 600.0
# A session that lasted this long was not part of the trouble.
STABLE_S: Final = 10.0
# A kick right after a try would only find what that try found.
KICK_GAP_S: Final = 0.5
# Every box of a hub that was lost sees it come back in the same moment.
KICK_SPREAD_S: Final = 1.0
# A hub that said no means it for a while; two boxes with one identity push each
# other out no faster than this.
REFUSED_S: Final = 3.0
# No hub may silence a box for longer than this.
LONGEST_REFUSAL_S: Final = 30.0


class Reconnect:
    """Decides when the next try starts. ``random`` returns 0 to 1; times are monotonic seconds."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._started = float("-inf")
        self._opened: float | None = None
        self._seen = float("-inf")
        self._not_before = float("-inf")

    def started(self, now: float) -> None:
        """Note that a try starts."""
        self._started = now

    def opened(self, now: float) -> None:
        """Note that the try became a session."""
        self._opened = self._seen = now
        self._not_before = float("-inf")

    def ended(self, now: float) -> float:
        """Return when to start the next try: this one failed, or its session ended."""
        since = self._started
        if self._opened is not None:
            since = self._seen = now
            self._failures = 0 if now - self._opened >= STABLE_S else self._failures
            self._opened = None
        ceiling = min(self._last_ceiling(now), FIRST_CEILING_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return max(now, since + self._random() * ceiling, self._not_before)

    def lost(self, now: float, spread_s: float) -> float:
        """Return when to try again: the hub was at fault, says so and waits for us."""
        return now + self._random() * min(spread_s, RECENT_CEILING_S)

    def refused(self, now: float, retry_after_s: float = 0.0) -> None:
        """Hold back, kicked or not: a hub said no, and perhaps for how long."""
        wait = min(max(retry_after_s, REFUSED_S), LONGEST_REFUSAL_S)
        self._not_before = max(self._not_before, now + wait)

    def forgive(self) -> None:
        """Forget that a hub said no: it was another one, or would not say so any more."""
        self._not_before = float("-inf")

    def kick(self, now: float) -> float:
        """Return when to try now that there is hope: a hub appeared, or a new address."""
        self._failures = 0
        spread = self._random() * KICK_SPREAD_S if now - self._seen < RECENT_S else 0.0
        return max(now + spread, self._started + KICK_GAP_S, self._not_before)

    def _last_ceiling(self, now: float) -> float:
        return RECENT_CEILING_S if now - self._seen < RECENT_S else LAST_CEILING_S
