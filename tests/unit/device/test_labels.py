"""Every word on a screen is there in every language, and none is left over."""

import re
import string
from importlib.resources import files

import pytest

from device.audio.earcons import Earcon
from device.audio.health import DeviceStatus
from device.buttons.lamps import LAMP_MEANINGS, NAMED, Color
from device.buttons.meanings import MEANINGS
from device.link.signalling import LinkState
from device.view.beat import beat, means, rhythms
from device.view.feed import Note
from device.view.labels import LABELS, label, page, value
from device.view.words import words
from stagebox.phrases import Language

PAGE = files("device.simulator") / "page"
HTML = (PAGE / "index.html").read_text()
SCRIPTS = "".join(each.read_text() for each in (PAGE / "js").iterdir())
# What is written on the box, on a keyboard, or on the cover.
PRINTED = {"Stagebox", "TALK", "HAND", "MUTE", "VOL", "STATUS", "REC", "H", "M", "S"}


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", Language)
def test_no_label_is_missing_or_empty(language: Language) -> None:
    assert set(LABELS[language]) == set(LABELS[Language.ENGLISH])
    assert all(LABELS[language].values())


@pytest.mark.parametrize("key", sorted(LABELS[Language.ENGLISH]))
def test_a_label_knows_the_same_in_every_language(key: str) -> None:
    # What a lamp's pattern is called may be its name or what it tells.
    wanted = {"rhythm" if name == "means" else name for name in facts(label_of(key))}
    for language in Language:
        found = {"rhythm" if name == "means" else name for name in facts(LABELS[language][key])}
        assert found == wanted


def label_of(key: str) -> str:
    return LABELS[Language.ENGLISH][key]


def test_the_page_asks_for_every_label_and_for_no_other() -> None:
    asked = set(re.findall(r"\{\{(\w+)\}\}", HTML)) | set(re.findall(r"WORDS\.(\w+)", SCRIPTS))
    assert asked - {"language"} == set(page(Language.ENGLISH))


def test_nothing_in_the_page_is_in_one_language_alone() -> None:
    bare = re.sub(r"\{\{\w+\}\}|&\w+;|<title>.*?</title>", "", HTML)
    seen = re.findall(r">([^<>]+)<", bare) + re.findall(r'aria-label="([^"]*)"', bare)
    left = {word for text in seen for word in re.findall(r"[A-Za-z]+", text)}
    assert left <= PRINTED
    assert re.findall(r'"[A-Z]?[a-z]+ [a-z]+[^"]*"', SCRIPTS) == []


@pytest.mark.parametrize("language", Language)
def test_every_value_has_a_word(language: Language) -> None:
    known = LABELS[language]
    states = {*LinkState, *DeviceStatus}
    assert {f"state.{each}" for each in states} == {key for key in known if key[:6] == "state."}
    assert {f"tone.{each}" for each in Earcon} == {key for key in known if key[:5] == "tone."}
    assert value("state", "never heard_of", language) == "never heard of"
    assert set(rhythms(language).colors) == set(Color)


@pytest.mark.parametrize("language", Language)
def test_every_lamp_and_every_gesture_is_told(language: Language) -> None:
    for name in LAMP_MEANINGS:
        assert means(name, language)
    assert all(beat(pattern, language) for pattern in NAMED.values())
    for row in MEANINGS:
        note = Note(1, 0.0, "gesture", {"gesture": row.gesture, "act": row.act})
        line = words(note, language)
        assert "{" not in line
        assert (": you " in line) is (language is Language.ENGLISH)


def test_german_lines() -> None:
    def told(event: str, /, **given: object) -> str:
        return words(Note(1, 0.0, event, given), Language.GERMAN)

    assert told("key", key="talk", down=True) == "TALK gedrückt"
    assert told("lamp", color="white", pattern="idle_free").startswith("Lampe weiß: Das Wort")
    assert told("lamp", color="off", pattern="off") == "Lampe aus"
    assert told("lamp", color="pink", pattern="off") == "Lampe pink: " + means(
        "off", Language.GERMAN
    )
    assert told("prompt", said="", text="Jetzt.", tone="permit") == "meldet: Jetzt. (Ton: frei)"
    assert told("link", state="up", detail="Saal") == "Hub verbunden: Saal"
    assert told("device", kind="microphone", state="lost") == (
        "Mikrofon verloren: mehr ist nicht bekannt"
    )
    assert told("mended", code="panel") == "panel: wieder in Ordnung"
    assert label("page.members", Language.GERMAN, n=3) == "3 Mitglieder"
