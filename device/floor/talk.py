"""One press of TALK after another, on the ``TALK`` table.

The press knows its own request, and nothing but a grant of that request, while
the finger is still down, opens a burst.
"""

from collections.abc import Callable
from typing import Final

from device.floor.model import CutBurst, Effect, EndBurst, Say, Send, StartBurst
from device.floor.prompts import Prompt
from device.floor.tables import TALK, Act, Talk, TalkCue
from device.floor.timers import Ask, Burst
from stagebox.wire.causes import RevokeCause
from stagebox.wire.messages import FloorGranted, FloorRelease, FloorRequest, FloorRevoked
from stagebox.wire.terms import LEASE_MS, Via

# The finger lifts before the last syllable is out of the mouth and the room.
HANG_S: Final = 0.150
# A microphone hands over late what it captured in time: its card's buffer, and a loop that is
# busy. A frame that left after the floor was given back would be thrown away.
DRAIN_S: Final = 0.100
# Quicker than anybody says a word, slower than any finger that only taps.
TAP_S: Final = 0.250
# Twice the talk time with a finger on the key is a thing lying on it.
STUCK_FACTOR: Final = 2.0
# These take the floor back without blame, and the host may give it again.
HOLD_CAUSES: Final = frozenset({RevokeCause.HOST_HOLD, RevokeCause.PRE_EMPTED, RevokeCause.FROZEN})
LATCHED_PHASES: Final = frozenset({Talk.LATCHED, Talk.COUGH})
OPEN_PHASES: Final = LATCHED_PHASES | {Talk.LIVE, Talk.TAIL}
ACTIVE_PHASES: Final = OPEN_PHASES | {Talk.ASKING, Talk.QUEUED}


