"""What goes into a space and what comes out.

Events are what happened to a member; effects are what the hub's shell must do,
in order. Both are plain values. ``req`` is the member's own name for a request.
"""

from dataclasses import dataclass

from stagebox.wire.messages import Done, Error, FloorReply
from stagebox.wire.space import StateEvent
from stagebox.wire.terms import Kind, MemberId, Place, Req, Role, Via

Answer = FloorReply | Done | Error


@dataclass(frozen=True, slots=True)
class Enter:
    """A member joined on a new session. Not for a join that is repeated on the same one.

    A member that is already here has started anew: it no longer sends what it sent
    before, so its old grant ends at once. Its raised hand is kept.
    """

    member_id: MemberId
    name: str
    kind: Kind
    role: Role
    place: Place


@dataclass(frozen=True, slots=True)
class Depart:
    """A member left of its own will; its microphone is closed."""

    member_id: MemberId


@dataclass(frozen=True, slots=True)
class Vanish:
    """The member's session is over or silent; ``heard_at`` is when its last message came.

    From now on its pings are not answered, until it enters again.
    """

    member_id: MemberId
    heard_at: float


@dataclass(frozen=True, slots=True)
class Ask:
    """``floor.request``."""

    member_id: MemberId
    req: Req
    via: Via = Via.TALK


@dataclass(frozen=True, slots=True)
class Release:
    """``floor.release``."""

    member_id: MemberId
    req: Req


@dataclass(frozen=True, slots=True)
class Next:
    """``floor.next``: offer the floor to ``target``, or to the next hand."""

    member_id: MemberId
    req: Req
    target: MemberId | None = None


@dataclass(frozen=True, slots=True)
class SetMuted:
    """``status``: where the member's own MUTE switch stands."""

    member_id: MemberId
    req: Req
    muted: bool


@dataclass(frozen=True, slots=True)
class Spoke:
    """Audio of this member arrives; said at most five times a second."""

    member_id: MemberId


Request = Ask | Release | Next | SetMuted
Event = Enter | Depart | Vanish | Request | Spoke


@dataclass(frozen=True, slots=True)
class Tell:
    """Send ``message`` to this member, if it is connected."""

    member_id: MemberId
    message: Answer


@dataclass(frozen=True, slots=True)
class Announce:
    """Send the state event to every connected member of the space."""

    message: StateEvent


@dataclass(frozen=True, slots=True)
class OpenGate:
    """From now on this member's audio is heard."""

    member_id: MemberId


@dataclass(frozen=True, slots=True)
class CloseGate:
    """From now on it is not."""

    member_id: MemberId


Effect = Tell | Announce | OpenGate | CloseGate
