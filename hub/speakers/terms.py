"""The words of speakers: what there is, what is to be played, and why it is not. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hub.bridges.terms import clean_name, clean_text

__all__ = [
    "MAX_SPEAKERS",
    "Announced",
    "Cause",
    "Found",
    "Kind",
    "Sound",
    "SpeakerError",
    "State",
    "Told",
    "clean_name",
    "clean_text",
    "is_id",
]

_LONGEST_ID: Final = 200
# What one kind may show us: more than a large house has, less than hurts.
MAX_SPEAKERS: Final = 64


class Kind(StrEnum):
    """How a speaker is spoken to."""

    DLNA = "dlna"
    SNAPCAST = "snapcast"
    CHROMECAST = "chromecast"
    AIRPLAY = "airplay"


class State(StrEnum):
    """Where the playing of a space on a speaker is."""

    OFF = "off"
    ABSENT = "absent"  # wanted, but the speaker is not on the network
    HELD = "held"  # wanted, but the space is not streamed
    STARTING = "starting"
    PLAYING = "playing"
    WAITING = "waiting"  # to try again soon
    REFUSED = "refused"  # the speaker does not want it: tried again rarely
    STOPPED = "stopped"  # by a person at the speaker: not tried again


class Cause(StrEnum):
    """Why a speaker does not play (any more)."""

    NONE = "none"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    LOST = "lost"  # it played, and the way to it or its sound broke
    BAD_ANSWER = "bad_answer"
    NOT_ALLOWED = "not_allowed"  # a PIN, a password, a user of its own
    NO_FORMAT = "no_format"  # it takes none of the formats that the hub has now
    TAKEN = "taken"  # somebody else plays something else there now
    STOPPED_THERE = "stopped_there"  # a person stopped or paused it there
    FAILED = "failed"  # our own fault


@dataclass(frozen=True, slots=True)
class Found:
    """A speaker on the network.

    ``id``: what its maker made unique and lasting, without the kind, at most 200 printable
    ASCII characters; ``address``: where it is, for people; ``host``: an IP address that
    leads to it, by which the hub chooses its own; ``key``: what only its adapter reads.
    """

    kind: Kind
    id: str
    name: str
    address: str
    host: str
    key: str = ""


def is_id(text: str) -> bool:
    """Tell whether a speaker may be known by this."""
    return 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isprintable()


@dataclass(frozen=True, slots=True)
class Announced:
    """What mDNS says of a service. ``text``: its TXT record, at most 64 short entries."""

    service: str
    name: str
    host: str
    port: int
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sound:
    """What is to be played: a space.

    ``urls``: plain HTTP without an end, by ``opus`` (Ogg), ``aac`` (ADTS), ``mp3`` and
    ``hls``; only those that the hub has. Each leads to the hub by an IP address.
    ``fetched()``: one of the first three is being fetched now, as far as the hub knows.
    """

    space: str
    title: str
    urls: Mapping[str, str]
    fetched: Callable[[], bool] = field(default=lambda: True, compare=False)

    def url(self, *kinds: str) -> str:
        """Return the address of the first of these formats that there is.

        Raises:
            SpeakerError: there is none.
        """
        for kind in kinds:
            if kind in self.urls:
                return self.urls[kind]
        wanted = " or ".join(kinds)
        detail = f"The hub makes no {wanted}: allow it by encoders under [streams]."
        raise SpeakerError(Cause.NO_FORMAT, detail)


@dataclass(frozen=True, slots=True)
class Told:
    """What a speaker says while it plays. ``level``: its volume, 0 to 1; None: it did not say."""

    level: float | None = None


class SpeakerError(Exception):
    """A speaker does not play, or no longer; the text is a sentence for people."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = clean_text(detail)
