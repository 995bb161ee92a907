"""The floor participant: what one box does about keys, hub messages and time.

Theory of operation. ``TalkKey`` follows the press of TALK and ``RaisedHand`` the
place in the queue, each on its table in ``device.floor.model``. The participant
decides which of their cues an event is: it knows the link, the space, the MUTE
switch and the microphone, and bars a press that cannot lead anywhere. Whatever
takes away one of these while a burst is open stops the burst first and tells the
hub afterwards. Every stop spends the press: only a finger that comes down again
asks again.

The state that the lamp shows is computed from these facts and never decides
anything. Effects are to be carried out in order. ``tick`` is due at ``deadline``;
``now`` is monotonic seconds and never goes back.
"""

import re
from collections.abc import Callable
from math import ceil
from typing import Any, Final

from device.buttons.ports import Key
from device.floor.fingers import Fingers
from device.floor.hand import RaisedHand
from device.floor.inbox import Inbox
from device.floor.model import (
    BurstOver,
    CutBurst,
    Effect,
    Event,
    FloorState,
    Halt,
    KeyDown,
    KeyUp,
    Learn,
    Left,
    Levels,
    LinkDown,
    LinkUp,
    MicrophoneOk,
    NoHub,
    PingDue,
    Received,
    Say,
    Send,
    Show,
    Tapped,
)
from device.floor.prompts import Prompt
from device.floor.space import barred, standing
from device.floor.tables import Hand, Talk
from device.floor.talk import HANG_S, TalkKey
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import FloorRelease, HubMessage, Snapshot, StatusUpdate, Welcome
from stagebox.wire.terms import HEARTBEAT_MS, LEASE_MS
from stagebox.wire.view import SpaceView

# Room for a counter of any length a box can reach within the 32 characters of a req.
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]{1,20}")
# Five minutes is longer than any talk-time limit, and short enough for a forgotten key.
MAX_TALK_S: Final = 300.0
# An event loop that stood still longer has lost more than the age of an edge.
EDGE_AGE_S: Final = 0.5


