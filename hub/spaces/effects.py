"""What a space has done to it and what it wants done, beyond its floor.

The effects of the floor (``hub.floor.events``) and these come in one list, and are carried
out in its order by the shell around ``hub.spaces.space``.
"""

from dataclasses import dataclass
from enum import StrEnum

from hub.floor.events import Effect as FloorEffect
from stagebox.wire.acts import Invite, SpaceConfirm
from stagebox.wire.messages import Done, Error, Reaction
from stagebox.wire.space import Recording
from stagebox.wire.terms import Gone, MemberId

Reply = Done | Error | SpaceConfirm | Invite


class Happening(StrEnum):
    """What happened: for the audit list, attendance, chapters and webhooks."""

    SPACE_STARTED = "space_started"
    SPACE_ENDED = "space_ended"
    SPACE_CANCELLED = "space_cancelled"
    SPACE_EDITED = "space_edited"
    BACKSTAGE_OPENED = "backstage_opened"
    JOINED = "joined"  # came, or came back
    LEFT = "left"  # for now or for good
    REMOVED = "removed"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    HAND_RAISED = "hand_raised"
    CALLED = "called"  # a chair offered the floor
    GRANTED = "granted"  # a raised hand got its turn
    BURST_BEGAN = "burst_began"
    BURST_ENDED = "burst_ended"
    HELD = "held"
    FREED = "freed"
    PRIORITY_BEGAN = "priority_began"
    PRIORITY_ENDED = "priority_ended"
    HANDS_CLEARED = "hands_cleared"
    HAND_MOVED = "hand_moved"
    PLACED = "placed"
    VOLUME_SET = "volume_set"
    HOST_LOST = "host_lost"
    HOST_BACK = "host_back"
    HOST_CHANGED = "host_changed"
    RECORDING_STARTED = "recording_started"
    RECORDING_STOPPED = "recording_stopped"
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    CAPTIONS_AGREED = "captions_agreed"
    CAPTIONS_WITHDRAWN = "captions_withdrawn"
    INVITED = "invited"
    INVITE_REVOKED = "invite_revoked"
    PINNED = "pinned"
    UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send the message, which is no state, to every connected member."""

    message: Reaction


@dataclass(frozen=True, slots=True)
class Expel:
    """A member is out: tell it so (``space.left``) and end its media. No Depart follows."""

    member_id: MemberId
    cause: Gone


@dataclass(frozen=True, slots=True)
class Louder:
    """From now on everybody hears this member at this percentage of its own loudness."""

    member_id: MemberId
    percent: int


@dataclass(frozen=True, slots=True)
class Record:
    """From now on this recording runs; None: none does."""

    recording: Recording | None


@dataclass(frozen=True, slots=True)
class Captions:
    """From now on the words of these members are written down, and of nobody else."""

    members: frozenset[MemberId]


@dataclass(frozen=True, slots=True)
class Silence:
    """End this member's media: it stays in the space and hears nothing for now."""

    member_id: MemberId


@dataclass(frozen=True, slots=True)
class Save:
    """``Space.kept()`` is not what it was."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something worth noting. ``member`` None: the space itself, or somebody unnamed.

    ``name`` is the member's, ``by`` that of who did it, where that is somebody else.
    """

    kind: Happening
    member: MemberId | None = None
    name: str = ""
    detail: str = ""
    by: str = ""


SpaceEffect = Broadcast | Expel | Louder | Record | Captions | Silence | Save | Happened
Effect = FloorEffect | SpaceEffect


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act came to: the answer to who acted, and what to do, in order."""

    reply: Reply
    effects: tuple[Effect, ...] = ()
