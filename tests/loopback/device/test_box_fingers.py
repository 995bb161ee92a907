"""The box's own shell and its fingers: bounce, the tutorial at the first start, the volume."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device import making
from device.buttons.debounce import HUNG
from device.buttons.ports import Key
from device.buttons.script import ScriptPanel
from device.config import BoxConfig, SoundConfig, VoiceChoice
from device.knob import FILE_NAME
from device.lessons import FILE_NAME as EXPLAINED
from stagebox.speech import write_wav

SOON_S = 20.0


@dataclass
class Bench:
    """A box whose sound devices never start, and which never looks for a hub."""

    made: making.Made
    folder: Path

    @property
    def panel(self) -> ScriptPanel:
        assert isinstance(self.made.parts.panel, ScriptPanel)
        return self.made.parts.panel

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = (self.folder / "events").read_text().splitlines()
        return [each for each in map(json.loads, lines) if each["event"] == event]

    def said(self) -> list[str]:
        return [each["name"] for each in self.events("prompt")]

    async def until(self, event: str, times: int = 1) -> None:
        async with asyncio.timeout(SOON_S):
            while len(self.events(event)) < times:  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def bench(
    folder: Path, *, down: Key | None = None, tutorial: bool = True
) -> AsyncIterator[Bench]:
    write_wav(folder / "mic.wav", np.zeros(4_800, np.int16))
    (folder / "events").write_text("")
    config = BoxConfig(
        state_dir=str(folder / "state"), sound=SoundConfig(voice=VoiceChoice.ON), tutorial=tutorial
    )
    arguments = argparse.Namespace(
        events=folder / "events",
        simulate=True,
        mic=folder / "mic.wav",
        speaker=folder / "out.wav",
        script=None,
        room=None,
        page=None,
    )
    made = making.make(config, arguments, asyncio.Event())
    kit = Bench(made, folder)
    if down is not None:
        kit.panel.move(down, down=True)
    made.box.start_panel()
    try:
        yield kit
    finally:
        kit.panel.close()
        made.parts.knob.close()
        made.parts.events.close()


async def test_at_its_first_start_a_box_explains_itself_until_a_key_is_pressed(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path) as kit:
        assert kit.said() == ["learn_hello"]
        assert kit.events("lamp")[-1]["pattern"] == "tutorial"
        kit.panel.move(Key.VOLUME_UP, down=True)
        await kit.until("volume")
        assert kit.made.parts.floor.deadline is not None  # the key's repeat, and nothing else
        assert kit.events("lamp")[-1]["pattern"] == "no_hub"
    assert (tmp_path / "state" / EXPLAINED).exists()
    async with bench(tmp_path) as kit:
        assert kit.said() == []


@pytest.mark.parametrize("key", [Key.HAND, Key.STATUS])
async def test_a_finger_at_the_start_asks_for_it_again(tmp_path: Path, key: Key) -> None:
    async with bench(tmp_path, tutorial=False) as kit:
        assert kit.said() == []
    async with bench(tmp_path, tutorial=False, down=key) as kit:
        assert kit.said() == ["learn_hello"]


async def test_a_contact_that_bounces_is_one_finger(tmp_path: Path) -> None:
    async with bench(tmp_path, tutorial=False) as kit:
        for down in (True, False, True, False, True):
            kit.panel.move(Key.TALK, down=down)
        await kit.until("key")
        for down in (False, True, False):
            kit.panel.move(Key.TALK, down=down)
        await kit.until("key", 2)
        assert [(each["key"], each["down"]) for each in kit.events("key")] == [
            ("talk", True),
            ("talk", False),
        ]
        assert kit.said() == ["link_lost"]


async def test_a_release_that_was_lost_is_found_and_the_next_press_is_one(tmp_path: Path) -> None:
    async with bench(tmp_path, tutorial=False) as kit:
        watch = asyncio.create_task(kit.made.box.run())
        kit.panel.move(Key.TALK, down=True)
        await kit.until("key")
        kit.panel._down.clear()  # the contact opened, and nobody said so
        async with asyncio.timeout(SOON_S):
            while kit.made.parts.floor.down:  # noqa: ASYNC110 - nobody is told
                await asyncio.sleep(0.01)
        before = len(kit.said())
        kit.panel.move(Key.TALK, down=True)
        await kit.until("prompt", before + 1)
        assert [each["down"] for each in kit.events("key")] == [True, True]
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


async def test_keys_whose_edges_stay_away_are_a_sign_that_something_hangs(tmp_path: Path) -> None:
    async with bench(tmp_path, tutorial=False, down=Key.MUTE) as kit:
        box, known = kit.made.box, kit.made.parts.floor
        watch = asyncio.create_task(box.run())
        for turn in range(HUNG):
            assert box.feels(), turn
            contacts = {Key.MUTE} if turn % 2 else {Key.MUTE, Key.HAND}
            kit.panel._down = set(contacts)  # they move, and nobody says so
            async with asyncio.timeout(SOON_S):
                while known.down != contacts:  # noqa: ASYNC110 - nobody is told
                    await asyncio.sleep(0.01)
        assert not box.feels()
        kit.panel.move(Key.TALK, down=True)
        await kit.until("key")
        assert box.feels()
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch


async def test_the_volume_stays_where_the_keys_left_it(tmp_path: Path) -> None:
    async with bench(tmp_path, tutorial=False) as kit:
        for _ in range(3):
            kit.panel.move(Key.VOLUME_DOWN, down=True)
            await asyncio.sleep(0.03)
            kit.panel.move(Key.VOLUME_DOWN, down=False)
            await asyncio.sleep(0.03)
        await kit.until("volume", 3)
        assert kit.events("volume")[-1]["percent"] == 85
    assert (tmp_path / "state" / FILE_NAME).read_text() == "85\n"
    async with bench(tmp_path, tutorial=False) as kit:
        assert kit.made.parts.knob.percent == 85
