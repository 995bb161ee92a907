"""Speakers over the API: for a space's hosts, who see their own space and no other's."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.config import Boxes, HubConfig, TrustConfig
from hub.speakers.fake import FakeHouse
from hub.speakers.speakers import Around, Speakers
from hub.speakers.terms import Cause, Kind, SpeakerError, State
from hub.web.desk import Home
from tests.loopback.hub.crew import Hub, until
from tests.loopback.web.kit import AT_EASE, SPACES, Browser

LIST = "/spaces/main/speakers"


class FakeSpeakerHub(Hub):
    """A hub with a kitchen and a hall that are none."""

    async def _home(self) -> Home:
        self.fake = FakeHouse()
        self.kitchen, self.hall = self.fake.put("kitchen"), self.fake.put("hall")
        around = Around(lambda space: space, lambda space, _host: {"mp3": space})
        self.speakers = Speakers([self.fake], around, self.data)
        self.speakers.start()
        return Home(self.store, self.data, self.trust, speakers=self.speakers)

    async def aclose(self) -> None:
        await self.speakers.aclose()
        await super().aclose()


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[FakeSpeakerHub]:
    trust = TrustConfig(boxes=Boxes.ANYONE)
    config = HubConfig(bind=("127.0.0.1",), port=0, space=SPACES, web=AT_EASE, trust=trust)
    running = FakeSpeakerHub(config, tmp_path)
    await running.start()
    await until(lambda: len(running.speakers.statuses()) == 2)
    yield running
    await running.aclose()


@pytest.fixture
async def admin(hub: FakeSpeakerHub) -> AsyncIterator[Browser]:
    async with Browser(hub) as browser:
        await browser.administer()
        yield browser


async def seen(admin: Browser, name: str, space: str = "main") -> dict[str, Any]:
    every = (await admin.ask("GET", f"/spaces/{space}/speakers")).json["speakers"]
    return next(each for each in every if each["name"] == name)


async def plays(hub: FakeSpeakerHub, admin: Browser, name: str = "kitchen") -> str:
    """Let a speaker play the space; return its address in the API."""
    path = f"{LIST}/{(await seen(admin, name))['id']}"
    assert (await admin.ask("PATCH", path, {"on": True})).status == 200
    key = (Kind.DLNA, name)
    await until(lambda: hub.speakers.status(key).condition.state is State.PLAYING)
    return path


async def test_hosts_only_see_them(hub: FakeSpeakerHub) -> None:
    async with Browser(hub) as guest:
        await guest.name("Gina")
        assert (await guest.ask("GET", LIST)).code == "not_allowed"
        path = f"{LIST}/{'0' * 12}"
        assert (await guest.ask("PATCH", path, {"on": True})).code == "not_allowed"
        assert (await guest.ask("DELETE", path)).code == "not_allowed"
    assert hub.kitchen.plays == 0


async def test_one_is_played_turned_and_stopped(hub: FakeSpeakerHub, admin: Browser) -> None:
    assert [each["here"] for each in (await admin.ask("GET", LIST)).json["speakers"]] == [False] * 2
    path = await plays(hub, admin)
    found = await seen(admin, "kitchen")
    assert (found["state"], found["here"], found["volume"]) == ("playing", True, 50)
    assert (await admin.ask("PATCH", path, {"volume": 20})).json["volume"] == 20
    assert hub.kitchen.level == 0.2
    stopped = (await admin.ask("PATCH", path, {"on": False})).json
    assert (stopped["state"], stopped["here"]) == ("off", False)
    await until(lambda: hub.kitchen.sound is None)
    assert (await admin.ask("PATCH", path, {"volume": 20})).code == "speaker_refuses"
    assert (await admin.ask("PATCH", path, {})).status == 200
    for bad in ({"volume": 101}, {"volume": -1}, {"on": "yes"}, {"loud": True}):
        assert (await admin.ask("PATCH", path, bad)).code == "bad_value"


async def test_a_space_sees_that_another_one_has_it_and_no_more(
    hub: FakeSpeakerHub, admin: Browser
) -> None:
    path = await plays(hub, admin)
    found = await seen(admin, "kitchen", "talk")
    assert (found["elsewhere"], found["here"], found["state"]) == (True, False, "off")
    assert (found["volume"], found["detail"]) == (None, "")
    other = path.replace("/main/", "/talk/")
    assert (await admin.ask("PATCH", other, {"on": True})).code == "not_allowed"
    assert (await admin.ask("DELETE", other)).code == "not_allowed"
    hub.kitchen.end(Cause.STOPPED_THERE)
    await until(lambda: hub.speakers.status((Kind.DLNA, "kitchen")).condition.state == "stopped")
    assert (await admin.ask("PATCH", other, {"on": True})).json["here"]  # nobody else wants it


async def test_why_it_does_not_play_is_said_and_when_it_tries_again(
    hub: FakeSpeakerHub, admin: Browser
) -> None:
    hub.hall.refuses = SpeakerError(Cause.NOT_ALLOWED, "It wants a PIN.")
    path = f"{LIST}/{(await seen(admin, 'hall'))['id']}"
    await admin.ask("PATCH", path, {"on": True})
    await until(lambda: hub.speakers.status((Kind.DLNA, "hall")).condition.state == "refused")
    found = await seen(admin, "hall")
    assert (found["cause"], found["detail"]) == ("not_allowed", "It wants a PIN.")
    assert 20 < found["next_s"] <= 30
    hub.fake.hide("hall")
    assert (await admin.ask("DELETE", path)).status == 204
    assert (await admin.ask("DELETE", path)).code == "no_such_speaker"
