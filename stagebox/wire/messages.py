"""The messages of the Stagebox wire protocol, version 1: session, media and floor.

PROTOCOL.md beside this file is the specification; this package is its schema: the words
in ``terms``, a space and its events in ``space``, what members ask of it in ``acts``.
Messages are frozen structs tagged by ``t``. Unknown fields, unknown types and values out
of range do not decode (see ``stagebox.wire.codec``).

A message from a member to the hub that asks for something carries ``req``, the
member's own name for the request; sending it again is safe. A state event from
the hub carries ``rev``; a gap in ``rev`` means: ask for a snapshot.
"""

from typing import Annotated

from msgspec import Meta

from stagebox.wire.acts import Act, ActReply, SpaceMade, SpaceNew
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.space import Floor, Member, Pin, SpaceInfo, StateEvent
from stagebox.wire.terms import (
    HEARTBEAT_MS,
    LEASE_MS,
    CertificatePin,
    Count,
    Detail,
    Gone,
    HubTime,
    Key,
    Kind,
    Mark,
    MemberId,
    Message,
    Moment,
    Name,
    News,
    Nonce,
    Req,
    Rev,
    Role,
    Sdp,
    Seconds,
    Signature,
    Software,
    SpaceId,
    Token,
    Version,
    Via,
)

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
    """Enter a space; without ``space``, the one the hub keeps for this member.

    ``invite``: the token of an invitation. ``hidden``: listen, counted and not named.
    """

    req: Req
    space: SpaceId | None = None
    invite: Token | None = None
    hidden: bool = False


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


class StatusUpdate(Message, frozen=True, kw_only=True, tag="status"):
    """The box's own switch. A muted member keeps its hand but is not offered the floor."""

    req: Req
    muted: bool


class SnapshotRequest(Message, frozen=True, kw_only=True, tag="snapshot.get"):
    """Ask for the whole state of the space."""

    req: Req


class Health(Message, frozen=True, kw_only=True, tag="health"):
    """How a member is doing, every ten seconds or so. Never answered."""

    loss: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of the packets due in the last ten seconds
    late_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0  # waiting in the jitter buffer
    round_trip_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0  # ping to pong
    mic_dbfs: Annotated[float, Meta(ge=-120, le=0)] = -120.0
    xruns: Count = 0
    uptime_s: Count = 0
    media: bool = False
    battery: Annotated[float, Meta(ge=0, le=1)] | None = None


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
    clock: HubTime = 0.0


class Snapshot(Message, frozen=True, kw_only=True, tag="snapshot"):
    """The whole space at ``rev``; answers join and snapshot.get.

    ``you`` is not among ``members`` while you listen hidden. ``admin``: you may do here what
    a host may. ``clock``: the hub's clock now, for all ``HubTime``.
    """

    req: Req | None
    rev: Rev
    you: MemberId
    space: SpaceInfo
    members: tuple[Member, ...]
    floor: Floor
    pins: tuple[Pin, ...] = ()
    admin: bool = False
    clock: HubTime = 0.0


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


class SpaceLeft(Message, frozen=True, kw_only=True, tag="space.left"):
    """You are out of the space, and did not ask for it. Your media session is over."""

    space: SpaceId
    cause: Gone


class Reaction(Message, frozen=True, kw_only=True, tag="reaction"):
    """A member of the space shows a mark."""

    member: MemberId
    mark: Mark


class Caption(Message, frozen=True, kw_only=True, tag="caption"):
    """What a member says, in words. A later one with the same ``n`` replaces it until ``final``."""

    member: MemberId
    n: Count
    text: Annotated[str, Meta(max_length=1_000)]
    final: bool


class Notice(Message, frozen=True, kw_only=True, tag="notice"):
    """News of a space that this member is not in, or that is not live yet."""

    news: News
    space: SpaceId
    name: Name
    starts_at: Moment | None = None


class Pins(Message, frozen=True, kw_only=True, tag="pins"):
    """The certificates by which this hub is known: the one of now, and the next to come.

    ``signature`` is by the hub's key, over them and the session.
    """

    pin: CertificatePin
    next: CertificatePin | None = None
    signature: Signature


MemberMessage = (
    Hello
    | Ping
    | Join
    | Leave
    | MediaOffer
    | FloorRequest
    | FloorRelease
    | StatusUpdate
    | SnapshotRequest
    | Health
    | SpaceNew
    | Act
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
HubMessage = (
    Challenge
    | Welcome
    | Pins
    | Pong
    | Snapshot
    | MediaAnswer
    | MediaLost
    | FloorReply
    | Done
    | Error
    | SpaceMade
    | ActReply
    | SpaceLeft
    | Reaction
    | Caption
    | Notice
    | StateEvent
)
