"""X Spaces with a double: listening, asking, and everything that is refused. No Janus, no X."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.bridges.bridge import Status
from hub.bridges.plan import Plan, PlanError
from hub.bridges.terms import Cause, FarError, Part, State, System
from hub.bridges.x_machine import NOTES, Stage
from hub.bridges.x_settings import REFUSED, SWITCH, XConfig
from hub.bridges.x_space import Memory, Visit, XSpace
from hub.config import HubConfig
from stagebox import measure as m
from stagebox.config import ConfigError, parse_config
from stagebox.media.frames import SAMPLE_RATE
from stagebox.wire.terms import Mark
from tests.loopback.bridges.kit import Ears, Person, SoundHub, as_float, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.loopback.web.kit import Browser
from tests.support.bridge_contract import FarContract, Notes
from tests.support.crew import free_port
from tests.support.x_double import (
    AUTH,
    BEARER,
    CSRF,
    LINK,
    OWN,
    SESSION,
    ZOE,
    Broadcast,
    XDouble,
)

PLAN = Plan(name="Space", space="main", system=System.X, url=LINK)
ASKING = Plan(name="Space", space="main", system=System.X, url=LINK, part=Part.SPEAK)
PROGRAMME_S, PIECE_S = 12.0, 0.5


@pytest.fixture
async def double() -> AsyncIterator[XDouble]:
    async with XDouble(Broadcast(1, PROGRAMME_S, PIECE_S)).serving() as double:
        yield double


def status(hub: SoundHub, bridge: str) -> Status:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status()


def open_to_others(config: XConfig) -> None:
    Path(config.session_file).chmod(0o640)


async def over(hub: SoundHub, bridge: str) -> Cause:
    """Wait until a bridge rests; return why."""
    await until(lambda: hub.state(bridge) in {State.WAITING, State.REFUSED, State.ENDED})
    return status(hub, bridge).condition.cause


def like(ears: Ears, broadcast: Broadcast) -> tuple[float, float]:
    """Return how alike two seconds that were heard are, and how late they were."""
    heard = ears.recording()
    begin = heard.start + heard.samples.size / SAMPLE_RATE - 2.5
    said = as_float(words(1, PROGRAMME_S))[: round(broadcast.length_s * SAMPLE_RATE)]
    at, correlation = m.best_lag(heard.between(begin, begin + 2.0), said)
    since = begin - broadcast.begun_at - at / SAMPLE_RATE
    return correlation, since % broadcast.length_s


async def test_a_space_is_heard_late_and_says_so(double: XDouble, tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        ann = await Person("Ann", number=1).here(hub)
        async with people(ann):
            bridge = hub.bridge(PLAN)
            await hub.joined(bridge)
            best, late = 0.0, 0.0
            for _ in range(4):
                await asyncio.sleep(2.5)
                correlation, since = like(ann.ears, double.broadcast)
                best, late = max((best, late), (correlation, since))
                if best > 0.9:
                    break
            print("from a Space by its broadcast", best, "late by", late)
            assert best > 0.9
            assert 3 * PIECE_S < late < 8.0  # it begins three pieces before the end; X's have 3 s
            seen = status(hub, bridge)
            assert seen.note == NOTES[Stage.LISTENING]
            assert [each.name for each in seen.people] == ["Zoe"]
            # Nobody there hears us, and nothing was asked that listening does not need.
            assert not any("proxsee" in each or "guest" in each for each in double.asked)


async def test_a_hole_in_the_broadcast_is_got_over(double: XDouble, tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(PLAN)
        await hub.joined(bridge)
        double.lies |= {"list.m3u8": 503, "piece": b"ID3 and then nothing"}
        await asyncio.sleep(0.6)
        double.lies.clear()
        before = status(hub, bridge).counts.said
        await until(lambda: status(hub, bridge).counts.said > before + 30)
        assert hub.state(bridge) is State.JOINED


async def test_nothing_goes_to_x_without_the_consent(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub") as hub:
        with pytest.raises(PlanError) as refused:
            hub.bridge(PLAN)
        assert str(refused.value) == REFUSED
        async with Browser(hub) as admin:
            await admin.administer()
            body = {"name": "S", "space": "main", "system": "x", "url": LINK, "part": "speak"}
            answer = await admin.ask("POST", "/bridges", body)
            assert (answer.code, answer.json["field"]) == ("bad_value", "system")
            assert "suspend" in answer.json["detail"]
    with pytest.raises(ConfigError, match="suspend"):
        parse_config(f'[[bridge]]\nname="S"\nspace="main"\nsystem="x"\nurl="{LINK}"', HubConfig)
    with pytest.raises(ConfigError, match="session_file"):
        parse_config(f"[x]\n{SWITCH} = true", HubConfig)


async def test_a_consent_that_was_taken_back_ends_what_was_made(
    double: XDouble, tmp_path: Path
) -> None:
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        await hub.joined(hub.bridge(PLAN))
    asked = len(double.asked)
    async with sound_hub(tmp_path / "hub") as hub:
        assert await over(hub, PLAN.id) is Cause.NOT_ALLOWED
        assert status(hub, PLAN.id).condition.detail == REFUSED
    assert len(double.asked) == asked


async def test_a_session_is_nobodys_business(
    double: XDouble, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = SESSION.replace(CSRF, "another-one-of-the-test")
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path, wrong)) as hub:
        bridge = hub.bridge(PLAN)
        assert await over(hub, bridge) is Cause.WRONG_SECRET
        assert hub.state(bridge) is State.REFUSED
        config = double.config(tmp_path)  # the same file, renewed
        await hub.ways.bridges.switch(bridge, on=True)
        await hub.joined(bridge)
        open_to_others(config)
        await hub.ways.bridges.switch(bridge, on=False)
        await hub.ways.bridges.switch(bridge, on=True)
        assert await over(hub, bridge) is Cause.WRONG_SECRET
        assert "chmod 600" in status(hub, bridge).condition.detail
        async with Browser(hub) as admin:
            await admin.administer()
            shown = (await admin.ask("GET", "/bridges")).text
    kept = (tmp_path / "hub" / "bridges.json").read_text()
    for secret in (AUTH, CSRF, BEARER, "the-chat-token"):
        assert secret not in shown
        assert secret not in caplog.text
        assert secret not in kept


@pytest.mark.parametrize("state", ["Ended", "NotStarted"])
async def test_a_space_that_is_not_live(double: XDouble, tmp_path: Path, state: str) -> None:
    double.state = state
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(PLAN)
        assert await over(hub, bridge) is Cause.ROOM_ENDED
        next_at = status(hub, bridge).condition.next_at
        assert next_at is not None
        # X is not asked again every three seconds.
        assert next_at - asyncio.get_running_loop().time() > 60.0


LIES: dict[str, tuple[dict[str, Any], set[Cause]]] = {
    "no json": ({"AudioSpaceById": "{"}, {Cause.BAD_ANSWER}),
    "nested": ({"AudioSpaceById": "[" * 100_000}, {Cause.BAD_ANSWER}),
    "too long": ({"AudioSpaceById": '"' + "x" * 2_000_000}, {Cause.BAD_ANSWER}),
    "moved": ({"AudioSpaceById": 404}, {Cause.NOTHING_THERE}),
    "too often": ({"AudioSpaceById": 429}, {Cause.BUSY}),
    "no stream": ({"28_1": {"source": None}}, {Cause.BAD_ANSWER}),
    "elsewhere": ({"28_1": {"source": {"location": "file:///etc/passwd"}}}, {Cause.BAD_ANSWER}),
    "no list": ({"master_playlist.m3u8": "<html>"}, {Cause.BAD_ANSWER}),
    "locked": (
        {"list.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-KEY:METHOD=AES-128"},
        {Cause.BAD_ANSWER},
    ),
    "a picture": ({"piece": b"\x89PNG" * 100}, {Cause.BAD_ANSWER}),
    "noise": ({"piece": b"\xff\xf1" + bytes(range(256)) * 20}, {Cause.NO_ANSWER}),
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_x_that_is_none(
    double: XDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setattr("hub.bridges.x_radio.BEGIN_S", 0.5)
    double.lies, causes = LIES[lie]
    far = XSpace(Visit(LINK, False, double.config(tmp_path)), Memory())
    with pytest.raises(FarError) as refused:
        await far.join(Notes().ear())
    await far.leave()
    assert refused.value.cause in causes
    assert refused.value.detail
    assert AUTH not in refused.value.detail
    assert refused.value.retry_after_s >= 20.0


SPEAKING_LIES: dict[str, Any] = {
    "loginTwitterToken": {"cookie": 7},
    "accessChat": {"endpoint": "ftp://a.example", "access_token": "x"},
    "submit": {"success": False},
}


@pytest.mark.parametrize("name", SPEAKING_LIES)
async def test_a_service_that_is_none(double: XDouble, tmp_path: Path, name: str) -> None:
    double.lies = {name: SPEAKING_LIES[name]}
    far = XSpace(Visit(LINK, True, double.config(tmp_path)), Memory())
    with pytest.raises(FarError) as refused:
        await far.join(Notes().ear())
    await far.leave()
    assert refused.value.cause is Cause.BAD_ANSWER


async def test_it_asks_follows_the_chat_and_withdraws(double: XDouble, tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(ASKING)
        await hub.joined(bridge)
        assert status(hub, bridge).note == NOTES[Stage.ASKED]
        assert double.wishes == ["wish-1"]
        await double.say({"guestBroadcastingEvent": "nonsense", "guestRemoteID": {}})
        await double.tell(1, "1yan", "wish-of-yan")
        await until(lambda: len(status(hub, bridge).people) == 2)
        assert [each.hand for each in status(hub, bridge).people] == [False, True]
        await double.tell(12, "1yan", "wish-of-yan")
        await until(lambda: status(hub, bridge).people[1].may_speak)
        assert status(hub, bridge).note == NOTES[Stage.ASKED]  # that was not for us
        await double.tell(16, ZOE)
        await until(lambda: bool(status(hub, bridge).people[0].muted))
        await hub.ways.bridges.switch(bridge, on=False)
        assert double.withdrawn == ["wish-1"]


async def test_a_chat_that_breaks_while_it_asks_is_over(double: XDouble, tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(ASKING)
        await hub.joined(bridge)
        await double.hang_up()
        assert await over(hub, bridge) is Cause.LOST
        await until(lambda: double.withdrawn == ["wish-1"])


async def test_a_gateway_that_is_none_ends_it(double: XDouble, tmp_path: Path) -> None:
    double.gateway = f"http://127.0.0.1:{free_port()}/janus"
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(ASKING)
        await hub.joined(bridge)
        await double.tell(12, OWN, "wish-1")
        assert await over(hub, bridge) in {Cause.NO_ANSWER, Cause.UNREACHABLE}
        assert double.unmuted == []


async def test_marks_of_a_space_are_shown_here(double: XDouble, tmp_path: Path) -> None:
    far = XSpace(Visit(LINK, True, double.config(tmp_path)), Memory())
    seen: list[Mark] = []
    await far.join(replace(Notes().ear(), reacted=seen.append))
    await double.say({"type": 2, "body": "\U0001f44f"})
    await until(lambda: seen == [Mark.CLAP])
    await far.leave()


async def test_a_space_is_made_by_a_person_alone(double: XDouble, tmp_path: Path) -> None:
    url = "https://x.com/i/spaces"
    hosting = Plan(name="Ours", space="main", system=System.X, url=url, part=Part.HOST)
    double.lies = {"createBroadcast": {"room_id": "../.."}}
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        bridge = hub.bridge(hosting)
        assert hub.state(bridge) is State.OFF
        await hub.ways.bridges.switch(bridge, on=True)
        await until(lambda: hub.state(bridge) is State.OFF)
        assert status(hub, bridge).condition.cause is Cause.NOT_BEGUN_AGAIN
        asked = len(double.asked)
    async with sound_hub(tmp_path / "hub", x=double.config(tmp_path)) as hub:
        await asyncio.sleep(0.3)
        assert hub.state(bridge) is State.OFF
    assert len(double.asked) == asked


class XWorld:
    """A Space that is listened to."""

    speaks, listens = True, False

    def __init__(self, double: XDouble, folder: Path) -> None:
        self._double, self._folder = double, folder

    def far(self) -> XSpace:
        return self._far(self._double.config(self._folder))

    def stranger(self) -> XSpace:
        return self._far(self._double.config(self._folder, SESSION.replace(AUTH, "x" * 20)))

    def nowhere(self) -> XSpace:
        return self._far(self._double.config(self._folder, base=f"http://127.0.0.1:{free_port()}"))

    async def heard(self) -> int:
        return 0

    async def say(self) -> None:
        """Somebody always speaks there."""

    async def end(self) -> None:
        self._double.broadcast.over = True

    def _far(self, config: XConfig) -> XSpace:
        return XSpace(Visit(LINK, False, config), Memory())


class TestX(FarContract):
    @pytest.fixture
    async def world(self, double: XDouble, tmp_path: Path) -> XWorld:
        return XWorld(double, tmp_path)
