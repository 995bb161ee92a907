"""Every message of the Stagebox wire protocol, version 1.

PROTOCOL.md beside this file is the specification; this module is its schema.
Messages are frozen structs tagged by ``t``. Unknown fields, unknown types and
values out of range do not decode (see ``stagebox.wire.codec``).

A message from a member to the hub that asks for something carries ``req``, the
member's own name for the request; sending it again is safe. A state event from
the hub carries ``rev``; a gap in ``rev`` means: ask for a snapshot.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause

PROTOCOL_VERSION = 1
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
Signature = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{86}==\Z")]
Req = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
SpaceId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Sdp = Annotated[str, Meta(min_length=1, max_length=32_768)]
Software = Annotated[str, Meta(max_length=64, pattern=r"^[\x20-\x7e]*\Z")]
Detail = Annotated[str, Meta(max_length=200)]
Rev = Annotated[int, Meta(ge=0, le=2**53)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Version = Annotated[int, Meta(ge=1, le=65_535)]


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


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="t"):
    """Base of all messages."""


# --- what a space looks like ----------------------------------------------------


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One member as everybody in the space sees them."""

    id: MemberId
    name: Name
    kind: Kind
    place: Place
    muted: bool = False
    connected: bool = True


class Floor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has the floor. ``queue`` is in order; ``offered`` may press TALK now."""

    mode: Mode
    open_limit: Annotated[int, Meta(ge=1, le=64)]
    talkers: tuple[MemberId, ...] = ()
    offered: tuple[MemberId, ...] = ()
    queue: tuple[MemberId, ...] = ()


class SpaceInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a space is called."""

    id: SpaceId
    name: Name


# --- member to hub --------------------------------------------------------------


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """First message of a member: who it is. ``id`` must be the digest of ``key``.

    ``signature`` is over the transcript of ``stagebox.wire.handshake``; a hub
    without enrolment accepts its absence.
    """

    proto_min: Version
    proto_max: Version
    id: MemberId
    key: Key
    name: Name
    kind: Kind
    role: Role
    nonce: Nonce
    software: Software = ""
    signature: Signature | None = None


class Ping(Message, frozen=True, kw_only=True, tag="ping"):
    """Heartbeat. ``n`` counts up from 1 in each session."""

    n: Count


class Join(Message, frozen=True, kw_only=True, tag="join"):
    """Enter a space; without ``space``, the one the hub keeps for this member."""

    req: Req
    space: SpaceId | None = None


class Leave(Message, frozen=True, kw_only=True, tag="leave"):
    """Leave the space quietly."""

    req: Req


class MediaOffer(Message, frozen=True, kw_only=True, tag="media.offer"):
    """Set up (or set up again) the member's one media session."""

    req: Req
    sdp: Sdp


class FloorRequest(Message, frozen=True, kw_only=True, tag="floor.request"):
    """Ask for the floor. A new ``req`` for every press; an offer is taken up the same way."""

    req: Req
    via: Via = Via.TALK


class FloorRelease(Message, frozen=True, kw_only=True, tag="floor.release"):
    """Give the floor back, or withdraw the request named ``req``, whatever became of it."""

    req: Req


class FloorNext(Message, frozen=True, kw_only=True, tag="floor.next"):
    """Host or co-host: offer the floor to ``member``, or to the next hand."""

    req: Req
    member: MemberId | None = None


class StatusUpdate(Message, frozen=True, kw_only=True, tag="status"):
    """The box's own switch. A muted member keeps its hand but is not offered the floor."""

    req: Req
    muted: bool


class SnapshotRequest(Message, frozen=True, kw_only=True, tag="snapshot.get"):
    """Ask for the whole state of the space."""

    req: Req


# --- hub to member --------------------------------------------------------------


class Challenge(Message, frozen=True, kw_only=True, tag="challenge"):
    """First message of the hub, before it knows anything of the member."""

    proto_min: Version
    proto_max: Version
    hub_id: MemberId
    hub_key: Key
    boot: Nonce
    nonce: Nonce


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """The session is open in version ``proto``."""

    proto: Version
    hub_name: Name
    session: Nonce
    heartbeat_ms: Annotated[int, Meta(ge=100, le=60_000)] = HEARTBEAT_MS
    lease_ms: Annotated[int, Meta(ge=500, le=60_000)] = LEASE_MS
    signature: Signature | None = None


