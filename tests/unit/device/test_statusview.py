"""The picture of a box in a terminal."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import device
from device.floor.model import FloorState, Say
from device.floor.prompts import Prompt
from device.view.status import Status, meter, render, sentence
from stagebox.wire.causes import DenyCause

KEYS = "space: TALK, q: quit"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def row(lines: list[str], what: str) -> str:
    return next(line for line in lines if line.strip().startswith(what)).split(what, 1)[1].strip()


def test_a_box_that_is_on_the_air() -> None:
    status = Status(
        "Ana",
        link="up",
        link_detail="Hall",
        space="Main",
        floor="live",
        color="red",
        pattern="live",
        talkers=("Ana",),
        queue=("Ben", "Cleo"),
        down=("mute", "talk"),
        microphone_dbfs=-30.0,
        buffered_ms=41.7,
        concealed=1,
        played=200,
        said="Speak.",
        devices={"microphone": "USB Audio"},
    )
    lines = render(status, KEYS, colored=False)
    assert lines[0] == "Ana  * red (live)"
    assert lines[1].strip() == "You have the floor: speak."
    assert row(lines, "hub") == "up  Hall"
    assert row(lines, "space") == "Main"
    assert row(lines, "on the air") == "Ana"
    assert row(lines, "waiting") == "Ben, Cleo"
    assert row(lines, "keys down") == "MUTE, TALK"
    assert row(lines, "said") == "Speak."
    assert row(lines, "microphone") == "USB Audio"
    assert "-30 dBFS" in lines[lines.index("  microphone   USB Audio") + 1]
    assert row(lines, "loudspeaker") == "not started"
    assert row(lines, "programme") == "42 ms buffered, 0.5 % concealed"
    assert lines[-1] == KEYS


def test_a_box_that_has_just_started() -> None:
    lines = render(Status("Ana"), KEYS)
    assert lines[0].endswith("off")
    assert row(lines, "space") == "-"
    assert row(lines, "programme") == "0 ms buffered, 0.0 % concealed"


def test_the_lamp_is_told_in_colour_and_in_words() -> None:
    status = Status("A * B", color="amber", pattern="refused+no_hub")
    head = render(status, KEYS)[0]
    assert head == "A * B  \x1b[93m●\x1b[0m amber (refused, no hub)"
    assert render(status, KEYS, colored=False)[0] == "A * B  * amber (refused, no hub)"
    # A terminal too narrow for the lamp has no room for a colour either.
    assert render(status, KEYS, columns=4)[0] == "A *"


def test_words_from_the_network_cannot_work_the_terminal() -> None:
    status = Status("A\x1b[2J", link="refused", link_detail="no\nspace  * \x1b[31m")
    lines = render(status, KEYS, colored=False)
    assert lines[0].startswith("A?[2J")
    assert row(lines, "hub") == "refused  no?space  * ?[31m"


@given(
    st.builds(Status, name=st.text(min_size=1, max_size=40), link_detail=st.text(max_size=300)),
    st.integers(1, 200),
    st.integers(1, 60),
    st.booleans(),
)
def test_the_picture_fits_and_leaves_a_row_for_the_cursor(
    status: Status, columns: int, rows: int, colored: bool
) -> None:
    lines = render(status, KEYS, columns=columns, rows=rows, colored=colored)
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
        assert render(Status("Ana", floor=state), KEYS, colored=False)[1].strip().endswith(".")


def test_a_recorded_space_says_so() -> None:
    assert row(render(Status("Ana", space="Main", recorded=True), KEYS), "space") == (
        "Main  (recorded)"
    )


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


def test_the_page_of_events_lists_every_state() -> None:
    page = (Path(device.__path__[0]).parent / "docs" / "events.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("| `floor` |"))
    listed = line.split("(", 1)[1].split(")", 1)[0]
    assert [word.strip(" `") for word in listed.split(",")] == [str(state) for state in FloorState]
