"""What the panel's firmware does, alone and with its box."""

import random
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle
from math import ceil
from pathlib import Path

import pytest

from device.buttons.lamps import LEADS, NAMED, Color, Pattern
from device.buttons.pico import link
from device.buttons.picotable import PIXEL
from device.buttons.ports import Key
from tests.firmware.line import CLEAN, Faults
from tests.firmware.pico import KEY_PIN, REC_PIN, LeftError, Pico, mask
from tests.firmware.stage import Stage, play

DARK = (0, 0, 0)
STEP_MS = 10
TALK, HAND, MUTE = mask("talk"), mask("hand"), mask("mute")


@pytest.fixture
def pico() -> Iterator[Pico]:
    made = Pico.boot()
    yield made
    made.close()


class Box:
    """The other end of a clean line, said by hand."""

    def __init__(self, pico: Pico) -> None:
        self.pico = pico
        self.states: list[str] = []
        self._peer = link.Peer(link.BOX, link.PANEL, "b0b0b0b0", "off 0 100 0", 1)
        self._decoder = link.Decoder()

    def tell(self, state: str) -> None:
        self._peer.put(state)

    def run(self, ms: int, down: int | None = None) -> None:
        for _ in range(0, ms, STEP_MS):
            self.pico.write(self._peer.tick(STEP_MS) or b"")
            self.pico.run(STEP_MS, down)
            for byte in self.pico.read():
                body = self._decoder.push(byte)
                if body is not None:
                    self.states += self._peer.take(body)[1]


def part(value: int, percent: int = 100) -> int:
    """What the ring gets of a colour's part: a quarter; both rounded up."""
    return ceil(ceil(value * percent / 100) / 4)


def ring(color: Color, level: float = 1.0, percent: int = 100) -> tuple[int, ...]:
    return tuple(part(round(each * level), percent) for each in PIXEL[color])


def changes(pico: Pico, begin: int = 0) -> list[tuple[int, ...]]:
    """The lights from that number on, without those that changed nothing."""
    found: list[tuple[int, ...]] = []
    for each in pico.lights[begin:]:
        if not found or found[-1][1:] != each[1:]:
            found.append(each)
    return found


def expected(pattern: Pattern, ms: int) -> list[tuple[int, ...]]:
    """What a pattern looks like until ``ms``: each change with its time."""
    found: list[tuple[int, ...]] = []
    at = 0
    for step in cycle(pattern.steps):
        if at > ms:
            return found
        color = ring(step.color, step.level)
        if not found or found[-1][1:] != color:
            found.append((at, *color))
        at += step.ms
    return found


def test_without_a_box_it_says_that_the_link_is_lost(pico: Pico) -> None:
    pico.run(5_000)
    lit = [each for each in changes(pico) if each[1:] != DARK]
    assert {each[1:] for each in lit} == {ring(Color.AMBER)}
    assert lit[0][0] < 3_000
    assert pico.starts == 1


def test_a_key_is_told_at_once_and_bounce_is_not(pico: Pico) -> None:
    box = Box(pico)
    box.run(1_000)
    box.states.clear()
    for level in (TALK, 0, TALK, 0, TALK):
        pico.run(1, level)
    box.run(30)
    assert box.states == ["1"]
    for level in (0, TALK, 0, TALK, 0):
        pico.run(1, level)
    box.run(40)
    assert box.states == ["1", "0"]


def test_a_spark_is_no_press(pico: Pico) -> None:
    box = Box(pico)
    box.run(1_000)
    box.states.clear()
    for _ in range(20):
        pico.run(1, TALK)
        pico.run(9, 0)
    box.run(50)
    assert box.states == []


def test_it_plays_each_pattern_as_the_box_would(pico: Pico) -> None:
    box = Box(pico)
    box.run(1_000)
    for turn, name in enumerate(NAMED):
        begin = len(pico.lights)
        box.tell(f"{name} {turn % 10} 100 0")
        box.run(4_000)
        shown = changes(pico, begin)
        start = shown[0][0]
        told = [(at - start, *color) for at, *color in shown]
        wanted = expected(NAMED[name], 3_900)
        for (at, *color), (due, *meant) in zip(told, wanted, strict=False):
            assert color == meant, (name, due, told, wanted)
            assert abs(at - due) <= 4, (name, told, wanted)
        assert len(wanted) <= len(told) <= len(wanted) + 1, name


@pytest.mark.parametrize("lead", [*LEADS])
def test_a_lead_is_played_once(pico: Pico, lead: str) -> None:
    box = Box(pico)
    box.run(600)
    begin = len(pico.lights)
    box.tell(f"{lead}+off 1 100 0")
    box.run(4_000)
    lit = [each for each in changes(pico, begin) if each[1:] != DARK]
    assert len(lit) == sum(step.is_lit for step in LEADS[lead])


def test_a_pattern_it_does_not_know_is_a_lost_link_and_never_red(pico: Pico) -> None:
    box = Box(pico)
    box.run(600)
    for turn, name in enumerate(("red", "brand_new", "live+brand_new", "sparkle+refused+off")):
        begin = len(pico.lights)
        box.tell(f"{name} {turn} 100 0")
        box.run(2_500)
        assert {each[1:] for each in pico.lights[begin:]} <= {
            DARK,
            ring(Color.AMBER),
            ring(Color.WHITE),
        }


