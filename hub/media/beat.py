"""When to mix: as the leader's packets arrive, and by the clock where they fail to come.

Were the mix made by a clock of the hub's own, each packet would wait for the next tick,
and the first talker, who was forwarded until now, would be heard later from one moment
to the next: a gap. So one talker leads. Each of its packets is mixed the moment it
arrives with what the others have ready, no later than forwarding would have sent it.

A beat is one frame of the mix. It is *due* when the leader's packet comes if nothing
delays it. A late packet is waited for until the next one should have come, which brings
FEC for it, were it as late as this talker's were before; then the others are mixed
with a concealed frame in its place.
"""

from typing import Final

from stagebox.media.frames import FRAME_S, SAMPLE_RATE
from stagebox.media.sequence import signed

# The packet after a lost one comes a frame later and brings FEC. It may be as late as
# others were, and a busy machine's timers are inaccurate by this much.
_MARGIN_S: Final = 0.005
# Waiting longer for one talker would disturb the others more than its gap does.
_MOST_PATIENCE_S: Final = 0.100
# Packets that come sooner move the beat at once. By so much of their lateness later ones
# do: a clock 200 ppm slow (4 us a frame) is followed a quarter of a millisecond behind.
_FOLLOW: Final = 1 / 64
# Lateness is forgotten by half in 70 frames, 1.4 s: about as fast as listeners' jitter
# buffers forget it.
_FORGET: Final = 0.99
# A step of the timeline by more is no delay but another timeline.
_OTHER_LINE_S: Final = 0.5
# Mixing ahead by a timer's inaccuracy harms nothing; a timer too early would fire twice.
_SLACK_S: Final = 0.0005
# A hub that was stalled for longer leaves out what nobody waits for any more.
MAX_LAG_S: Final = 0.1
# So many beats without a packet, and another talker leads. By then (120 ms) concealment
# has faded to nothing, and another playout can take the silent one's place.
_STALE: Final = 6


class Beat:
    """The times of the beats of one mix. Pure; times are monotonic seconds.

    ``ready``: a whole frame of the leader's sound is there.
    """

    def __init__(self, due: float) -> None:
        self._due = due
        self._leader: str | None = None
        self._line: float | None = None  # the leader's transit: arrival less timestamp
        self._timestamp = 0  # of its last packet, extended beyond 32 bit
        self._late = 0.0
        self._missed = 0

    @property
    def leader(self) -> str | None:
        """Whose packets give the beat; None: the clock alone."""
        return self._leader

    def lead(self, member_id: str | None) -> None:
        """Let another member's packets give the beat."""
        self._leader, self._line = member_id, None
        self._late = 0.0
        self._missed = 0

    def came(self, timestamp: int, now: float) -> float:
        """Take in that a packet of the leader came at ``now``: the beat follows it.

        Return when it would have come if nothing had delayed it.
        """
        self._missed = 0
        timestamp = self._timestamp + signed(timestamp - self._timestamp, 32)
        transit = now - timestamp / SAMPLE_RATE
        if self._line is None or abs(transit - self._line) > _OTHER_LINE_S:
            self._line, self._timestamp = transit - _phase(now - self._due), timestamp
        late = transit - self._line
        if late < 0:
            # Sooner by whole frames is a backlog sent at once: the beat stays a beat.
            self._line = transit
            self._due += _phase(late)
        elif timestamp > self._timestamp:  # one that was overtaken says nothing of the clock
            follow = min(late, FRAME_S) * _FOLLOW
            self._line += follow
            self._due += follow
        self._timestamp = max(timestamp, self._timestamp)
        self._late = max(late, self._late * _FORGET)
        return now - max(late, 0.0)

    def deadline(self, *, ready: bool) -> float:
        """Return when to mix the next frame even if no packet comes."""
        if ready or self._leader is None:
            return self._due
        return self._due + min(FRAME_S + self._late + _MARGIN_S, _MOST_PATIENCE_S)

    def is_time(self, now: float, *, ready: bool) -> bool:
        """Say whether the next frame is to be mixed now."""
        return now >= self.deadline(ready=ready) - _SLACK_S

    def beat(self, now: float, *, ready: bool) -> float:
        """Note that a frame is mixed now; return the moment on the beat's own clock.

        That clock is regular where the leader's packets are not: by it the others'
        playouts are to be asked.
        """
        if now - self._due > MAX_LAG_S:
            self._due, self._line = now, None
        at = min(now, self._due)
        self._due += FRAME_S
        if not ready and self._leader is not None:
            self._missed += 1
            if self._missed >= _STALE:
                self.lead(None)
        return at


def _phase(seconds: float) -> float:
    """Return the distance to the nearest whole number of frames, either way."""
    return (seconds + FRAME_S / 2) % FRAME_S - FRAME_S / 2
