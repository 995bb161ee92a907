"""The example messages agree with the schema, and no message is without examples."""

import pytest

from stagebox.wire.codec import DecodeError, encode
from tests.unit.wire.catalogue import EXAMPLES, INVALID, TAGS, Invalid, decode, decode_tagged, valid


def test_each_message_has_one_valid_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(TAGS)


def test_each_message_has_an_invalid_example() -> None:
    refused = {case.name.split("-", 1)[0] for case in INVALID}
    assert refused == set(TAGS) | {"any"}


@pytest.mark.parametrize("tag", sorted(TAGS))
def test_the_valid_example_decodes_and_survives_a_round_trip(tag: str) -> None:
    message = decode_tagged(tag, valid(tag))
    assert type(message) is TAGS[tag]
    assert decode_tagged(tag, encode(message)) == message


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_the_invalid_example_is_refused_with_its_code(case: Invalid) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(case.sender, case.text)
    assert caught.value.code == case.code
    assert 0 < len(caught.value.detail) <= 200
