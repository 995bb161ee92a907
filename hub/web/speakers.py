"""Speakers that people own, over the API: which there are, and which of them plays a space."""

import hashlib
from typing import Annotated, Final

from msgspec import Meta, Struct

from hub.speakers.speakers import Key, Speakers, Status, TooManyError
from hub.speakers.terms import Cause, Kind, SpeakerError, State
from hub.web.call import Call
from hub.web.problems import Refused, WebCode
from hub.web.route import Route
from hub.web.spaces import space_for_chairs
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import SpaceId

PATH: Final = "/spaces/{space}/speakers/{speaker}"
Volume = Annotated[int, Meta(ge=0, le=100)]


class SpeakerView(Struct, frozen=True, kw_only=True):
    """A speaker. ``here``: it is to play this space; ``elsewhere``: another one.

    ``there``: it is on the network now. ``volume``: percent; null: not known. ``next_s``: when it
    is tried again, from now. What it is to play, and how that is, is shown where ``here`` is true.
    """

    id: str
    kind: Kind
    name: str
    address: str
    there: bool
    here: bool
    elsewhere: bool
    state: State
    cause: Cause
    detail: str
    since_s: float
    next_s: float | None
    volume: Volume | None


class SpeakerList(Struct, frozen=True, kw_only=True):
    """All speakers that were found, or that are to play this space. ``streamed``: it may be."""

    streamed: bool
    speakers: tuple[SpeakerView, ...]


class SpeakerChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays."""

    on: bool | None = None
    volume: Volume | None = None


async def show(call: Call) -> SpeakerList:
    """Show its hosts what could play a space, and what does."""
    info, speakers = space_for_chairs(call).info, call.desk.speakers
    every = speakers.statuses() if speakers is not None else []
    return SpeakerList(
        streamed=info.streamed, speakers=tuple(_view(call, each, info.id) for each in every)
    )


async def change(call: Call, wish: SpeakerChange) -> SpeakerView:
    """Have a speaker play a space, or not, or louder."""
    info = space_for_chairs(call).info
    speakers, status = _found(call)
    key = (status.kind, status.id)
    _check_free(status, info.id)
    try:
        if wish.on is not None:
            status = speakers.play(key, info.id) if wish.on else speakers.stop(key)
        if wish.volume is not None:
            status = await speakers.set_volume(key, wish.volume / 100)
    except SpeakerError as error:
        raise Refused(WebCode.SPEAKER_REFUSES, error.detail) from None
    except TooManyError as error:
        raise Refused(ErrorCode.TOO_MANY, str(error)) from None
    except OSError:
        raise Refused(WebCode.NOT_KEPT, _DISK) from None
    return _view(call, status, info.id)


async def forget(call: Call) -> None:
    """Have a speaker play nothing, and forget it while it is away."""
    info = space_for_chairs(call).info
    speakers, status = _found(call)
    _check_free(status, info.id)
    try:
        await speakers.forget((status.kind, status.id))
    except OSError:
        raise Refused(WebCode.NOT_KEPT, _DISK) from None


_DISK: Final = "The hub cannot keep this now: look at its disk."


def name_of(key: Key) -> str:
    """Return by what a speaker is called in addresses: makers' names do not fit into them."""
    return hashlib.sha256(f"{key[0]} {key[1]}".encode()).hexdigest()[:12]


def _found(call: Call) -> tuple[Speakers, Status]:
    speakers = call.desk.speakers
    for status in speakers.statuses() if speakers is not None else ():
        if speakers is not None and name_of((status.kind, status.id)) == call.path["speaker"]:
            return speakers, status
    raise Refused(WebCode.NO_SUCH_SPEAKER, "No such speaker was found: is it switched on?")


def _check_free(status: Status, space: SpaceId) -> None:
    if _is_elsewhere(status, space):
        detail = "It plays another space: let a host of that one stop it first."
        raise Refused(ErrorCode.NOT_ALLOWED, detail)


def _is_elsewhere(status: Status, space: SpaceId) -> bool:
    idle = status.condition.state in {State.OFF, State.STOPPED}
    return status.space not in {"", space} and not idle


def _view(call: Call, status: Status, space: SpaceId) -> SpeakerView:
    here = status.space == space
    how, now = status.condition, call.desk.now()
    return SpeakerView(
        id=name_of((status.kind, status.id)),
        kind=status.kind,
        name=status.name,
        address=status.address,
        there=status.is_there,
        here=here and how.state is not State.OFF,
        elsewhere=_is_elsewhere(status, space),
        state=how.state if here else State.OFF,
        cause=how.cause if here else Cause.NONE,
        detail=how.detail if here else "",
        since_s=round(max(0.0, now - how.since), 1) if here else 0.0,
        next_s=round(max(0.0, how.next_at - now), 1) if here and how.next_at else None,
        volume=round(100 * status.level) if here and status.level is not None else None,
    )


ROUTES: Final = (
    Route(
        "GET",
        "/spaces/{space}/speakers",
        show,
        "Speakers on the network, and which of them play it: for its hosts.",
        gives={200: SpeakerList},
        errors=(ErrorCode.NOT_ALLOWED,),
    ),
    Route(
        "PATCH",
        PATH,
        change,
        "Have a speaker play it from now on, or no longer, or louder.",
        takes=SpeakerChange,
        gives={200: SpeakerView},
        errors=(ErrorCode.NOT_ALLOWED, ErrorCode.TOO_MANY, WebCode.SPEAKER_REFUSES),
    ),
    Route(
        "DELETE",
        PATH,
        forget,
        "Have a speaker play it no longer, and forget one that is away.",
        errors=(ErrorCode.NOT_ALLOWED,),
    ),
)
