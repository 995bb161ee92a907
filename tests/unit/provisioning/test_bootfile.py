import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.bootfile import MOST_BYTES, SCRUBBED, BootFile, BootFileError, parse, scrubbed
from provisioning.network.wifi import Wifi
from stagebox.phrases import Language

WHOLE = b"""country = "DE"
ssid = "Caf\xc3\xa9 upstairs"
key = "correct horse"
hidden = true
name = "Kitchen"
language = "de"
hub = "wss://192.168.1.10:7443"
hub_pin = "%s"
ssh_key = "ssh-ed25519 AAAAC3Nza ann@desk"
""" % (b"ab" * 32)


def test_everything_that_can_be_said() -> None:
    assert parse(WHOLE) == BootFile(
        Wifi("Café upstairs", "correct horse", is_hidden=True),
        "DE",
        "Kitchen",
        Language.GERMAN,
        "wss://192.168.1.10:7443",
        "ab" * 32,
        "ssh-ed25519 AAAAC3Nza ann@desk",
    )


def test_what_the_box_takes_over() -> None:
    assert parse(WHOLE).box_settings() == {
        "name": "Kitchen",
        "hub": "wss://192.168.1.10:7443",
        "hub_pin": "ab" * 32,
        "sound": {"language": "de"},
    }
    assert parse(b"").box_settings() == {}


def test_windows_and_its_editor() -> None:
    data = b"\xef\xbb\xbf" + b'ssid = "x"\r\nkey = "12345678"\r\n'
    assert parse(data).wifi == Wifi("x", "12345678")
    assert scrubbed(data) == f'ssid = "x"\r\n{SCRUBBED}\r\n'.encode()


def test_an_open_network_is_said_to_be_one() -> None:
    assert parse(b'ssid = "x"\nkey = ""\n').wifi == Wifi("x", "")
    assert parse(b'ssid = "x"\n').wifi is None


@pytest.mark.parametrize(
    ("data", "key", "line"),
    [
        (b'ssid = "a"\nkee = "12345678"\n', "kee", 2),
        (b'\nssid = 5\nkey = "12345678"\n', "ssid", 2),
        (b'ssid = "a"\nkey = "short"\n', "key", 2),
        (b'ssid = "a"\nkey = "12345678\xc3\xa4"\n', "key", 2),
        (b'key = "12345678"\n', "key", 1),
        (b'ssid = ""\n', "ssid", 1),
        (b'ssid = "%s"\n' % (b"a" * 33), "ssid", 1),
        (b'ssid = "a"\ncountry = "de"\n', "country", 2),
        (b'hidden = "yes"\n', "hidden", 1),
        (b'language = "fr"\n', "language", 1),
        (b'hub = "192.168.1.10"\n', "hub", 1),
        (b'hub_pin = "12"\n', "hub_pin", 1),
        (b'ssh_key = "two\\nlines"\n', "ssh_key", 1),
        (b"[wifi]\nssid = 'a'\n", "wifi", 1),
        (b'ssid = "a"\nkey = "12345678\n', "", 2),
        (b"ssid\n", "", 1),
        (b'ssid = """a\n\n', "", 1),
        (b'name = "a"\nssid = "\xff\xfe"\n', "", 2),
        (b"#" * (MOST_BYTES + 1), "", 0),
    ],
)
def test_mistakes_are_named_with_their_line_and_without_what_was_written(
    data: bytes, key: str, line: int
) -> None:
    with pytest.raises(BootFileError) as caught:
        parse(data)
    assert (caught.value.key, caught.value.line) == (key, line)
    assert "1234" not in str(caught.value)


def test_no_repr_shows_the_key() -> None:
    assert "horse" not in repr(parse(WHOLE))


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        b'key = """\ncorrect\\\n horse"""\nssid = "x"\n',
        b'ssid = "x"\nkey = "correct horse"',
        b'# key = "correct horse"\nssid = "x"\nkey = \'correct horse\' # mine\n',
    ],
)
def test_the_key_is_taken_out_and_nothing_else(data: bytes) -> None:
    after = scrubbed(data)
    assert b"horse" not in after
    before = tomllib.loads(data.decode())
    del before["key"]
    assert tomllib.loads(after.decode()) == before
    assert scrubbed(after) == after
    assert parse(after).wifi is None


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    try:
        parse(data)
    except BootFileError as error:
        assert error.why


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8, max_size=63))
def test_any_key_is_read_and_taken_out(key: str) -> None:
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    data = f'country = "GB"\nssid = "A net"\nkey = "{quoted}"\nhidden = true\n'.encode()
    assert parse(data).wifi == Wifi("A net", key, is_hidden=True)
    lines = scrubbed(data).decode().split("\n")
    assert lines == ['country = "GB"', 'ssid = "A net"', SCRUBBED, "hidden = true", ""]
