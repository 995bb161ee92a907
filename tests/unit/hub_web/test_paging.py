"""Pages of a list."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web.paging import page
from hub.web.problems import Refused
from stagebox.wire.causes import ErrorCode

ITEMS = st.lists(st.tuples(st.integers(0, 3), st.text(max_size=3)), unique=True)


@given(ITEMS, st.integers(1, 5))
def test_page_by_page_it_is_the_whole_list_in_order(
    items: list[tuple[int, str]], limit: int
) -> None:
    seen, cursor = list[tuple[int, str]](), None
    while True:
        some, cursor = page(items, lambda each: each, cursor, limit)
        seen += some
        if cursor is None:
            break
        assert len(some) == limit
    assert seen == sorted(items)


def test_what_comes_and_goes_meanwhile_hides_nothing() -> None:
    first, cursor = page(["a", "c", "d"], lambda each: (each,), None, 2)
    assert first == ["a", "c"]
    assert page(["b", "d", "e"], lambda each: (each,), cursor, 2) == (["d", "e"], None)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "====",
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[null]").decode(),
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        "ä",
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        page(["a"], lambda each: (each,), cursor, 1)
    assert (refused.value.code, refused.value.field) == (ErrorCode.BAD_VALUE, "cursor")
