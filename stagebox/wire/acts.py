"""What a member asks of a space beyond its own floor: one struct for each act.

The member's WebSocket and the hub's HTTP API carry the same acts to the same place. Each
is answered with ``done``, with ``error``, or with the message its docstring names. None of
them opens a microphone: a grant is an offer, and a finger completes it.
"""

from typing import Annotated, Final

from msgspec import Meta

from stagebox.wire.terms import (
    Code,
    Count,
    Mark,
    MemberId,
    Message,
    Mode,
    Moment,
    Name,
    Percent,
    PinText,
    Place,
    Req,
    Seconds,
    SpaceId,
    Speak,
    Tag,
    Token,
    Topic,
    Url,
)

# Invitations are for an evening, or for the way to one: no later than a day can be given.
MAX_INVITE_S: Final = 14 * 86_400


class FloorNext(Message, frozen=True, kw_only=True, tag="floor.next"):
    """Host or co-host: offer the floor to ``member``, or to the next hand."""

    req: Req
    member: MemberId | None = None


class FloorHold(Message, frozen=True, kw_only=True, tag="floor.hold"):
    """Host or co-host: keep the microphone of ``member``, or of all but chairs, closed; or not."""

    req: Req
    on: bool
    member: MemberId | None = None


class FloorPriority(Message, frozen=True, kw_only=True, tag="floor.priority"):
    """Host or co-host: pause everybody else for as long as this is on."""

    req: Req
    on: bool


class FloorClear(Message, frozen=True, kw_only=True, tag="floor.clear"):
    """Host or co-host: take down the hand of ``member``, or all hands."""

    req: Req
    member: MemberId | None = None


class FloorMove(Message, frozen=True, kw_only=True, tag="floor.move"):
    """Host or co-host: move a waiting member to ``position`` (1 is next)."""

    req: Req
    member: MemberId
    position: Annotated[int, Meta(ge=1, le=10_000)]


class MemberPlace(Message, frozen=True, kw_only=True, tag="member.place"):
    """Give a member a place. Anybody may step down; only the host names co-hosts or a host."""

    req: Req
    member: MemberId
    place: Place


class MemberVolume(Message, frozen=True, kw_only=True, tag="member.volume"):
    """Host or co-host: how loud a member is for everybody."""

    req: Req
    member: MemberId
    volume: Percent


class MemberRemove(Message, frozen=True, kw_only=True, tag="member.remove"):
    """Host or co-host: put a member out; with ``block``, for good."""

    req: Req
    member: MemberId
    block: bool = False


class MemberUnblock(Message, frozen=True, kw_only=True, tag="member.unblock"):
    """Host or co-host: let a blocked member come again."""

    req: Req
    member: MemberId


class SpaceNew(Message, frozen=True, kw_only=True, tag="space.new"):
    """Make a space: live at once, backstage, or for a day. Answered with ``space.made``."""

    req: Req
    name: Name | None = None
    topic: Topic = ""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=3)] = ()
    mode: Mode = Mode.MODERATED
    speak: Speak = Speak.EVERYONE
    backstage: bool = False
    starts_at: Moment | None = None


class SpaceEdit(Message, frozen=True, kw_only=True, tag="space.edit"):
    """Host or co-host: change what is given; all else stays. ``talk_limit_s`` 0 is no limit."""

    req: Req
    name: Name | None = None
    topic: Topic | None = None
    tags: Annotated[tuple[Tag, ...], Meta(max_length=3)] | None = None
    mode: Mode | None = None
    speak: Speak | None = None
    locked: bool | None = None
    hidden_allowed: bool | None = None
    captions: bool | None = None
    streamed: bool | None = None
    stage_limit: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    open_limit: Annotated[int, Meta(ge=1, le=64)] | None = None
    queue_limit: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    talk_limit_s: Seconds | None = None
    keep_days: Annotated[int, Meta(ge=0, le=365)] | None = None
    starts_at: Moment | None = None


class SpaceStart(Message, frozen=True, kw_only=True, tag="space.start"):
    """Host: from draft, scheduled or backstage to live. All microphones are closed."""

    req: Req


class SpaceEnd(Message, frozen=True, kw_only=True, tag="space.end"):
    """Host: end the space. Without ``token`` it answers ``space.confirm``; with it, ends."""

    req: Req
    token: Token | None = None


class SpaceCancel(Message, frozen=True, kw_only=True, tag="space.cancel"):
    """Host: a scheduled space will not be."""

    req: Req


class InviteNew(Message, frozen=True, kw_only=True, tag="invite.new"):
    """Host or co-host: an invitation to a place. Answered with ``invite``."""

    req: Req
    place: Place = Place.LISTENER
    ttl_s: Annotated[int, Meta(ge=60, le=MAX_INVITE_S)] = 86_400
    uses: Annotated[int, Meta(ge=1, le=1_000)] = 100


class InviteRevoke(Message, frozen=True, kw_only=True, tag="invite.revoke"):
    """Host or co-host: an invitation is none any more. Who came by it stays."""

    req: Req
    token: Token


class PinAdd(Message, frozen=True, kw_only=True, tag="pin.add"):
    """Host or co-host: pin a note or a link."""

    req: Req
    text: PinText
    url: Url | None = None


class PinRemove(Message, frozen=True, kw_only=True, tag="pin.remove"):
    """Host or co-host: take a pin down."""

    req: Req
    id: Count


class React(Message, frozen=True, kw_only=True, tag="react"):
    """Show a mark to everybody, silently."""

    req: Req
    mark: Mark


class RecordSet(Message, frozen=True, kw_only=True, tag="record.set"):
    """Host or co-host: record, or stop. Nobody is recorded who did not agree."""

    req: Req
    on: bool


class Agree(Message, frozen=True, kw_only=True, tag="agree"):
    """A member's own word, about itself alone.

    ``recording``: the version it agrees to be in, 0 to withdraw. ``captions``: whether
    what it says may be written down. What is left out stays.
    """

    req: Req
    recording: Count | None = None
    captions: bool | None = None


# --- answers that are more than done ----------------------------------------------


class SpaceMade(Message, frozen=True, kw_only=True, tag="space.made"):
    """The new space: join it."""

    req: Req
    space: SpaceId


class SpaceConfirm(Message, frozen=True, kw_only=True, tag="space.confirm"):
    """To end the space for so many people, send ``space.end`` with this token in time."""

    req: Req
    token: Token
    members: Count
    expires_in_s: Seconds


class Invite(Message, frozen=True, kw_only=True, tag="invite"):
    """An invitation: ``token`` for links, ``code`` to read out."""

    req: Req
    token: Token
    code: Code
    place: Place
    expires_in_s: Annotated[float, Meta(ge=0, le=MAX_INVITE_S)]


Act = (
    FloorNext
    | FloorHold
    | FloorPriority
    | FloorClear
    | FloorMove
    | MemberPlace
    | MemberVolume
    | MemberRemove
    | MemberUnblock
    | SpaceEdit
    | SpaceStart
    | SpaceEnd
    | SpaceCancel
    | InviteNew
    | InviteRevoke
    | PinAdd
    | PinRemove
    | React
    | RecordSet
    | Agree
)
ActReply = SpaceConfirm | Invite
