"""What the page and the box say to each other over the WebSocket: JSON, one object a message. Pure.

From the page comes everything that its fingers hold, again and again, so that nothing hangs on
a single message. To the page goes what there is to see: as levels, of which the newest counts,
and as numbered notes.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from device.buttons.ports import Key

# Every key there is, with room for blanks.
MAX_MESSAGE: Final = 512


class BadMessageError(Exception):
    """A page said what it cannot say; the text says what would do."""


class Hold(Struct, frozen=True, tag="hold", forbid_unknown_fields=True):
    """All buttons that are held on this page. Also a sign of life."""

    keys: Annotated[tuple[Key, ...], Meta(max_length=len(Key))]


class Slide(Struct, frozen=True, tag="mute", forbid_unknown_fields=True):
    """The MUTE switch was moved."""

    on: bool


FromPage = Hold | Slide


class About(Struct, frozen=True, tag="box"):
    """Which box this is: sent first, and once. ``keys``: those that it has.

    ``run`` is another one each time the box starts, and with it notes are counted anew.
    """

    name: str
    role: str
    language: str
    version: str
    keys: tuple[Key, ...]
    run: str = ""


# Colour, milliseconds, level from 0 to 1.
StepData = tuple[str, int, float]


class Lamp(Struct, frozen=True, tag="lamp"):
    """The pattern that is shown, step by step, and for how long it has been already.

    ``called``: the colour in words; ``beat`` tells the rhythm in words, ``means`` what it says.
    """

    name: str
    color: str
    called: str
    beat: str
    means: str
    lead: tuple[StepData, ...]
    steps: tuple[StepData, ...]
    age_ms: int


class Panel(Struct, frozen=True, tag="panel"):
    """The keys that are down, whoever's fingers they are, and the lamps that only are on or off."""

    down: tuple[Key, ...]
    recording: bool
    door: bool


class Level(Struct, frozen=True):
    """One sound device. ``dbfs``: whole decibels, for a meter."""

    label: str
    dbfs: int


class State(Struct, frozen=True, tag="state"):
    """Where the box stands. ``hand``: what its second key is called here."""

    floor: str
    words: str
    link: str
    detail: str
    space: str
    members: int
    talkers: tuple[str, ...]
    queue: tuple[str, ...]
    hand: str
    microphone: Level
    loudspeaker: Level
    buffered_ms: int
    concealed: float


class Line(Struct, frozen=True, omit_defaults=True):
    """One thing that happened ``ago_ms`` ago, as a line; of what the box tells its user, more."""

    n: int
    ago_ms: int
    event: str
    words: str
    text: str = ""
    said: str = ""
    tone: str = ""


class News(Struct, frozen=True, tag="news"):
    """What happened since the last news."""

    lines: tuple[Line, ...]


ToPage = About | Lamp | Panel | State | News

_decoder: Final[msgspec.json.Decoder[FromPage]] = msgspec.json.Decoder(FromPage)
_encoder: Final = msgspec.json.Encoder()


def decode(text: str) -> FromPage:
    """Return what a page says.

    Raises:
        BadMessageError: it cannot be said.
    """
    if len(text) > MAX_MESSAGE:
        raise BadMessageError(f"A message has at most {MAX_MESSAGE} characters.")
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        why = f"Not understood: {error}."
    raise BadMessageError(why[:120])


def encode(message: ToPage) -> str:
    """Return a message to a page as text."""
    return _encoder.encode(message).decode()
