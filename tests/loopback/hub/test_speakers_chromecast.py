"""Cast devices, by the library that others use and a double that speaks the protocol."""

import asyncio
import dataclasses
import functools
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pychromecast")

from hub.speakers.chromecast import ChromecastHouse
from hub.speakers.chromecast_terms import SERVICE
from hub.speakers.settings import SpeakersConfig
from hub.speakers.terms import Announced, Cause, Found, Sound, SpeakerError
from tests.loopback.hub.crew import until
from tests.loopback.hub.speaker_hub import remote, speaker_hub
from tests.loopback.hub.test_speakers import is_heard_well
from tests.support import programmes
from tests.support.chromecast import ADDRESS, PLAYER, Device
from tests.support.crew import free_port
from tests.support.programmes import Station, station
from tests.support.speaker_contract import Notes, SpeakerContract, ended, heard, looking

ID = "0123456789abcdef0123456789abcdef"


def announced(port: int, name: str = "Kitchen", host: str = ADDRESS) -> Announced:
    text = {"id": ID, "fn": name, "md": "Google Home Mini", "ca": "198660"}
    return Announced(SERVICE, f"Google-Home-Mini-{ID}.{SERVICE}", host, port, text)


class CastWorld:
    def __init__(self, device: Device, source: Station) -> None:
        self.device = device
        self.source = source
        self.adapter = ChromecastHouse()

    @property
    def sound(self) -> Sound:
        return self.source.sound

    async def find(self) -> Found:
        notes = Notes()
        self.adapter.announced(announced(self.device.port))
        async with looking(self.adapter, notes):
            await until(lambda: ID in notes.found)
        return notes.found[ID]

    def nowhere(self, found: Found) -> Found:
        return dataclasses.replace(found, key=f"{free_port()} {ID} {ADDRESS}")

    async def is_heard(self) -> bool:
        return self.device.is_loud

    async def level(self) -> float:
        return self.device.level

    async def stop_there(self) -> None:
        self.device.press("IDLE", "CANCELLED")

    async def kill(self) -> None:
        await self.device.kill()


mp3 = functools.cache(programmes.mp3)  # encoding it takes a while


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CastWorld]:
    monkeypatch.setattr(programmes, "mp3", mp3)
    threads = threading.active_count()
    async with station() as source, Device(tmp_path) as device:
        yield CastWorld(device, source)
        await device.kill()
        await until(lambda: source.listeners == 0)
    await until(lambda: threading.active_count() <= threads)


class TestChromecast(SpeakerContract):
    async def test_it_is_told_what_it_plays(self, world: CastWorld) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        assert (world.device.title, world.device.kind) == ("Main <&> Hall", "audio/mpeg")
        assert world.device.app == PLAYER
        await player.stop()
        await until(lambda: world.device.app == "")

    @pytest.mark.parametrize(
        ("state", "reason", "cause"),
        [
            ("PAUSED", "", Cause.STOPPED_THERE),
            ("IDLE", "INTERRUPTED", Cause.TAKEN),
            ("IDLE", "ERROR", Cause.LOST),
            ("IDLE", "FINISHED", Cause.LOST),
        ],
    )
    async def test_why_it_is_over_is_known(
        self, world: CastWorld, state: str, reason: str, cause: Cause
    ) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        world.device.press(state, reason)
        assert (await ended(player)).cause is cause
        await player.stop()

    @pytest.mark.parametrize(
        ("app", "cause"), [("", Cause.STOPPED_THERE), ("233637DE", Cause.TAKEN)]
    )
    async def test_what_somebody_else_plays_is_left_alone(
        self, world: CastWorld, app: str, cause: Cause
    ) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        world.device.ask_for(app)
        assert (await ended(player)).cause is cause
        await player.stop()
        await asyncio.sleep(0.2)
        assert world.device.app == app
        assert "STOP" not in [each["type"] for each in world.device.said]

    async def test_a_knob_that_is_turned_is_seen(self, world: CastWorld) -> None:
        player, notes = world.adapter.player(await world.find()), Notes()
        await player.play(world.sound, notes.told.append)
        world.device.turn(0.9)
        await until(lambda: bool(notes.told) and notes.told[-1].level == 0.9)
        await player.stop()

    async def test_what_it_cannot_play_is_said(self, world: CastWorld) -> None:
        world.device.refuses_load = True
        player = world.adapter.player(await world.find())
        with pytest.raises(SpeakerError) as refused:
            await player.play(world.sound, Notes().told.append)
        assert refused.value.cause is Cause.BAD_ANSWER
        await player.stop()
        without = dataclasses.replace(world.sound, urls={"opus": "http://127.0.0.1/a.opus"})
        with pytest.raises(SpeakerError) as none:
            await world.adapter.player(await world.find()).play(without, Notes().told.append)
        assert none.value.cause is Cause.NO_FORMAT

    async def test_nonsense_from_the_device_is_contained(self, world: CastWorld) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        (writer,) = world.device._writers
        for _ in range(5):
            world.device._send(writer, "receiver", {"type": "RECEIVER_STATUS", "status": "no"})
            world.device._send(writer, "media", {"type": "MEDIA_STATUS", "status": [{"media": 5}]})
        world.device.send_raw(writer, b"\xff" * 1_000)
        # The library makes a new connection, or gives up; either way somebody knows.
        assert (await ended(player)).cause in {Cause.LOST, Cause.STOPPED_THERE, Cause.TAKEN}
        await player.stop()


@pytest.mark.timeout(120)
@pytest.mark.skipif("STAGEBOX_LONG" not in os.environ, reason="STAGEBOX_LONG=1 runs it")
async def test_speech_in_a_space_is_fetched_through_a_restart(tmp_path: Path) -> None:
    async with (
        Device(tmp_path) as device,
        speaker_hub(tmp_path / "hub", SpeakersConfig()) as hub,
        remote(hub) as host,
    ):
        hub.speakers.announced(announced(device.port))
        await host.stream()
        await host.wish("Kitchen", on=True)
        await host.sees(hub, "Kitchen", "playing")
        assert device.title == hub.spaces.find("main").info.name

        def played() -> np.ndarray:
            return np.concatenate([np.zeros(1, np.float32), *device.played])

        await is_heard_well(hub, played, "chromecast (a double)", 5.0)
        await device.kill()
        await until(lambda: hub.speakers.statuses()[0].condition.state.value != "playing")
        await device.start()
        await host.sees(hub, "Kitchen", "playing")
        device.press("IDLE", "CANCELLED")
        await host.sees(hub, "Kitchen", "stopped")
