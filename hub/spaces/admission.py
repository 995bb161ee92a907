"""Who comes in, and as what."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from hub.floor.events import Enter
from hub.spaces.dates import parse
from hub.spaces.kept import FULL_VOLUME, Invitation, Person
from hub.spaces.lifecycle import AHEAD, OVER
from hub.spaces.machine import SpaceMachine
from hub.spaces.on_things import valid_invites
from hub.spaces.rights import RANK
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error
from stagebox.wire.terms import Kind, MemberId, Mode, Name, Place, Role, Speak, Token

# Where whoever has a TALK button talks: a browser is asked no more than a box.
_FREE: Final = (Mode.WALKIE, Mode.OPEN)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at the door. ``known``: an admin knows this person; ``invite``: what it shows."""

    member_id: MemberId
    name: Name
    kind: Kind
    role: Role
    admin: bool = False
    known: bool = False
    invite: Token | None = None
    hidden: bool = False


def admit(machine: SpaceMachine, arrival: Arrival) -> Enter | Error:
    """Return what lets the arrival in, or why it may not come in.

    A use of its invitation is counted; whoever has an as good place already keeps it whole.
    """
    invitation = _invitation(machine, arrival)
    refusal = _refusal(machine, arrival, invitation)
    if refusal is not None:
        return refusal
    if arrival.hidden:
        return _enter(arrival, Place.LISTENER, None)
    stored = _stored(machine, arrival)
    place = stored or _default(machine, arrival)
    if invitation is not None and RANK[invitation.place] > RANK[place]:
        place = _invited(machine, arrival, invitation.place, place)
        _use(machine, invitation)
        _remember(machine, arrival, place)
    place = _within_limits(machine, arrival, place)
    return _enter(arrival, place, machine.people.get(arrival.member_id))


def _refusal(
    machine: SpaceMachine, arrival: Arrival, invitation: Invitation | None
) -> Error | None:
    if machine.info.state in OVER:
        return _no(ErrorCode.SPACE_ENDED, "This space is over. Join another one.")
    if arrival.member_id in machine.blocked:
        # The same words as for a bad invitation: nobody learns more than that it was no.
        return _no(ErrorCode.BLOCKED, _NOT_VALID)
    if arrival.invite is not None and invitation is None:
        return _no(ErrorCode.BAD_INVITE, _NOT_VALID)
    if arrival.hidden and not machine.info.hidden_allowed:
        detail = "This space wants to know who listens. Join with your name."
        return _no(ErrorCode.HIDDEN_NOT_ALLOWED, detail)
    return None if _is_in(machine, arrival.member_id) else _no_room(machine, arrival)


def _no_room(machine: SpaceMachine, arrival: Arrival) -> Error | None:
    if machine.info.locked and not arrival.admin and not _is_chair(machine, arrival.member_id):
        return _no(ErrorCode.LOCKED, "This space is locked. Ask its host to unlock it.")
    if machine.count() >= machine.rules.member_limit:
        limit = machine.rules.member_limit
        return _no(ErrorCode.SPACE_FULL, f"This space is full: it has {limit} members. Try later.")
    return None


_NOT_VALID: Final = "You cannot join with this. Ask the host for a new invitation."


def _no(code: ErrorCode, detail: str) -> Error:
    return Error(code=code, detail=detail)


def _is_in(machine: SpaceMachine, member_id: MemberId) -> bool:
    return member_id in machine.hidden or machine.member(member_id) is not None


def _is_chair(machine: SpaceMachine, member_id: MemberId) -> bool:
    place = machine.place_of(member_id)
    return place is not None and RANK[place] >= RANK[Place.COHOST]


def _invitation(machine: SpaceMachine, arrival: Arrival) -> Invitation | None:
    for each in valid_invites(machine):
        if each.token == arrival.invite:
            return each
    return None


def _stored(machine: SpaceMachine, arrival: Arrival) -> Place | None:
    """Return the place that this member has, or was given; the host's only while it is free."""
    if arrival.role is Role.SPEAKER:
        return Place.LISTENER
    place = machine.place_of(arrival.member_id)
    is_taken = machine.info.host not in (None, arrival.member_id)
    return Place.COHOST if place is Place.HOST and is_taken else place


def _default(machine: SpaceMachine, arrival: Arrival) -> Place:
    """Return the place of somebody of whom nothing is known here."""
    if arrival.role is Role.STUDIO:
        return Place.HOST if _is_headless(machine) else Place.COHOST
    if arrival.admin and not machine.standing and _is_headless(machine):
        return Place.HOST
    if machine.rules.mode is Mode.STAGE or machine.info.speak is Speak.INVITED:
        return Place.LISTENER
    free = machine.rules.mode in _FREE and machine.info.speak is Speak.EVERYONE
    may = arrival.kind is not Kind.BROWSER or arrival.known or free
    return Place.SPEAKER if may else Place.LISTENER


def _is_headless(machine: SpaceMachine) -> bool:
    """Whether there is neither a host nor somebody who will be it on coming."""
    awaited = any(each.given and each.place is Place.HOST for each in machine.people.values())
    return machine.info.host is None and not awaited


def _invited(machine: SpaceMachine, arrival: Arrival, place: Place, otherwise: Place) -> Place:
    """Return the place of an invitation, if it is to be had."""
    if arrival.role is Role.SPEAKER:
        return otherwise
    is_new_there = otherwise is Place.LISTENER
    is_full = is_new_there and machine.on_stage() >= machine.info.stage_limit
    return otherwise if is_full else place


def _within_limits(machine: SpaceMachine, arrival: Arrival, place: Place) -> Place:
    """Return ``place``, or a speaker's if there are as many co-hosts as may be."""
    others = [each for each in machine.cohosts() if each.id != arrival.member_id]
    is_full = len(others) >= machine.settings.cohost_limit
    return Place.SPEAKER if place is Place.COHOST and is_full else place


def _use(machine: SpaceMachine, invitation: Invitation) -> None:
    machine.invites = tuple(
        replace(each, uses=each.uses - 1) if each is invitation else each
        for each in machine.invites
    )


def _remember(machine: SpaceMachine, arrival: Arrival, place: Place) -> None:
    before = machine.people.get(arrival.member_id)
    person = before or Person(name=arrival.name, kind=arrival.kind, role=arrival.role)
    machine.keep(arrival.member_id, replace(person, place=place, given=True))


def _enter(arrival: Arrival, place: Place, person: Person | None) -> Enter:
    return Enter(
        member_id=arrival.member_id,
        name=arrival.name,
        kind=arrival.kind,
        role=arrival.role,
        place=place,
        agreed=person.agreed if person else 0,
        captioned=person.captioned if person else False,
        held=person.held if person else False,
        volume=person.volume if person else FULL_VOLUME,
        hidden=arrival.hidden,
    )


def opens_doors(machine: SpaceMachine) -> bool:
    """Whether a chair who comes now comes to prepare: the hour is near, or there is none."""
    if machine.info.state not in AHEAD:
        return False
    early = timedelta(seconds=machine.settings.early_s)
    starts_at = machine.info.starts_at
    return starts_at is None or parse(starts_at) - early <= machine.utc
