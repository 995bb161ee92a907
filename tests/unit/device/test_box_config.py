"""The settings of a box: defaults that work, and mistakes that are named."""

import socket

import pytest

from device.config import SILENT_DB, BoxConfig, Duplex, SoundConfig, host_name, hub_url
from stagebox.config import ConfigError, parse_config
from stagebox.wire.terms import Role

ID = "0123456789abcdef" * 2


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, BoxConfig, "box.toml")
    return str(caught.value)


def test_nothing_said_fits_a_bare_pi() -> None:
    config = parse_config("", BoxConfig)
    assert config.role is Role.GUEST
    assert config.hub is None
    assert config.sound.duplex is Duplex.HALF
    assert config.name == host_name()


def test_everything_said() -> None:
    config = parse_config(
        f'name = "Bar"\nrole = "studio"\nhub = "wss://hub.local"\nhub_id = "{ID}"\n'
        'space = "main"\nstate_dir = "/tmp/x"\n'
        '[sound]\nmicrophone = "USB"\nloudspeaker = "HDMI"\nduplex = "full"\nvolume = 30\n'
        '[panel]\nkind = "none"\ntalk = 5\nhand = 0\nmute = 0\nlamp_active_high = false\n'
        "[talk]\npre_roll_ms = 0\nhang_ms = 500\nmax_talk_s = 30\nbitrate = 24000\n",
        BoxConfig,
    )
    assert (config.name, config.role, config.hub_id) == ("Bar", Role.STUDIO, ID)
    assert (config.panel.talk, config.panel.hand, config.panel.mute) == (5, 0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[panel]\ntalk = 22", "box.toml:2: panel.talk: pin 22 is taken by mute already"),
        ("[panel]\ntalk = 5\nlamp_red = 5", "box.toml:3: panel.lamp_red: pin 5 is taken by talk"),
        ("[panel]\nhand = 1", "box.toml:2: panel.hand: pin 1 belongs to the HAT's identity"),
        ("[panel]\ntalk = 28", "box.toml:2: panel.talk: 28 is not allowed; use a BCM pin number"),
        ('hub = "http://h"', "box.toml:1: hub: the address must start with ws:// or wss://"),
        ('hub = "ws://"', "box.toml:1: hub: the address has no host name"),
        ('hub = "ws://a b"', "box.toml:1: hub: the address has no host name"),
        ('hub = "ws://h:99999"', "box.toml:1: hub: this is not an address"),
        ('hub = "ws://[::1"', "box.toml:1: hub: this is not an address"),
        ('hub = "ws://h:0"', "box.toml:1: hub: only a host, a port and a path"),
        ('hub = "ws://me@h"', "box.toml:1: hub: only a host, a port and a path"),
        ('hub = "ws://h?x"', "box.toml:1: hub: only a host, a port and a path"),
        ('hub = "ws://h#x"', "box.toml:1: hub: only a host, a port and a path"),
        (f'any_hub = true\nhub_id = "{ID}"', "box.toml:1: any_hub: hub_id names one hub"),
        ("[sound]\nvolum = 1\n", "box.toml:2: sound.volum: there is no such key. Did you mean"),
        ("[sounds]\n", "box.toml:1: sounds: there is no such key. Did you mean 'sound'?"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    assert refusal(text).startswith(said)


@pytest.mark.parametrize(
    ("host", "name"),
    [("kitchen", "kitchen"), ("x" * 64, "x" * 40), ("a\x1bb", "ab"), ("", "Stagebox")],
)
def test_the_host_name_is_made_fit(host: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert host_name() == name


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (None, None),
        ("http://hub:7300", "ws://hub:7300"),
        ("HTTPS://hub/x", "wss://hub/x"),
        ("ws://http.local", "ws://http.local"),
        ("hub", "hub"),
    ],
)
def test_people_write_http_for_ws(text: str | None, url: str | None) -> None:
    assert hub_url(text) == url


def test_the_volume_is_a_scale_for_ears() -> None:
    assert SoundConfig(volume=100).volume_db == 0
    assert SoundConfig(volume=50).volume_db == pytest.approx(-12.04, abs=0.01)
    assert SoundConfig(volume=0).volume_db == SILENT_DB
