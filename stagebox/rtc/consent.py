"""When to check that the peer is still there, and when to give it up (RFC 7675).

Pure: what was heard and ``now`` in, how long to wait out. Whatever the peer proves to
have sent, its own checks included, shows that it lives, so a path is checked only when
it has been quiet; two ends of ours thus share the work of one. A check that fails is
followed by others, close together.

A dead peer is noticed within 8 s of its last word: 2.16 s of quiet at the most, eight
checks of 0.5 s, and 0.25 s before each but the first. A radio gap of 5 s is survived,
for the eighth check leaves 5.25 s after the first. So is 20 % loss each way for more
than an hour on average.

Where it may be patient, a path from which no sound came lately is left quiet for longer:
of hundreds who only listen nobody waits for the hub to see that one has gone. It is
noticed within 11 s.
"""

import math
from typing import Final, NamedTuple

# Who sent sound so lately is in a conversation.
TALKING_S: Final = 10.0
# RFC 7675 section 5.1: consent itself is asked for every 5 s, whatever else is heard.
ASK_S: Final = 5.0
# How long an answer is waited for; RFC 8489 section 6.2.1 has it before the first repetition.
ANSWER_S: Final = 0.5
# Between a check that failed and the next.
AGAIN_S: Final = 0.25
FAILURES: Final = 8


class Pace(NamedTuple):
    """How long a path may be quiet before it is checked, in seconds.

    Times 0.8 to 1.2, by chance, so that listeners who came together do not all check
    together. ``resting_s`` counts where no sound came lately.
    """

    talking_s: float
    resting_s: float


USUAL: Final = Pace(1.8, 1.8)
# Where a person waits to be told within 2 s that nobody is there: 1.2 s at the most, and a
# check of 0.5 s.
SOON: Final = Pace(1.0, 1.0)
PATIENT: Final = Pace(1.8, 4.0)


class Watch:
    """The watch over one path; times are monotonic seconds.

    ``heard_at`` is when the peer last proved that it was there; who hears it writes it.
    ``sound_at`` is when its last sound came. ``chance``, 0 to 1, spreads the next check.
    """

    __slots__ = (
        "_answered_at",
        "_failed_at",
        "_failures",
        "_spread",
        "heard_at",
        "pace",
        "sound_at",
    )

    def __init__(self, now: float, chance: float) -> None:
        self._answered_at = now
        self._failures = 0
        self._failed_at = now
        self._spread = _spread(chance)
        self.heard_at = now
        self.sound_at = -math.inf
        self.pace = USUAL

    @property
    def doubtful(self) -> bool:
        """Whether the last check failed."""
        return self._failures > 0

    @property
    def lost(self) -> bool:
        """Whether the peer is to be given up."""
        return self._failures >= FAILURES

    def wait(self, now: float) -> float:
        """Return the seconds until a check may be due, as far as is known now; 0 if it is."""
        if self._failures:
            due = self._failed_at + AGAIN_S
        else:
            talks = now - self.sound_at < TALKING_S
            quiet_s = self.pace.talking_s if talks else self.pace.resting_s
            quiet = self.heard_at + quiet_s * self._spread
            due = min(quiet, self._answered_at + ASK_S * self._spread)
        return max(0.0, due - now)

    def answered(self, now: float, chance: float) -> None:
        """Take note of a check that succeeded."""
        self._failures = 0
        self._answered_at = self.heard_at = now
        self._spread = _spread(chance)

    def unanswered(self, now: float) -> None:
        """Take note of a check that failed. What else was heard does not make up for it."""
        self._failures += 1
        self._failed_at = now


def _spread(chance: float) -> float:
    return 0.8 + 0.4 * chance
