"""What the box asks of a space besides its floor: one method for each act of a finger.

What concerns the floor itself the participant has done already when it comes here.
"""

from collections.abc import Callable, Mapping
from typing import Final

from device.buttons.meanings import Act
from device.floor.doors import Doors
from device.floor.manner import END_S, NEW_S, Asked, Manner, Question
from device.floor.model import Effect, Enrol, Halt, Left, Say, Tapped, Volume
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from device.floor.report import Memory, report
from device.floor.space import AHEAD
from device.floor.tutorial import Tutorial
from device.floor.wishes import Wishes
from stagebox.wire.acts import (
    Agree,
    FloorHold,
    FloorNext,
    FloorPriority,
    InviteNew,
    MemberPlace,
    React,
    SpaceConfirm,
    SpaceEnd,
    SpaceNew,
    SpaceStart,
)
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import Leave, MemberMessage
from stagebox.wire.terms import Mark, Place, Role, SpaceId, SpaceState
from stagebox.wire.view import SpaceView

NOT_OPEN: Final = AHEAD | {SpaceState.BACKSTAGE}

_Make = Callable[[str], MemberMessage]


class Errands:
    """Acts in, effects out. Pure. ``question`` is the one that stands, if one does."""

    def __init__(self, floor: Participant, manner: Manner) -> None:
        self._floor = floor
        self._manner = manner
        self.wishes = Wishes(floor.new_req)
        self.doors = Doors(
            self.wishes,
            manner.home,
            hidden=manner.hidden,
            returns=manner.returns,
            stays=manner.role is Role.SPEAKER,
        )
        self.tutorial = Tutorial(manner)
        self.memory = Memory()
        self.question: Question | None = None
        self._has_priority = False
        self._opens: SpaceId | None = None
        self._anywhere = self._rows_anywhere()
        self._in_space = self._rows_in_space()

    def _rows_anywhere(self) -> Mapping[Act, Callable[[float], list[Effect]]]:
        return {
            Act.HAND: lambda now: self._floor.handle(Tapped(), now),
            Act.YES: self._yes,
            Act.NO: self._no,
            Act.ENTER: lambda _now: self.doors.enter() or [Say(Prompt.NO_SPACE)],
            Act.NEW_SPACE: self._new_space,
            Act.PRIORITY_OFF: self._priority_off,
            Act.STUCK: lambda _now: [Say(Prompt.BUTTON_STUCK)],
            Act.LISTENS_ONLY: lambda _now: [Say(Prompt.DENY, cause=DenyCause.RECEIVE_ONLY)],
            Act.LOUDER: lambda _now: [Volume(1)],
            Act.SOFTER: lambda _now: [Volume(-1)],
            Act.STATUS: self._status,
            Act.TUTORIAL: self.tutorial.start,
            Act.ENROL: lambda _now: [Enrol()],
        }

    def _rows_in_space(self) -> Mapping[Act, Callable[[SpaceView, float], list[Effect]]]:
        return {
            Act.LOWER: self._lower,
            Act.CLAP: self._clap,
            Act.AGREE: self._agree,
            Act.STEP_DOWN: self._step_down,
            Act.LEAVE: self._leave,
            Act.NEXT: self._next,
            Act.CODE: lambda _view, _now: self.ask(lambda req: InviteNew(req=req)),
            Act.PRIORITY: self._priority,
            Act.HOLD_ALL: self._hold_all,
            Act.START: lambda _view, _now: self.ask(lambda req: SpaceStart(req=req)),
            Act.END_SPACE: self._end,
        }

    def do(self, act: Act, now: float) -> list[Effect]:
        """Do what a finger asked for; nothing for an act that is the floor's own."""
        anywhere = self._anywhere.get(act)
        if anywhere is not None:
            return anywhere(now)
        here, view = self._in_space.get(act), self._floor.view
        return [] if here is None or view is None else here(view, now)

    def ask(self, make: _Make, done: Say | None = None, *, quiet: bool = False) -> list[Effect]:
        """Send a request, if there is somebody to send it to."""
        return self.wishes.ask(make, done, quiet=quiet) if self._floor.is_linked else []

    def forget(self) -> None:
        """Expect nothing any more: the line is new, or gone."""
        self.wishes.forget()
        self.doors.link_down()
        self.question = self._opens = None
        self._has_priority = False

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        until = self.question.until if self.question is not None else None
        times = (until, self.doors.deadline, self.tutorial.deadline)
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: float) -> list[Effect]:
        """Do what time asks for."""
        is_over = self.question is not None and now >= self.question.until
        unanswered = self._no(now) if is_over else []
        return [*unanswered, *self.doors.tick(now), *self.tutorial.tick(now)]

    def _status(self, now: float) -> list[Effect]:
        view, memory = self._floor.view, self.memory
        told = report(self._floor.state, view, self._floor.position)
        is_lost = view is None and self._floor.is_linked and self._manner.role is Role.SPEAKER
        return [*told, *memory.recall(now), *(self.doors.enter() if is_lost else [])]

    # --- questions --------------------------------------------------------------------

    def confirm_end(self, message: SpaceConfirm, now: float) -> list[Effect]:
        """Ask whether to end the space."""
        until = now + min(END_S, message.expires_in_s)
        self.question = Question(Asked.END, until, token=message.token)
        return [Say(Prompt.END_SPACE, number=message.members)]

    def offer_to_open(self, space: SpaceId, now: float) -> list[Effect]:
        """Ask whether to open the space that is due."""
        self.question = Question(Asked.OPEN, now + NEW_S, space=space)
        return [Say(Prompt.OPEN_IT)]

    def _new_space(self, now: float) -> list[Effect]:
        self.question = Question(Asked.NEW, now + NEW_S)
        return [*self._floor.handle(Halt(), now), Say(Prompt.NEW_SPACE)]

    def _no(self, _now: float) -> list[Effect]:
        self.question = None
        return [Say(Prompt.STILL_HERE)]

    def _yes(self, _now: float) -> list[Effect]:
        question, self.question = self.question, None
        if question is None:
            return []
        if question.asked is Asked.NEW:
            return self.ask(lambda req: SpaceNew(req=req))
        if question.asked is Asked.END:
            return self.ask(lambda req: SpaceEnd(req=req, token=question.token))
        self._opens = question.space
        return self.doors.enter(question.space)

    # --- doors ------------------------------------------------------------------------

    def arrived(self, view: SpaceView) -> list[Effect]:
        """Do what is to be done first in a space."""
        self.doors.entered(view.space.id)
        effects: list[Effect] = []
        me = view.members.get(view.you)
        wants = self._manner.captions
        if me is not None and me.captioned != wants and self._manner.role is not Role.SPEAKER:
            effects += self.ask(lambda req: Agree(req=req, captions=wants), quiet=True)
        opens, self._opens = self._opens, None
        if opens == view.space.id and view.space.state in NOT_OPEN:
            effects += self.ask(lambda req: SpaceStart(req=req))
        return effects

    def _step_down(self, view: SpaceView, _now: float) -> list[Effect]:
        return self.ask(lambda req: MemberPlace(req=req, member=view.you, place=Place.LISTENER))

    def _leave(self, _view: SpaceView, now: float) -> list[Effect]:
        self.doors.went()
        return [*self._floor.handle(Left(), now), *self.ask(lambda req: Leave(req=req))]

    # --- in a space -------------------------------------------------------------------

    def _lower(self, _view: SpaceView, now: float) -> list[Effect]:
        return self._floor.handle(Tapped(), now) if self._floor.is_waiting else []

    def _clap(self, _view: SpaceView, _now: float) -> list[Effect]:
        return self.ask(lambda req: React(req=req, mark=Mark.CLAP), quiet=True)

    def _agree(self, view: SpaceView, _now: float) -> list[Effect]:
        recording = view.space.recording
        version = recording.version if recording is not None else 0
        return self.ask(lambda req: Agree(req=req, recording=version))

    # --- chairs -----------------------------------------------------------------------

    def _next(self, view: SpaceView, _now: float) -> list[Effect]:
        first = view.members.get(view.floor.queue[0]) if view.floor.queue else None
        done = Say(Prompt.NEXT_GIVEN, name=first.name if first is not None else None)
        return self.ask(lambda req: FloorNext(req=req), done)

    def _priority(self, _view: SpaceView, _now: float) -> list[Effect]:
        self._has_priority = True
        return self.ask(lambda req: FloorPriority(req=req, on=True), Say(Prompt.PRIORITY))

    def _priority_off(self, _now: float) -> list[Effect]:
        had, self._has_priority = self._has_priority, False
        return self.ask(lambda req: FloorPriority(req=req, on=False), quiet=True) if had else []

    def _hold_all(self, view: SpaceView, _now: float) -> list[Effect]:
        on = not view.floor.held
        done = Say(Prompt.ALL_HELD if on else Prompt.ALL_FREE)
        return self.ask(lambda req: FloorHold(req=req, on=on), done)

    def _end(self, _view: SpaceView, _now: float) -> list[Effect]:
        self.question = None
        return self.ask(lambda req: SpaceEnd(req=req))
