"""What an Icecast server is told, what its answers mean, and when it is asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config import HubConfig
from hub.crowd.station import (
    LONGEST_PAUSE_S,
    REFUSED_PAUSE_S,
    Attempts,
    Condition,
    Mount,
    State,
    Target,
    answer,
    request,
)
from stagebox.config import ConfigError, parse_config

URL = "http://radio.local:8000/evening.opus"


def test_an_address_is_read_and_written() -> None:
    assert Mount.of(URL) == Mount("radio.local", 8000, "/evening.opus")
    assert Mount.of(URL).url == URL
    assert Mount.of("https://[::1]:8443/a").url == "https://[::1]:8443/a"
    assert Mount.of("http://radio.local/a").port == 8000


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("radio.local/evening", "an address such as"),
        ("ftp://radio.local/evening", "an address such as"),
        ("http://radio.local", "an address such as"),
        ("http://radio.local/", "an address such as"),
        ("http://radio.local/a?b=c", "an address such as"),
        ("http://radio.local/a#b", "an address such as"),
        ("http:///a", "an address such as"),
        ("http://source:secret@radio.local/a", "a key of its own"),
        ("http://radio.local/a b", "no spaces"),
        ("http://radio.local/\u00e4", "no spaces"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Mount.of(url)


def test_settings_are_refused_with_the_line_that_is_wrong() -> None:
    text = f'[[streams.icecast]]\nspace = "main"\nurl = "nowhere"\npassword = "{"x" * 9}"\n'
    with pytest.raises(ConfigError, match=r"hub.toml:3: .*url: give an address"):
        parse_config(text, HubConfig, "hub.toml")
    fits = text.replace("nowhere", URL)
    (station,) = parse_config(fits, HubConfig, "hub.toml").streams.icecast
    assert station.mount() == Mount.of(URL)
    none = f"[streams]\nlisteners = 0\n{fits}"
    with pytest.raises(ConfigError, match="allow more"):
        parse_config(none, HubConfig, "hub.toml")


SERVICE = "rtmp://live.example.org/app"


def test_a_service_is_shown_without_its_key() -> None:
    target = Target.of(f"{SERVICE}/")
    assert target.url == SERVICE
    assert target.keyed("abc") == f"{SERVICE}/abc"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://live.example.org/app", "an address such as"),
        ("rtmp://live.example.org", "an address such as"),
        ("rtmp:///app", "an address such as"),
        (f"{SERVICE}?key=1", "an address such as"),
        ("rtmp://me:secret@live.example.org/app", "a key of its own"),
        ("rtmp://live.example.org/a b", "no spaces"),
        ("rtmps://live.example.org/\u00e4", "no spaces"),
    ],
)
def test_what_is_no_service_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Target.of(url)


def test_a_service_needs_a_listener_and_an_encoder() -> None:
    text = f'[[streams.rtmp]]\nspace = "main"\nurl = "{SERVICE}"\nkey = "abc"\n'
    (service,) = parse_config(text, HubConfig, "hub.toml").streams.rtmp
    assert (service.target(), service.picture) == (Target(SERVICE), True)
    with pytest.raises(ConfigError, match=r"hub.toml:3: .*url: give an address"):
        parse_config(text.replace("rtmp://", "ftp://"), HubConfig, "hub.toml")
    for none in ("listeners", "encoders"):
        with pytest.raises(ConfigError, match="allow"):
            parse_config(f"[streams]\n{none} = 0\n{text}", HubConfig, "hub.toml")


def test_the_request_says_who_we_are_and_nothing_that_breaks_out() -> None:
    head = request(Mount.of(URL), "c291cmNlOng=", "Abend\r\nX-Evil: 1\u20ac", "stagebox/1").decode()
    lines = head.split("\r\n")
    assert lines[0] == "PUT /evening.opus HTTP/1.1"
    assert "Host: radio.local:8000" in lines
    assert "Authorization: Basic c291cmNlOng=" in lines
    assert "Ice-Name: AbendX-Evil: 1" in lines
    assert head.endswith("\r\n\r\n")
    assert head.count("\r\n\r\n") == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"HTTP/1.1 100 Continue\r\n", None),
        (b"HTTP/1.0 200 OK\r\n", None),
        (b"HTTP/1.0 401 Authentication Required\r\n", "does not take this password"),
        (b"HTTP/1.0 403 Mountpoint in use\r\n", "another source"),
        (b"HTTP/1.0 500 Oh\r\n", "it said 500 Oh."),
        (b"SSH-2.0-OpenSSH\r\n", "no Icecast"),
        (b"", "no Icecast"),
    ],
)
def test_answers_in_words(line: bytes, says: str | None) -> None:
    said = answer(line)
    assert said is None if says is None else says in str(said)


@given(st.binary(max_size=200))
def test_no_answer_is_too_odd(line: bytes) -> None:
    said = answer(line)
    assert said is None or len(said) < 200


def test_pauses_grow_and_are_short_again_after_a_success() -> None:
    attempts = Attempts()
    assert attempts.condition == Condition(State.OFF)
    pauses = []
    for _ in range(6):
        attempts.begin()
        assert attempts.condition.state is State.CONNECTING
        pauses.append(attempts.lost("no answer."))
        assert attempts.condition == Condition(State.DOWN, "no answer.")
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S
    attempts.begin()
    assert attempts.condition == Condition(State.CONNECTING, "no answer.")
    attempts.up()
    assert attempts.condition == Condition(State.UP)
    assert attempts.lost("gone.") == pauses[0]
    assert attempts.refused("no.") == REFUSED_PAUSE_S
    attempts.off()
    assert attempts.condition == Condition(State.OFF)
