"""What strangers say becomes one clean line, and lines of a length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.words import MOST, WIDTH, clean, lines


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("  two   words \n", "two words"),
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("right\u202eleft", "rightleft"),  # nothing may turn the line around
        ("tab\tnewline\r\nend", "tab newline end"),
        ("\u2028", ""),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\ud800lone", "lone"),
        ("a \u200b b", "a b"),
        ("", ""),
    ],
)
def test_one_line_without_control_signs(said: str, shown: str) -> None:
    assert clean(said) == shown


def test_too_much_is_cut_at_a_word() -> None:
    assert clean("one two three", most=9) == "one two\u2026"
    assert clean("one two", most=7) == "one two"
    assert clean("x" * 20, most=5) == "xxxx\u2026"
    assert len(clean("word " * 10**6)) <= MOST


def test_lines() -> None:
    assert lines("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert lines("a bc", 3) == ["a", "bc"]
    assert lines("abcdefgh ij", 3) == ["abc", "def", "gh", "ij"]
    assert lines("abc defg", 3) == ["abc", "def", "g"]
    assert lines("   ") == []


@given(st.text(max_size=400), st.integers(1, 60))
def test_no_line_is_too_long_and_no_sign_is_lost(text: str, width: int) -> None:
    found = lines(text, width)
    assert all(0 < len(line) <= width for line in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@given(st.text(max_size=3_000))
def test_clean_text_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert len(once) <= MOST
    assert "\n" not in once


def test_the_width_is_that_of_captions() -> None:
    assert 32 <= WIDTH <= 42
