"""What may stand in a bundle for support, and what is struck out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.support.filters import (
    LONGEST_LINE,
    REMOVED,
    clean,
    cleaned,
    settings,
    strike,
    words_in,
)


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("joined with psk=hunter22 today", "hunter22"),
        ('wifi_password = "correct horse battery"', "correct horse battery"),
        ("the code is 123456", "123456"),
        ("say 12 34 56 aloud", "12 34 56"),
        ("hotspot 1234-5678-9012", "1234-5678-9012"),
        ("pin 3f2a9c0d1b3e5f708192a3b4c5d6e7f8 seen", "3f2a9c0d1b3e5f70"),
        ("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=", "MCowBQYDK2Vw"),
        ("a=ice-pwd:asd88fgpdd777uzjYhagZg", "asd88fgpdd777uzjYhagZg"),
        ("from 12:34:56:78:9a:bc", "12:34:56:78:9a:bc"),
        ("Cookie: session=abc", "abc"),
        ("ssid: Our House", "Our House"),
    ],
)
def test_what_looks_like_a_secret_goes(text: str, gone: str) -> None:
    assert gone not in clean(text)
    assert REMOVED in clean(text)


@pytest.mark.parametrize(
    "text",
    [
        "[  123.456789] stagebox[812]: hub 1a2b3c4d listens on port 7300",
        "Started stagebox-box.service - Stagebox box.",
        "stagebox 0.6.0+412",
        "-rw-------      45 identity.key",
        "192.168.1.10 answered after 0.21 s",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert clean(text) == text


def test_lines_are_bounded_and_forge_nothing() -> None:
    assert len(clean("x " * LONGEST_LINE)) == LONGEST_LINE
    assert "\x1b" not in clean("\x1b[31mred\r")


def test_known_secrets_go_wherever_they_are() -> None:
    assert strike("a tiger in a tigershop", ["tiger", "tigershop"]) == f"a {REMOVED} in a {REMOVED}"
    assert strike("a tiger", ["a", "ti"]) == "a tiger"


def test_settings_without_their_values() -> None:
    text = 'role = "guest"\nname = "Ada"\nhub = "wss://x"\n[talk]\nbitrate = 24000\n'
    text += '[[space]]\nmode = "walkie"\nname = "Kitchen"\n[wifi]\nkey = "hunter22"\n'
    assert settings(text).split("\n") == [
        "role = guest",
        "name = (set)",
        "hub = (set)",
        "talk.bitrate = 24000",
        "space[0].mode = walkie",
        "space[0].name = (set)",
        "wifi.key = (set)",
    ]
    assert settings("") == "(nothing is set)"
    assert settings("= no").startswith("(cannot be read")
    assert settings("port = []") == "port = []"


def test_json_is_cleaned_in_all_its_parts() -> None:
    given = {"a": ["code: 123456", 7, None], "tiger": {"b": "tiger"}}
    assert cleaned(given, ["tiger"]) == {
        "a": [f"code: {REMOVED}", 7, None],
        REMOVED: {"b": REMOVED},
    }


def test_the_words_of_a_secret_file() -> None:
    words = words_in('psk=correct horse\n{"key": "Zm9vYmFyMTIz", "mode": "open"}\nABCDEF0123456789')
    assert {"correct horse", "Zm9vYmFyMTIz", "ABCDEF0123456789"} <= words
    assert "open" not in words


@given(st.text(max_size=300), st.lists(st.text(min_size=4, max_size=20), max_size=4))
def test_nothing_known_is_left_of_any_text(text: str, secrets: list[str]) -> None:
    found = strike(text + "".join(secrets), secrets)
    assert [each for each in secrets if each in found.replace(REMOVED, "\0")] == []
