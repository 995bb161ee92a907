"""When a broker that is not there is tried again. Pure."""

from typing import Final

# A broker that was started again is found within a second and told everything in the next.
FIRST_S: Final = 0.25
MOST_S: Final = 1.0
# A wrong password is for a person to mend.
REFUSED_S: Final = 30.0
# A connection that held this long did not fail because of how it was made.
PROVEN_S: Final = 10.0


class Tries:
    """The waits between tries; ``lasted_s``: how long there was a connection."""

    def __init__(self) -> None:
        self._wait_s = FIRST_S

    def lost(self, lasted_s: float) -> float:
        """Return how long to wait for a broker that is gone."""
        if lasted_s >= PROVEN_S:
            self._wait_s = FIRST_S
        wait_s, self._wait_s = self._wait_s, min(2 * self._wait_s, MOST_S)
        return wait_s

    def refused(self) -> float:
        """Return how long to wait after a no."""
        return REFUSED_S
