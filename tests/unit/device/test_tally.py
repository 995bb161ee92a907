"""The lamp: red exactly while the sender is on air, else what the floor's state looks like."""

import json
from pathlib import Path

import pytest

from device.buttons.lamps import NIGHT, PATTERNS, RED_NIGHT, Pattern
from device.buttons.ports import Key
from device.buttons.script import ScriptPanel
from device.events import EventLog
from device.floor.model import FloorState, Show
from device.floor.prompts import Prompt
from device.tally import Tally
from device.view.status import Status


class Kit:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "events"
        self.shown: list[Pattern] = []
        self.heard: list[bool] = []
        self.status = Status("Ana")
        self.recorded: list[bool] = []
        panel = ScriptPanel("", self.shown.append, self.recorded.append)
        self.tally = Tally(panel, EventLog(self.file), self.status, self.heard.append)

    def events(self, event: str) -> list[dict[str, str]]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [each for each in map(json.loads, lines) if each["event"] == event]


def test_the_first_state_is_told_and_shown_like_any_other(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.relight()
    assert kit.shown == []
    kit.tally.show(Show(FloorState.OFFLINE))
    kit.tally.show(Show(FloorState.OFFLINE))
    assert [each["state"] for each in kit.events("floor")] == ["offline"]
    assert [(each["color"], each["pattern"]) for each in kit.events("lamp")] == [
        ("amber", "no_hub")
    ]
    assert (kit.status.color, kit.status.pattern) == ("amber", "no_hub")


def test_a_panel_that_starts_late_is_told_what_to_show(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.OFFLINE))
    kit.tally.relight()
    assert [pattern.name for pattern in kit.shown] == ["no_hub", "no_hub"]
    assert len(kit.events("lamp")) == 1


def test_red_is_the_senders(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.LIVE))
    assert kit.status.color == "blue"
    kit.tally.on_air(True)
    kit.tally.show(Show(FloorState.OFFLINE))
    assert kit.status.color == "red"
    kit.tally.show(Show(FloorState.OFFLINE, warning=True))
    assert (kit.status.color, kit.status.pattern) == ("red", "warning")
    kit.tally.frame_sent(7)
    kit.tally.on_air(False)
    assert kit.status.pattern == "no_hub"
    assert kit.heard == [True, False]
    assert kit.events("frame_sent")[0]["seq"] == 7


