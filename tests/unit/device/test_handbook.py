"""The pages of the guide say what the code does, and everything that it does."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.earcons import EARCON_MEANINGS, SCORES, Earcon, Note
from device.buttons import rhythm
from device.buttons.gesture import Gesture
from device.buttons.lamps import (
    LAMP_MEANINGS,
    LEADS,
    NAMED,
    RED_WARNING,
    Color,
    Pattern,
    Step,
)
from device.buttons.meanings import MEANINGS, Standing
from device.buttons.ports import Key
from device.config import BoxConfig
from device.floor.model import FloorState
from device.handbook import __main__ as program
from device.handbook import card, german, gestures, made, melody, pages, strip, tables
from device.handbook.settings import DOES, Setting, settings
from stagebox.phrases import PHRASES, Language
from tests.architecture.pure import ROOT

GUIDE = ROOT / "docs/guide"


# --- nothing is left out -----------------------------------------------------------------


def test_the_guide_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert [str(path) for path in program.stale()] == [], "run ./dev docs"


def test_every_part_that_is_made_is_on_a_page() -> None:
    asked = {name for path in GUIDE.glob("*.md") for name in pages.places(path.read_text("utf-8"))}
    assert asked == {*made.PARTS, "settings"}


def test_every_key_of_the_settings_is_explained_and_no_other() -> None:
    assert [each.key for each in settings(BoxConfig)] == list(DOES)
    with pytest.raises(KeyError):
        settings(BoxConfig, {})


def test_every_gesture_is_in_a_table() -> None:
    told = (
        *(gestures.everywhere, gestures.for_guests, gestures.for_hosts, gestures.for_latch),
        *(gestures.for_one_key, gestures.for_speakers),
    )
    for row in MEANINGS:
        assert any(wanted(row) for wanted in told), row


def test_german_has_all_that_english_has() -> None:
    assert set(german.LAMPS) == set(LAMP_MEANINGS)
    assert set(german.TONES) == set(EARCON_MEANINGS)
    assert set(german.GESTURES) == set(Gesture)
    assert set(german.STANDINGS) == set(Standing)
    assert set(german.OUTCOMES) == {row.words for row in MEANINGS}


def test_every_phrase_is_in_the_tables_in_every_language() -> None:
    text = tables.phrase_tables()
    assert all(f"| `{key}` |" in text for key in PHRASES[Language.ENGLISH])
    assert "| `deny.floor_taken` | busy | {name} is talking. | {name} spricht. |" in text
    assert "| `deny.queue_full` | deny |" in text


# --- the card ------------------------------------------------------------------------------


@pytest.mark.parametrize("language", Language)
def test_the_card_has_lamp_keys_and_tones(language: Language) -> None:
    text = card.card(language)
    words = card.WORDS[language]
    assert text.count("<svg") == len(card.LAMPS) + len(card.TONES)
    for name in card.LAMPS:
        assert words.lamps[name].replace("'", "&#x27;") in text
    assert f'<html lang="{language}">' in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_the_card_knows_each_state_of_an_evening() -> None:
    known = {tables.pattern(name).name.partition("+")[0] for name in card.LAMPS}
    assert known >= {"live", "idle_free", "idle_busy", "queued", "offered", "cut", "no_hub"}


# --- rhythms ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("off", "off"),
        ("live", "steady"),
        ("warning", "bright and dim by turns, each for 0.5 s"),
        ("idle_free", "on, with a short gap every 3 s"),
        ("idle_busy", "long, short: every 3 s"),
        ("not_heard", "two short flashes every 1.1 s"),
        ("queued", "on and off, each for 0.5 s"),
        ("tutorial", "on for 2 s, off for 1 s"),
        ("cut", "a short flash every 3 s"),
        ("frozen", "a longer flash every 2 s"),
        ("consent", "long, short, pause: every 2.5 s"),
        ("link_lost", "three longer flashes every 4 s"),
        ("no_hub", "amber, white, pause: every 2 s"),
        ("refused", "three blinks, then as before"),
    ],
)
def test_a_rhythm_in_words(name: str, words: str) -> None:
    assert rhythm.in_words(tables.pattern(name)) == words


def test_a_rhythm_in_german_has_a_decimal_comma() -> None:
    assert rhythm.in_words(NAMED["consent"], rhythm.GERMAN) == "lang, kurz, Pause: alle 2,5 s"
    assert rhythm.color_in_words(NAMED["idle_busy"], rhythm.GERMAN) == "blau, schwach"
    assert rhythm.color_in_words(NAMED["off"], rhythm.GERMAN) == "aus"


def test_two_patterns_that_look_different_are_told_differently() -> None:
    seen: dict[tuple[str, str], str] = {}
    for name in LAMP_MEANINGS:
        pattern = tables.pattern(name)
        told = rhythm.color_in_words(pattern), rhythm.in_words(pattern)
        assert told not in seen, (name, seen[told])
        seen[told] = name


def bars(svg: str) -> list[dict[str, float]]:
    root = ET.fromstring(svg)
    names = ("x", "y", "width", "height")
    return [
        {name: float(each.attrib[name]) for name in names}
        for each in root.iter("{http://www.w3.org/2000/svg}rect")
    ]


def test_a_strip_is_four_seconds_of_light() -> None:
    lit = bars(strip.strip(NAMED["queued"]))
    assert len(lit) == 4
    assert [each["width"] for each in lit] == pytest.approx([29.8] * 4, abs=0.1)
    tall, low = (bars(strip.strip(RED_WARNING))[i]["height"] for i in (0, 1))
    assert tall == 2 * low
    assert len(bars(strip.strip(NAMED["live"]))) == 1
    assert bars(strip.strip(NAMED["off"])) == []


STEPS = st.lists(
    st.builds(
        Step, st.sampled_from(Color), st.integers(25, 5000), st.sampled_from([0.0, 0.3, 1.0])
    ),
    min_size=1,
    max_size=8,
).map(tuple)


@given(steps=STEPS)
def test_any_pattern_can_be_told_and_drawn(steps: tuple[Step, ...]) -> None:
    pattern = Pattern("any", Color.WHITE, steps)
    for words in (rhythm.ENGLISH, rhythm.GERMAN):
        assert rhythm.in_words(pattern, words)
        assert rhythm.color_in_words(pattern, words)
    lit = bars(strip.strip(pattern))
    ends = [each["x"] + each["width"] for each in lit]
    assert all(end <= strip.STRIP_WIDTH for end in ends)
    assert all(a <= b["x"] + 0.2 for a, b in zip(ends, lit[1:], strict=False))


# --- tones -----------------------------------------------------------------------------------


def test_a_score_shows_pitch_and_length() -> None:
    first, second = bars(melody.picture(SCORES[Earcon.OFFERED], "rising"))
    assert first["y"] > second["y"]
    assert first["x"] < second["x"]
    for score in SCORES.values():
        notes = bars(melody.picture(score, "any"))
        assert len(notes) == len(score)
        assert all(0 <= each["x"] <= each["x"] + each["width"] <= 120 for each in notes)
        assert all(0 <= each["y"] <= 22 for each in notes)


def test_a_note_out_of_range_stays_in_the_picture() -> None:
    (low,) = bars(melody.picture((Note(20, 100),), "low"))
    assert low["y"] <= 22


# --- pages -----------------------------------------------------------------------------------


def test_a_page_keeps_what_people_wrote() -> None:
    page = "before\n<!-- made: lamps -->\nold\n<!-- end -->\nafter\n"
    filled = pages.filled(page, {"lamps": "| new |\n"})
    assert filled == "before\n<!-- made: lamps -->\n\n| new |\n\n<!-- end -->\nafter\n"
    assert pages.filled(filled, {"lamps": "| new |\n"}) == filled
    assert pages.places(filled) == ["lamps"]


def test_a_part_that_nobody_makes_is_noticed() -> None:
    with pytest.raises(KeyError):
        pages.filled("<!-- made: gone -->\n<!-- end -->", {})


def test_a_table_survives_what_stands_in_it() -> None:
    text = tables.table(["a", "b"], [["x | y", ""], ["two\nlines", "z"]])
    assert text == "| a | b |\n| --- | --- |\n| x \\| y |   |\n| two lines | z |\n"


def test_settings_stand_in_the_table_of_their_file() -> None:
    rows = [Setting("name", "none", "a", "b"), Setting("sound.volume", "`1`", "c", "d")]
    text = tables.settings_tables(rows)
    assert text.index("At the top of the file") < text.index("`[sound]`")
    assert "| `volume` | `1` | c | d |" in text


def test_defaults_and_limits_come_from_the_types() -> None:
    found = {each.key: each for each in settings(BoxConfig)}
    assert found["sound.volume"].default == "`100`"
    assert found["sound.volume"].allowed == "a percentage, 0 to 100"
    assert found["role"].allowed == '"guest", "studio", "speaker"'
    assert found["name"].default == "the computer's name"
    assert found["hub"].default == found["sound.mixer"].default == "none"


# --- the program -----------------------------------------------------------------------------


def test_the_program_writes_what_is_missing_and_removes_what_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- made: tones -->\n<!-- end -->\n")
    (tmp_path / "lamps").mkdir()
    (tmp_path / "lamps" / "gone.svg").write_text("old")
    assert page in program.stale(tmp_path)
    program.write(tmp_path)
    assert program.stale(tmp_path) == []
    assert not (tmp_path / "lamps" / "gone.svg").exists()
    assert re.search(r"permit\.svg", page.read_text())
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(program, "stale", lambda: [page])
    monkeypatch.setattr("sys.argv", ["handbook"])
    assert program.main() == 1
    assert "./dev docs" in capsys.readouterr().err


def test_the_page_of_events_knows_every_state_key_and_lead() -> None:
    text = (ROOT / "docs/events.md").read_text(encoding="utf-8")

    def listed(event: str, field: str) -> set[str]:
        (row,) = re.findall(rf"^\| `{event}` \| (.*?) \|", text, flags=re.MULTILINE)
        words = re.search(rf"`{field}` \((.*?)\)", row)
        assert words is not None
        return set(re.findall(r"`(\w+)`", words[1]))

    assert listed("floor", "state") == set(FloorState)
    assert listed("key", "key") == set(Key)
    assert all(f"`{lead}+`" in text for lead in LEADS)
