"""The words of the Stagebox wire protocol: scalars with their ranges, and enumerations.

PROTOCOL.md beside this file is the specification; ``terms``, ``space``, ``acts`` and
``messages`` are its schema.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

PROTOCOL_VERSION: Final = 1
SERVICE_TYPE = "_stagebox._tcp.local."
MEMBER_PATH = "/member/v1"
# A member pings at least this often; while it talks, twice as often.
HEARTBEAT_MS = 1_000
# A grant is a lease. A box may send audio only while the last ping that a pong
# confirmed (or the request that was granted) was sent less than this ago.
LEASE_MS = 2_500
# The hub gives the slot of a silent member away only after this long. It is
# longer than the lease, so that two microphones can never overlap.
LOST_AFTER_MS = 3_000

MemberId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{43}=\Z")]
Nonce = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
# SHA-256 of a certificate's DER, in hex.
CertificatePin = Annotated[str, Meta(pattern=r"^[a-f0-9]{64}\Z")]
Signature = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]
Req = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
SpaceId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
# In one line, and without what turns the text of others around (Unicode's bidirectional
# embeddings, overrides and isolates): nobody looks like somebody else.
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00-\x1f\x7f\u2028-\u202e\u2066-\u2069]+\Z",
    ),
]
Sdp = Annotated[str, Meta(min_length=1, max_length=32_768)]
Software = Annotated[str, Meta(max_length=64, pattern=r"^[\x20-\x7e]*\Z")]
Detail = Annotated[str, Meta(max_length=200)]
Rev = Annotated[int, Meta(ge=0, le=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Version = Annotated[int, Meta(ge=1, le=65_535)]
Topic = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Tag = Annotated[str, Meta(min_length=1, max_length=24, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
# A day and time with its distance from UTC, as RFC 3339 has it.
Moment = Annotated[
    str,
    Meta(
        max_length=32,
        pattern=(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
            r"(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})\Z"
        ),
    ),
]
# Seconds on the hub's own clock, which only counts on; the hub says where it stands now
# in ``snapshot`` and ``pong``.
HubTime = Annotated[float, Meta(ge=0)]
Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,64}\Z")]
Code = Annotated[str, Meta(pattern=r"^[0-9]{6}\Z")]
PinText = Annotated[
    str, Meta(min_length=1, max_length=280, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+\Z")
]
Url = Annotated[str, Meta(max_length=500, pattern=r"^https?://[\x21-\x7e]+\Z")]
Percent = Annotated[int, Meta(ge=0, le=200)]


class Kind(StrEnum):
    """What a member is made of."""

    BOX = "box"
    BROWSER = "browser"
    BRIDGE = "bridge"


class Role(StrEnum):
    """What a box was built to do; the place in a space is the hub's to give."""

    GUEST = "guest"
    STUDIO = "studio"
    SPEAKER = "speaker"


class Place(StrEnum):
    """Where a member stands in a space."""

    LISTENER = "listener"
    SPEAKER = "speaker"
    COHOST = "cohost"
    HOST = "host"


class Mode(StrEnum):
    """How a space gives the floor."""

    WALKIE = "walkie"
    OPEN = "open"
    FIFO = "fifo"
    MODERATED = "moderated"
    STAGE = "stage"


class Via(StrEnum):
    """Which control asked for the floor. HAND can queue but never open a microphone."""

    TALK = "talk"
    HAND = "hand"


class SpaceState(StrEnum):
    """Where a space is in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    BACKSTAGE = "backstage"
    LIVE = "live"
    FROZEN = "frozen"  # the host is lost; nobody may talk until there is one
    CANCELLED = "cancelled"
    ENDED = "ended"
    ARCHIVED = "archived"  # ended, and everything about it is kept
    PURGED = "purged"  # nothing is kept but that it was


class Speak(StrEnum):
    """Who may speak without being invited."""

    EVERYONE = "everyone"
    KNOWN = "known"
    INVITED = "invited"


class Mark(StrEnum):
    """A reaction."""

    CLAP = "clap"
    HEART = "heart"
    LAUGH = "laugh"
    WOW = "wow"
    THANKS = "thanks"


class Gone(StrEnum):
    """Why a member is out of a space that it did not leave."""

    REMOVED = "removed"
    BLOCKED = "blocked"
    ENDED = "ended"


class News(StrEnum):
    """What a notice is about."""

    SOON = "soon"  # a scheduled space starts in a few minutes
    DUE = "due"  # it is time; its host may open it
    LIVE = "live"
    CANCELLED = "cancelled"


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="t"):
    """Base of all messages."""
