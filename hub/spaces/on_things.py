"""Acts on what a space has: invitations, pins, reactions, the recording and consent to it."""

from datetime import timedelta

from hub.floor.events import Agreed, Amend, RequireConsent
from hub.spaces import hosts
from hub.spaces.dates import moment, parse
from hub.spaces.effects import Broadcast, Happening, Record, Reply
from hub.spaces.kept import Invitation
from hub.spaces.machine import SpaceMachine
from hub.spaces.rights import RANK, Actor, error, rank_of
from stagebox.wire.acts import (
    Agree,
    Invite,
    InviteNew,
    InviteRevoke,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Done, Error, Reaction
from stagebox.wire.space import Pin, Recording
from stagebox.wire.terms import MemberId, Place, SpaceState


def invite(machine: SpaceMachine, actor: Actor, act: InviteNew) -> Reply:
    """``invite.new``."""
    machine.invites = valid_invites(machine)
    refusal = _may_not_invite(machine, actor, act)
    if refusal is not None:
        return refusal
    made = Invitation(
        token=machine.names.new_token(),
        code=machine.names.new_code(),
        place=act.place,
        uses=act.uses,
        expires=moment(machine.utc + timedelta(seconds=act.ttl_s)),
        by=actor.name,
    )
    machine.invites = (*machine.invites, made)
    machine.happened(Happening.INVITED, detail=act.place, by=actor.name)
    return Invite(
        req=act.req,
        token=made.token,
        code=made.code,
        place=made.place,
        expires_in_s=act.ttl_s,
    )


def uninvite(machine: SpaceMachine, actor: Actor, act: InviteRevoke) -> Reply:
    """``invite.revoke``: its link and its code lead nowhere from now on; who came by it stays."""
    valid = valid_invites(machine)
    found = next((each for each in valid if each.token == act.token), None)
    if found is None:
        detail = "There is no such invitation any more. Look at the invitations again."
        return error(act.req, ErrorCode.BAD_INVITE, detail)
    if not may_invite(machine, actor, found.place):
        detail = "Only the host takes back an invitation to co-hosts. Ask the host."
        return error(act.req, ErrorCode.ONLY_HOST, detail)
    machine.invites = tuple(each for each in valid if each.token != act.token)
    machine.happened(Happening.INVITE_REVOKED, detail=found.place, by=actor.name)
    return Done(req=act.req)


def may_invite(machine: SpaceMachine, actor: Actor, place: Place) -> bool:
    """Whether an actor who may invite at all may invite to this place."""
    return place is not Place.COHOST or (rank_of(machine, actor) or 0) >= RANK[Place.HOST]


def valid_invites(machine: SpaceMachine) -> tuple[Invitation, ...]:
    """Return the invitations that still hold."""
    now = machine.utc
    return tuple(each for each in machine.invites if each.uses and parse(each.expires) > now)


def pin(machine: SpaceMachine, actor: Actor, act: PinAdd) -> Reply:
    """``pin.add``."""
    limit = machine.settings.pin_limit
    if len(machine.pins) >= limit:
        detail = f"There are {limit} pins already. Take one down first."
        return error(act.req, ErrorCode.TOO_MANY, detail)
    machine.last_pin += 1
    made = Pin(
        id=machine.last_pin,
        text=act.text,
        by=actor.name,
        at=moment(machine.utc),
        url=act.url,
    )
    machine.pins = (*machine.pins, made)
    machine.happened(Happening.PINNED, detail=str(made.id), by=actor.name)
    return Done(req=act.req)


def unpin(machine: SpaceMachine, actor: Actor, act: PinRemove) -> Reply:
    """``pin.remove``."""
    pins = tuple(each for each in machine.pins if each.id != act.id)
    if len(pins) == len(machine.pins):
        detail = "There is no such pin any more. Look at the pins again."
        return error(act.req, ErrorCode.NO_SUCH_PIN, detail)
    machine.pins = pins
    machine.happened(Happening.UNPINNED, detail=str(act.id), by=actor.name)
    return Done(req=act.req)


class Reactions:
    """When each member last showed a mark."""

    def __init__(self) -> None:
        self._last: dict[MemberId, float] = {}

    def react(self, machine: SpaceMachine, actor: Actor, act: React) -> Reply:
        """``react``. One that comes too soon after another is dropped, and no mistake."""
        member_id = actor.member_id or ""
        since = machine.now - machine.settings.reaction_s
        if self._last.get(member_id, since) <= since:
            self._last = {each: at for each, at in self._last.items() if at > since}
            self._last[member_id] = machine.now
            machine.do(Broadcast(Reaction(member=member_id, mark=act.mark)))
        return Done(req=act.req)


def record(machine: SpaceMachine, actor: Actor, act: RecordSet) -> Reply:
    """``record.set``."""
    if act.on is (machine.info.recording is not None):
        return Done(req=act.req)
    if not act.on:
        hosts.stop_recording(machine, actor.name)
        machine.floor(RequireConsent(0))
        return Done(req=act.req)
    if machine.info.state is not SpaceState.LIVE:
        detail = "Only a live space is recorded. Start it, or wait for its host."
        return error(act.req, ErrorCode.NOT_LIVE, detail)
    if not machine.facilities.disk:
        detail = "The hub's disk is full. Delete old recordings first."
        return error(act.req, ErrorCode.DISK_FULL, detail)
    machine.recordings += 1
    recording = Recording(
        version=machine.recordings,
        since=moment(machine.utc),
        by=actor.name,
        keep_days=machine.keep_days,
    )
    machine.set_info(recording=recording)
    machine.floor(RequireConsent(recording.version))
    machine.do(Record(recording))
    machine.happened(Happening.RECORDING_STARTED, detail=str(recording.version), by=actor.name)
    return Done(req=act.req)


def agree(machine: SpaceMachine, actor: Actor, act: Agree) -> Reply:
    """``agree``: all of it, or none of it."""
    running = machine.info.recording
    if act.recording and (running is None or act.recording != running.version):
        detail = "That recording does not run (any more). Agree to the one that does, if any."
        return error(act.req, ErrorCode.BAD_VALUE, detail)
    member_id = actor.member_id or ""
    member = machine.members()[member_id]  # it has a seat, say the rights
    if act.recording is not None and act.recording != member.agreed:
        machine.floor(Agreed(member_id, act.recording))
        kind = Happening.AGREED if act.recording else Happening.WITHDRAWN
        machine.happened(kind, member_id, str(act.recording or member.agreed))
    if act.captions is not None and act.captions is not member.captioned:
        machine.floor(Amend(member_id, captioned=act.captions))
        kind = Happening.CAPTIONS_AGREED if act.captions else Happening.CAPTIONS_WITHDRAWN
        machine.happened(kind, member_id)
    return Done(req=act.req)


def _may_not_invite(machine: SpaceMachine, actor: Actor, act: InviteNew) -> Error | None:
    if act.place is Place.HOST:
        detail = "A host is not invited: invite a co-host, and make it the host when it is here."
        return error(act.req, ErrorCode.BAD_VALUE, detail)
    if not may_invite(machine, actor, act.place):
        detail = "Only the host invites co-hosts. Ask the host, or invite a speaker."
        return error(act.req, ErrorCode.ONLY_HOST, detail)
    limit = machine.settings.invite_limit
    if len(machine.invites) >= limit:
        detail = f"There are {limit} invitations already. Take one back, or wait until one is over."
        return error(act.req, ErrorCode.TOO_MANY, detail)
    return None
