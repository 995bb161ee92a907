"""The picture of a box in a terminal."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import device
from device.floor.model import FloorState, Say
from device.floor.prompts import Prompt
from device.view.feed import Note
from device.view.screen import meter, render, until_next
from device.view.status import Status, sentence
from stagebox.phrases import Language
from stagebox.wire.causes import DenyCause

KEYS = "space: TALK, q: quit"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
RED = Note(1, 10.0, "lamp", {"color": "red", "pattern": "live"})
WAITS = Note(2, 10.0, "lamp", {"color": "green", "pattern": "queued"})


def row(lines: list[str], what: str) -> str:
    return next(line for line in lines if line.strip().startswith(what)).split(what, 1)[1].strip()


def test_a_box_that_is_on_the_air() -> None:
    status = Status(
        "Ana",
        link="up",
        link_detail="Hall",
        space="Main",
        members=3,
        floor="live",
        color="red",
        pattern="live",
        talkers=("Ana",),
        queue=("Ben", "Cleo"),
        down=("hand", "mute", "volume_up"),
        recorded=True,
        microphone_dbfs=-30.0,
        buffered_ms=41.7,
        concealed=1,
        played=200,
        devices={"microphone": "USB Audio"},
    )
    notes = [
        Note(1, 9.0, "gesture", {"gesture": "talk", "act": "talk"}),
        Note(2, 9.5, "prompt", {"said": "", "text": "Speak.", "tone": "permit"}),
        Note(3, 10.0, "lamp", {"color": "red", "pattern": "live"}),
        Note(4, 10.0, "floor", {"state": "live"}),
    ]
    lines = render(status, notes, KEYS, now=12.0, colored=False)
    assert lines[0] == "(*) Ana: RED, steady  [REC]  [ON AIR]"
    assert lines[1].strip() == "Your voice is leaving the box."
    assert row(lines, "now") == "You have the floor: speak."
    assert row(lines, "box") == "tells: Speak. (permit tone)"
    assert row(lines, "you").startswith("Press TALK: you ")
    assert row(lines, "keys down") == "HAND, MUTE, VOLUME UP"
    assert row(lines, "hub") == "up  Hall"
    assert row(lines, "space") == "Main, 3 members, recorded"
    assert row(lines, "on the air") == "Ana"
    assert row(lines, "waiting") == "1. Ben  2. Cleo"
    assert row(lines, "microphone") == "[############............] -30 dBFS  USB Audio"
    assert row(lines, "loudspeaker").endswith("silent  not started")
    assert row(lines, "programme") == "42 ms buffered, 0.5 % concealed"
    told = [line.strip() for line in lines[lines.index("") + 1 :] if " ago " in line]
    assert told[:2] == ["2 s ago  lamp red, live", "2 s ago  tells: Speak. (permit tone)"]
    assert len(told) == 3  # a state is told above already
    assert lines[-1] == KEYS


def test_a_box_that_has_just_started() -> None:
    lines = render(Status("Ana"), [], KEYS)
    assert lines[0] == "( ) Ana: off"
    assert row(lines, "space") == "-"
    assert row(lines, "you") == "-"
    assert row(lines, "programme") == "0 ms buffered, 0.0 % concealed"


def test_a_box_that_is_alone() -> None:
    assert row(render(Status("Ana", space="Main", members=1), [], KEYS), "space") == (
        "Main, 1 member"
    )


def test_a_pattern_that_nobody_knows_is_told_by_its_name() -> None:
    status = Status("Ana", color="amber", pattern="own_kind")
    notes = [Note(1, 0.0, "lamp", {"color": "amber", "pattern": "own_kind"})]
    assert render(status, notes, KEYS)[0] == "( ) Ana: amber (own kind)"
    assert until_next(notes, 1.0) is None


def test_the_lamp_beats_as_the_box_plays_it() -> None:
    notes = [RED, WAITS]
    heads = [render(Status("A"), notes, KEYS, now=10 + at)[0] for at in (0.1, 0.6, 1.1, 1.6)]
    assert heads[0] == heads[2] == "\x1b[92m(*)\x1b[0m A: GREEN, on and off, each for 0.5 s"
    assert heads[1] == heads[3] == "( ) A: GREEN, on and off, each for 0.5 s"
    assert until_next(notes, 10.1) == pytest.approx(0.4)
    assert until_next([RED], 10.1) is None
    assert until_next([], 10.1) is None


def test_the_lamp_is_told_without_colour() -> None:
    status = Status("A * B", color="amber", pattern="refused+no_hub")
    note = Note(1, 0.0, "lamp", {"color": "amber", "pattern": "refused+no_hub"})
    (head, means, *_) = render(status, [note], KEYS, now=0.1, columns=100, colored=False)
    assert head == "(*) A * B: AMBER, amber, white, pause: every 2 s"
    assert means.strip().startswith("Three flashes, once")
    # A terminal too narrow for the lamp has no room for a colour either.
    assert ANSI.sub("", render(status, [note], KEYS, columns=3)[0]) in {"(*", "( "}


def test_words_from_the_network_cannot_work_the_terminal() -> None:
    status = Status("A\x1b[2J", link="refused", link_detail="no\nspace  * \x1b[31m")
    lines = render(status, [], KEYS, colored=False)
    assert lines[0].startswith("( ) A?[2J")
    assert row(lines, "hub") == "refused  no?space  * ?[31m"


def test_on_a_hosts_box_the_key_is_called_next() -> None:
    lines = render(Status("Ana", is_chair=True, down=("hand",)), [], KEYS)
    assert row(lines, "keys down") == "NEXT"


def test_what_happened_long_ago_is_told_in_minutes() -> None:
    lines = render(Status("Ana"), [Note(1, 0.0, "media", {"state": "up"})], KEYS, now=310.0)
    assert any(line.strip() == "5 min ago  sound from the hub up" for line in lines)


@given(
    st.builds(Status, name=st.text(min_size=1, max_size=40), link_detail=st.text(max_size=300)),
    st.integers(0, 40),
    st.integers(1, 200),
    st.integers(1, 60),
    st.booleans(),
)
def test_the_picture_fits_and_leaves_a_row_for_the_cursor(
    status: Status, count: int, columns: int, rows: int, colored: bool
) -> None:
    notes = [
        WAITS,
        *(Note(n, 0.0, "error", {"code": "x", "detail": "y" * n}) for n in range(count)),
    ]
    lines = render(status, notes, KEYS, now=20.0, columns=columns, rows=rows, colored=colored)
    assert 1 <= len(lines) <= max(1, rows - 1)
    assert all(len(ANSI.sub("", line)) <= max(1, columns - 1) for line in lines)
    assert KEYS.startswith(lines[-1])


@pytest.mark.parametrize(
    ("dbfs", "bar", "figure"),
    [
        (0.0, "#" * 24, "0 dBFS"),
        (3.0, "#" * 24, "3 dBFS"),
        (-30.0, "#" * 12 + "." * 12, "-30 dBFS"),
        (-80.0, "." * 24, "-80 dBFS"),
        (-96.0, "." * 24, "silent"),
    ],
)
def test_the_meter(dbfs: float, bar: str, figure: str) -> None:
    assert meter(dbfs) == f"[{bar}] {figure}"


def test_everything_a_box_can_be_has_words() -> None:
    for state in FloorState:
        assert row(render(Status("Ana", floor=state), [], KEYS), "now").endswith(".")


@pytest.mark.parametrize(
    ("say", "words"),
    [
        (Say(Prompt.PERMIT), "Speak."),
        (Say(Prompt.QUEUED, 2), "Your hand is up, place 2."),
        (Say(Prompt.DENY, 3, DenyCause.RETRY_AFTER), "Wait 3 seconds before the next press."),
        (
            Say(Prompt.BUSY, cause=DenyCause.FLOOR_TAKEN, name="Bert"),
            "Bert is talking: nobody else can now.",
        ),
    ],
)
def test_prompts_are_sentences(say: Say, words: str) -> None:
    assert sentence(say) == words


def test_prompts_are_sentences_in_the_boxs_language() -> None:
    assert sentence(Say(Prompt.PERMIT), Language.GERMAN) != sentence(Say(Prompt.PERMIT))


def test_the_page_of_events_lists_every_state() -> None:
    page = (Path(device.__path__[0]).parent / "docs" / "events.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("| `floor` |"))
    listed = line.split("(", 1)[1].split(")", 1)[0]
    assert [word.strip(" `") for word in listed.split(",")] == [str(state) for state in FloorState]
