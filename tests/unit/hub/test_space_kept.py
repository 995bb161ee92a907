"""What lasts of a space, as JSON."""

import json

import msgspec
import pytest

from hub.spaces.kept import Kept, Person
from stagebox.wire.acts import FloorHold, InviteNew, MemberPlace, PinAdd, RecordSet, SpaceEdit
from stagebox.wire.terms import Mode, Place, SpaceState, Speak
from tests.unit.hub.spaces_kit import HOST, A, B, Hall, fresh


def used() -> Hall:
    """Return a space in which much happened."""
    hall = Hall(Mode.FIFO)
    hall.host()
    hall.come(A, B)
    hall.done(HOST, MemberPlace, member=A, place=Place.COHOST)
    hall.done(HOST, PinAdd, text="Read this", url="https://example.org/")
    hall.act(HOST, InviteNew, place=Place.SPEAKER)
    hall.done(HOST, SpaceEdit, topic="News", speak=Speak.KNOWN, keep_days=7)
    hall.hand(A)
    hall.hand(B)
    hall.done(HOST, RecordSet, on=True)
    hall.done(HOST, FloorHold, on=True)
    hall.arrive("e" * 32, hidden=True)
    return hall


def test_it_reads_what_it_wrote() -> None:
    kept = used().space.kept()
    assert Kept.decode(kept.encode()) == kept
    assert Kept.decode(kept.encode().decode()) == kept


def test_nobody_who_listens_unnamed_is_kept() -> None:
    assert b"eeeeeeee" not in used().space.kept().encode()


def test_what_is_missing_has_defaults_and_what_is_unknown_is_skipped() -> None:
    full = json.loads(fresh().encode())
    least = {name: full[name] for name in ("info", "rules")}
    least["of a later version"] = 1
    kept = Kept.decode(json.dumps(least))
    assert kept == fresh()
    assert msgspec.convert({"name": "Anna", "new": 1}, Person) == Person(name="Anna")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"info": {}, "rules": {}}', b"\xff"])
def test_what_no_hub_wrote_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        Kept.decode(data)


def test_archived_it_is_all_there_and_purged_only_that_it_was() -> None:
    kept = used().space.kept()
    archived = kept.over(SpaceState.ARCHIVED)
    assert (archived.info.state, archived.pins) == (SpaceState.ARCHIVED, kept.pins)
    assert (archived.invites, archived.hands) == ((), ())
    purged = archived.over(SpaceState.PURGED)
    assert purged.info.state is SpaceState.PURGED
    text = purged.encode().decode()
    assert "Member" not in text
    assert "News" not in text
    assert A not in text


def test_a_hand_of_nobody_is_dropped() -> None:
    kept = msgspec.structs.replace(fresh(Mode.FIFO), hands=((A, "h1"),))
    assert Hall(kept).floor.queue == ()


def test_a_standing_space_takes_the_stage_from_its_rules() -> None:
    kept = fresh()
    standing = Kept.standing_space(kept.info, msgspec_rules(kept, stage_limit=5))
    assert (standing.info.stage_limit, standing.rules.stage_limit) == (5, 5)
    assert standing.standing


def msgspec_rules(kept: Kept, **changes: int) -> object:
    fields = {name: getattr(kept.rules, name) for name in kept.rules.__slots__}
    return type(kept.rules)(**{**fields, **changes})
