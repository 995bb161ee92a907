"""Everything a box decides: its floor, its gestures, and what it asks of a space besides.

The participant comes first with every event: what closes a microphone waits for nothing. Then
gestures are read from the keys as the participant knows them, and each becomes an act by the
rows of ``device.buttons.meanings``. A press of TALK is for the floor wherever the table says so;
anywhere else, as after a question, it opens nothing.
"""

from collections.abc import Callable
from typing import Any, Final

from device.buttons.gesture import Gesture
from device.buttons.gestures import Gestures
from device.buttons.meanings import Act, Standing, meaning
from device.buttons.ports import Key
from device.floor.errands import NOT_OPEN, Errands
from device.floor.manner import Manner
from device.floor.model import (
    Effect,
    Event,
    FloorState,
    KeyDown,
    KeyUp,
    Learn,
    LinkDown,
    LinkUp,
    Meant,
    NoHub,
    Received,
    Say,
    Sparkle,
)
from device.floor.news import told
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from device.floor.space import is_audience, is_chair, is_quiet, must_agree
from stagebox.wire.acts import Invite, SpaceConfirm, SpaceMade
from stagebox.wire.messages import HubMessage, Notice, Reaction, Snapshot, SpaceLeft
from stagebox.wire.terms import Mode, News, Place, Role, SpaceId
from stagebox.wire.view import SpaceView

# Where somebody who is no speaker can still come by the floor.
_HAS_AUDIENCE: Final = frozenset({Mode.FIFO, Mode.MODERATED, Mode.STAGE})
# What these mean is settled by where the box stood when TALK went down.
_OF_TALK: Final = frozenset({Gesture.TALK, Gesture.TALK_TAP, Gesture.TALK_HOLD, Gesture.TALK_ENROL})
# These act later than they are pressed, or without a sound: a tick says that they were felt.
_FELT: Final = frozenset({Key.HAND, Key.STATUS})
# Then a box looks for a hub of its own, whatever else the same keys mean on it.
_ENROLS: Final = frozenset({Prompt.NOT_ENROLLED, Prompt.NOT_KNOWN, Prompt.STRANGE_HUB})
_AT_ONCE: Final = {Key.TALK: Gesture.TALK, Key.MUTE: Gesture.MUTE_ON}


