"""What the hub and the program that is in a LiveKit room say to each other. Pure.

LiveKit's library has threads of its own, takes half a second to load, and ends its whole
program when something in it fails. So each such room has a program to itself, and the hub
only sees packets of Opus and short facts.
"""

from typing import Final

import msgspec

from hub.bridges.terms import Cause
from stagebox.wire.terms import Mark


class MailError(ValueError):
    """What came is no mail; the other side is another version, or broken."""


class _Mail(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all mail: an array that begins with the name of its type."""


# --- to the program -------------------------------------------------------------------


class Join(_Mail, frozen=True, array_like=True):
    """Be in a room. Either ``token`` is given, or ``key``, ``secret`` and ``room``.

    ``must_be_there``: a room that is not there is not to be opened by coming in.
    """

    url: str
    room: str
    identity: str
    name: str
    key: str = ""
    secret: str = ""
    token: str = ""
    must_be_there: bool = False


class Say(_Mail, frozen=True, array_like=True):
    """Let the room hear a packet of Opus."""

    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


class Show(_Mail, frozen=True, array_like=True):
    """Be called so from now on."""

    name: str


class Permit(_Mail, frozen=True, array_like=True):
    """Let somebody over there speak from now on, or no longer."""

    identity: str
    speaks: bool


class React(_Mail, frozen=True, array_like=True):
    """Somebody shows a mark: here, or (from the program) over there."""

    mark: Mark


class Leave(_Mail, frozen=True, array_like=True):
    """Say goodbye and end."""


# --- from the program -----------------------------------------------------------------


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Somebody in the room, with bounded texts that are nobody's word but theirs."""

    identity: str
    name: str
    muted: bool
    talking: bool
    hand: bool
    may_speak: bool


class Joined(_Mail, frozen=True, array_like=True):
    """It is in a room, and may send and receive. ``moderates``: it may give rights there."""

    room: str
    moderates: bool
    people: tuple[Entry, ...]


class People(_Mail, frozen=True, array_like=True):
    """Who is there now, ourselves left out."""

    people: tuple[Entry, ...]


class Heard(_Mail, frozen=True, array_like=True):
    """One packet of Opus of all voices in the room together."""

    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


class May(_Mail, frozen=True, array_like=True):
    """Whether it may speak over there, or only listen."""

    speaks: bool


class Beat(_Mail, frozen=True, array_like=True):
    """The program is alive."""


class Over(_Mail, frozen=True, array_like=True):
    """It is over, and why. The last mail."""

    cause: Cause
    detail: str


Order = Join | Say | Show | Permit | React | Leave
News = Joined | People | Heard | React | May | Beat | Over

_orders: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order)
_news: Final[msgspec.msgpack.Decoder[News]] = msgspec.msgpack.Decoder(News)
_encoder: Final = msgspec.msgpack.Encoder()


def encode(mail: Order | News) -> bytes:
    """Return mail as it goes through a socket."""
    return _encoder.encode(mail)


def read_order(data: bytes | memoryview) -> Order:
    """Return what the hub says.

    Raises:
        MailError: it is no order.
    """
    try:
        return _orders.decode(data)
    except ValueError as error:
        raise MailError(str(error)) from None


def read_news(data: bytes | memoryview) -> News:
    """Return what the program says.

    Raises:
        MailError: it is no news.
    """
    try:
        return _news.decode(data)
    except ValueError as error:
        raise MailError(str(error)) from None
