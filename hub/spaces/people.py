"""What is kept of the people of a space, brought up to date after everything that happens."""

from msgspec.structs import replace

from hub.spaces.kept import FULL_VOLUME, Person
from hub.spaces.machine import SpaceMachine
from stagebox.wire.space import Member
from stagebox.wire.terms import MemberId


def update(machine: SpaceMachine) -> None:
    """Bring ``machine.people`` up to date."""
    members, before = machine.members(), machine.people
    version = machine.recordings if machine.info.recording is not None else 0
    here = {each: _seen(before.get(each), member) for each, member in members.items()}
    away = {
        each: replace(person, here=False)
        for each, person in sorted(before.items(), key=_was_here)  # who left last comes last
        if each not in members and (each == machine.info.host or _lasts(person, version))
    }
    surplus = max(len(away) - machine.settings.people_limit, 0)
    machine.people = {**here, **{each: away[each] for each in [*away][surplus:]}}


def _seen(person: Person | None, member: Member) -> Person:
    return Person(
        name=member.name,
        kind=member.kind,
        role=member.role,
        place=member.place,
        given=person is not None and person.given,
        here=True,
        held=member.held,
        agreed=member.agreed,
        captioned=member.captioned,
        volume=member.volume,
    )


def _was_here(item: tuple[MemberId, Person]) -> bool:
    return item[1].here


def _lasts(person: Person, version: int) -> bool:
    """Whether somebody who is away is to be found again as it was."""
    consents = person.captioned or (version and person.agreed == version)
    return bool(person.given or person.held or consents or person.volume != FULL_VOLUME)
