"""What a mixer is told, and how its answer is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.levels import script, sentence, states, wrong

# As amixer prints: volumes of both directions, switches of both, and a choice.
PRINTED = """Simple mixer control 'Speaker',0
  Capabilities: pvolume pswitch
  Playback channels: Front Left - Front Right
  Limits: Playback 0 - 127
  Mono:
  Front Left: Playback 114 [90%] [-7.00dB] [on]
  Front Right: Playback 114 [90%] [-7.00dB] [on]
Simple mixer control 'Capture',0
  Capabilities: cvolume cswitch
  Limits: Capture 0 - 63
  Front Left: Capture 39 [62%] [12.00dB] [on]
Simple mixer control 'Mic 1 Amp Source MUX',0
  Capabilities: enum
  Items: 'Differential' 'MIC_P' 'MIC_N'
  Item0: 'MIC_P'
Simple mixer control 'Headphone',0
  Capabilities: pswitch
  Mono: Playback [off]
"""


def test_all_levels_are_one_script() -> None:
    levels = {"Speaker": "90% on", 'A "B"': "1", "C\\": "off", "D\n": "2\n3"}
    assert script(levels) == (
        'sset "Speaker" 90% on\nsset "A \\"B\\"" 1\nsset "C\\\\" off\nsset "D" 23\n'
    )
    assert script({}) == ""


def test_the_last_word_on_a_control_counts() -> None:
    again = PRINTED + "Simple mixer control 'Headphone',0\n  Mono: Playback [on]\n"
    assert set(states(again)) == {"Speaker", "Capture", "Mic 1 Amp Source MUX", "Headphone"}
    assert "[on]" in states(again)["Headphone"]
    assert states("ALSA lib: nothing\n") == {}


@pytest.mark.parametrize(
    ("control", "value", "why"),
    [
        ("Speaker", "90%", ""),
        ("Speaker", "85% unmute", ""),  # steps round
        ("Speaker", "114 on", ""),
        ("Speaker", "11 on", "is not at 11 on"),
        ("Speaker", "50% on", "is not at 50% on"),
        ("Speaker", "90% off", "is not at 90% off"),
        ("Capture", "62% cap", ""),
        ("Capture", "nocap", "is not at nocap"),
        ("Headphone", "mute", ""),
        ("Headphone", "on", "is not at on"),
        ("Mic 1 Amp Source MUX", "MIC_P", ""),
        ("Mic 1 Amp Source MUX", "MIC_N", "is not at MIC_N"),
        ("Speaker", "banana", "is not at banana"),
        ("Line", "on", "is not on it, or knows no on"),
    ],
)
def test_what_did_not_obey_is_named(control: str, value: str, why: str) -> None:
    assert wrong({control: value}, PRINTED) == ({control: why} if why else {})


def test_one_sentence_says_what_is_wrong_and_does_not_grow() -> None:
    faults = {f"C{n}": "is not on it" for n in range(5)}
    said = sentence("Zero", faults)
    assert said.startswith("Of the levels for the card Zero some could not be set: 'C0' is not on")
    assert said.endswith("; and 2 more.")
    assert sentence("Zero", {"A": "is not at on"}).endswith("'A' is not at on.")


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(min_size=1)))
def test_whatever_is_printed_can_be_read(printed: str, levels: dict[str, str]) -> None:
    assert set(wrong(levels, printed)) <= set(levels)
    assert script(levels).count("\n") == len(levels)
