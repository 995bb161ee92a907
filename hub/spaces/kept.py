"""What lasts of a space: enough to go on after the hub's restart, as JSON in the store.

Fields that are missing have defaults and unknown ones are skipped, so that an older or a
newer hub reads it. Microphones, offers and connections do not last.
"""

import dataclasses
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.floor.rules import FloorRules
from hub.spaces.settings import KEEP_DAYS
from stagebox.wire.space import Member, Pin, SpaceInfo
from stagebox.wire.terms import (
    Code,
    Count,
    Kind,
    MemberId,
    Moment,
    Name,
    Percent,
    Place,
    Req,
    Rev,
    Role,
    SpaceState,
    Speak,
    Token,
)

FULL_VOLUME = 100


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who is in the space, or of whom something is kept.

    ``given``: somebody gave it this place, so it has it again when it comes back.
    ``here``: it is in the space, or waited for.
    """

    name: Name
    kind: Kind = Kind.BOX
    role: Role = Role.GUEST
    place: Place = Place.SPEAKER
    given: bool = False
    here: bool = False
    held: bool = False
    agreed: Count = 0
    captioned: bool = False
    volume: Percent = FULL_VOLUME

    def member(self, member_id: MemberId) -> Member:
        """Return this person as a member who is not connected."""
        return Member(
            id=member_id,
            name=self.name,
            kind=self.kind,
            place=self.place,
            role=self.role,
            connected=False,
            held=self.held,
            agreed=self.agreed,
            captioned=self.captioned,
            volume=self.volume,
        )


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation to ``place`` for so many ``uses`` until it ``expires``. ``by``: who made it."""

    token: Token
    code: Code
    place: Place
    uses: Count
    expires: Moment
    by: str = ""


class Kept(Struct, frozen=True, kw_only=True):
    """Everything of a space that lasts.

    ``standing``: a space of the hub's settings, which neither begins nor ends. ``hands``: who
    waits, in order, and its request. ``recordings``: how many there were; the version of the
    latest. ``line``: co-hosts, the eldest first. ``held``: everybody but chairs is held.
    """

    info: SpaceInfo
    rules: FloorRules
    standing: bool = False
    rev: Rev = 0
    people: Mapping[MemberId, Person] = {}
    blocked: dict[MemberId, Name] = {}
    hands: tuple[tuple[MemberId, Req], ...] = ()
    pins: tuple[Pin, ...] = ()
    last_pin: Count = 0
    invites: tuple[Invitation, ...] = ()
    recordings: Count = 0
    keep_days: Count = KEEP_DAYS
    line: tuple[MemberId, ...] = ()
    held: bool = False

    @classmethod
    def standing_space(cls, info: SpaceInfo, rules: FloorRules) -> "Kept":
        """Return a new space of the hub's settings."""
        info = replace(info, stage_limit=rules.stage_limit)
        return cls(info=info, rules=in_step(info, rules), standing=True)

    @classmethod
    def decode(cls, data: bytes | str) -> "Kept":
        """Return what ``encode`` was given.

        Raises:
            ValueError: ``data`` is not what a hub writes.
        """
        return msgspec.json.decode(data, type=cls)

    def encode(self) -> bytes:
        """Return this as JSON."""
        return msgspec.json.encode(self)

    def over(self, state: SpaceState) -> "Kept":
        """Return what stays of a space that is archived, or purged: then only that it was."""
        if state is SpaceState.PURGED:
            info = SpaceInfo(id=self.info.id, name=self.info.id, state=state)
            return Kept(info=info, rules=self.rules, rev=self.rev)
        return replace(self, info=replace(self.info, state=state), invites=(), hands=())


def in_step(info: SpaceInfo, rules: FloorRules) -> FloorRules:
    """Return ``rules`` with those that the space itself decides.

    Backstage a raised hand brings nobody in: who waits there would hear what is said.
    """
    may_ask = info.speak is Speak.EVERYONE and info.state is not SpaceState.BACKSTAGE
    return dataclasses.replace(rules, stage_limit=info.stage_limit, listeners_ask=may_ask)
