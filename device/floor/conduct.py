"""Everything a box decides: its floor, its gestures, and what it asks of a space besides.

The participant comes first with every event: what closes a microphone waits for nothing.
Then gestures are read from the keys as the participant knows them, and each becomes an act
by the row of the one table that fits. A press of TALK is for the floor, but for two cases:
a question was asked of the user, or the box is in no space and TALK is how to come back.
"""

from collections.abc import Callable
from typing import Any, Final

from device.buttons.gestures import CHAIR, GUEST, STUDIO, Gesture, Gestures, Timing
from device.buttons.ports import Key
from device.floor.doors import Doors
from device.floor.manner import END_S, NEW_S, Asked, Manner, Question
from device.floor.model import (
    Effect,
    Event,
    FloorState,
    Halt,
    KeyDown,
    Left,
    LinkDown,
    LinkUp,
    Received,
    Say,
    Sparkle,
    Tapped,
)
from device.floor.news import told
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from device.floor.space import AHEAD, is_audience, is_chair, is_quiet, must_agree
from device.floor.wishes import Wishes
from stagebox.wire.acts import (
    Agree,
    FloorNext,
    FloorPriority,
    Invite,
    InviteNew,
    MemberPlace,
    React,
    SpaceConfirm,
    SpaceEnd,
    SpaceMade,
    SpaceNew,
    SpaceStart,
)
from stagebox.wire.messages import (
    HubMessage,
    Leave,
    MemberMessage,
    Notice,
    Reaction,
    Snapshot,
    SpaceLeft,
)
from stagebox.wire.terms import Mark, Mode, News, Place, Role, SpaceId, SpaceState
from stagebox.wire.view import SpaceView

# Where somebody who is no speaker can still come by the floor.
_HAS_AUDIENCE: Final = frozenset({Mode.FIFO, Mode.MODERATED, Mode.STAGE})
_NOT_OPEN: Final = AHEAD | {SpaceState.BACKSTAGE}


