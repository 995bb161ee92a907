"""The hub's settings."""

import os
from pathlib import Path

import pytest

from hub.config import HubConfig, SpaceConfig, default_processes
from stagebox.config import ConfigError, parse_config
from stagebox.wire.terms import Mode


def test_an_empty_file_gives_one_walkie_space_on_all_addresses() -> None:
    config = parse_config("", HubConfig)
    assert config == HubConfig()
    assert (config.bind, config.port) == (("::", "0.0.0.0"), 7300)
    assert config.space == (SpaceConfig(id="main", name="Main", mode=Mode.WALKIE),)
    assert config.space[0].rules().open_limit == 1


def test_media_processes_are_as_many_as_told_or_what_pays_off() -> None:
    assert parse_config("[media]\nprocesses = 0", HubConfig).media.count() == 0
    assert parse_config("[media]\nprocesses = 5", HubConfig).media.count() == 5
    assert [default_processes(cores) for cores in (1, 2, 4, 16)] == [0, 1, 3, 3]
    assert HubConfig().media.count() == default_processes(len(os.sched_getaffinity(0)))


def test_boxes_are_enrolled_unless_the_hub_is_for_this_computer_alone() -> None:
    assert not parse_config("", HubConfig).trust.anyone
    text = 'bind = ["127.0.0.1", "::1"]\n[trust]\nboxes = "anyone"'
    assert parse_config(text, HubConfig).trust.anyone
    for bind in ("", 'bind = ["127.0.0.1", "10.0.0.5"]\n', 'bind = ["0.0.0.0"]\n'):
        with pytest.raises(ConfigError, match=r"bind: .*its own computer only: set bind"):
            parse_config(f'{bind}[trust]\nboxes = "anyone"', HubConfig)


def test_spaces_and_limits_are_read() -> None:
    config = parse_config(
        """
        name = "Studio"
        bind = ["fe80::1%eth0", "10.0.0.5"]
        data = "/srv/hub"
        limits = { sockets_per_address = 8 }
        [[space]]
        id = "talk"
        name = "Talk show"
        mode = "open"
        limits = { open_limit = 3, talk_limit_s = 60, penalty_s = 0, override = true }
        [[space]]
        id = "club"
        name = "Club"
        limits = { talk_limit_s = 0 }
        """,
        HubConfig,
    )
    talk, club = (space.rules() for space in config.space)
    assert (talk.mode, talk.open_limit, talk.talk_limit_s) == (Mode.OPEN, 3, 60)
    assert (talk.penalty_s, talk.override, club.override) == (0, True, False)
    assert club.talk_limit_s is None
    assert config.limits.sockets_per_address == 8
    assert config.data_dir == Path("/srv/hub")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('\nbind = ["localhost"]', "config:2: bind:"),
        ('bind = ["10.0.0.5", "10.0.0"]', "config:1: bind:"),
        ("port = 70000", "config:1: port:"),
        ('[[space]]\nid = "a"\nname = "A"\n[[space]]\nid = "a"\nname = "B"', "given twice"),
        ('[[space]]\nid = "a"\nname = "A"\nmode = "chaos"', "config:4: space[0].mode:"),
        ('[[space]]\nid = "A!"\nname = "A"', "config:2: space[0].id:"),
        ('[[space]]\nid = "a"\nname = "A"\nlimits = { talk_limit_s = 0.5 }', "space[0].limits"),
        ("[limits]\nhello = 5", "config:2: limits.hello:"),
        ("[media]\nprocesses = -1", "config:2: media.processes:"),
        ("space = []", "config:1: space:"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, where: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(text, HubConfig)
    assert where in str(refused.value)
