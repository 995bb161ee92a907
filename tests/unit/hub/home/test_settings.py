"""The ``[home]`` table."""

import pytest

from hub.config import HubConfig
from stagebox.config import ConfigError, parse_config


def read(text: str) -> HubConfig:
    return parse_config(f"[home]\n{text}", HubConfig, "hub.toml")


def test_without_a_broker_there_is_none() -> None:
    assert HubConfig().home.broker == ""
    assert not HubConfig().home.commands


def test_the_usual_ports() -> None:
    assert read('broker = "ha.local"').home.at == 1_883
    assert read('broker = "ha.local"\ntls = true').home.at == 8_883
    assert read('broker = "fd00::1"\nport = 5000').home.at == 5_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("commands = true", "name the broker"),
        ("tls = true", "name the broker"),
        ('broker = "mqtt://ha.local"', "broker"),
        ('broker = "ha.local"\npassword_file = "/etc/p"', "name the user"),
        ('broker = "ha.local"\nca_file = "/etc/ca"', "tls = true"),
        ('broker = "ha.local"\nprefix = "home/#"', "prefix"),
        ('broker = "ha.local"\nprefix = "/home"', "prefix"),
        ('broker = "ha.local"\nprefix = ""', "prefix"),
        ('broker = "ha.local"\npassword = "secret"', "password"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text)
    assert says in str(refused.value)
    assert "hub.toml:" in str(refused.value)
