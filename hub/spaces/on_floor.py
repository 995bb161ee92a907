"""Acts of chairs on the floor. Who may act was checked by ``hub.spaces.rights``."""

from hub.floor.events import Clear, Hold, HoldAll, Move, Priority
from hub.spaces.effects import Happening, Reply
from hub.spaces.machine import SpaceMachine
from hub.spaces.rights import Actor, error, is_protected, no_such_member, protected
from stagebox.wire.acts import FloorClear, FloorHold, FloorMove, FloorNext, FloorPriority
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Done
from stagebox.wire.terms import Place


def give_next(machine: SpaceMachine, actor: Actor, act: FloorNext) -> Reply:
    """``floor.next``."""
    if not machine.rules.queues:
        mode = machine.rules.mode
        return error(act.req, ErrorCode.HANDS_OFF, f"In the mode {mode} nobody raises a hand.")
    if act.member is not None and machine.member(act.member) is None:
        return no_such_member(act.req)
    before = machine.arbiter.floor()
    if act.member is None and not before.queue:
        return error(act.req, ErrorCode.QUEUE_EMPTY, "No hands are up. Wait for one.")
    reply = machine.arbiter.call(act.req, act.member, machine.now)
    offered = {*machine.arbiter.floor().offered} - {*before.offered}
    machine.floor_did(machine.arbiter.tick(machine.now))
    for member_id in offered if isinstance(reply, Done) else ():
        machine.happened(Happening.CALLED, member_id, by=actor.name)
    return reply


def hold(machine: SpaceMachine, actor: Actor, act: FloorHold) -> Reply:
    """``floor.hold``."""
    kind = Happening.HELD if act.on else Happening.FREED
    if act.member is None:
        if machine.arbiter.floor().held is not act.on:
            machine.floor(HoldAll(act.on))
            machine.happened(kind, by=actor.name)
        return Done(req=act.req)
    member = machine.member(act.member)
    if member is None:
        return no_such_member(act.req)
    if act.on and is_protected(machine, actor, member):
        return protected(act.req)
    if member.held is not act.on:
        machine.floor(Hold(member.id, act.on))
        machine.happened(kind, member.id, by=actor.name)
    return Done(req=act.req)


def priority(machine: SpaceMachine, actor: Actor, act: FloorPriority) -> Reply:
    """``floor.priority``. An admin who is no chair has no microphone to give priority to."""
    me = machine.member(actor.member_id)
    if me is None or me.place not in (Place.COHOST, Place.HOST):
        detail = "Priority is for the host and co-hosts. Take such a place first."
        return error(act.req, ErrorCode.NOT_ALLOWED, detail)
    before = machine.arbiter.floor().priority
    machine.floor(Priority(me.id, act.on))
    now = machine.arbiter.floor().priority
    if act.on and now != me.id:
        detail = "The host has priority now. Wait until the host lets go."
        return error(act.req, ErrorCode.CHAIR_PROTECTED, detail)
    if before != now:
        kind = Happening.PRIORITY_BEGAN if act.on else Happening.PRIORITY_ENDED
        machine.happened(kind, me.id)
    return Done(req=act.req)


def clear(machine: SpaceMachine, actor: Actor, act: FloorClear) -> Reply:
    """``floor.clear``. A hand that is down already is no mistake."""
    if act.member is not None and machine.member(act.member) is None:
        return no_such_member(act.req)
    before = machine.arbiter.floor()
    machine.floor(Clear(act.member))
    if machine.arbiter.floor() != before:
        machine.happened(Happening.HANDS_CLEARED, act.member, by=actor.name)
    return Done(req=act.req)


def move(machine: SpaceMachine, actor: Actor, act: FloorMove) -> Reply:
    """``floor.move``."""
    if machine.member(act.member) is None:
        return no_such_member(act.req)
    if act.member not in machine.arbiter.floor().queue:
        detail = "That member has no hand up. Look at the queue again."
        return error(act.req, ErrorCode.NO_SUCH_MEMBER, detail)
    machine.floor(Move(act.member, act.position))
    machine.happened(Happening.HAND_MOVED, act.member, str(act.position), by=actor.name)
    return Done(req=act.req)
