"""What of a space's changes its members are told: by comparing what was with what is.

Whatever the lamp alone can say is left to the lamp.
"""

from device.floor.model import Effect, Say
from device.floor.prompts import Prompt
from device.floor.space import is_audience, is_chair, must_agree
from stagebox.wire.terms import Place, SpaceState
from stagebox.wire.view import SpaceView

_PLACES = {
    Place.LISTENER: Prompt.LISTENER,
    Place.SPEAKER: Prompt.SPEAKER,
    Place.COHOST: Prompt.COHOST,
    Place.HOST: Prompt.HOST,
}


def told(before: SpaceView | None, after: SpaceView) -> list[Effect]:
    """Return what to say of ``after`` to somebody who knew ``before``; None: nothing."""
    if before is None or before.space.id != after.space.id:
        return [*_state(after), *_recording(None, after)]
    effects = [*_place(before, after)]
    if before.space.state is not after.space.state:
        effects += _state(after, before.space.state)
    return [*effects, *_recording(before, after), *_hands(before, after)]


def _state(view: SpaceView, before: SpaceState | None = None) -> list[Effect]:
    match view.space.state:
        case SpaceState.DRAFT | SpaceState.SCHEDULED | SpaceState.BACKSTAGE:
            return [Say(Prompt.SOON if is_audience(view) else Prompt.BACKSTAGE)]
        case SpaceState.FROZEN:
            return [Say(Prompt.FROZEN)]
        case SpaceState.LIVE if before is not None:
            return [Say(Prompt.THAWED if before is SpaceState.FROZEN else Prompt.SPACE_LIVE)]
    return []


def _recording(before: SpaceView | None, after: SpaceView) -> list[Effect]:
    was = before.space.recording if before is not None else None
    now = after.space.recording
    if now is None:
        return [] if was is None else [Say(Prompt.RECORDING_OFF)]
    if was is not None and was.version == now.version:
        return _agreement(before, after)
    notice = Say(Prompt.RECORDED if before is None else Prompt.RECORDING_ON)
    return [notice, *_question(after)]


def _question(view: SpaceView) -> list[Effect]:
    if not must_agree(view):
        return []
    return [Say(Prompt.CONSENT_CHAIR if is_chair(view) else Prompt.CONSENT)]


def _agreement(before: SpaceView | None, after: SpaceView) -> list[Effect]:
    had_to = before is not None and must_agree(before)
    if had_to == must_agree(after):
        return []
    return [Say(Prompt.AGREED)] if had_to else [Say(Prompt.WITHDRAWN), *_question(after)]


def _place(before: SpaceView, after: SpaceView) -> list[Effect]:
    was, now = before.members.get(before.you), after.members.get(after.you)
    if was is None or now is None or was.place is now.place:
        return []
    return [Say(_PLACES[now.place])]


def _hands(before: SpaceView, after: SpaceView) -> list[Effect]:
    """Tell a chair of hands that went up."""
    if not is_chair(after):
        return []
    known = {*before.floor.queue, *before.floor.offered}
    new = [id_ for id_ in after.floor.queue if id_ not in known]
    names = [after.members[id_].name for id_ in new if id_ in after.members]
    return [Say(Prompt.HAND_UP, name=name) for name in names[:1]]
