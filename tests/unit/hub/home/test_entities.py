"""What Home Assistant is shown: topics, configurations and states."""

import re
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.home.entities import (
    MAX_STATE,
    BoxView,
    HubView,
    Places,
    SpaceView,
    View,
    key_of,
    messages,
)
from stagebox.wire.terms import SpaceState

HUB = "0123456789abcdef"
TELLS = Places(HUB, "homeassistant", commands=False)
OBEYS = Places(HUB, "homeassistant", commands=True)
BOX = "a" * 32
SPACE = SpaceView("main", "Main", SpaceState.LIVE, ("Ana", "Ben"), 2, 5, recording=True)
VIEWS: tuple[View, ...] = (
    HubView("House", "0.1", 1, 1),
    SPACE,
    BoxView(BOX, "Kitchen", True, "main", False, 100),
)
# homeassistant/components/mqtt/discovery: SORT/NODE/OBJECT/config, of these letters alone.
CONFIG = re.compile(r"homeassistant/(\w+)/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)/config")


def parts(places: Places, view: View) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the configurations by topic, and the state."""
    made = {topic: msgspec.json.decode(data) for topic, data in messages(places, view).items()}
    state = made.pop(places.state(*key_of(view)))
    return made, state


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: type(view).__name__)
@pytest.mark.parametrize("places", [TELLS, OBEYS], ids=["tells", "obeys"])
def test_each_entity_is_complete_and_reads_a_state_that_is_there(
    places: Places, view: View
) -> None:
    configs, state = parts(places, view)
    assert configs
    for topic, config in configs.items():
        match = CONFIG.fullmatch(topic)
        assert match, topic
        assert match[2] == f"stagebox-{HUB}"
        assert config["name"]
        assert config["device"]["identifiers"]
        assert config["availability_topic"] == f"stagebox/{HUB}/status"
        if match[1] == "button":
            assert "state_topic" not in config
        else:
            assert config["state_topic"] == places.state(*key_of(view))
            key = re.fullmatch(r"\{\{ value_json\.(\w+) \}\}", config["value_template"])
            assert key is not None
            assert key[1] in state
        assert ("command_topic" in config) is (match[1] in {"switch", "button", "number"})
    uniques = [config["unique_id"] for config in configs.values()]
    assert len(uniques) == len(set(uniques))


def sorts(places: Places, view: View) -> set[tuple[str, str]]:
    return {
        (topic.split("/")[1], config["name"]) for topic, config in parts(places, view)[0].items()
    }


def test_without_leave_to_command_there_is_nothing_to_press() -> None:
    told = sorts(TELLS, SPACE) | sorts(TELLS, VIEWS[2])
    assert not {sort for sort, _ in told} & {"switch", "button", "number"}
    obeyed = sorts(OBEYS, SPACE) | sorts(OBEYS, VIEWS[2])
    assert {("switch", "Hold all"), ("button", "Next"), ("number", "Volume")} <= obeyed
    assert ("binary_sensor", "Held") in told - obeyed


def test_the_state_of_a_space() -> None:
    assert parts(TELLS, SPACE)[1] == {
        "on_air": "ON",
        "talker": "Ana, Ben",
        "hands": 2,
        "people": 5,
        "state": "live",
        "recording": "ON",
        "hold": "OFF",
    }
    quiet = SpaceView("main", "Main", SpaceState.FROZEN, held=True)
    state = parts(TELLS, quiet)[1]
    assert (state["on_air"], state["talker"], state["hold"]) == ("OFF", None, "ON")


def test_a_box_that_is_away_has_no_switch_and_no_loudness() -> None:
    away = parts(TELLS, BoxView(BOX, "Kitchen", online=False))[1]
    assert away == {"online": "OFF", "muted": None, "volume": None, "space": None}
    here = parts(TELLS, VIEWS[2])[1]
    assert here == {"online": "ON", "muted": "OFF", "volume": 100, "space": "main"}


def test_spaces_and_boxes_belong_to_the_hub() -> None:
    (hub, *_), _ = parts(TELLS, VIEWS[0])
    device = parts(TELLS, VIEWS[0])[0][hub]["device"]
    for view in VIEWS[1:]:
        for config in parts(TELLS, view)[0].values():
            assert config["device"]["via_device"] in device["identifiers"]


def test_a_new_name_is_the_same_entity() -> None:
    old, new = SPACE, SpaceView("main", "Other", SpaceState.LIVE)
    assert messages(OBEYS, old).keys() == messages(OBEYS, new).keys()
    for topic, config in parts(OBEYS, old)[0].items():
        assert parts(OBEYS, new)[0][topic]["unique_id"] == config["unique_id"]


@given(st.lists(st.text(min_size=1, max_size=40), max_size=64), st.text(min_size=1, max_size=40))
def test_whatever_people_are_called_it_is_json_and_fits(talkers: list[str], name: str) -> None:
    view = SpaceView("main", name, SpaceState.LIVE, tuple(talkers))
    configs, state = parts(OBEYS, view)
    assert len(state["talker"] or "") <= MAX_STATE
    assert all(config["device"]["name"] == name for config in configs.values())
    assert all(CONFIG.fullmatch(topic) for topic in configs)
    # What a person wrote is data: it is in no template and in no topic.
    assert all(
        re.fullmatch(
            r"\{\{ value_json\.\w+ \}\}", config.get("value_template", "{{ value_json.x }}")
        )
        for config in configs.values()
    )


def test_what_a_hub_leaves_at_a_broker_is_found_again() -> None:
    for view in VIEWS:
        for topic in messages(OBEYS, view):
            assert any(mqtt.topic_matches_sub(pattern, topic) for pattern in OBEYS.own)
            assert not mqtt.topic_matches_sub(OBEYS.orders, topic)
    for config in parts(OBEYS, SPACE)[0].values():
        if "command_topic" in config:
            assert mqtt.topic_matches_sub(OBEYS.orders, config["command_topic"])
    assert OBEYS.birth == "homeassistant/status"
    assert not any(mqtt.topic_matches_sub(pattern, OBEYS.status) for pattern in OBEYS.own)
