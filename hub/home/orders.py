"""What Home Assistant may ask of a hub: topics and payloads, read with mistrust. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.home.entities import Places
from stagebox.wire.terms import MemberId, SpaceId

# "200.0" is the longest that makes sense.
MAX_PAYLOAD: Final = 16
MAX_VOLUME: Final = 200
_SPACE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_BOX: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[0-9]{1,3}(\.0{1,3})?")
_SWITCH: Final = {b"ON": True, b"OFF": False}


class Fault(StrEnum):
    """Why a command is not carried out (the label of the metric)."""

    RETAINED = "retained"  # of some other day
    TOO_LONG = "too_long"
    UNKNOWN = "unknown"
    BAD_VALUE = "bad_value"
    TOO_MANY = "too_many"
    REFUSED = "refused"  # by the space
    FLOOD = "flood"  # thrown away unread


class OrderError(Exception):
    """A command cannot be carried out; the text says what would do."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class HoldAll:
    """Keep the microphones of a space closed, but for those of its chairs; or no longer."""

    space: SpaceId
    on: bool


@dataclass(frozen=True, slots=True)
class NextHand:
    """Offer the floor to the next hand."""

    space: SpaceId


@dataclass(frozen=True, slots=True)
class SetVolume:
    """How loud a box is for everybody in its space, in percent."""

    box: MemberId
    percent: int


Order = HoldAll | NextHand | SetVolume


def read(places: Places, topic: str, payload: bytes, *, retained: bool) -> Order:
    """Return what a message at a topic of commands asks for.

    Raises:
        OrderError: it asks for nothing that could be done.
    """
    if retained:
        raise OrderError(Fault.RETAINED, "a command that is kept is not obeyed: do not retain it.")
    if len(payload) > MAX_PAYLOAD:
        raise OrderError(Fault.TOO_LONG, f"a command has at most {MAX_PAYLOAD} bytes.")
    path = topic.removeprefix(f"{places.base}/").split("/")
    match path:
        case ["space", space, "hold", "set"] if _SPACE.fullmatch(space):
            if payload not in _SWITCH:
                raise OrderError(Fault.BAD_VALUE, '"hold" takes ON or OFF.')
            return HoldAll(space, _SWITCH[payload])
        case ["space", space, "next", "set"] if _SPACE.fullmatch(space):
            if payload != b"PRESS":
                raise OrderError(Fault.BAD_VALUE, '"next" takes PRESS.')
            return NextHand(space)
        case ["box", box, "volume", "set"] if _BOX.fullmatch(box):
            return SetVolume(box, _percent(payload))
        case _:
            raise OrderError(Fault.UNKNOWN, "there is nothing to command there.")


def _percent(payload: bytes) -> int:
    text = payload.decode("ascii", "replace")
    percent = int(float(text)) if _NUMBER.fullmatch(text) else -1
    if not 0 <= percent <= MAX_VOLUME:
        raise OrderError(Fault.BAD_VALUE, f'"volume" takes a number from 0 to {MAX_VOLUME}.')
    return percent
