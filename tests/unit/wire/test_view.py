"""A view kept by events equals a view from a fresh snapshot."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.wire.messages import Snapshot
from stagebox.wire.space import (
    Floor,
    FloorChanged,
    Member,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    SpaceChanged,
    SpaceInfo,
    StateEvent,
)
from stagebox.wire.terms import Kind, Mode, Place
from stagebox.wire.view import SpaceView

IDS = [f"{n:032x}" for n in range(4)]
SPACE = SpaceInfo(id="hall", name="Hall")


def person(member_id: str, name: str = "Anna", *, muted: bool = False) -> Member:
    return Member(id=member_id, name=name, kind=Kind.BOX, place=Place.SPEAKER, muted=muted)


@dataclass
class Room:
    """The simplest hub there could be: the truth, and one event for each change of it."""

    rev: int = 0
    name: str = "Hall"
    members: dict[str, Member] = field(default_factory=dict)
    talkers: tuple[str, ...] = ()

    @property
    def space(self) -> SpaceInfo:
        return SpaceInfo(id="hall", name=self.name)

    @property
    def floor(self) -> Floor:
        return Floor(mode=Mode.WALKIE, open_limit=1, talkers=self.talkers)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            req="a",
            rev=self.rev,
            you=IDS[0],
            space=self.space,
            members=tuple(self.members.values()),
            floor=self.floor,
        )

    def change(self, what: str, who: str, name: str) -> StateEvent:
        self.rev += 1
        match what:
            case "talk":
                self.talkers = (who,)
                return FloorChanged(rev=self.rev, floor=self.floor)
            case "rename":
                self.name = name
                return SpaceChanged(rev=self.rev, space=self.space)
            case "leave" if who in self.members:
                del self.members[who]
                return MemberLeft(rev=self.rev, id=who)
        known = who in self.members
        self.members[who] = person(who, name)
        event = MemberChanged if known else MemberJoined
        return event(rev=self.rev, member=self.members[who])


changes = st.tuples(
    st.sampled_from(["join", "leave", "talk", "rename"]),
    st.sampled_from(IDS),
    st.sampled_from(["Anna", "Bert"]),
)


@given(st.lists(changes, max_size=30), st.lists(changes, max_size=30))
def test_a_late_snapshot_equals_an_early_one_plus_events(
    before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    room = Room()
    for change in before:
        room.change(*change)
    view = SpaceView.of(room.snapshot())
    for change in after:
        applied = view.apply(room.change(*change))
        assert applied is not None
        view = applied
    assert view == SpaceView.of(room.snapshot())


@given(st.lists(changes, min_size=2, max_size=20), st.data())
def test_a_repeated_event_changes_nothing_and_a_missing_one_is_noticed(
    plan: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    room = Room()
    early = SpaceView.of(room.snapshot())
    events = [room.change(*change) for change in plan]
    now = SpaceView.of(room.snapshot())
    assert now.apply(data.draw(st.sampled_from(events))) is now
    late = data.draw(st.integers(1, len(events) - 1))
    assert early.apply(events[late]) is None


def test_events_leave_the_older_view_as_it_was() -> None:
    room = Room(members={IDS[0]: person(IDS[0])})
    view = SpaceView.of(room.snapshot())
    gone = view.apply(room.change("leave", IDS[0], ""))
    assert gone is not None
    assert not gone.members
    assert view.members == {IDS[0]: person(IDS[0])}


def test_leaving_of_somebody_unknown_only_moves_the_revision() -> None:
    view = SpaceView.of(Room().snapshot())
    after = view.apply(MemberLeft(rev=1, id=IDS[1]))
    assert after is not None
    assert (after.rev, after.members) == (1, {})


@dataclass(frozen=True)
class Weather:
    """An event of a type that this view cannot know."""

    rev: int


@pytest.mark.parametrize("rev", [1, 5])
def test_an_event_that_cannot_be_applied_counts_as_a_gap(rev: int) -> None:
    view = SpaceView.of(Room().snapshot())
    assert view.apply(cast(StateEvent, Weather(rev))) is None
