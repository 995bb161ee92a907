"""The file of captions: as WebVTT wants it, whatever was said."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.webvtt import HEADER, Spoken, cues, document, escape, stamp, without
from hub.captions.words import WIDTH

ANNA, BEN = "a" * 32, "b" * 32
TIMES = re.compile(r"(\d+):(\d\d):(\d\d)\.(\d{3})")


def test_a_file() -> None:
    text = document(
        [
            Spoken(ANNA, "Anna", 1.5, 3.0, "Hello & welcome <all>"),
            Spoken(BEN, "Ben", 3723.004, 3725.0, "Thanks"),
        ]
    )
    assert text == (
        "WEBVTT\n"
        f"\n{ANNA}-1-0\n00:00:01.500 --> 00:00:03.000\n"
        "<v Anna>Hello &amp; welcome &lt;all&gt;</v>\n"
        f"\n{BEN}-2-0\n01:02:03.004 --> 01:02:05.000\n<v Ben>Thanks</v>\n"
    )


def test_a_long_caption_is_several_cues_of_two_lines_one_after_the_other() -> None:
    words = " ".join(["something"] * 40)
    text = cues(Spoken(ANNA, "Anna", 10.0, 20.0, words), 1)
    blocks = text.strip("\n").split("\n\n")
    assert len(blocks) == 5
    ends = [re.findall(r"[\d:.]{12}", block) for block in blocks]
    assert ends[0][0] == "00:00:10.000"
    assert ends[-1][1] == "00:00:20.000"
    assert all(one[1] == other[0] for one, other in pairwise(ends))
    for block in blocks:
        spoken = block.partition("<v Anna>")[2].removesuffix("</v>")
        assert all(len(line) <= WIDTH for line in spoken.split("\n"))
        assert spoken.count("\n") <= 1


def test_what_was_said_in_no_time_can_still_be_read() -> None:
    assert "00:00:05.000 --> 00:00:05.500" in cues(Spoken(ANNA, "Anna", 5.0, 5.0, "Yes"), 1)


def test_nothing_said_is_no_cue_and_a_time_before_the_recording_is_its_beginning() -> None:
    assert cues(Spoken(ANNA, "Anna", 5.0, 6.0, " "), 1) == ""
    assert "00:00:00.000 --> 00:00:01.000" in cues(Spoken(ANNA, "Anna", -3.0, 1.0, "Yes"), 1)


def test_one_persons_words_can_be_taken_out() -> None:
    said = [
        Spoken(ANNA, "Anna", 1, 2, "one"),
        Spoken(BEN, "Ben", 2, 3, "two"),
        Spoken(ANNA, "Anna", 3, 4, "three " * 60),
    ]
    left = without(document(said), ANNA)
    assert ANNA not in left
    assert left.count("<v ") == 1
    assert left == HEADER + cues(said[1], 2)
    assert without(left, BEN) == HEADER
    assert without(HEADER, BEN) == HEADER


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00.000"),
        (59.9999, "00:00:59.999"),
        (360_000.5, "100:00:00.500"),
        (-1, "00:00:00.000"),
    ],
)
def test_stamps(seconds: float, text: str) -> None:
    assert stamp(seconds) == text


def test_escape() -> None:
    assert escape("a --> b & <i>") == "a --&gt; b &amp; &lt;i&gt;"


@given(
    st.lists(
        st.builds(
            Spoken,
            member=st.sampled_from([ANNA, BEN]),
            name=st.text(min_size=1, max_size=40),
            began=st.floats(0, 10_000),
            ended=st.floats(0, 10_000),
            text=st.text(max_size=300),
        ),
        max_size=8,
    )
)
def test_whatever_is_said_the_file_has_its_shape(said: list[Spoken]) -> None:
    text = document(said)
    head, *blocks = re.split(r"\n\n+", text.rstrip("\n"))
    assert head == "WEBVTT"
    for block in blocks:
        name, times, *spoken = block.split("\n")
        assert re.fullmatch(r"[ab]{32}-\d+-\d+", name)
        assert re.fullmatch(rf"{TIMES.pattern} --> {TIMES.pattern}", times)
        assert 1 <= len(spoken) <= 2
        inner = re.fullmatch(r"<v ([^<>\n]*)>(.*)</v>", "\n".join(spoken), re.DOTALL)
        assert inner is not None
        assert not set(inner[2]) & set("<>")
        assert "-->" not in inner[2]
    for member in (ANNA, BEN):
        others = [each for each in said if each.member != member]
        assert without(text, member).count("\n<v ") == document(others).count("\n<v ")
