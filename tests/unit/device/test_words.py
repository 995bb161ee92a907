"""What happened, as one line for a person."""

import pytest

from device.buttons.meanings import MEANINGS
from device.floor.model import FloorState
from device.view.feed import Note
from device.view.words import is_told, rhythm, words
from stagebox.phrases import Language


def told(event: str, /, **fields: object) -> str:
    return words(Note(1, 0.0, event, fields))


@pytest.mark.parametrize(
    ("event", "fields", "line"),
    [
        ("key", {"key": "talk", "down": True}, "TALK pressed"),
        ("key", {"key": "volume_up", "down": False}, "VOLUME UP let go"),
        ("key", {"key": "mute", "down": True}, "MUTE switched on"),
        ("key", {"key": "mute", "down": False}, "MUTE switched off"),
        ("floor", {"state": "live"}, "You have the floor: speak."),
        ("lamp", {"color": "red", "pattern": "live"}, "lamp red, live"),
        ("lamp", {"color": "amber", "pattern": "refused+no_hub"}, "lamp amber, refused, no hub"),
        ("lamp", {"color": "off", "pattern": "off"}, "lamp off"),
        (
            "prompt",
            {"said": "Muted.", "text": "MUTE is on.", "tone": "deny"},
            'says "Muted." (deny tone)',
        ),
        ("prompt", {"said": "", "text": "Speak.", "tone": "permit"}, "tells: Speak. (permit tone)"),
        ("prompt", {"said": "Left.", "text": "Out.", "tone": None}, 'says "Left."'),
        (
            "device",
            {"kind": "microphone", "state": "ready", "label": "USB", "detail": ""},
            "microphone ready: USB",
        ),
        (
            "device",
            {"kind": "loudspeaker", "state": "lost", "label": "USB", "detail": "unplugged"},
            "loudspeaker lost: unplugged",
        ),
        (
            "device",
            {"kind": "microphone", "state": "absent"},
            "microphone absent: no more is known",
        ),
        ("link", {"state": "up", "detail": "Hall"}, "hub up: Hall"),
        ("link", {"state": "searching", "detail": ""}, "hub searching"),
        ("media", {"state": "up"}, "sound from the hub up"),
        ("recording", {"on": True}, "recording lamp lit"),
        ("recording", {"on": False}, "recording lamp out"),
        ("volume", {"percent": 60}, "volume 60 %"),
        ("mic_started", {}, "microphone started"),
        ("speaker_started", {}, "loudspeaker started"),
        ("error", {"code": "panel", "detail": "no pins"}, "panel: no pins"),
        ("mended", {"code": "panel"}, "panel: all right again"),
        ("something_new", {"a": 1, "b": None}, "something new: a 1"),
        ("something_new", {}, "something new"),
    ],
)
def test_each_event_has_a_line(event: str, fields: dict[str, object], line: str) -> None:
    assert told(event, **fields) == line


def test_a_gesture_is_told_with_what_it_came_to() -> None:
    line = "Tap HAND: you raise your hand, or take it down"
    assert told("gesture", gesture="hand_tap", act="hand") == line
    assert told("gesture", gesture="hand_tap", act="hand", words="wave") == "Tap HAND: you wave"
    assert told("gesture", gesture="shake", act="dance") == "Shake: you dance"


def test_the_second_key_is_called_what_is_written_on_it() -> None:
    tap = Note(1, 0.0, "gesture", {"gesture": "hand_tap", "act": "next"})
    assert words(tap, hand="NEXT") == "Tap NEXT: you give the floor to the next hand"
    press = Note(1, 0.0, "key", {"key": "hand", "down": True})
    assert words(press, hand="NEXT") == "NEXT pressed"


def test_every_row_of_the_table_of_gestures_has_words() -> None:
    for row in MEANINGS:
        line = told("gesture", gesture=row.gesture, act=row.act)
        assert ": you " in line
        assert "{" not in line


@pytest.mark.parametrize("language", Language)
def test_every_state_is_told_in_every_language(language: Language) -> None:
    for state in FloorState:
        assert words(Note(1, 0.0, "floor", {"state": state}), language).endswith((".", "!", "?"))


def test_a_rhythm_in_words() -> None:
    assert rhythm("refused+idle_free") == "refused, idle free"


def test_a_tick_is_no_more_than_an_answer() -> None:
    assert is_told(Note(1, 0.0, "prompt", {"tone": "deny"}))
    assert is_told(Note(1, 0.0, "prompt", {"tone": None, "said": "Left."}))
    assert not is_told(Note(1, 0.0, "prompt", {"tone": "tick"}))
    assert not is_told(Note(1, 0.0, "key", {}))
