"""What the hub's processes say to each other about sound.

The hub's main process, which has the control plane, and the media processes speak over
local sockets that keep the boundaries of messages. Each media process has one inbox,
into which all others write: so what one sends because of another's word never comes
before that word. Upwards, to the main process, each has a line of its own.
"""

from typing import Final

import msgspec

from hub.media.report import MediaReport

# An offer may take 32 KiB (wire.messages.Sdp), and everything else is small.
MAX_MAIL: Final = 65_536


class _Mail(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all mail: an array that begins with the name of its type."""


# --- to the program that forks --------------------------------------------------------


class Birth(_Mail, frozen=True, array_like=True):
    """Become a media process of this number; its inbox and its line come with this."""

    process: int
    verbose: bool


# --- to a media process, from the main one ------------------------------------------


class Meet(_Mail, frozen=True, array_like=True):
    """Another media process is there; a descriptor of its inbox comes with this."""

    process: int


class Part(_Mail, frozen=True, array_like=True):
    """Another media process is gone."""

    process: int


class Home(_Mail, frozen=True, array_like=True):
    """The trunk of a space is in ``process``; each move has the next ``epoch``."""

    space: str
    process: int
    epoch: int


class Gate(_Mail, frozen=True, array_like=True):
    """A member may talk from now on, or no longer."""

    space: str
    member: str
    is_open: bool


class Ear(_Mail, frozen=True, array_like=True):
    """Told to the home: a member hears by way of ``process``; None: no longer."""

    space: str
    member: str
    process: int | None


class Volume(_Mail, frozen=True, array_like=True):
    """Told to the home: how loud a member is in the mix."""

    space: str
    member: str
    percent: int


class Taping(_Mail, frozen=True, array_like=True):
    """Told to the home: copy what is said and heard to the main process, or no longer."""

    space: str
    on: bool


class Connect(_Mail, frozen=True, array_like=True):
    """Answer an offer; ``Answered`` or ``Refused`` of the same ``call`` comes back."""

    call: int
    member: str
    space: str
    sdp: str
    local_address: str | None


class Disconnect(_Mail, frozen=True, array_like=True):
    """End a member's session, if there is one."""

    member: str


class Stop(_Mail, frozen=True, array_like=True):
    """End all sessions, then yourself."""


# --- between media processes --------------------------------------------------------


class Voice(_Mail, frozen=True, array_like=True):
    """Told to the home: a packet from an open microphone; ``at`` is its arrival."""

    space: str
    member: str
    ssrc: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    at: float


class Sound(_Mail, frozen=True, array_like=True):
    """Told by the home: a frame for all who do not talk, or for the talker ``to`` alone."""

    space: str
    epoch: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    at: float
    to: str | None


# --- to the main process ------------------------------------------------------------


class Answered(_Mail, frozen=True, array_like=True):
    """The answer to an offer."""

    call: int
    sdp: str


class Refused(_Mail, frozen=True, array_like=True):
    """An offer came to nothing; ``bad``: the offer itself is at fault."""

    call: int
    bad: bool
    detail: str


class Spoke(_Mail, frozen=True, array_like=True):
    """A member's audio comes in."""

    member: str


class Failed(_Mail, frozen=True, array_like=True):
    """A member's session broke, and the member may not know it."""

    member: str


class Hears(_Mail, frozen=True, array_like=True):
    """A member's session is connected, or no longer."""

    space: str
    member: str
    on: bool


class Tape(_Mail, frozen=True, array_like=True):
    """A copy of a packet that was let into a space, or of one frame of its programme.

    ``member``: whose microphone it is from; None: the programme, which is what a member
    who does not talk hears. ``timestamp`` counts 1/48000 s in 32 bit: each member's, and
    the programme's, is a line of its own, and the programme's begins anew when the home
    of the space moves. ``at``: when the packet came, on the monotonic clock.
    """

    space: str
    member: str | None
    timestamp: int
    payload: bytes
    marker: bool
    at: float


class Beat(_Mail, frozen=True, array_like=True):
    """The process is alive, and this is what it counted so far."""

    report: MediaReport


Order = Meet | Part | Home | Gate | Ear | Volume | Taping | Connect | Disconnect | Stop
Inbound = Order | Voice | Sound
# Sound, too: for those who are plugged in there.
News = Answered | Refused | Spoke | Failed | Hears | Tape | Beat | Sound

encode: Final = msgspec.msgpack.Encoder().encode
read_birth: Final = msgspec.msgpack.Decoder(Birth).decode
_inbound: Final[msgspec.msgpack.Decoder[Inbound]] = msgspec.msgpack.Decoder(Inbound)
_news: Final[msgspec.msgpack.Decoder[News]] = msgspec.msgpack.Decoder(News)


class MailError(ValueError):
    """A message that is none of these."""


def read_inbound(data: bytes | memoryview) -> Inbound:
    """Read what came into a media process.

    Raises:
        MailError: it cannot be read.
    """
    try:
        return _inbound.decode(data)
    except ValueError as error:
        raise MailError(str(error)) from None


def read_news(data: bytes | memoryview) -> News:
    """Read what came up from a media process.

    Raises:
        MailError: it cannot be read.
    """
    try:
        return _news.decode(data)
    except ValueError as error:
        raise MailError(str(error)) from None
