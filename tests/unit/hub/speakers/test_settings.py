"""What the settings refuse, with what to do; and by which address a speaker comes to the hub."""

from pathlib import Path

import pytest

from hub.config import HubConfig
from hub.speakers.addresses import urls
from stagebox.config import ConfigError, load_config


def load(folder: Path, text: str) -> HubConfig:
    path = folder / "hub.toml"
    path.write_text(f"[speakers]\n{text}\n")
    return load_config(path, HubConfig)


def test_servers_and_renderers_may_be_named(tmp_path: Path) -> None:
    text = (
        'snapcast = ["music.local", "10.0.0.7:1705", "fd00::7"]\ndlna = ["http://10.0.0.8/d.xml"]'
    )
    found = load(tmp_path, text).speakers
    assert found.find
    assert len(found.snapcast) == 3
    assert found.dlna == ("http://10.0.0.8/d.xml",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('dlna = ["https://10.0.0.8/d.xml"]', "dlna"),
        ('dlna = ["http://"]', "dlna"),
        ('dlna = ["http://:80/x"]', "give an address"),
        ('dlna = ["http://10.0.0.8:0/x"]', "give an address"),
        ('dlna = ["http://10.0.0.8:99999/x"]', "give an address"),
        ('snapcast = ["music.local:http"]', "give an address"),
        ('snapcast = ["two words"]', "snapcast"),
        ("find = 1", "find"),
        ("kitchen = true", "kitchen"),
    ],
)
def test_addresses_that_are_none_are_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load(tmp_path, text)


def test_a_speaker_is_given_the_address_by_which_it_reaches_us() -> None:
    kinds = ("mp3", "hls")
    assert urls("main", "127.0.0.1", 7300, kinds) == {
        "mp3": "http://127.0.0.1:7300/api/v1/spaces/main/stream.mp3",
        "hls": "http://127.0.0.1:7300/api/v1/spaces/main/hls/live.m3u8",
    }
    assert urls("main", "::1", 7300, ("mp3",))["mp3"].startswith("http://[::1]:7300/")
    for nowhere in ("", "no address", "999.1.1.1"):
        assert urls("main", nowhere, 7300, kinds) == {}
