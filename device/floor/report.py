"""What STATUS says: where the box is, who talks, how its user stands, and what was said last."""

from typing import Final

from device.floor.model import FloorState, Say
from device.floor.prompts import Prompt
from device.floor.space import is_chair
from stagebox.wire.causes import DenyCause
from stagebox.wire.terms import Role
from stagebox.wire.view import SpaceView

# What was missed is worth saying again for as long as it may still be acted on.
AGAIN_S: Final = 60.0
# So many loudspeakers that play the space, too, are named.
MAX_ROOMS: Final = 3
# News that the lamp and the space do not tell.
AGAIN: Final = frozenset(
    {
        Prompt.REVOKED,
        Prompt.CANCELLED,
        Prompt.TURN_PASSED,
        Prompt.GONE,
        Prompt.FAILED,
        Prompt.NEWS,
        Prompt.NEXT_GIVEN,
        Prompt.INVITE_CODE,
        Prompt.NEW_SPACE,
        Prompt.END_SPACE,
        Prompt.OPEN_IT,
        Prompt.JOIN_IT,
    }
)
# How one stands, where that is more than what is said of the space.
_OWN: Final = {
    FloorState.OFFERED: Say(Prompt.OFFERED),
    FloorState.NEXT: Say(Prompt.NEXT, number=1),
    FloorState.HELD: Say(Prompt.DENY, cause=DenyCause.HELD),
    FloorState.FROZEN: Say(Prompt.FROZEN),
    FloorState.SOON: Say(Prompt.SOON),
    FloorState.CUT: Say(Prompt.MUTED),
}


class Memory:
    """The last that was said and may be asked for again. Pure."""

    def __init__(self) -> None:
        self._last: Say | None = None
        self._said_at = 0.0

    def note(self, say: Say, now: float) -> None:
        """Take what is being said."""
        if say.prompt in AGAIN:
            self._last, self._said_at = say, now

    def recall(self, now: float) -> list[Say]:
        """Return it, unless it is too old."""
        if self._last is None or now > self._said_at + AGAIN_S:
            return []
        return [self._last]


def report(state: FloorState, view: SpaceView | None, position: int | None) -> list[Say]:
    """Return what there is to say of the moment; ``position``: of one's own hand."""
    if state is FloorState.OFFLINE:
        return [Say(Prompt.LINK_LOST)]
    if view is None:
        return [Say(Prompt.NO_SPACE)]
    return [
        Say(Prompt.SPACE_JOINED, name=view.space.name),
        *_talk(state, view),
        *_own(state, view, position),
        *_rooms(view),
        *_hands(view),
    ]


def _talk(state: FloorState, view: SpaceView) -> list[Say]:
    if state in {FloorState.SOON, FloorState.FROZEN}:
        return []
    others = [view.members[id_].name for id_ in view.floor.talkers if id_ in view.members]
    return [Say(Prompt.TALKING, name=others[0])] if others else [Say(Prompt.NOBODY_TALKS)]


def _own(state: FloorState, view: SpaceView, position: int | None) -> list[Say]:
    me = view.members.get(view.you)
    if me is None or me.role is Role.SPEAKER:
        return []
    if state is FloorState.QUEUED:
        return [Say(Prompt.QUEUED, number=position)]
    if state is FloorState.CONSENT:
        return [Say(Prompt.CONSENT_CHAIR if is_chair(view) else Prompt.CONSENT)]
    own = _OWN.get(state)
    return [] if own is None else [own]


def _rooms(view: SpaceView) -> list[Say]:
    """Who else may be listening in the house; a list of all rooms would be a speech."""
    return [Say(Prompt.PLAYED_ON, name=name) for name in view.space.played_on[:MAX_ROOMS]]


def _hands(view: SpaceView) -> list[Say]:
    return [Say(Prompt.HANDS, number=len(view.floor.queue))] if is_chair(view) else []