class TalkKey:
    """The TALK key and the burst it opens. Pure: events and ``now`` in, effects out.

    ``latches``: a tap keeps the burst open without a finger.
    """

    def __init__(
        self,
        new_req: Callable[[], str],
        max_talk_s: float,
        hang_s: float = HANG_S,
        *,
        latches: bool = False,
    ) -> None:
        self._latches = latches
        self._new_req = new_req
        self._hang_s = hang_s
        self._max_talk_s = max_talk_s
        self.lease_s = LEASE_MS / 1000
        self.phase = Talk.UP
        self.is_held = False
        self.is_refused = False
        self.cooldown_until: float | None = None
        self._req = ""
        self._asked_at = 0.0
        self._ask: Ask | None = None
        self._burst: Burst | None = None
        self._tail_until: float | None = None
        self._down_at = self._up_at = 0.0
        self._stuck_at: float | None = None
        self._acts = self._rows()

    def _rows(self) -> dict[Act, Callable[[float], list[Effect]]]:
        return {
            Act.NONE: lambda _now: [],
            Act.ASK: self._send_request,
            Act.WITHDRAW: self._send_release,
            Act.OPEN: self._open,
            Act.HANG: self._hang,
            Act.RELEASE: self._send_release,
            Act.LATCH: lambda _now: [Say(Prompt.LATCHED)],
            Act.PAUSE: lambda _now: [CutBurst(), Say(Prompt.COUGH)],
            # What was captured while the finger was down is thrown away, too.
            Act.RESUME: lambda _now: [
                CutBurst(),
                StartBurst(since=self._up_at),
                Say(Prompt.LATCHED),
            ],
            Act.CUT: self._cut,
            Act.CUT_ASK: lambda now: [*self._cut(now), *self._send_request(now)],
        }

    # --- the finger -----------------------------------------------------------------

    def press(self, at: float, now: float) -> list[Effect]:
        """Ask for the floor: the finger went down at ``at``."""
        self._touch(at)
        return self._step(TalkCue.PRESS, now)

    def bar(self, at: float, now: float) -> list[Effect]:
        """Ask for nothing until the finger, down since ``at``, was seen up."""
        self._touch(at)
        effects = self._step(TalkCue.BAR, now)
        self.is_refused = True
        return effects

    def lift(self, at: float, now: float, *, seen: bool = True) -> list[Effect]:
        """End what the press began: the finger came up at ``at``, or before if nobody saw it."""
        self._stuck_at = None
        self._up_at = at
        self.is_held = self.is_refused = False
        is_tap = self._latches and seen and at < self._down_at + TAP_S
        cue = TalkCue.TAP if (self.phase, TalkCue.TAP) in TALK and is_tap else TalkCue.LIFT
        return self._step(cue, now)

    def stop(self, now: float, *, held: bool = False, retry_after_s: float = 0) -> list[Effect]:
        """Let nothing leave from now on, and spend the press."""
        was_active = self.phase in ACTIVE_PHASES
        effects = self._step(TalkCue.STOP, now)
        if was_active:
            self._note_refusal(now, retry_after_s, held=held)
        return effects

    # --- the hub --------------------------------------------------------------------

    def is_mine(self, req: str) -> bool:
        """Whether ``req`` is the request of the press that is waiting or talking."""
        return req == self._req and self.phase in ACTIVE_PHASES

    def grant(self, message: FloorGranted, now: float) -> list[Effect]:
        """Open the burst if this very press asked and its lease still runs."""
        if not self.is_mine(message.req):
            return [Send(FloorRelease(req=message.req))]
        if self._burst is not None:
            self._extend(self._burst, message)
            return []
        if now >= self._asked_at + self.lease_s:
            return [*self.refuse(now), Send(FloorRelease(req=message.req)), Say(Prompt.NO_ANSWER)]
        self._burst = Burst.granted(self._asked_at, now, message.duration_s, self._max_talk_s)
        self._note_stuck(message.duration_s, self._burst.ends_at)
        return self._step(TalkCue.GRANT, now)

    def queue(self, now: float) -> list[Effect]:
        """Note that the press earned a place in the queue instead of the floor."""
        return self._step(TalkCue.QUEUE, now)

    def drained(self, now: float) -> list[Effect]:
        """Give the floor back: the last frame of the burst has left."""
        return self._step(TalkCue.TAIL_OVER, now)

    def spend(self, now: float) -> list[Effect]:
        """Let this press open nothing: an offer or a lowered hand came since."""
        return self._step(TalkCue.SPEND, now)

    def refuse(self, now: float, retry_after_s: float = 0.0, *, held: bool = False) -> list[Effect]:
        """Spend the press: the hub said no, or never answered."""
        effects = self._step(TalkCue.REFUSE, now)
        self._note_refusal(now, retry_after_s, held=held)
        return effects

    def revoke(self, message: FloorRevoked, now: float) -> list[Effect]:
        """End the burst after its grace; whatever the request became, release it."""
        if not self.is_mine(message.req):
            return [Send(FloorRelease(req=message.req))]
        say = Say(Prompt.REVOKED, cause=message.cause)
        if self._burst is not None and message.grace_s > 0:
            self._burst.revoke(now, message.grace_s, message.cause, message.retry_after_s)
            return [say]
        held = message.cause in HOLD_CAUSES
        return [*self.stop(now, held=held, retry_after_s=message.retry_after_s), say]

    def renew(self, req: str, sent_at: float) -> None:
        """Renew the lease of the grant ``req`` as of a ping that was sent at ``sent_at``."""
        if self._burst is not None and req == self._req:
            self._burst.lease_from = max(self._burst.lease_from, sent_at)

    # --- time -----------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether audio may leave."""
        return self._burst is not None

    @property
    def is_latched(self) -> bool:
        """Whether the floor is this box's without a finger that has to stay down."""
        return self.phase in LATCHED_PHASES

    @property
    def is_active(self) -> bool:
        """Whether a press is asking, waiting or talking."""
        return self.phase in ACTIVE_PHASES

    @property
    def is_warned(self) -> bool:
        """Whether the talker was told that the burst ends soon."""
        return self._burst is not None and self._burst.is_warned

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = [self._tail_until, self._stuck_at, self.cooldown_until]
        if self._ask is not None:
            times.append(self._ask.deadline)
        if (burst := self._burst) is not None:
            times += [burst.lease_from + self.lease_s, burst.ends_at, burst.warn_at]
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> list[Effect]:
        """Do what time asks for; what closes comes first."""
        effects = self._tick_burst(now)
        if _is_due(self._tail_until, now):
            effects += self._step(TalkCue.STOP, now)
        effects += self._tick_ask(now)
        if _is_due(self._stuck_at, now):
            effects += [*self.stop(now), Say(Prompt.BUTTON_STUCK)]
            self._stuck_at = None
            self.is_refused = True
        if _is_due(self.cooldown_until, now):
            self.cooldown_until = None
        return effects

    def _tick_burst(self, now: float) -> list[Effect]:
        burst = self._burst
        if burst is None:
            return []
        if now >= burst.lease_from + self.lease_s:
            return [*self.stop(now), Say(Prompt.REVOKED, cause=RevokeCause.LOST)]
        if now >= burst.ends_at:
            held = burst.cause in HOLD_CAUSES
            effects = self.stop(now, held=held, retry_after_s=burst.retry_after_s)
            told = [] if burst.is_revoked else [Say(Prompt.REVOKED, cause=burst.cause)]
            return [*effects, *told]
        if _is_due(burst.warn_at, now):
            burst.warn()
            return [Say(Prompt.WARNING)]
        return []

    def _tick_ask(self, now: float) -> list[Effect]:
        if self._ask is None or now < self._ask.deadline:
            return []
        if self._ask.may_resend:
            return [self._ask.resend()]
        withdraw = Send(FloorRelease(req=self._req))
        return [*self.refuse(now), withdraw, Say(Prompt.NO_ANSWER)]

    # --- the table ------------------------------------------------------------------

    def _step(self, cue: TalkCue, now: float) -> list[Effect]:
        self.phase, act = TALK.get((self.phase, cue), (self.phase, Act.NONE))
        if self.phase is not Talk.ASKING:
            self._ask = None
        effects = self._acts[act](now)
        if self.phase not in OPEN_PHASES:
            self._burst = self._tail_until = None
        return effects

    def _touch(self, at: float) -> None:
        self._down_at = at
        self._stuck_at = at + STUCK_FACTOR * self._max_talk_s

    def _note_refusal(self, now: float, retry_after_s: float, *, held: bool) -> None:
        is_down = self.phase is not Talk.UP
        self.is_held = is_down and held
        self.is_refused = is_down and not held
        if retry_after_s > 0:
            self.cooldown_until = now + retry_after_s

    def _extend(self, burst: Burst, message: FloorGranted) -> None:
        if self.phase is not Talk.TAIL:
            burst.extend(message.duration_s, self._max_talk_s)
            if self.phase is not Talk.LATCHED:
                self._note_stuck(message.duration_s, burst.ends_at)

    def _note_stuck(self, duration_s: float | None, ends_at: float) -> None:
        limit = self._max_talk_s if duration_s is None else min(duration_s, self._max_talk_s)
        self._stuck_at = max(self._down_at + STUCK_FACTOR * limit, ends_at)

    def _send_request(self, now: float) -> list[Effect]:
        self._req = self._new_req()
        self._asked_at = now
        self._ask = Ask(FloorRequest(req=self._req, via=Via.TALK), now)
        return [Send(self._ask.request)]

    def _send_release(self, _now: float) -> list[Effect]:
        return [Send(FloorRelease(req=self._req))]

    def _open(self, _now: float) -> list[Effect]:
        return [StartBurst(since=self._down_at), Say(Prompt.PERMIT)]

    def _hang(self, _now: float) -> list[Effect]:
        until = self._up_at + self._hang_s
        self._tail_until = until + DRAIN_S
        return [EndBurst(until=until)]

    def _cut(self, now: float) -> list[Effect]:
        return [CutBurst(), *self._send_release(now)]


def _is_due(time: float | None, now: float) -> bool:
    return time is not None and now >= time