class Participant:
    """One box's side of floor control: ``handle`` events, ``tick`` at ``deadline``.

    ``req_prefix`` must be new at every start of the box: a hub answers a request that it
    has seen before as it did before.
    """

    def __init__(
        self,
        req_prefix: str,
        max_talk_s: float = MAX_TALK_S,
        hang_s: float = HANG_S,
        *,
        latches: bool = False,
    ) -> None:
        if _PREFIX.fullmatch(req_prefix) is None:
            msg = f"req_prefix {req_prefix!r}: use 1 to 20 letters, digits, hyphens, underscores"
            raise ValueError(msg)
        self._prefix = req_prefix
        self._reqs = 0
        self._talk = TalkKey(self.new_req, max_talk_s, hang_s, latches=latches)
        self._hand = RaisedHand(self.new_req)
        self._inbox = Inbox(self._talk, self._hand, self.new_req)
        self._heartbeat_s = HEARTBEAT_MS / 1000
        self._fingers = Fingers()
        self._is_linked = False
        self._is_loss_told = False
        self._no_hub = Say(Prompt.LINK_LOST)
        self._has_microphone = False
        self._shown = Show(FloorState.OFFLINE)
        # The next press of TALK answers a question, and is none for the floor.
        self.talk_is_answer = False
        self._rows: dict[type, Callable[[Any, float], list[Effect]]] = {
            KeyDown: self._on_down,
            KeyUp: self._on_up,
            Levels: self._on_levels,
            Received: self._on_received,
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            PingDue: self._on_ping_due,
            MicrophoneOk: self._on_microphone,
            BurstOver: lambda _event, now: self._talk.drained(now),
            Left: lambda _event, now: self._inbox.leave(now),
            Tapped: self._on_tapped,
            Halt: lambda _event, now: self._silence(now),
            Learn: lambda _event, _now: [],
            NoHub: self._on_no_hub,
        }

    # --- what there is to see ---------------------------------------------------------

    @property
    def state(self) -> FloorState:
        """How this box stands to the floor."""
        if not self._is_linked:
            return FloorState.OFFLINE
        if self.is_muted:
            return FloorState.CUT
        if self.view is None:
            return FloorState.NO_SPACE
        return standing(self._talk, self._hand, self.view)

    @property
    def view(self) -> SpaceView | None:
        """The space as this box knows it; None outside a space."""
        return self._inbox.space.view

    @property
    def round_trip_s(self) -> float:
        """Seconds from the last ping that was answered to its pong."""
        return self._inbox.round_trip_s

    @property
    def is_linked(self) -> bool:
        """Whether there is a session with the hub."""
        return self._is_linked

    @property
    def down(self) -> frozenset[Key]:
        """The keys that have a finger on them."""
        return self._fingers.down

    @property
    def is_muted(self) -> bool:
        """Whether the MUTE switch is on."""
        return Key.MUTE in self._fingers.down

    @property
    def is_latched(self) -> bool:
        """Whether the floor is this box's without a finger that has to stay down."""
        return self._talk.is_latched

    @property
    def is_waiting(self) -> bool:
        """Whether the hand is up, and has a place in the queue."""
        return self._hand.phase is Hand.WAITING

    @property
    def position(self) -> int | None:
        """The hand's place in the queue, if it has one."""
        return self._hand.position

    @property
    def heartbeat_s(self) -> float:
        """Seconds from one PingDue to the next: half as long while talking."""
        return self._heartbeat_s / 2 if self._talk.is_open else self._heartbeat_s

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is due; None: not before the next event."""
        times = (self._talk.deadline, self._hand.deadline)
        return min((time for time in times if time is not None), default=None)

    # --- events in, effects out -------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event; return what to do, in order."""
        due = self._run_out(now)
        return self._finish([*due, *self._rows[type(event)](event, now)])

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at ``now``; safe to call at any time."""
        return self._finish(self._run_out(now))

    def _run_out(self, now: float) -> list[Effect]:
        return [*self._talk.tick(now), *self._hand.tick(now)]

    def _finish(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.message, FloorRelease):
                self._hand.withdraw(effect.message.req)
        if not self._is_linked:
            effects = [effect for effect in effects if not isinstance(effect, Send)]
        show = Show(self.state, self._talk.is_refused, self._talk.is_warned, self._is_recorded)
        if show != self._shown:
            self._shown = show
            effects.append(show)
        return effects

    # --- keys -------------------------------------------------------------------------

    def _on_down(self, event: KeyDown, now: float) -> list[Effect]:
        if not self._fingers.press(event.key):
            return []
        if event.key is Key.TALK:
            return self._on_talk(_edge(event.at, now), now)
        return self._on_mute(now) if event.key is Key.MUTE else []

    def _on_up(self, event: KeyUp, now: float) -> list[Effect]:
        if not self._fingers.lift(event.key):
            return []
        if event.key is Key.TALK:
            return self._talk.lift(_edge(event.at, now), now)
        return self._on_mute(now) if event.key is Key.MUTE else []

    def _on_levels(self, event: Levels, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for key in self._fingers.found(event.down):
            if key not in event.down:
                effects += self._on_missed(now) if key is Key.TALK else self._on_up(KeyUp(key), now)
            elif key is Key.MUTE:
                effects += self._on_down(KeyDown(key), now)
            else:
                self._fingers.press(key)
                effects += self._talk.bar(now, now) if key is Key.TALK else []
        return effects

    def _on_missed(self, now: float) -> list[Effect]:
        """TALK is up, and nobody saw when: that is no tap, and ends no cough."""
        self._fingers.lift(Key.TALK)
        stopped = self._talk.stop(now) if self._talk.is_latched else []
        return [*stopped, *self._talk.lift(now, now, seen=False)]

    def _on_talk(self, at: float, now: float) -> list[Effect]:
        if self.talk_is_answer:
            effects = self._talk.bar(at, now)
            self._talk.is_refused = False
            return effects
        why_not = self._why_not(now)
        if why_not is None:
            return self._talk.press(at, now)
        return [*self._talk.bar(at, now), why_not]

    def _on_tapped(self, _event: Tapped, now: float) -> list[Effect]:
        if self.view is None:
            return [Say(Prompt.NO_SPACE) if self._is_linked else self._no_hub]
        if self._talk.is_open or self._talk.phase is Talk.ASKING:
            return []
        return [*self._talk.spend(now), *self._hand.tap(now)]

    def _on_mute(self, now: float) -> list[Effect]:
        # Both ways: what was heard while the switch was on is thrown away, too.
        effects = [*self._silence(now), Say(Prompt.MUTED if self.is_muted else Prompt.UNMUTED)]
        self._talk.is_refused = False
        return effects if self.view is None else [*effects, self._status()]

    def _why_not(self, now: float) -> Say | None:
        if self.is_muted:
            return Say(Prompt.MUTED)
        if not self._is_linked:
            return self._no_hub
        if self.view is None:
            return Say(Prompt.NO_SPACE)
        if not self._has_microphone:
            return Say(Prompt.NO_MICROPHONE)
        until = self._talk.cooldown_until
        if until is not None:
            return Say(Prompt.DENY, ceil(until - now), DenyCause.RETRY_AFTER)
        return barred(self.view)

    # --- link, microphone, hub --------------------------------------------------------

    def _on_link_up(self, _event: LinkUp, now: float) -> list[Effect]:
        effects = self._silence(now)
        self._hand.clear()
        self._inbox.new_session()
        self._is_linked = True
        was_told, self._is_loss_told = self._is_loss_told, False
        return [*effects, Say(Prompt.LINK_BACK)] if was_told else effects

    def _on_link_down(self, _event: LinkDown, now: float) -> list[Effect]:
        effects = self._silence(now)
        self._hand.clear()
        self._inbox.new_session()
        self._talk.cooldown_until = None
        self._is_linked = False
        was_told, self._is_loss_told = self._is_loss_told, True
        return effects if was_told else [*effects, Say(Prompt.LINK_LOST)]

    def _on_no_hub(self, event: NoHub, _now: float) -> list[Effect]:
        was, self._no_hub = self._no_hub.prompt, Say(event.why)
        return [] if event.why in {was, Prompt.LINK_LOST} else [self._no_hub]

    def _on_microphone(self, event: MicrophoneOk, now: float) -> list[Effect]:
        self._has_microphone = event.ok
        if event.ok or not self._talk.is_active:
            return []
        return [*self._silence(now), Say(Prompt.NO_MICROPHONE)]

    def _on_ping_due(self, _event: PingDue, now: float) -> list[Effect]:
        return [Send(self._inbox.ping(now))] if self._is_linked else []

    def _on_received(self, event: Received, now: float) -> list[Effect]:
        message: HubMessage = event.message
        if isinstance(message, Welcome):
            # Never longer than agreed in the protocol: the hub's patience counts on it.
            self._talk.lease_s = min(message.lease_ms, LEASE_MS) / 1000
            self._heartbeat_s = min(message.heartbeat_ms, HEARTBEAT_MS) / 1000
        if not self._is_linked:
            return []
        effects = self._inbox.handle(message, now)
        if isinstance(message, Welcome):  # a shorter lease may be over by now
            effects = [*effects, *self._talk.tick(now)]
        me = self._inbox.space.me
        if isinstance(message, Snapshot) and me is not None and me.muted != self.is_muted:
            effects = [*effects, self._status()]
        return effects

    @property
    def _is_recorded(self) -> bool:
        return self.view is not None and self.view.space.recording is not None

    def _status(self) -> Send:
        return Send(StatusUpdate(req=self.new_req(), muted=self.is_muted))

    def _silence(self, now: float) -> list[Effect]:
        """Stop whatever may be leaving, before anything else."""
        rest = [effect for effect in self._talk.stop(now) if not isinstance(effect, CutBurst)]
        return [CutBurst(), *rest]

    def new_req(self) -> str:
        """Return a new name for a request."""
        self._reqs += 1
        return f"{self._prefix}{self._reqs}"


def _edge(at: float | None, now: float) -> float:
    """Return when the edge was: not after ``now``, and not long before."""
    return now if at is None else min(now, max(at, now - EDGE_AGE_S))