class Conduct:
    """The whole pure side of a box: ``handle`` events, ``tick`` at ``deadline``."""

    def __init__(self, floor: Participant, manner: Manner) -> None:
        self._floor = floor
        self._manner = manner
        self._gestures = Gestures()
        self._errands = Errands(floor, manner)
        self._told: SpaceView | None = None
        self._pressed_in: tuple[Standing, ...] = ()
        self._was_latched = False
        self._belongs = True
        self._messages: dict[type, Callable[[Any, float], list[Effect]]] = {
            SpaceLeft: self._on_space_left,
            SpaceMade: self._on_made,
            SpaceConfirm: self._errands.confirm_end,
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
    def down(self) -> frozenset[Key]:
        """The keys that have a finger on them."""
        return self._floor.down

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
    def asks(self) -> bool:
        """Whether a question waits for a finger."""
        return self._errands.question is not None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is due; None: not before the next event."""
        times = (self._floor.deadline, self._gestures.deadline, self._errands.deadline)
        return min((time for time in times if time is not None), default=None)

    # --- events in, effects out -------------------------------------------------------

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event; return what to do, in order."""
        effects = self._run_out(now)
        if isinstance(event, KeyDown):
            effects += self._errands.tutorial.stop()
        was_down, self._was_latched = self._floor.down, self._floor.is_latched
        self._before_press(event)
        effects += self._floor.handle(event, now)
        effects += self._fingers(event, was_down, now)
        match event:
            case LinkUp():
                self._errands.forget()
                effects += self._errands.doors.link_up()
            case LinkDown():
                self._errands.forget()
            case NoHub(why):
                self._belongs = why not in _ENROLS
            case Learn():
                effects += self._errands.tutorial.start(now)
            case Received(message=message):
                effects += self._heard(message, now)
        return self._remembered(effects, now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at ``now``; safe to call at any time."""
        return self._remembered([*self._floor.tick(now), *self._run_out(now)], now)

    def _run_out(self, now: float) -> list[Effect]:
        return [*self._act(self._gestures.tick(now), now), *self._errands.tick(now)]

    def _remembered(self, effects: list[Effect], now: float) -> list[Effect]:
        for effect in effects:
            if isinstance(effect, Say):
                self._errands.memory.note(effect, now)
        return effects

    # --- fingers ----------------------------------------------------------------------

    def _before_press(self, event: Event) -> None:
        """Settle what a press of TALK is for before it is taken."""
        if isinstance(event, KeyDown) and event.key is Key.TALK not in self._floor.down:
            self._pressed_in = self._standings()
            row = meaning(self._manner.role, self._pressed_in, Gesture.TALK)
            self._floor.talk_is_answer = row is None or row.act is not Act.TALK

    def _fingers(self, event: Event, was_down: frozenset[Key], now: float) -> list[Effect]:
        is_chair_now = self.view is not None and is_chair(self.view)
        self._gestures.timing = self._manner.timing(chairs=is_chair_now)
        is_down = self._floor.down
        # A contact that opened is known a little later; its finger counts from then.
        at = min(now, event.at or now) if isinstance(event, KeyDown | KeyUp) else now
        effects: list[Effect] = []
        for key in sorted(was_down - is_down):
            effects += self._lifted(key, at, now)
        # A finger that was found down without an edge means nothing.
        if isinstance(event, KeyDown) and event.key in is_down - was_down:
            at_once = [_AT_ONCE[event.key]] if event.key in _AT_ONCE else []
            felt = [Say(Prompt.KEY)] if event.key in _FELT else []
            effects += [*felt, *self._act([*at_once, *self._gestures.down(event.key, at)], now)]
        return effects

    def _lifted(self, key: Key, at: float, now: float) -> list[Effect]:
        made = self._gestures.up(key, at)
        if key is Key.MUTE:
            made.append(Gesture.MUTE_OFF)
        if key is Key.TALK:
            made += self._latched()
        return self._act(made, now)

    def _latched(self) -> list[Gesture]:
        """Return what a finger that comes up has done to a microphone that needs no finger."""
        if self._was_latched:
            return [Gesture.TALK_HOLD if self._floor.is_latched else Gesture.TALK_TAP]
        return [Gesture.TALK_TAP] if self._floor.is_latched else []

    def _act(self, gestures: list[Gesture], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for gesture in gestures:
            standings = self._pressed_in if gesture in _OF_TALK else self._standings()
            row = meaning(self._manner.role, standings, gesture)
            if row is not None:
                effects += [*self._errands.do(row.act, now), Meant(gesture, row.act, row.words)]
        return effects

    def _standings(self) -> tuple[Standing, ...]:
        """Return before what the fingers stand, the most particular first."""
        view, is_speaker = self.view, self._manner.role is Role.SPEAKER
        if not self._floor.is_linked:
            none = () if self._belongs else (Standing.UNENROLLED,)
            return (*none, Standing.OFFLINE)
        if view is None:
            here: tuple[Standing, ...] = (Standing.OUT,)
        elif is_speaker:
            here = (Standing.LISTENING,)
        else:
            here = (*self._floor_standings(), *_places(view))
        return here if self._errands.question is None else (Standing.ASKED, *here)

    def _floor_standings(self) -> tuple[Standing, ...]:
        if self._floor.is_latched:
            return (Standing.LATCHED,)
        return (Standing.WAITING,) if self._floor.is_waiting else ()

    # --- the hub ----------------------------------------------------------------------

    def _heard(self, message: HubMessage, now: float) -> list[Effect]:
        if not self._floor.is_linked:
            return []
        effects = self._changes()
        wish, answer = self._errands.wishes.answered(message)
        effects += answer
        if wish is not None:
            effects += self._errands.doors.refused(wish, message, now)
        row = self._messages.get(type(message))
        if isinstance(message, Snapshot) and wish is not None and self.view is not None:
            effects += self._errands.arrived(self.view)
        return effects if row is None else [*effects, *row(message, now)]

    def _changes(self) -> list[Effect]:
        """Tell what is new since the last look; a line that broke in between does not matter."""
        view, before = self.view, self._told
        if view is None:
            self._told = before if self._errands.doors.wants_in else None
        if view is None or view is before:
            return []
        self._told = view
        return told(before, view)

    def _on_space_left(self, message: SpaceLeft, _now: float) -> list[Effect]:
        return self._errands.doors.put_out(message) if self.view is None else []

    def _on_made(self, message: SpaceMade, _now: float) -> list[Effect]:
        return self._errands.doors.enter(message.space)

    def _on_invite(self, message: Invite, _now: float) -> list[Effect]:
        return [Say(Prompt.INVITE_CODE, name=" ".join(message.code))]

    def _on_reaction(self, _message: Reaction, _now: float) -> list[Effect]:
        return [Sparkle()]

    def _on_notice(self, notice: Notice, now: float) -> list[Effect]:
        say = Say(Prompt.NEWS, cause=notice.news, name=notice.name)
        is_host_box = self._manner.role is Role.STUDIO
        if notice.news is News.DUE and is_host_box and is_quiet(self.view):
            return [say, *self._errands.offer_to_open(notice.space, now)]
        if notice.news is News.LIVE and not self.hears:
            return [say, *self._opened(notice.space)]
        return [say]

    def _opened(self, space: SpaceId) -> list[Effect]:
        waits = self.view is not None
        if waits and self._manner.role is not Role.SPEAKER:
            return []
        entering = self._errands.doors.opened(space, waits=waits)
        return entering if self._manner.role is Role.SPEAKER else [Say(Prompt.JOIN_IT)]


def _places(view: SpaceView) -> tuple[Standing, ...]:
    """Return what the space makes of the keys, the most particular first."""
    consent = (Standing.CONSENT,) if must_agree(view) else ()
    if is_chair(view):
        is_host = view.space.host == view.you
        host = (Standing.HOST,) if is_host else ()
        ahead = (Standing.BACKSTAGE,) if is_host and view.space.state in NOT_OPEN else ()
        return (*consent, *ahead, *host, Standing.CHAIR)
    me = view.members.get(view.you)
    on_stage = me is not None and me.place is Place.SPEAKER and view.floor.mode in _HAS_AUDIENCE
    # Who does not want to be recorded wants to be out.
    stage = (Standing.STAGE,) if on_stage and not consent else ()
    return (*consent, *stage, Standing.SEAT)
