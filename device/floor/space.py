"""What the box knows of its space, and what that means for its own floor."""

from typing import Final

from device.floor.hand import RaisedHand
from device.floor.model import FloorState, Say
from device.floor.prompts import Prompt
from device.floor.tables import Hand, Talk
from device.floor.talk import TalkKey
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import Snapshot
from stagebox.wire.space import Member, StateEvent
from stagebox.wire.terms import Mode, Place, Role, SpaceState
from stagebox.wire.view import SpaceView

# A snapshot is one answer away; asking again sooner only adds to what is already late.
SNAPSHOT_RETRY_S: Final = 1.0
# Whoever is in such a space waits.
AHEAD: Final = frozenset({SpaceState.DRAFT, SpaceState.SCHEDULED})
CHAIRS: Final = frozenset({Place.HOST, Place.COHOST})

_TALK_STATES: Final = {
    Talk.ASKING: FloorState.ASKING,
    Talk.LIVE: FloorState.LIVE,
    Talk.LATCHED: FloorState.LIVE,
    Talk.COUGH: FloorState.COUGH,
    Talk.TAIL: FloorState.LIVE,
}


class KnownSpace:
    """The view of the space, kept current by events. Pure."""

    def __init__(self) -> None:
        self.view: SpaceView | None = None
        self._asked_at: float | None = None

    @property
    def me(self) -> Member | None:
        """The member that is this box."""
        return None if self.view is None else self.view.members.get(self.view.you)

    def learn(self, snapshot: Snapshot) -> None:
        """Take the whole state from ``snapshot``."""
        self.view = SpaceView.of(snapshot)
        self._asked_at = None

    def forget(self) -> None:
        """Know of no space."""
        self.view = None
        self._asked_at = None

    def apply(self, event: StateEvent) -> bool:
        """Apply ``event``; return False for a gap, which only a snapshot can fill."""
        if self.view is None:
            return True
        after = self.view.apply(event)
        if after is not None:
            self.view = after
        return after is not None

    def may_ask(self, now: float) -> bool:
        """Whether to ask for a snapshot now; True counts as having asked."""
        if self._asked_at is not None and now < self._asked_at + SNAPSHOT_RETRY_S:
            return False
        self._asked_at = now
        return True


def is_floor_free(view: SpaceView) -> bool:
    """Whether a press of this member would find an open slot, as far as it can know.

    To a member that cannot press it is free while nobody talks.
    """
    me = view.members.get(view.you)
    if me is not None and me.role is Role.SPEAKER:
        return not view.floor.talkers
    place = Place.LISTENER if me is None else me.place
    if view.floor.mode is Mode.STAGE and place is Place.LISTENER:
        return False
    chairs_are_free = view.floor.mode is not Mode.WALKIE
    if chairs_are_free and place in CHAIRS:
        return True
    chairs = {id_ for id_, member in view.members.items() if member.place in CHAIRS}
    exempt = chairs if chairs_are_free else set()
    counted = [id_ for id_ in view.floor.talkers if id_ != view.you and id_ not in exempt]
    return len(counted) < view.floor.open_limit


def must_agree(view: SpaceView) -> bool:
    """Whether the space is recorded and this member has not agreed to that recording."""
    recording, me = view.space.recording, view.members.get(view.you)
    if recording is None or me is None or me.role is Role.SPEAKER:
        return False
    return me.agreed != recording.version


def is_chair(view: SpaceView) -> bool:
    """Whether this member is host or co-host."""
    me = view.members.get(view.you)
    return me is not None and me.place in CHAIRS


def is_audience(view: SpaceView) -> bool:
    """Whether the space has not begun for this member."""
    me = view.members.get(view.you)
    is_listener = me is None or me.place is Place.LISTENER
    return view.space.state in AHEAD or (is_listener and view.space.state is SpaceState.BACKSTAGE)


def is_quiet(view: SpaceView | None) -> bool:
    """Whether nobody talks or wants to, or the box is in no space."""
    return view is None or not (view.floor.talkers or view.floor.offered or view.floor.queue)


def is_held(view: SpaceView) -> bool:
    """Whether a chair keeps this member's microphone closed."""
    me, floor = view.members.get(view.you), view.floor
    if me is not None and me.held:
        return True
    if floor.priority is not None:
        return floor.priority != view.you
    return floor.held and not is_chair(view)


def overlay(view: SpaceView) -> FloorState | None:
    """Return what the space itself makes of this member's floor, if it is no matter of turns."""
    if view.space.state is SpaceState.FROZEN:
        return FloorState.FROZEN
    if is_audience(view):
        return FloorState.SOON
    if must_agree(view):
        return FloorState.CONSENT
    return FloorState.HELD if is_held(view) else None


def barred(view: SpaceView) -> Say | None:
    """Return why this box asks for nothing in this space, if it does not."""
    if is_audience(view):
        return Say(Prompt.SOON)
    if view.space.state is SpaceState.FROZEN:
        return Say(Prompt.DENY, cause=DenyCause.FROZEN)
    return Say(Prompt.DENY, cause=DenyCause.CONSENT_NEEDED) if must_agree(view) else None


def standing(talk: TalkKey, hand: RaisedHand, view: SpaceView) -> FloorState:
    """Return how a box that is in a space stands to the floor."""
    if talk.phase in _TALK_STATES:
        return _TALK_STATES[talk.phase]
    over = overlay(view)
    if over is not None or talk.is_held:
        return over or FloorState.HELD
    if hand.phase is Hand.OFFERED:
        return FloorState.OFFERED
    if hand.phase is Hand.WAITING:
        return FloorState.NEXT if hand.position == 1 else FloorState.QUEUED
    if talk.cooldown_until is not None:
        return FloorState.COOLDOWN
    return FloorState.IDLE_FREE if is_floor_free(view) else FloorState.IDLE_BUSY