def test_a_box_without_sound_promises_none(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.sound(False)
    assert (kit.status.color, kit.status.pattern) == ("amber", "no_sound")
    kit.tally.show(Show(FloorState.IDLE_FREE, refused=True))
    assert kit.status.pattern == "refused+no_sound"
    kit.tally.show(Show(FloorState.OFFLINE))
    assert kit.status.pattern == "no_hub"
    kit.tally.show(Show(FloorState.IDLE_BUSY))
    assert kit.status.pattern == "no_sound"
    kit.tally.on_air(True)
    assert kit.status.color == "red"
    kit.tally.on_air(False)
    kit.tally.sound(True)
    assert kit.status.pattern == "idle_busy"


def test_the_recording_lamp_follows_the_space_and_is_told_again_to_a_late_panel(
    tmp_path: Path,
) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    assert kit.recorded == []
    kit.tally.show(Show(FloorState.IDLE_FREE, recorded=True))
    kit.tally.show(Show(FloorState.LIVE, recorded=True))
    assert kit.recorded == [True]
    assert kit.status.recorded
    kit.tally.relight()
    kit.tally.show(Show(FloorState.OFFLINE))
    assert kit.recorded == [True, True, False]
    assert [each["on"] for each in kit.events("recording")] == [True, False]


def test_a_sparkle_is_a_wink_that_leaves_the_lamp_as_it_was(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.sparkle(0.0)
    assert kit.shown == []
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.sparkle(1.0)
    kit.tally.sparkle(2.9)
    assert [pattern.name for pattern in kit.shown] == ["idle_free", "sparkle+idle_free"]
    assert kit.shown[1].steps == kit.shown[0].steps
    kit.tally.sparkle(3.0)
    assert len(kit.shown) == 3
    kit.tally.on_air(True)
    kit.tally.sparkle(9.0)
    assert kit.shown[-1].name == "live"
    assert kit.status.color == "red"


def test_news_are_a_long_glow_that_leaves_the_lamp_as_it_was(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.said(Prompt.NEWS, 1.0)
    kit.tally.said(Prompt.NEWS, 1.5)
    kit.tally.said(Prompt.HAND_UP, 9.0)
    assert [pattern.name for pattern in kit.shown] == ["idle_free", "news+idle_free"]
    assert kit.events("lamp")[-1]["color"] == "purple"
    assert kit.status.pattern == "idle_free"
    kit.tally.on_air(True)
    kit.tally.said(Prompt.NEWS, 20.0)
    assert kit.shown[-1].name == "live"


def test_a_stuck_key_is_shown_until_all_are_up(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE, refused=True))
    kit.tally.said(Prompt.BUTTON_STUCK, 1.0)
    kit.tally.show(Show(FloorState.IDLE_BUSY))
    kit.tally.down(frozenset({Key.HAND, Key.MUTE}))
    assert kit.status.pattern == "stuck"
    kit.tally.down(frozenset({Key.MUTE}))
    assert kit.status.pattern == "idle_busy"
    kit.tally.down(frozenset())
    assert [pattern.name for pattern in kit.shown].count("idle_busy") == 1


def test_a_space_without_a_sound_session_promises_none(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.media(False)
    assert (kit.status.color, kit.status.pattern) == ("white", "no_media")
    kit.tally.show(Show(FloorState.NO_SPACE))
    assert kit.status.pattern == "off"
    kit.tally.show(Show(FloorState.CUT))
    assert kit.status.pattern == "cut"
    kit.tally.show(Show(FloorState.IDLE_BUSY))
    kit.tally.sound(False)
    assert kit.status.pattern == "no_sound"
    kit.tally.sound(True)
    kit.tally.media(True)
    assert kit.status.pattern == "idle_busy"


def test_a_question_is_shown_until_it_is_answered(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.asks(False)
    assert kit.shown == []
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.asks(True)
    kit.tally.asks(True)
    assert kit.status.pattern == "confirm"
    kit.tally.on_air(True)
    assert kit.status.color == "red"
    kit.tally.on_air(False)
    kit.tally.asks(False)
    assert [pattern.name for pattern in kit.shown] == [
        "idle_free",
        "confirm",
        "live",
        "confirm",
        "idle_free",
    ]


def test_a_lesson_is_seen_while_it_can_be_heard_and_never_red(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.teach("queued")
    assert kit.status.pattern == "queued"
    kit.tally.sound(False)
    assert kit.status.pattern == "no_sound"
    kit.tally.sound(True)
    kit.tally.teach("live")
    assert (kit.status.color, kit.status.pattern) == ("blue", "not_heard")
    kit.tally.teach(None)
    assert kit.status.pattern == "idle_free"
    with pytest.raises(KeyError):
        kit.tally.teach("red")


def test_an_overlay_stands_for_the_state_and_never_for_red(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.show(Show(FloorState.IDLE_FREE))
    kit.tally.overlay("find")
    kit.tally.show(Show(FloorState.IDLE_BUSY, refused=True))
    assert kit.status.pattern == "find"
    kit.tally.on_air(True)
    assert kit.status.color == "red"
    kit.tally.on_air(False)
    kit.tally.overlay(None)
    assert kit.status.pattern == "not_heard"
    with pytest.raises(KeyError):
        kit.tally.overlay("red")


def test_at_night_all_is_dimmer_and_the_log_does_not_change(tmp_path: Path) -> None:
    kit = Kit(tmp_path)
    kit.tally.dim(NIGHT)
    kit.tally.show(Show(FloorState.OFFERED))
    kit.tally.sparkle(0.0)
    kit.tally.relight()
    assert [pattern.brightness for pattern in kit.shown] == [NIGHT] * 3
    assert {step.level for pattern in kit.shown for step in pattern.steps} == {0.0, NIGHT}
    for _ in range(2):
        kit.tally.dim(1.0)
    assert kit.shown[3:] == [PATTERNS["offered"]]
    assert len(kit.events("lamp")) == 2
    kit.tally.dim(0.05)
    kit.tally.on_air(True)
    assert kit.shown[-1].steps[0].level == RED_NIGHT
