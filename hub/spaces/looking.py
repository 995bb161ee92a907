"""What a running space tells whoever asks, without anything happening in it."""

import asyncio
from collections.abc import Mapping

from hub.floor.rules import FloorRules
from hub.spaces.kept import Invitation, Kept
from hub.spaces.rights import Actor
from hub.spaces.settings import Facilities
from hub.spaces.space import Space
from stagebox.calendar import utc_now
from stagebox.wire.messages import Snapshot
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Code, MemberId, Name, Place, Token


class Looks:
    """The core of a space, seen from outside."""

    def __init__(self, core: Space) -> None:
        self._core = core

    @property
    def info(self) -> SpaceInfo:
        """The space as its members see it."""
        return self._core.info

    @property
    def rules(self) -> FloorRules:
        """The rules of its floor."""
        return self._core.rules

    @property
    def rev(self) -> int:
        """The revision of what its members were told last: while it stays, nothing changed."""
        return self._core.rev

    @property
    def standing(self) -> bool:
        """Whether it is a space of the hub's settings."""
        return self._core.standing

    @property
    def blocked(self) -> Mapping[MemberId, Name]:
        """Who may not come in."""
        return self._core.blocked

    @property
    def talkers(self) -> int:
        """Members who have the floor."""
        return len(self.snapshot("", None).floor.talkers)

    def is_listed(self, member_id: MemberId) -> bool:
        """Tell whether the member is in the list that all see."""
        return member_id in self._core.members

    def hears(self, member_id: MemberId) -> bool:
        """Tell whether the member may hear the space now."""
        return self._core.hears(member_id)

    def place_of(self, member_id: MemberId) -> Place | None:
        """Return where somebody stands, or will stand when it comes back; None: nowhere."""
        return self._core.place_of(member_id)

    def grant_of(self, member_id: MemberId) -> str | None:
        """Return the name of the grant whose lease a pong renews."""
        return self._core.grant_of(member_id)

    def invitation(self, *, token: Token = "", code: Code = "") -> Invitation | None:
        """Return the valid invitation of this token or this code."""
        return self._core.invitation(utc_now(), token=token, code=code)

    def invitations(self, actor: Actor) -> tuple[Invitation, ...]:
        """Return the valid invitations of which this chair could have made each."""
        return self._core.invitations(actor, utc_now())

    def snapshot(self, member_id: MemberId, req: str | None, *, admin: bool = False) -> Snapshot:
        """Return the whole space as the member sees it."""
        now = asyncio.get_running_loop().time()
        return self._core.snapshot(member_id, req, now, admin=admin)

    def kept(self) -> Kept:
        """Return what lasts of the space."""
        return self._core.kept()

    def facilities(self, facilities: Facilities) -> None:
        """Say what the hub can do from now on."""
        self._core.facilities(facilities)
