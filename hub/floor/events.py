"""What goes into a space and what comes out.

Events are what happened to a member, and orders of the space; effects are what the hub's
shell must do, in order. All are plain values. ``req`` is the member's own name for a
request. Whoever gives an order has checked who may: the floor carries it out, and one that
does not apply (an unknown member, no hand to take down) changes nothing.
"""

from dataclasses import dataclass

from hub.floor.rules import FloorRules
from stagebox.wire.messages import Done, Error, FloorReply, MediaLost
from stagebox.wire.space import Member, StateEvent
from stagebox.wire.terms import Kind, MemberId, Place, Req, Role, Via

Answer = FloorReply | Done | Error


@dataclass(frozen=True, slots=True)
class Enter:
    """A member joined on a new session. Not for a join that is repeated on the same one.

    A member that is already here has started anew: it no longer sends what it sent
    before, so its old grant ends at once. Its raised hand is kept. ``agreed`` and what
    follows is what the space kept of it, and replaces what its seat had. Who is ``hidden``
    has no seat: the space keeps it off the floor.
    """

    member_id: MemberId
    name: str
    kind: Kind
    role: Role
    place: Place
    agreed: int = 0
    captioned: bool = False
    held: bool = False
    volume: int = 100
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Depart:
    """A member is out. ``put_out``: not by its own word, so its microphone may still be open."""

    member_id: MemberId
    put_out: bool = False


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


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep this member's microphone closed, whatever it asks; its hand may be up. Or no longer."""

    member_id: MemberId
    on: bool


@dataclass(frozen=True, slots=True)
class HoldAll:
    """The same for everybody but hosts and co-hosts."""

    on: bool


@dataclass(frozen=True, slots=True)
class Priority:
    """A chair pauses everybody else; a host is paused by nobody.

    It ends with ``on`` False, and when the chair is one no longer, vanishes, leaves or
    starts anew. The later of two chairs takes it over, but no co-host takes it from a host.
    """

    member_id: MemberId
    on: bool


@dataclass(frozen=True, slots=True)
class Clear:
    """Take down this member's hand, offered or not; None: all hands that wait."""

    member_id: MemberId | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Put a waiting member at this position of the queue (1 is next), or at its end."""

    member_id: MemberId
    position: int


@dataclass(frozen=True, slots=True)
class SetPlace:
    """Give a member this place. A listener's microphone closes and its hand goes down.

    A smart speaker stays a listener. A chair is not held: one that becomes one is freed.
    """

    member_id: MemberId
    place: Place


@dataclass(frozen=True, slots=True)
class SetRules:
    """From now on these rules. Who talks goes on, though more talk than now may.

    Offers beyond the new limits go back to the head of the queue; hands that the new mode
    does not know are taken down.
    """

    rules: FloorRules


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nobody may talk or ask, chairs included; hands stay up. Or that is over."""

    on: bool


@dataclass(frozen=True, slots=True)
class RequireConsent:
    """Only who agreed to this version of the recording may talk or ask; 0 for everybody."""

    version: int


@dataclass(frozen=True, slots=True)
class Agreed:
    """A member agrees to be in this version of the recording; 0: no longer."""

    member_id: MemberId
    version: int


@dataclass(frozen=True, slots=True)
class Amend:
    """Change what is given of how a member is listed; None stays."""

    member_id: MemberId
    captioned: bool | None = None
    volume: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """A member of before the hub's restart: not connected, its hand ``req`` last in the queue.

    Its place is lost after ``keep_place_s`` unless it enters. ``req`` empty: no hand.
    """

    member: Member
    req: Req = ""


Request = Ask | Release | Next | SetMuted
Order = (
    Hold
    | HoldAll
    | Priority
    | Clear
    | Move
    | SetPlace
    | SetRules
    | Freeze
    | RequireConsent
    | Agreed
    | Amend
    | Restore
)
Event = Enter | Depart | Vanish | Request | Spoke | Order


@dataclass(frozen=True, slots=True)
class Tell:
    """Send ``message`` to this member, if it is connected."""

    member_id: MemberId
    message: Answer | MediaLost


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
