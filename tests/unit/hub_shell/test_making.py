"""What a new space is made of."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from hub.floor.rules import FloorRules
from hub.spaces.kept import Kept
from hub.spaces.making import as_settings_say, default_name, free_id, new_space
from stagebox.wire.acts import SpaceNew
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Mode, Name, Place, SpaceId, SpaceState, Speak

A = "0" * 32


def test_an_id_is_made_from_the_name_and_never_twice() -> None:
    taken: set[str] = set()
    for expected in ("caf-talk", "caf-talk-2", "caf-talk-3"):
        found = free_id("  Caf\u0153 Talk! ", taken)
        assert found == expected
        taken.add(found)
    assert free_id("\u53f0\u6240", set()) == "space"


@given(st.text(max_size=60), st.sets(st.integers(1, 30)))
def test_every_name_gives_an_id_of_the_wire(name: str, used: set[int]) -> None:
    taken: set[str] = set()
    for _ in used:
        taken.add(free_id(name, taken))
    found = free_id(name, taken)
    assert convert(found, SpaceId) not in taken


def test_a_new_space_waits_for_its_maker() -> None:
    new = SpaceNew(req="n", topic="News", tags=("a",), mode=Mode.FIFO, speak=Speak.KNOWN)
    kept = new_space("talk", new, A, "Anna")
    assert (kept.info.name, kept.info.state) == ("Space of Anna", SpaceState.DRAFT)
    assert (kept.info.topic, kept.info.tags) == ("News", ("a",))
    assert (kept.rules.mode, kept.rules.listeners_ask) == (Mode.FIFO, False)
    assert [(p.name, p.place, p.given) for p in kept.people.values()] == [
        ("Anna", Place.HOST, True)
    ]


def test_one_that_is_prepared_and_one_that_nobody_in_particular_made() -> None:
    kept = new_space("talk", SpaceNew(req="n", name="Talk", backstage=True), None, "Admin")
    assert (kept.info.name, kept.info.state, kept.people) == ("Talk", SpaceState.BACKSTAGE, {})


def test_the_name_it_gets_fits() -> None:
    assert len(convert(default_name("x" * 40), Name)) == 40


def test_settings_that_changed_say_what_it_is_called_and_how_it_gives_the_floor() -> None:
    before = Kept.standing_space(
        SpaceInfo(id="main", name="Main", topic="Soup"), FloorRules.for_mode(Mode.OPEN)
    )
    info = SpaceInfo(id="main", name="Hall")
    after = as_settings_say(before, info, FloorRules.for_mode(Mode.FIFO, stage_limit=5))
    assert (after.info.name, after.info.topic, after.info.stage_limit) == ("Hall", "Soup", 5)
    assert (after.rules.mode, after.standing) == (Mode.FIFO, True)
