"""From a space to what lasts of it, and back."""

from msgspec.structs import replace

from hub.floor.events import HoldAll, RequireConsent, Restore
from hub.spaces import hosts
from hub.spaces.effects import Happening, Record
from hub.spaces.kept import Kept
from hub.spaces.machine import SpaceMachine
from stagebox.wire.terms import Rev, SpaceState


def keep(machine: SpaceMachine, rev: Rev) -> Kept:
    """Return what lasts of this space."""
    return Kept(
        info=replace(machine.info, hidden=0, frozen_until=None),
        rules=machine.rules,
        standing=machine.standing,
        rev=rev,
        people=machine.people,
        blocked=dict(machine.blocked),
        hands=machine.arbiter.hands(),
        pins=machine.pins,
        last_pin=machine.last_pin,
        invites=machine.invites,
        recordings=machine.recordings,
        keep_days=machine.keep_days,
        line=machine.line,
        held=machine.arbiter.floor().held,
    )


def restore(machine: SpaceMachine, kept: Kept) -> None:
    """Bring a new machine to where the space was; nobody is connected.

    Those with a hand up come first, for that is the order of the queue. What has to be done
    anew, such as to record, is left to be taken.
    """
    hands = dict(kept.hands)
    here = [each for each, person in kept.people.items() if person.here]
    for member_id in (*hands, *(each for each in here if each not in hands)):
        person = kept.people.get(member_id)
        if person is not None:
            machine.floor(Restore(person.member(member_id), hands.get(member_id, "")))
    machine.floor(HoldAll(kept.held))
    recording = kept.info.recording
    if recording is not None:
        machine.floor(RequireConsent(recording.version))
    hosts.restore(machine)
    machine.take()  # nobody is there to be told
    if recording is not None:
        machine.do(Record(recording))
    if kept.rev == 0 and kept.info.state is SpaceState.LIVE and not kept.standing:
        machine.happened(Happening.SPACE_STARTED)