class Pong(Message, frozen=True, kw_only=True, tag="pong"):
    """Answer to ping ``n``. ``grant`` renews the lease of the grant of that name."""

    n: Count
    grant: Req | None = None


class Snapshot(Message, frozen=True, kw_only=True, tag="snapshot"):
    """The whole space at ``rev``; answers join and snapshot.get."""

    req: Req | None
    rev: Rev
    you: MemberId
    space: SpaceInfo
    members: tuple[Member, ...]
    floor: Floor


class MediaAnswer(Message, frozen=True, kw_only=True, tag="media.answer"):
    """The hub's half of the media session."""

    req: Req
    sdp: Sdp


class MediaLost(Message, frozen=True, kw_only=True, tag="media.lost"):
    """The hub lost your media session: offer again, at a moment of your own within ``spread_s``."""

    spread_s: Seconds = 0


class FloorGranted(Message, frozen=True, kw_only=True, tag="floor.granted"):
    """You may talk while your finger stays down, for ``duration_s`` at most (None: no limit)."""

    req: Req
    duration_s: Seconds | None = None


class FloorDenied(Message, frozen=True, kw_only=True, tag="floor.denied"):
    """You may not. ``holder`` is the name of who talks, where that is the cause."""

    req: Req
    cause: DenyCause
    holder: Name | None = None
    retry_after_s: Seconds = 0


class FloorQueued(Message, frozen=True, kw_only=True, tag="floor.queued"):
    """Your hand is up at ``position`` (1 is next). Sent again when the position changes."""

    req: Req
    position: Annotated[int, Meta(ge=1, le=10_000)]


class FloorOffered(Message, frozen=True, kw_only=True, tag="floor.offered"):
    """It is your turn: press TALK within ``expires_in_s``."""

    req: Req
    expires_in_s: Seconds


class FloorRevoked(Message, frozen=True, kw_only=True, tag="floor.revoked"):
    """Your floor ends after ``grace_s``; answer with floor.release."""

    req: Req
    cause: RevokeCause
    grace_s: Seconds = 0
    retry_after_s: Seconds = 0


class FloorCancelled(Message, frozen=True, kw_only=True, tag="floor.cancelled"):
    """Your waiting request is over."""

    req: Req
    cause: CancelCause


class FloorReleased(Message, frozen=True, kw_only=True, tag="floor.released"):
    """Your release arrived; nothing named ``req`` is open or waiting any more."""

    req: Req


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """The request ``req`` was carried out and has no other answer."""

    req: Req


class Error(Message, frozen=True, kw_only=True, tag="error"):
    """What was wrong and, in ``detail``, what to do."""

    code: ErrorCode
    detail: Detail
    req: Req | None = None
    retry_after_s: Seconds = 0


class MemberJoined(Message, frozen=True, kw_only=True, tag="member.joined"):
    """Somebody came in."""

    rev: Rev
    member: Member


class MemberChanged(Message, frozen=True, kw_only=True, tag="member.changed"):
    """Place, name, mute or connection of a member changed."""

    rev: Rev
    member: Member


class MemberLeft(Message, frozen=True, kw_only=True, tag="member.left"):
    """Somebody is gone."""

    rev: Rev
    id: MemberId


class FloorChanged(Message, frozen=True, kw_only=True, tag="floor.changed"):
    """Talkers, offers or the queue changed."""

    rev: Rev
    floor: Floor


class SpaceChanged(Message, frozen=True, kw_only=True, tag="space.changed"):
    """The space's own data changed."""

    rev: Rev
    space: SpaceInfo


MemberMessage = (
    Hello
    | Ping
    | Join
    | Leave
    | MediaOffer
    | FloorRequest
    | FloorRelease
    | FloorNext
    | StatusUpdate
    | SnapshotRequest
)
FloorReply = (
    FloorGranted
    | FloorDenied
    | FloorQueued
    | FloorOffered
    | FloorRevoked
    | FloorCancelled
    | FloorReleased
)
StateEvent = MemberJoined | MemberChanged | MemberLeft | FloorChanged | SpaceChanged
HubMessage = (
    Challenge
    | Welcome
    | Pong
    | Snapshot
    | MediaAnswer
    | MediaLost
    | FloorReply
    | Done
    | Error
    | StateEvent
)