def test_brightness_and_the_recording_lamp(pico: Pico) -> None:
    box = Box(pico)
    box.run(600)
    box.tell("live 1 25 1")
    box.run(50)
    assert pico.light == ring(Color.RED, percent=25)
    assert pico.pins[REC_PIN]
    box.tell("live 1 5 0")
    box.run(50)
    assert pico.light == ring(Color.RED, percent=5)
    assert not pico.pins[REC_PIN]
    for odd in ("live", "live 1 x 1", "live 1 -5 1", "live 1 100 1 1", ""):
        box.tell(odd)
        box.run(50)
        assert pico.light == ring(Color.RED, percent=5)


def test_red_dies_within_a_second_of_silence_and_the_link_within_three(pico: Pico) -> None:
    box = Box(pico)
    box.run(600)
    box.tell("live 1 100 1")
    box.run(2_000)
    assert pico.light == ring(Color.RED)
    silent_since = pico.now
    pico.run(10_000)
    after = [each for each in changes(pico) if each[0] > silent_since]
    assert after[0][1:] == DARK
    assert after[0][0] - silent_since <= 1_010
    assert after[1][1:] == ring(Color.AMBER)
    assert after[1][0] - silent_since < 3_000
    assert ring(Color.RED) not in {each[1:] for each in after}
    assert not pico.pins[REC_PIN]


def test_a_cut_of_power_in_the_middle_of_a_press(pico: Pico) -> None:
    box = Box(pico)
    box.run(1_000)
    box.run(100, TALK)
    assert box.states[-1] == "1"
    pico.run(10, TALK, reset=True)
    box.run(2_000, TALK)
    assert pico.starts == 2
    assert box.states[-1] == "1"
    box.run(100, 0)
    assert box.states[-1] == "0"


def test_a_program_that_fails_says_why_and_begins_anew(pico: Pico) -> None:
    pico.run(1_000)
    pico.read()
    pico.fail(50, KEY_PIN)
    assert b"the pin is broken" in pico.read()
    pico.run(2_000)
    assert pico.starts == 2
    assert b"$K" in pico.read()


def test_a_program_that_hangs_is_begun_anew_by_the_watchdog(pico: Pico) -> None:
    pico.run(1_000)
    pico.hang(500)
    assert pico.starts == 1
    pico.run(2_000)
    assert pico.starts == 2


def test_service_is_one_start_without_the_program(pico: Pico) -> None:
    pico.run(1_000)
    name = pico.read().split()[2].decode()
    pico.write(link.frame(link.service("0" * 8)))
    pico.run(1_000)
    assert pico.starts == 1
    pico.write(link.frame(link.service(name)))
    with pytest.raises(LeftError, match="the prompt"):
        pico.run(1_000)


def test_three_keys_at_power_on_are_service_too(pico: Pico) -> None:
    pico.run(1_000)
    pico.run(1_000, TALK | HAND | MUTE, reset=True)
    assert pico.starts == 2
    with pytest.raises(LeftError, match="the prompt"):
        pico.run(1_000, mask("volume_up", "volume_down", "status"), reset=True)


def test_a_stuffed_line_holds_up_no_key(pico: Pico) -> None:
    box = Box(pico)
    box.run(1_000)
    box.states.clear()
    for _ in range(50):
        pico.write(random.Random(3).randbytes(1_000))
        pico.run(1)
    box.run(40, TALK)
    assert box.states == ["1"]


def test_a_step_without_news_makes_no_garbage() -> None:
    with (
        closing(Pico.boot("no_garbage")) as pico,
        pytest.raises(LeftError, match="300 steps"),
    ):
        pico.run(1_000)


def test_with_its_box(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.start_box()
        assert "No panel is plugged in" in stage.troubles[-1]
        stage.plug_in()
        await stage.run(2_500)
        assert stage.troubles[-1] == ""
        stage.show("queued")
        await stage.run(50)
        assert stage.pico.light == ring(Color.GREEN)
        for _ in range(20):
            await stage.bounce(TALK)
            await stage.run(30, TALK)
            await stage.bounce(0)
            await stage.run(30, 0)
        assert stage.edges == [(Key.TALK, True), (Key.TALK, False)] * 20
        await stage.run(100, MUTE)
        assert stage.down == {Key.MUTE}
        stage.unplug()
        await stage.run(100)
        assert stage.down == set()
        stage.plug_in()
        await stage.run(2_000)
        assert stage.down == {Key.MUTE}, "a switch that is on"
        await stage.run(100, TALK)
        assert stage.down == {Key.TALK}
        stage.unplug()
        await stage.run(500)
        stage.plug_in()
        await stage.run(2_000)
        assert stage.down == set(), "what may be a cup on the key is no press"
        await stage.run(100, 0)
        await stage.run(100, TALK)
        assert stage.down == {Key.TALK}

    stage = play(act, tmp_path)
    assert stage.wrong == []


def test_torn_frames_lose_no_press(tmp_path: Path) -> None:
    taps = 150

    async def act(stage: Stage) -> None:
        stage.start_box()
        stage.plug_in()
        await stage.run(2_500)
        stage.up.faults = stage.across.faults = Faults(drop=0.002, flip=0.002, split=0.3)
        for _ in range(taps):
            await stage.run(80, HAND)
            await stage.run(80, 0)
        stage.up.faults = stage.across.faults = CLEAN
        await stage.run(200)

    stage = play(act, tmp_path)
    assert stage.up.damaged > 20
    assert stage.edges == [(Key.HAND, True), (Key.HAND, False)] * taps
