"""Who is the host of a space, and what becomes of it without one.

A host who leaves hands over to the eldest co-host who is there. One who is lost, or who
leaves nobody behind to hand over to, freezes the space: if it is not back in time, the
eldest co-host takes over; with none there, the space ends. Standing spaces need no host.
"""

import dataclasses

from hub.floor.events import Depart, Enter
from hub.spaces.effects import Happened, Happening, Record
from hub.spaces.lifecycle import Step, after
from hub.spaces.machine import SpaceMachine
from stagebox.wire.space import Member
from stagebox.wire.terms import Gone, MemberId, Place, Role, SpaceState


def seated(machine: SpaceMachine, event: Enter) -> Enter:
    """Return ``event`` such that there is one host: who comes as one is it, or a co-host."""
    if event.place is not Place.HOST or event.role is Role.SPEAKER:
        if machine.info.host == event.member_id:
            machine.set_info(host=None)
        return event
    if machine.info.host is None:
        machine.set_info(host=event.member_id)
        machine.do(Happened(Happening.HOST_CHANGED, event.member_id, event.name))
    elif machine.info.host != event.member_id:
        return dataclasses.replace(event, place=Place.COHOST)
    return event


def restore(machine: SpaceMachine) -> None:
    """Go on where the space was before the hub's restart; the host may take a while to return."""
    state, host = machine.info.state, machine.people.get(machine.info.host or "")
    machine.enter_state(state)
    if state is SpaceState.FROZEN:
        machine.set_info(frozen_until=machine.now + machine.settings.host_grace_s)
    machine.host_came = host is not None and host.here
    machine.return_at = machine.now + machine.settings.return_s * machine.host_came
    watch_emptiness(machine)


def make_host(machine: SpaceMachine, member_id: MemberId, by: str = "") -> None:
    """Make this member the host; the one before becomes a co-host, or a speaker."""
    before = machine.info.host
    machine.set_info(host=member_id)
    if before is not None and before != member_id:
        machine.set_place(member_id, Place.HOST)
        has_room = len(machine.cohosts()) < machine.settings.cohost_limit
        machine.set_place(before, Place.COHOST if has_room else Place.SPEAKER)
    else:
        machine.set_place(member_id, Place.HOST)
    machine.host_came = True
    machine.happened(Happening.HOST_CHANGED, member_id, by=by)


def successor(machine: SpaceMachine) -> Member | None:
    """Return the eldest co-host who is there."""
    there = {each.id: each for each in machine.cohosts() if each.connected}
    return next((there[each] for each in machine.line if each in there), None)


def watch(machine: SpaceMachine) -> None:
    """See whether the host is there, and act on it if that is news."""
    _keep_line(machine)
    _look_for_host(machine)
    _keep_line(machine)


def _look_for_host(machine: SpaceMachine) -> None:
    if machine.info.host is None or machine.over:
        return
    host = machine.member(machine.info.host)
    if host is not None and host.connected:
        machine.host_came, machine.return_at = True, machine.now
        if machine.info.state is SpaceState.FROZEN:
            _thaw(machine, Happening.HOST_BACK)
    elif machine.standing:
        if host is None:
            machine.set_info(host=None)
    elif machine.host_came and machine.now >= machine.return_at:
        _without(machine, host)


def expire(machine: SpaceMachine) -> None:
    """Do what is due: the end of the host's grace, or of a space that everybody forgot."""
    if machine.info.frozen_until is not None and machine.now >= machine.info.frozen_until:
        heir = successor(machine)
        if heir is None:
            end(machine)
        else:
            make_host(machine, heir.id)
            _thaw(machine, None)
    if machine.empty_at is not None and machine.now >= machine.empty_at:
        end(machine, Step.CANCEL if machine.info.state is SpaceState.DRAFT else Step.END)


def deadline(machine: SpaceMachine) -> list[float]:
    """Return when something here falls due."""
    waits_for_host = machine.return_at > machine.now and machine.host_came and not machine.standing
    due = [machine.info.frozen_until, machine.empty_at]
    return [at for at in due if at is not None] + [machine.return_at] * waits_for_host


def unseat(machine: SpaceMachine) -> None:
    """Go on without the host, who was put out."""
    machine.set_info(host=None)
    heir = successor(machine)
    if heir is not None:
        make_host(machine, heir.id)
    elif machine.info.state is SpaceState.LIVE and not machine.standing:
        freeze(machine)


def freeze(machine: SpaceMachine) -> None:
    """Stop all talk until the host is back, for as long as the grace lasts."""
    machine.enter_state(SpaceState.FROZEN)
    machine.set_info(frozen_until=machine.now + machine.settings.host_grace_s)
    machine.happened(Happening.HOST_LOST, machine.info.host)


def end(machine: SpaceMachine, step: Step = Step.END, by: str = "") -> None:
    """End the space: microphones first, then everybody out."""
    state = after(machine.info.state, step)
    if state is None:
        raise AssertionError(f"{step} in the state {machine.info.state}")
    cancelled = step is Step.CANCEL
    machine.happened(Happening.SPACE_CANCELLED if cancelled else Happening.SPACE_ENDED, by=by)
    leaving = [each.id for each in machine.members().values()]
    machine.enter_state(state)
    stop_recording(machine, by)
    machine.set_info(captions=False, streamed=False)
    for member_id in leaving:
        machine.floor(Depart(member_id), untold=True)
    for member_id in (*leaving, *machine.hidden):
        machine.expel(member_id, Gone.ENDED)
    machine.empty_at = None
    machine.invites = ()


def stop_recording(machine: SpaceMachine, by: str = "") -> None:
    """Stop the recording, if one runs."""
    if machine.info.recording is not None:
        machine.set_info(recording=None)
        machine.do(Record(None))
        machine.happened(Happening.RECORDING_STOPPED, by=by)


def watch_emptiness(machine: SpaceMachine) -> None:
    """Note since when nobody is in a space that somebody opened and forgot."""
    state = machine.info.state
    waits = state is SpaceState.SCHEDULED or (
        state is SpaceState.BACKSTAGE and machine.info.starts_at is not None
    )
    if machine.standing or machine.over or waits or machine.count():
        machine.empty_at = None
    elif machine.empty_at is None:
        machine.empty_at = machine.now + machine.settings.empty_s


def _without(machine: SpaceMachine, host: Member | None) -> None:
    """Go on while the host, who was there, is away; ``host``: its seat, if that is kept."""
    state = machine.info.state
    if state not in (SpaceState.LIVE, SpaceState.BACKSTAGE):
        return
    heir = successor(machine) if host is None else None
    if heir is not None:
        make_host(machine, heir.id)
    elif state is SpaceState.LIVE:
        freeze(machine)


def _thaw(machine: SpaceMachine, kind: Happening | None) -> None:
    machine.enter_state(SpaceState.LIVE)
    if kind is not None:
        machine.happened(kind, machine.info.host)


def _keep_line(machine: SpaceMachine) -> None:
    """Keep the co-hosts in the order in which they became it."""
    cohosts = [each.id for each in machine.cohosts()]
    line = [each for each in machine.line if each in cohosts]
    machine.line = (*line, *(each for each in cohosts if each not in line))
