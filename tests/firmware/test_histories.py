"""Random evenings: fingers, a line that tears bytes, cables pulled, either side reset.

``STAGEBOX_HISTORIES`` says how many; the few of every run take half a minute.
"""

import os
import random
from pathlib import Path

import pytest

from device.buttons.lamps import NAMED
from device.buttons.pico import link
from tests.firmware.line import CLEAN, REGIMES, Faults, Line
from tests.firmware.pico import mask
from tests.firmware.stage import KEYS, Stage, play
from tests.firmware.test_firmware import DARK, ring

HISTORIES = int(os.environ.get("STAGEBOX_HISTORIES", "12"))
# Each in its own process, where there are processors.
SHARES = 4
ACTS = 30
SERVICE = mask("volume_up", "volume_down", "status")
AMBER, RED = ring(NAMED["link_lost"].color), ring(NAMED["live"].color)
# A side notices after LOST_MS; a step of the test may come late by its own length.
SLACK_MS = 100


class Evening:
    """One history on a stage, and what must never be."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.chance = stage.chance
        self.up_since = dict.fromkeys(KEYS, 0)
        self.power_at = 0

    async def play(self) -> None:
        stage = self.stage
        stage.plug_in()
        stage.start_box()
        await self.run(self.chance.randrange(3_000))
        for _ in range(ACTS):
            await self.chance.choices(
                [self.move, self.spoil, self.show, self.cut_power, self.restart_box, self.pull],
                [24, 8, 5, 1, 1, 1],
            )[0]()
            await self.run(self.chance.choice((10, 40, 120, 300, 900)))
        await self.end()

    async def move(self) -> None:
        """Press or lift one key, with bounce."""
        finger = self.stage.finger ^ 1 << self.chance.randrange(len(KEYS))
        # All three of these at power-on ask for a prompt.
        await self.stage.bounce(finger & ~SERVICE if finger & SERVICE == SERVICE else finger)

    async def spoil(self) -> None:
        """Make the line bad, or good, in either direction."""
        self.stage.up.faults = self.chance.choice(REGIMES)
        self.stage.across.faults = self.chance.choice(REGIMES)

    async def show(self) -> None:
        """Let the lamp show something else, red above all."""
        self.stage.show(self.chance.choice(("live", "live", "queued", "idle_free", "off")))

    async def cut_power(self) -> None:
        """Let the Pico begin anew, in whatever it is doing."""
        await self.stage.pass_ms(5, reset=True)
        self.power_at = self.stage.now

    async def restart_box(self) -> None:
        """Let the box's program end without a word, and start again."""
        self.stage.stop_box()
        await self.run(self.chance.choice((100, 1_000, 4_000)))
        self.stage.start_box()

    async def pull(self) -> None:
        """Pull the cable out and put it in again."""
        self.stage.unplug()
        await self.run(self.chance.choice((50, 1_000, 4_000)))
        self.stage.plug_in()

    async def run(self, ms: int) -> None:
        """Let time pass, and look at everything all the time."""
        for _ in range(0, ms, 10):
            await self.stage.pass_ms(10)
            self.look()

    def look(self) -> None:
        stage, now = self.stage, self.stage.now
        for i, key in enumerate(KEYS):
            if stage.finger >> i & 1:
                self.up_since[key] = now
            lifted_for = now - self.up_since[key]
            assert lifted_for <= link.LOST_MS + SLACK_MS or key not in stage.down, f"{key} sticks"
        if now - stage.up.last_at > link.LOST_MS + SLACK_MS:
            assert not stage.down, "a panel that is lost has keys that are down"
        self.look_at_the_lamp()

    def look_at_the_lamp(self) -> None:
        stage, now = self.stage, self.stage.now
        silence = now - max(stage.across.last_at, 0)
        if silence > 1_000 + SLACK_MS:
            assert stage.pico.light != RED, "red, and the box is silent"
        if silence > 3_000 and now - self.power_at > 3_000:
            lost_at = now - silence + link.LOST_MS + SLACK_MS
            lately = [each for each in stage.pico.lights[-50:] if each[0] > now - 2_000]
            assert AMBER in [each[1:] for each in lately], "it does not say that the link is lost"
            assert {each[1:] for each in lately if each[0] > lost_at} <= {AMBER, DARK}

    async def end(self) -> None:
        """Everything is mended; after a while both sides agree, and presses count."""
        stage = self.stage
        stage.up.faults = stage.across.faults = CLEAN
        stage.finger = 0
        await self.run(4_000)
        assert stage.down == set()
        assert stage.panel is not None
        assert stage.panel.is_connected
        assert stage.panel.trouble == ""
        stage.show("live")
        for _ in range(3):
            stage.finger = self.chance.randrange(1, 1 << len(KEYS))
            await self.run(100)
            held = {key for i, key in enumerate(KEYS) if stage.finger >> i & 1}
            assert stage.down == held
            assert {key for key in KEYS if stage.panel.is_down(key)} == held
        assert stage.pico.light == RED
        stage.finger = 0
        await self.run(100)
        assert stage.down == set()
        assert stage.wrong == []


async def evening(stage: Stage) -> None:
    await Evening(stage).play()


@pytest.mark.timeout(60 + 5 * HISTORIES)
@pytest.mark.parametrize("share", range(SHARES))
def test_random_histories(tmp_path: Path, share: int) -> None:
    damaged = 0
    for seed in range(share, HISTORIES, SHARES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            stage = play(evening, folder, seed)
        except AssertionError as error:
            raise AssertionError(f"history {seed}: {error}") from error
        damaged += stage.up.damaged + stage.across.damaged
    assert damaged > 0


def test_a_line_that_is_told_to_be_bad_is_bad() -> None:
    line = Line(random.Random(5))
    line.faults = Faults(drop=0.1, flip=0.1, split=0.5, noise=0.5)
    sent = bytes(range(256)) * 4
    came = b"".join(line.carry(sent[at : at + 16], at) for at in range(0, len(sent), 16))
    assert line.damaged > 100
    assert came != sent
    line.faults = CLEAN
    assert line.carry(b"", 9_999) != b"" or line.carry(b"abc", 9_999) == b"abc"
    line.faults = Faults(cut=True)
    assert line.carry(b"abc", 10_000) == b""
    assert line.last_at <= 9_999
