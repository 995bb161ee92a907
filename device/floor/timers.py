"""What runs out while a box asks and talks: answers, the lease, the talk time.

The base of a lease is when the box *sent* what the hub then confirmed, so a slow
network can only shorten it: the request that was granted, later each ping whose
pong names the grant.
"""

from dataclasses import dataclass
from typing import Final

from device.floor.model import Send
from stagebox.wire.causes import RevokeCause
from stagebox.wire.messages import FloorRequest

# A hub on the same network answers within 20 ms; a second without an answer means
# that the request, or the answer, is stuck behind something.
RESEND_S: Final = 1.0
MAX_SENDS: Final = 3
# Older pings renew nothing; at two pings a second this is 8 s, over three leases.
PINGS_REMEMBERED: Final = 16
# Long enough to end a sentence.
WARNING_S: Final = 10.0
# The hub revokes at the limit and gives this long to finish the word. The box ends
# the burst by itself only if that word from the hub never comes.
LIMIT_GRACE_S: Final = 3.0


class Heartbeat:
    """Numbers pings from 1 in each session and remembers when the last ones were sent."""

    def __init__(self) -> None:
        self._last = 0
        self._sent: dict[int, float] = {}

    def ping(self, now: float) -> int:
        """Return the number of the ping that is sent at ``now``."""
        self._last += 1
        self._sent[self._last] = now
        self._sent.pop(self._last - PINGS_REMEMBERED, None)
        return self._last

    def sent_at(self, n: int) -> float | None:
        """Return when ping ``n`` was sent; None if it was not, or too long ago."""
        return self._sent.get(n)


@dataclass(slots=True)
class Ask:
    """A floor request that waits for an answer; it is repeated, never for ever."""

    request: FloorRequest
    first_sent: float
    sends: int = 1

    @property
    def deadline(self) -> float:
        """When to send it again, or to give up."""
        return self.first_sent + self.sends * RESEND_S

    @property
    def may_resend(self) -> bool:
        """Whether the deadline means sending again, and not giving up."""
        return self.sends < MAX_SENDS

    def resend(self) -> Send:
        """Send the same request again."""
        self.sends += 1
        return Send(self.request)


@dataclass(slots=True)
class Burst:
    """A granted floor: until when it may be used. Times are monotonic seconds."""

    lease_from: float
    started: float
    ends_at: float
    warn_at: float | None
    cause: RevokeCause = RevokeCause.TOO_LONG
    retry_after_s: float = 0.0
    is_warned: bool = False
    is_revoked: bool = False

    @classmethod
    def granted(
        cls, lease_from: float, now: float, duration_s: float | None, max_talk_s: float
    ) -> "Burst":
        """Return the burst that a grant at ``now`` opens."""
        burst = cls(lease_from, now, now, None)
        burst.extend(duration_s, max_talk_s)
        return burst

    def extend(self, duration_s: float | None, max_talk_s: float) -> None:
        """Set the talk time: the hub's ``duration_s``, but never over the box's own.

        A burst that was revoked is not extended.
        """
        if self.is_revoked:
            return
        ends = max_talk_s if duration_s is None else min(max_talk_s, duration_s + LIMIT_GRACE_S)
        warn = (max_talk_s if duration_s is None else min(max_talk_s, duration_s)) - WARNING_S
        self.ends_at = self.started + ends
        self.warn_at = self.started + warn if warn > 0 else None
        self.is_warned = False

    def warn(self) -> None:
        """Note that the talker was told."""
        self.warn_at = None
        self.is_warned = True

    def revoke(self, now: float, grace_s: float, cause: RevokeCause, retry_after_s: float) -> None:
        """Let the burst end after ``grace_s``, or at its own limit if that is sooner."""
        self.warn()
        self.ends_at = min(self.ends_at, now + grace_s)
        self.cause = cause
        self.retry_after_s = retry_after_s
        self.is_revoked = True
