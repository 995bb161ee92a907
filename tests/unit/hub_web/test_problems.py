"""What can go wrong with a request."""

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from hub.web.problems import STATUS, Refused, WebCode, not_valid
from stagebox.wire.causes import ErrorCode


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    number: Annotated[int, Meta(le=3)] = 0


class Outer(Struct, forbid_unknown_fields=True):
    name: str
    tags: list[str] = []
    inner: Inner = Inner()


def test_every_code_has_a_status_of_an_error() -> None:
    assert set(STATUS) == {*ErrorCode, *WebCode}
    assert all(400 <= status < 600 for status in STATUS.values())


def test_no_two_codes_are_spelt_alike() -> None:
    assert len({code.value for code in STATUS}) == len(STATUS)


def test_only_what_is_the_hubs_fault_is_its_fault() -> None:
    faults = {code for code, status in STATUS.items() if status >= 500}
    assert faults == {
        ErrorCode.INTERNAL,
        ErrorCode.SPACE_FULL,
        ErrorCode.HUB_FULL,
        ErrorCode.MEDIA_FAILED,
        ErrorCode.DISK_FULL,
        WebCode.BUSY,
        WebCode.NOT_KEPT,
    }
    assert [code for code in faults if STATUS[code] == 500] == [ErrorCode.INTERNAL]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"name": 1}', "name"),
        ('{"name": "a", "tags": ["b", 1]}', "tags[1]"),
        ('{"name": "a", "inner": {"number": 4}}', "inner.number"),
        ('{"name": "a", "inner": {"x": 4}}', "inner.x"),
        ("{}", "name"),
        ('{"name": "a", "x": 1}', "x"),
        ("[]", None),
    ],
)
def test_what_is_wrong_is_named(body: str, field: str | None) -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(body, type=Outer)
    refused = not_valid(wrong.value)
    assert (refused.code, refused.status, refused.field) == (ErrorCode.BAD_VALUE, 422, field)
    assert "$" not in refused.detail
    assert refused.detail.endswith(".")


def test_a_refusal_may_say_when_to_come_again() -> None:
    refused = Refused(ErrorCode.RATE_LIMITED, "Wait.", retry_after_s=3)
    assert (refused.status, refused.retry_after_s, refused.field) == (429, 3, None)
