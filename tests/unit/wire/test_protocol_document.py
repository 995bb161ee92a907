"""PROTOCOL.md and the schema say the same, field by field."""

import json
from enum import StrEnum

import pytest
from msgspec import Struct

from stagebox.wire import causes, codec, terms
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.space import Floor, Member, Pin, Recording, SpaceInfo
from stagebox.wire.terms import (
    Gone,
    Kind,
    Mark,
    Mode,
    News,
    Place,
    Role,
    SpaceState,
    Speak,
    Via,
)
from tests.unit.wire.catalogue import MEMBER_TAGS, TAGS, WIRE, valid
from tests.unit.wire.spec import Row, aliases, fields_of, range_of, sections

WORDS = [Kind, Role, Place, Mode, Via, SpaceState, Speak, Mark, Gone, News]
ENUMS = [*WORDS, DenyCause, RevokeCause, CancelCause, ErrorCode]
STRUCTS = [Member, Floor, SpaceInfo, Recording, Pin]
SECTIONS = sections()
TEXT = (WIRE / "PROTOCOL.md").read_text(encoding="utf-8")


def same(row: Row) -> Row:
    """Return a row with one word for types of the same range: a Count is a Rev."""
    return tuple(cell.replace("Count", "Rev") for cell in row)


def assert_fields(title: str, cls: type[Struct]) -> None:
    rows = SECTIONS[title].rows
    assert [same(row[:3]) for row in rows] == [same(row) for row in fields_of(cls)]
    assert all(len(row) == 4 and row[3] for row in rows)


def test_every_message_is_listed_with_its_direction() -> None:
    listed = {row[0].split("`")[1]: row[1] for row in SECTIONS["Messages"].rows}
    assert listed == {tag: "member → hub" if tag in MEMBER_TAGS else "hub → member" for tag in TAGS}


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_the_section_of_a_message_agrees_with_its_schema_and_example(tag: str) -> None:
    section = SECTIONS[tag]
    way = "Member → hub." if tag in MEMBER_TAGS else "Hub → member."
    assert section.body.strip().startswith(way)
    assert_fields(tag, TAGS[tag])
    assert section.example == json.loads(valid(tag))


@pytest.mark.parametrize("cls", STRUCTS, ids=lambda cls: cls.__name__)
def test_the_section_of_a_structure_agrees_with_its_schema(cls: type[Struct]) -> None:
    assert_fields(cls.__name__, cls)


def test_every_named_type_is_listed_with_its_range() -> None:
    listed = {row[0]: row[1] for row in SECTIONS["Types"].rows}
    assert listed == {name: range_of(alias) for name, alias in aliases().items()}


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_value_is_listed_with_a_meaning(enum: type[StrEnum]) -> None:
    rows = SECTIONS[enum.__name__].rows
    assert [row[0] for row in rows] == [f"`{member.value}`" for member in enum]
    assert all(row[1] for row in rows)


def test_no_enum_is_left_out() -> None:
    known = set(ENUMS)
    for module in (terms, causes):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum:
                assert value in known


def test_figures_in_the_prose_are_those_of_the_code() -> None:
    for figure in (
        f"version {terms.PROTOCOL_VERSION}\n",
        f"`{terms.MEMBER_PATH}`",
        f"`{terms.SERVICE_TYPE}`",
        f"`heartbeat_ms` ({terms.HEARTBEAT_MS})",
        f"**{terms.LOST_AFTER_MS} ms**",
        f"{terms.LEASE_MS} ms after",
    ):
        assert figure in TEXT
    limits = {row[0]: row[1] for row in SECTIONS["Limits"].rows}
    assert limits["message from a member"] == f"{codec.MAX_MEMBER_MESSAGE} bytes"
    assert limits["message from the hub"] == f"{codec.MAX_HUB_MESSAGE} bytes"


def test_links_inside_the_document_lead_somewhere() -> None:
    anchors = {
        title.lower().replace(".", "").replace(",", "").replace(" ", "-") for title in SECTIONS
    }
    for part in TEXT.split("](#")[1:]:
        assert part.split(")")[0] in anchors
