"""Captions in a hub with spaces and recordings: switched on, agreed to, shown, kept."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from hub.captions import desk, wiring
from hub.captions.engines import engines, why_none
from hub.captions.ports import ScriptedEngine
from hub.captions.recogniser import MISSING
from hub.captions.sphinx import SphinxEngine
from hub.captions.wyoming import WyomingEngine
from hub.config import CaptionEngine, CaptionsConfig, HubConfig
from hub.ports import Tape
from hub.spaces.rights import Actor
from stagebox.config import ConfigError, parse_config
from stagebox.media.toc import END_OF_BURST
from stagebox.wire.acts import Agree, SpaceEdit
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Caption, Done, Error
from stagebox.wire.space import SpaceChanged
from tests.loopback.captions.scenes import babble
from tests.loopback.hub.crew import Guest, crew, until
from tests.loopback.recording.kit import (
    ADMIN,
    LATER_S,
    SPACE,
    RecordingHub,
    enter,
    recording_hub,
)
from tests.loopback.web.kit import Browser
from tests.support.speech_service import speech_service

PATIENCE_S = 90.0  # an engine that cannot be had is tried again after half a minute at most
OFF = CaptionsConfig(engine=CaptionEngine.OFF)


class Share:
    """One pretended tape for the recorder and for captions."""

    def __init__(self, hub: RecordingHub) -> None:
        self._media = hub.media
        self._first = hub.media.taped

    def tape(self, space_id: str, on: bool) -> None:
        self._media.tape(space_id, on)

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        def both(tape: Tape) -> None:
            self._first(tape)
            callback(tape)

        self._media.taped = both


@contextlib.asynccontextmanager
async def captioned(
    hub: RecordingHub, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[ScriptedEngine, None]:
    engine = ScriptedEngine()
    monkeypatch.setattr(wiring, "engines", lambda _config: (engine,))
    async with wiring.captions(CaptionsConfig(), hub.spaces, Share(hub), hub.recorder):
        yield engine


def switch(hub: RecordingHub, on: bool) -> Done | Error:
    reply = hub.spaces.act(SPACE, ADMIN, SpaceEdit(req=hub.req(), captions=on))
    assert isinstance(reply, Done | Error)
    return reply


def may_write(hub: RecordingHub, guest: Guest, yes: bool) -> None:
    act = Agree(req=hub.req(), captions=yes)
    assert isinstance(hub.spaces.act(SPACE, Actor(guest.id, guest.name), act), Done)


def burst(hub: RecordingHub, guest: Guest, at: float) -> None:
    hub.tape(guest, babble(), at)
    hub.media.taped(Tape(SPACE, guest.id, round(at * 48_000) + 48_000, END_OF_BURST, False, at + 1))


async def test_from_the_switch_to_the_screens_and_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = Guest("Anna", number=1), Guest("Bert", number=2)
    async with (
        recording_hub(tmp_path) as hub,
        captioned(hub, monkeypatch) as engine,
        crew(anna, bert),
        Browser(hub) as admin,
    ):
        await enter(hub, anna, bert)
        await admin.administer()
        await hub.record(anna, bert)
        at = asyncio.get_running_loop().time() + LATER_S
        may_write(hub, anna, True)
        burst(hub, anna, at)  # captions are off
        assert isinstance(switch(hub, True), Done)
        burst(hub, anna, at + 10)
        burst(hub, bert, at + 20)  # he did not agree
        shown = await bert.get(Caption)
        while not shown.final:
            shown = await bert.get(Caption)
        assert shown.member == anna.id
        may_write(hub, anna, False)
        burst(hub, anna, at + 30)
        may_write(hub, bert, True)
        burst(hub, bert, at + 40)
        await until(lambda: len(engine.heard) == 2)
        last = await anna.get(Caption)
        while not (last.final and last.n == shown.n + 1):
            last = await anna.get(Caption)
        assert last.member == bert.id
        recording = await hub.stop()
        vtt = (await admin.ask("GET", f"/recordings/{recording}/captions.vtt")).text
        assert isinstance(switch(hub, False), Done)
        burst(hub, bert, at + 50)
        await asyncio.sleep(0.05)
        assert len(engine.heard) == 2
    assert vtt.count("<v Anna>") == vtt.count("<v Bert>") == 1
    assert f"<v Anna>{shown.text}</v>" in vtt
    assert anna.id in vtt


async def test_a_service_that_dies_and_comes_back_is_told_to_members_and_at_the_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "CHECK_S", 0.2)
    anna = Guest("Anna", number=1)

    async def hears(away: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await anna.get(SpaceChanged)).space.captions_away is not away:
                pass

    async with recording_hub(tmp_path) as hub, Browser(hub) as outside, crew(anna):

        async def at_the_door() -> bool:
            answer = await outside.ask("GET", f"/spaces/{SPACE}")
            return bool(answer.json["space"].get("captions_away", False))

        async def stays() -> None:
            while True:
                await anna.ping()
                await asyncio.sleep(0.5)

        with speech_service() as service:
            config = CaptionsConfig(
                engine=CaptionEngine.WYOMING, address=f"tcp://127.0.0.1:{service.port}"
            )
            running = wiring.captions(config, hub.spaces, Share(hub), hub.recorder)
            scribe = await running.__aenter__()
            assert scribe is not None
            await enter(hub, anna)
            pings = asyncio.ensure_future(stays())
            assert isinstance(switch(hub, True), Done)
            may_write(hub, anna, True)
            await until(lambda: scribe.desk.ready == 1)
            assert not await at_the_door()
        # Killed, while nobody says a word.
        await hears(True)
        assert await at_the_door()
        with speech_service(port=service.port):
            await hears(False)
            assert not await at_the_door()
            at = asyncio.get_running_loop().time() + LATER_S
            burst(hub, anna, at)
            assert (await anna.get(Caption)).member == anna.id
        pings.cancel()
        await running.__aexit__(None, None, None)


async def test_where_there_is_no_engine_the_switch_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recording_hub(tmp_path) as hub:
        async with wiring.captions(OFF, hub.spaces, Share(hub), None) as scribe:
            assert scribe is None
            assert not hub.spaces.facilities.captions
            refused = switch(hub, True)
            assert isinstance(refused, Error)
            assert refused.code is ErrorCode.NO_CAPTIONS
        assert "captions" not in caplog.text  # who turned it off knows
        monkeypatch.setattr("hub.captions.engines.installed", lambda: False)
        async with wiring.captions(CaptionsConfig(), hub.spaces, Share(hub), None) as scribe:
            assert scribe is None
        assert MISSING in caplog.text


async def test_the_settings_choose_the_engines() -> None:
    assert engines(OFF) == ()
    assert "[captions] engine" in why_none(OFF)
    assert [type(each) for each in engines(CaptionsConfig(at_once=2))] == [SphinxEngine] * 2
    text = '[captions]\nengine = "wyoming"\naddress = "tcp://whisper.local:10300"\nat_once = 3'
    config = parse_config(text, HubConfig).captions
    assert [type(each) for each in engines(config)] == [WyomingEngine] * 3
    assert why_none(config) == ""


@pytest.mark.parametrize("address", ["", "whisper.local", "http://whisper.local:1"])
def test_a_service_without_an_address_is_refused_with_its_line(address: str) -> None:
    text = f'name = "Hub"\n[captions]\nengine = "wyoming"\naddress = "{address}"\n'
    with pytest.raises(ConfigError, match=r"captions.address: .*use tcp://host:port"):
        parse_config(text, HubConfig)


@pytest.mark.parametrize("key", ["address", "language", "model"])
def test_what_is_for_another_engine_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=rf'config:2: captions.{key}: .*engine = "wyoming"'):
        parse_config(f'[captions]\n{key} = "tcp"\n', HubConfig)
