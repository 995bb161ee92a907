"""Acts on members: their place, their volume, out, and in again."""

from hub.floor.events import Amend, Depart
from hub.spaces import hosts
from hub.spaces.effects import Happened, Happening, Louder, Reply
from hub.spaces.machine import SpaceMachine
from hub.spaces.rights import (
    HOSTS_TO_GIVE,
    RANK,
    Actor,
    error,
    is_protected,
    no_such_member,
    protected,
    rank_of,
)
from stagebox.wire.acts import MemberPlace, MemberRemove, MemberUnblock, MemberVolume
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Done, Error
from stagebox.wire.space import Member
from stagebox.wire.terms import Gone, Place, Req, Role


def place(machine: SpaceMachine, actor: Actor, act: MemberPlace) -> Reply:
    """``member.place``."""
    member = machine.member(act.member)
    if member is None:
        return no_such_member(act.req)
    if member.place is act.place:
        return Done(req=act.req)
    own = member.id == actor.member_id
    steps_down = own and RANK[act.place] < RANK[member.place]
    refusal = (
        (None if steps_down else _may_not_place(machine, actor, member, act))
        or _cannot_be(machine, member, act)
        or _headless(machine, member, act.req)
    )
    if refusal is not None:
        return refusal
    _move(machine, member, act.place, actor, given=not steps_down)
    machine.happened(Happening.PLACED, member.id, act.place, by=actor.name)
    return Done(req=act.req)


def volume(machine: SpaceMachine, actor: Actor, act: MemberVolume) -> Reply:
    """``member.volume``."""
    member = machine.member(act.member)
    if member is None:
        return no_such_member(act.req)
    if member.volume != act.volume:
        machine.floor(Amend(member.id, volume=act.volume))
        machine.do(Louder(member.id, act.volume))
        machine.happened(Happening.VOLUME_SET, member.id, str(act.volume), by=actor.name)
    return Done(req=act.req)


def remove(machine: SpaceMachine, actor: Actor, act: MemberRemove) -> Reply:
    """``member.remove``. Who has left already can still be blocked."""
    if act.member == actor.member_id:
        return error(act.req, ErrorCode.BAD_VALUE, "That is you. Leave the space instead.")
    member = machine.member(act.member)
    is_known = act.member in machine.people or act.member in machine.blocked
    if member is None and not (act.block and is_known):
        return no_such_member(act.req)
    if _outranks(machine, actor, act, member):
        return protected(act.req)
    if act.block and not _block(machine, actor, act):
        most = machine.settings.blocked_limit
        detail = f"{most} are blocked already, and no more can be. Unblock somebody first."
        return error(act.req, ErrorCode.TOO_MANY, detail)
    if member is not None:
        _put_out(machine, actor, member, act)
    elif act.member in machine.hidden:
        machine.expel(act.member, Gone.BLOCKED)
    machine.forget(act.member)
    return Done(req=act.req)


def unblock(machine: SpaceMachine, actor: Actor, act: MemberUnblock) -> Reply:
    """``member.unblock``."""
    name = machine.blocked.pop(act.member, None)
    if name is None:
        detail = "That member is not blocked. Look at the list of the blocked again."
        return error(act.req, ErrorCode.NO_SUCH_MEMBER, detail)
    machine.do(Happened(Happening.UNBLOCKED, act.member, name, by=actor.name))
    return Done(req=act.req)


def _may_not_place(
    machine: SpaceMachine, actor: Actor, member: Member, act: MemberPlace
) -> Error | None:
    rank = rank_of(machine, actor) or 0
    if rank < RANK[Place.COHOST]:
        detail = "Only a host or co-host gives places. Ask one of them, or raise your hand."
        return error(act.req, ErrorCode.NOT_ALLOWED, detail)
    if act.place in HOSTS_TO_GIVE and rank < RANK[Place.HOST]:
        detail = "Only the host names co-hosts and the next host. Ask the host."
        return error(act.req, ErrorCode.ONLY_HOST, detail)
    return protected(act.req) if is_protected(machine, actor, member) else None


def _cannot_be(machine: SpaceMachine, member: Member, act: MemberPlace) -> Error | None:
    if act.place is Place.LISTENER:
        return None
    if member.role is Role.SPEAKER:
        detail = "That is a listening speaker: it has no microphone. Choose another member."
        return error(act.req, ErrorCode.RECEIVE_ONLY, detail)
    limit = machine.settings.cohost_limit
    if act.place is Place.COHOST and len(machine.cohosts()) >= limit:
        detail = f"There are {limit} co-hosts already. Make one of them a speaker first."
        return error(act.req, ErrorCode.COHOST_LIMIT, detail)
    stage = machine.info.stage_limit
    if member.place is Place.LISTENER and machine.on_stage() >= stage:
        detail = f"The stage is full: it has {stage} places. Move somebody to the audience first."
        return error(act.req, ErrorCode.STAGE_FULL, detail)
    return None


def _headless(machine: SpaceMachine, member: Member, req: Req) -> Error | None:
    """Whether a host steps down and leaves a space that needs one without anybody."""
    if member.id != machine.info.host or machine.standing:
        return None
    if hosts.successor(machine) is not None:
        return None
    detail = "The space needs a host. Name a co-host first, who then takes over, or end it."
    return error(req, ErrorCode.NOT_ALLOWED, detail)


def _move(machine: SpaceMachine, member: Member, to: Place, actor: Actor, *, given: bool) -> None:
    if to is Place.HOST:
        hosts.make_host(machine, member.id, actor.name)
        return
    if member.id == machine.info.host:
        heir = hosts.successor(machine)
        if heir is None:
            machine.set_info(host=None)
        else:
            hosts.make_host(machine, heir.id, actor.name)
    machine.set_place(member.id, to, given=given)


def _outranks(
    machine: SpaceMachine, actor: Actor, act: MemberRemove, member: Member | None
) -> bool:
    if member is not None:
        return is_protected(machine, actor, member)
    place = machine.place_of(act.member) or Place.LISTENER
    rank = rank_of(machine, actor) or 0
    return not actor.admin and place in HOSTS_TO_GIVE and rank <= RANK[place]


def _block(machine: SpaceMachine, actor: Actor, act: MemberRemove) -> bool:
    if act.member in machine.blocked:
        return True
    if len(machine.blocked) >= machine.settings.blocked_limit:
        return False
    machine.blocked[act.member] = machine.name_of(act.member)
    machine.happened(Happening.BLOCKED, act.member, by=actor.name)
    return True


def _put_out(machine: SpaceMachine, actor: Actor, member: Member, act: MemberRemove) -> None:
    was_host = member.id == machine.info.host
    machine.floor(Depart(member.id, put_out=True))
    if was_host:
        hosts.unseat(machine)
    machine.expel(member.id, Gone.BLOCKED if act.block else Gone.REMOVED)
    machine.happened(Happening.REMOVED, member.id, by=actor.name)
