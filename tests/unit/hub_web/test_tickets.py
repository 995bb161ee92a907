"""The cookie of a visitor."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.control.visitor import Visitor
from hub.web.tickets import hashed, seal, unseal
from stagebox.wire.handshake import member_id

SECRET, OTHER = b"s" * 32, b"t" * 32
KEY = base64.b64encode(bytes(32)).decode()
LETTERS = st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"])


@given(st.binary(min_size=32, max_size=32), st.text(LETTERS, min_size=1, max_size=40))
def test_a_cookie_says_who_it_is(raw: bytes, name: str) -> None:
    key = base64.b64encode(raw).decode()
    cookie = seal(SECRET, key, name)
    assert unseal(SECRET, cookie) == Visitor(member_id(key), key, name)
    assert unseal(OTHER, cookie) is None
    assert len(cookie) < 512
    assert set(cookie) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.data())
def test_a_cookie_that_was_touched_is_nobody(data: st.DataObject) -> None:
    cookie = seal(SECRET, KEY, "Anna")
    where = data.draw(st.integers(0, len(cookie) - 5))
    other = data.draw(st.sampled_from([each for each in "AZaz09-_" if each != cookie[where]]))
    assert unseal(SECRET, cookie[:where] + other + cookie[where + 1 :]) is None


@pytest.mark.parametrize("text", ["", "x", "ä", "A" * 100, "A" * 2_000, "=", "a b", "AAA=AAA"])
def test_any_other_text_is_nobody(text: str) -> None:
    assert unseal(SECRET, text) is None


@given(st.text())
def test_no_text_is_a_mistake(text: str) -> None:
    assert unseal(SECRET, text) is None


def test_what_is_stored_of_a_token_is_not_the_token() -> None:
    assert hashed("token") != "token"
    assert hashed("token") == hashed("token") != hashed("tokem")
