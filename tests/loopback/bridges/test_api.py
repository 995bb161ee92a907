"""Bridges over the API and from the settings' file: made, looked at, switched, taken away."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.plan import Plan
from hub.bridges.terms import State, System
from hub.config import HubConfig
from stagebox.config import ConfigError, load_config
from stagebox.wire.acts import RecordSet
from tests.loopback.bridges.kit import ADMIN, SoundHub, sound_hub
from tests.loopback.hub.crew import until
from tests.loopback.web.kit import Browser

STANDING = Plan(
    name="Phones",
    space="main",
    system=System.JANUS,
    url="ws://127.0.0.1:1",
    room="1234",
    pin="4711",
)
NEW = {
    "name": "Annex",
    "space": "main",
    "system": "stagebox",
    "url": "http://127.0.0.1:1/whip/main",
    "token": "not to be shown",
}


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[SoundHub]:
    async with sound_hub(tmp_path / "hub", bridges=(STANDING,)) as running:
        yield running


@pytest.fixture
async def admin(hub: SoundHub) -> AsyncIterator[Browser]:
    async with Browser(hub) as browser:
        await browser.administer()
        yield browser


async def test_what_the_settings_say_is_there_and_stays(hub: SoundHub, admin: Browser) -> None:
    await until(lambda: hub.state(STANDING.id) is State.WAITING)
    (seen,) = (await admin.ask("GET", "/bridges")).json["bridges"]
    assert (seen["id"], seen["name"], seen["state"]) == (STANDING.id, "Phones", "waiting")
    assert (seen["cause"], seen["standing"]) == ("unreachable", True)
    assert seen["detail"]
    assert seen["can"]["roster"]
    assert not seen["can"]["hands"]
    path = f"/bridges/{STANDING.id}"
    assert (await admin.ask("DELETE", path)).code == "standing"
    assert (await admin.ask("PATCH", path, {"on": False})).json["state"] == "off"
    assert (await admin.ask("PATCH", path, {"on": True})).json["state"] == "connecting"


async def test_a_bridge_from_made_to_gone(hub: SoundHub, admin: Browser) -> None:
    made = await admin.ask("POST", "/bridges", NEW)
    assert made.status == 201, made
    assert "not to be shown" not in made.text
    path = f"/bridges/{made.json['id']}"
    again = await admin.ask("POST", "/bridges", NEW)
    assert again.code == "bad_value"
    assert again.json["field"] == "url"
    seen = await admin.ask("GET", "/spaces/main/bridges")
    assert {each["name"] for each in seen.json["bridges"]} == {"Phones", "Annex"}
    assert "not to be shown" not in seen.text
    assert "4711" not in seen.text
    assert (await admin.ask("DELETE", path)).status == 204
    assert (await admin.ask("DELETE", path)).code == "no_such_bridge"
    assert (await admin.ask("PATCH", "/bridges/nonsense", {"on": True})).code == "no_such_bridge"


@pytest.mark.parametrize(
    ("field", "value"),
    [("url", "ftp://a"), ("room", "1"), ("system", "elsewhere"), ("space", "NO"), ("name", "")],
)
async def test_what_cannot_be_is_refused_by_its_field(
    admin: Browser, field: str, value: str
) -> None:
    answer = await admin.ask("POST", "/bridges", NEW | {field: value})
    assert answer.code == "bad_value"
    assert answer.json["field"] == field


async def test_agreeing_for_everybody_takes_a_recording_and_the_word(
    hub: SoundHub, admin: Browser
) -> None:
    path = f"/bridges/{STANDING.id}/agree"
    assert (await admin.ask("POST", path, {"all_were_asked": False})).code == "bad_value"
    hub.spaces.act("main", ADMIN, RecordSet(req="rec", on=True))
    # The bridge is not in the space: nobody speaks for anybody.
    assert (await admin.ask("POST", path, {"all_were_asked": True})).code == "not_in_space"


async def test_who_is_not_there_cannot_be_let_speak(admin: Browser) -> None:
    wish = {"person": "zoe", "speaks": True}
    path = f"/bridges/{STANDING.id}/permit"
    assert (await admin.ask("POST", path, wish)).code == "not_in_space"
    assert (await admin.ask("POST", path, wish | {"person": ""})).code == "bad_value"


async def test_only_who_may_sees_and_changes(hub: SoundHub) -> None:
    async with Browser(hub) as guest:
        await guest.name("Guest")
        assert (await guest.ask("GET", "/bridges")).code == "login_needed"
        assert (await guest.ask("POST", "/bridges", NEW)).code == "login_needed"
        assert (await guest.ask("GET", "/spaces/main/bridges")).code == "not_allowed"


def settings(folder: Path, text: str) -> HubConfig:
    file = folder / "hub.toml"
    file.write_text(text)
    return load_config(file, HubConfig)


TABLE = """
[[bridge]]
name = "Phones"
space = "main"
system = "janus-audiobridge"
url = "ws://janus.local:8188"
room = "1234"
pin = "4711"
"""


def test_a_table_of_the_settings_is_a_bridge(tmp_path: Path) -> None:
    (plan,) = settings(tmp_path, TABLE).bridge
    assert (plan.system, plan.room_number, plan.pin) == (System.JANUS, 1234, "4711")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TABLE + TABLE, "given twice"),
        (TABLE.replace('"1234"', '""'), "has a number"),
        (TABLE.replace("ws:", "ftp:"), "wss://"),
        (TABLE.replace("janus-audiobridge", "skype"), "skype"),
        (TABLE + "wrong = 1\n", "wrong"),
    ],
)
def test_a_table_that_cannot_be_is_refused_in_words(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        settings(tmp_path, text)