class Conduct:
    """The whole pure side of a box: ``handle`` events, ``tick`` at ``deadline``."""

    def __init__(self, floor: Participant, manner: Manner) -> None:
        self._floor = floor
        self._manner = manner
        self._gestures = Gestures()
        self._wishes = Wishes(floor.new_req)
        self._doors = Doors(self._wishes, manner.home, hidden=manner.hidden, returns=manner.returns)
        self._question: Question | None = None
        self._told: SpaceView | None = None
        self._has_priority = False
        self._opens: SpaceId | None = None
        self._rows: dict[Gesture, Callable[[float], list[Effect]]] = {
            Gesture.TAP: self._tap,
            Gesture.DOUBLE: self._double,
            Gesture.HOLD: self._hold,
            Gesture.LET_GO: self._let_go,
            Gesture.BOTH: self._both,
            Gesture.BOTH_LONG: self._both_long,
        }
        self._messages: dict[type, Callable[[Any, float], list[Effect]]] = {
            SpaceLeft: self._on_space_left,
            SpaceMade: self._on_made,
            SpaceConfirm: self._on_confirm,
            Invite: self._on_invite,
            Notice: self._on_notice,
            Reaction: self._on_reaction,
        }

    # --- what there is to see ---------------------------------------------------------

    @property
    def state(self) -> FloorState:
        """How this box stands to the floor."""
        return self._floor.state

    @property
    def view(self) -> SpaceView | None:
        """The space as this box knows it; None outside a space."""
        return self._floor.view

    @property
    def hears(self) -> bool:
        """Whether there is sound for this box: it is in a space, and not waiting for it."""
        return self.view is not None and not is_audience(self.view)

    @property
    def round_trip_s(self) -> float:
        """Seconds from the last ping that was answered to its pong."""
        return self._floor.round_trip_s

    @property
    def heartbeat_s(self) -> float:
        """Seconds from one PingDue to the next."""
        return self._floor.heartbeat_s

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is due; None: not before the next event."""
        question = self._question.until if self._question is not None else None
        times = (self._floor.deadline, self._gestures.deadline, question)
        return min((time for time in times if time is not None), default=None)

    # --- events in, effects out -------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event; return what to do, in order."""
        was_down, effects = self._floor.down, self._run_out(now)
        is_out = self._floor.is_linked and self.view is None
        self._floor.talk_is_answer = self._question is not None or is_out
        effects += self._floor.handle(event, now)
        effects += self._fingers(event, was_down, now)
        match event:
            case LinkUp():
                self._forget()
                effects += self._doors.link_up()
            case LinkDown():
                self._forget()
            case Received(message=message):
                effects += self._heard(message, now)
        return effects

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at ``now``; safe to call at any time."""
        return [*self._floor.tick(now), *self._run_out(now)]

    def _run_out(self, now: float) -> list[Effect]:
        effects = self._act(self._gestures.tick(now), now)
        if self._question is not None and now >= self._question.until:
            self._question = None
            effects.append(Say(Prompt.STILL_HERE))
        return effects

    def _forget(self) -> None:
        self._wishes.forget()
        self._question = self._opens = None
        self._has_priority = False

    def _ask(
        self,
        make: Callable[[str], MemberMessage],
        done: Say | None = None,
        *,
        quiet: bool = False,
    ) -> list[Effect]:
        return self._wishes.ask(make, done, quiet=quiet) if self._floor.is_linked else []

    # --- fingers ----------------------------------------------------------------------

    def _fingers(self, event: Event, was_down: frozenset[Key], now: float) -> list[Effect]:
        self._gestures.timing = self._timing()
        is_down = self._floor.down
        effects: list[Effect] = []
        for key in sorted(was_down - is_down):
            effects += self._act(self._gestures.up(key, now), now)
        # A finger that was found down without an edge means nothing.
        if isinstance(event, KeyDown) and event.key in is_down - was_down:
            effects += self._act(self._gestures.down(event.key, now), now)
            if event.key is Key.TALK and self._floor.talk_is_answer:
                effects += self._answer()
        return effects

    def _timing(self) -> Timing:
        if self.view is not None and is_chair(self.view):
            return CHAIR
        return STUDIO if self._manner.role is Role.STUDIO else GUEST

    def _act(self, gestures: list[Gesture], now: float) -> list[Effect]:
        return [effect for gesture in gestures for effect in self._rows[gesture](now)]

    def _answer(self) -> list[Effect]:
        """TALK went down, and not for the floor."""
        question, self._question = self._question, None
        if question is None:
            return self._doors.enter() or [Say(Prompt.NO_SPACE)]
        if question.asked is Asked.NEW:
            return self._ask(lambda req: SpaceNew(req=req))
        if question.asked is Asked.END:
            return self._ask(lambda req: SpaceEnd(req=req, token=question.token))
        self._opens = question.space
        return self._doors.enter(question.space) if self._floor.is_linked else []

    def _tap(self, now: float) -> list[Effect]:
        if self._question is not None:
            self._question = None
            return [Say(Prompt.STILL_HERE)]
        view = self.view
        if view is None:
            return self._floor.handle(Tapped(), now)
        if must_agree(view):
            return self._agree(view)
        return self._next(view) if is_chair(view) else self._floor.handle(Tapped(), now)

    def _double(self, _now: float) -> list[Effect]:
        view = self.view
        if view is None:
            return []
        if must_agree(view):
            return self._agree(view)
        if is_chair(view):
            return self._ask(lambda req: InviteNew(req=req))
        return self._ask(lambda req: React(req=req, mark=Mark.CLAP), quiet=True)

    def _agree(self, view: SpaceView) -> list[Effect]:
        recording = view.space.recording
        version = recording.version if recording is not None else 0
        return self._ask(lambda req: Agree(req=req, recording=version))

    def _next(self, view: SpaceView) -> list[Effect]:
        first = view.members.get(view.floor.queue[0]) if view.floor.queue else None
        done = Say(Prompt.NEXT_GIVEN, name=first.name if first is not None else None)
        return self._ask(lambda req: FloorNext(req=req), done)

    def _hold(self, now: float) -> list[Effect]:
        view = self.view
        if view is None:
            return []
        if is_chair(view):
            if view.space.state in _NOT_OPEN and view.space.host == view.you:
                return self._ask(lambda req: SpaceStart(req=req))
            self._has_priority = True
            done = Say(Prompt.PRIORITY)
            return self._ask(lambda req: FloorPriority(req=req, on=True), done)
        me = view.members.get(view.you)
        is_on_stage = me is not None and me.place is Place.SPEAKER
        if is_on_stage and view.floor.mode in _HAS_AUDIENCE and not must_agree(view):
            return self._ask(
                lambda req: MemberPlace(req=req, member=view.you, place=Place.LISTENER)
            )
        self._doors.went()
        return [*self._floor.handle(Left(), now), *self._ask(lambda req: Leave(req=req))]

    def _let_go(self, _now: float) -> list[Effect]:
        if not self._has_priority:
            return []
        self._has_priority = False
        return self._ask(lambda req: FloorPriority(req=req, on=False), quiet=True)

    def _both(self, now: float) -> list[Effect]:
        if not self._floor.is_linked:
            return []
        self._question = Question(Asked.NEW, now + NEW_S)
        return [*self._floor.handle(Halt(), now), Say(Prompt.NEW_SPACE)]

    def _both_long(self, _now: float) -> list[Effect]:
        view = self.view
        if view is None or view.space.host != view.you:
            return []
        self._question = None
        return self._ask(lambda req: SpaceEnd(req=req))

    # --- the hub ----------------------------------------------------------------------

    def _heard(self, message: HubMessage, now: float) -> list[Effect]:
        if not self._floor.is_linked:
            return []
        effects = self._changes()
        wish, answer = self._wishes.answered(message)
        effects += answer
        if wish is not None:
            effects += self._doors.refused(wish, message)
        row = self._messages.get(type(message))
        if isinstance(message, Snapshot) and wish is not None and self.view is not None:
            effects += self._arrived(self.view)
        return effects if row is None else [*effects, *row(message, now)]

    def _changes(self) -> list[Effect]:
        """Tell what is new since the last look; a line that broke in between does not matter."""
        view, before = self.view, self._told
        if view is None:
            self._told = before if self._doors.wants_in else None
        if view is None or view is before:
            return []
        self._told = view
        return told(before, view)

    def _on_space_left(self, message: SpaceLeft, _now: float) -> list[Effect]:
        return self._doors.put_out(message) if self.view is None else []

    def _on_made(self, message: SpaceMade, _now: float) -> list[Effect]:
        return self._doors.enter(message.space)

    def _on_confirm(self, message: SpaceConfirm, now: float) -> list[Effect]:
        until = now + min(END_S, message.expires_in_s)
        self._question = Question(Asked.END, until, token=message.token)
        return [Say(Prompt.END_SPACE, number=message.members)]

    def _on_invite(self, message: Invite, _now: float) -> list[Effect]:
        return [Say(Prompt.INVITE_CODE, name=" ".join(message.code))]

    def _on_reaction(self, _message: Reaction, _now: float) -> list[Effect]:
        return [Sparkle()]

    def _arrived(self, view: SpaceView) -> list[Effect]:
        self._doors.entered(view.space.id)
        effects: list[Effect] = []
        me = view.members.get(view.you)
        wants = self._manner.captions
        if me is not None and me.captioned != wants and self._manner.role is not Role.SPEAKER:
            effects += self._ask(lambda req: Agree(req=req, captions=wants), quiet=True)
        opens, self._opens = self._opens, None
        if opens == view.space.id and view.space.state in _NOT_OPEN:
            effects += self._ask(lambda req: SpaceStart(req=req))
        return effects

    def _on_notice(self, notice: Notice, now: float) -> list[Effect]:
        say = Say(Prompt.NEWS, cause=notice.news, name=notice.name)
        is_host_box = self._manner.role is Role.STUDIO
        if notice.news is News.DUE and is_host_box and is_quiet(self.view):
            self._question = Question(Asked.OPEN, now + NEW_S, space=notice.space)
            return [say, Say(Prompt.OPEN_IT)]
        if notice.news is News.LIVE and self.view is None:
            self._doors.aim(notice.space)
            return [say, Say(Prompt.JOIN_IT)]
        return [say]
