"""Four boxes press at random in one WALKIE space; judged from their events files alone."""

import random
from itertools import combinations

import numpy as np
import pytest

from tests.support.crew import Box, Hub, free_port, running
from tests.support.judge import faults
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECONDS = 60.0
NAMES = ("Ana", "Ben", "Cleo", "Dan")
# A press that was answered shows one of these; "asking" is the wait for the answer.
ANSWERS = {"live", "idle_busy", "cooldown", "idle_free"}
FRAME_S = 0.02
# Frames leave each 20 ms; a loaded machine may hold one up for a while, not for this long.
LIT_WITHOUT_FRAMES_S = 0.25


def presses(seed: int) -> str:
    """Return a script of random presses, from taps to long turns, until shortly before the end."""
    rng = random.Random(seed)
    lines, at = [], rng.uniform(0.2, 1.5)
    while at < SECONDS - 4:
        held = rng.choice((0.03, 0.2, 0.7, 1.5, 2.5))
        lines += [f"{at:.3f} talk down", f"{at + held:.3f} talk up"]
        at += held + rng.uniform(0.05, 1.5)
    return "\n".join(lines)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> list[Box]:
    folder = tmp_path_factory.mktemp("four")
    hub = Hub(folder, free_port())
    with running(hub):
        hub.wait_up()
        crew = [
            Box(
                folder,
                name,
                hub.url,
                script=presses(seed),
                mic=voice(SECONDS, seed),
                seconds=SECONDS,
                wait_joined=30,
            )
            for seed, name in enumerate(NAMES)
        ]
        with running(*crew):
            for box in crew:
                assert box.wait(SECONDS + 60) == 0, box.logged()
    return crew


def test_everybody_got_to_speak_and_pressed_in_vain(boxes: list[Box]) -> None:
    for box in boxes:
        assert len(box.on_air()) >= 3, box.name
    denied = [e for box in boxes for e in box.events("prompt") if e.get("cause") == "floor_taken"]
    assert len(denied) >= 5


@pytest.mark.promise
def test_never_two_open_microphones(boxes: list[Box]) -> None:
    for one, other in combinations(boxes, 2):
        for begin, end in one.on_air():
            for other_begin, other_end in other.on_air():
                assert end < other_begin or other_end < begin, (one.name, other.name, begin, end)


@pytest.mark.promise
def test_no_frame_leaves_while_the_lamp_is_not_red(boxes: list[Box]) -> None:
    for box in boxes:
        red = box.red()
        sent = sorted(float(e["t"]) for e in box.events("frame_sent"))
        assert sent
        assert red
        for at in sent:
            assert any(begin <= at <= end for begin, end in red), f"{box.name}: dark frame {at}"


def test_the_lamp_is_not_red_without_frames(boxes: list[Box]) -> None:
    for box in boxes:
        sent = sorted(float(e["t"]) for e in box.events("frame_sent"))
        for begin, end in box.red():
            inside = [at for at in sent if begin <= at <= end]
            assert inside, f"{box.name}: red without a frame {begin}"
            gaps = np.diff([begin, *inside, end])
            assert gaps.max() < LIT_WITHOUT_FRAMES_S, f"{box.name}: red and silent near {begin}"


def test_whatever_was_pressed_lamps_tones_and_words_are_those_of_the_tables(
    boxes: list[Box],
) -> None:
    for box in boxes:
        assert faults(box.events()) == [], box.name


def test_every_press_is_answered_within_100_ms(boxes: list[Box]) -> None:
    waits = []
    for box in boxes:
        asked_at = None
        for event in box.events("floor"):
            if event["state"] == "asking":
                asked_at = float(event["t"])
            elif asked_at is not None:
                assert event["state"] in ANSWERS, event
                waits.append(float(event["t"]) - asked_at)
                asked_at = None
        assert asked_at is None, f"{box.name}: the last press was never answered"
    assert len(waits) > 50
    assert np.percentile(waits, 99) < 0.1, sorted(waits)[-5:]
