"""What a space looks like to its members, and the events that change it.

Every event here carries ``rev``; applied in order to a snapshot they give the next one.
"""

from typing import Annotated

from msgspec import Meta, Struct

from stagebox.wire.terms import (
    Count,
    HubTime,
    Kind,
    MemberId,
    Message,
    Mode,
    Moment,
    Name,
    Percent,
    PinText,
    Place,
    Rev,
    Role,
    Seconds,
    SpaceId,
    SpaceState,
    Speak,
    Tag,
    Topic,
    Url,
)


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One member as everybody in the space sees them.

    ``held``: the host keeps this member's microphone closed. ``agreed``: the recording
    (``Recording.version``) that it agreed to be in, 0 for none. ``captioned``: it agreed
    that what it says is written down. ``volume``: how loud it is for everybody, in percent.
    """

    id: MemberId
    name: Name
    kind: Kind
    place: Place
    role: Role = Role.GUEST
    muted: bool = False
    connected: bool = True
    held: bool = False
    agreed: Count = 0
    captioned: bool = False
    volume: Percent = 100


class Floor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has the floor. ``queue`` is in order; ``offered`` may press TALK now.

    ``since``: for each of ``talkers``, when it was granted. ``held``: all but hosts and
    co-hosts are held. ``priority``: the chair for whom everybody else is held.
    """

    mode: Mode
    open_limit: Annotated[int, Meta(ge=1, le=64)]
    talkers: tuple[MemberId, ...] = ()
    since: tuple[HubTime, ...] = ()
    offered: tuple[MemberId, ...] = ()
    queue: tuple[MemberId, ...] = ()
    talk_limit_s: Seconds | None = None
    held: bool = False
    priority: MemberId | None = None


class Recording(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording that runs. ``version`` is new for each; agreement is to one version."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    since: Moment
    by: Name
    keep_days: Annotated[int, Meta(ge=0, le=365)]


class Pin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note or a link for everybody, newcomers included."""

    id: Annotated[int, Meta(ge=1, le=2**31)]
    text: PinText
    by: Name
    at: Moment
    url: Url | None = None


class SpaceInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The space itself.

    ``host``: the member who is host now. ``hidden``: how many listen unnamed.
    ``frozen_until``: with the state ``frozen``, when the space ends unless a host comes.
    ``captions_away``: captions are on, and what writes them does not work just now.
    ``streamed``: players on the network may hear it without being members. ``played_on``: on
    which loudspeakers of the house it is to be heard now.
    """

    id: SpaceId
    name: Name
    topic: Topic = ""
    tags: Annotated[tuple[Tag, ...], Meta(max_length=3)] = ()
    state: SpaceState = SpaceState.LIVE
    speak: Speak = Speak.EVERYONE
    host: MemberId | None = None
    stage_limit: Annotated[int, Meta(ge=1, le=1_000)] = 13
    locked: bool = False
    hidden_allowed: bool = True
    hidden: Count = 0
    starts_at: Moment | None = None
    started_at: Moment | None = None
    frozen_until: HubTime | None = None
    recording: Recording | None = None
    captions: bool = False
    captions_away: bool = False
    streamed: bool = False
    played_on: Annotated[tuple[Name, ...], Meta(max_length=32)] = ()


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


class PinAdded(Message, frozen=True, kw_only=True, tag="pin.added"):
    """Somebody pinned something."""

    rev: Rev
    pin: Pin


class PinRemoved(Message, frozen=True, kw_only=True, tag="pin.removed"):
    """A pin was taken down."""

    rev: Rev
    id: Count


StateEvent = (
    MemberJoined | MemberChanged | MemberLeft | FloorChanged | SpaceChanged | PinAdded | PinRemoved
)
