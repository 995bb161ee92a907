"""Scripts: what is read from them, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.ports import Key, PanelError
from device.buttons.script import HOLD_S, ScriptError, ScriptPanel, ScriptStep, parse_script

SCRIPT = """
# A guest speaks.
1.0 talk down
4.2  talk up   # the tail follows

5 hand tap
6 mute on
7 mute off
"""


def test_a_script_is_read() -> None:
    assert parse_script(SCRIPT) == (
        ScriptStep(1.0, Key.TALK, True),
        ScriptStep(4.2, Key.TALK, False),
        ScriptStep(5.0, Key.HAND, True),
        ScriptStep(5.1, Key.HAND, False),
        ScriptStep(6.0, Key.MUTE, True),
        ScriptStep(7.0, Key.MUTE, False),
    )


def test_lines_need_not_be_in_order() -> None:
    steps = parse_script("2 talk up\n1 talk down\n1.05 hand tap")
    assert [step.at for step in steps] == [1.0, 1.05, pytest.approx(1.15), 2.0]


def test_acts_at_one_instant_keep_the_order_of_the_lines() -> None:
    assert [step.key for step in parse_script("1 talk down\n1 hand down\n1 mute on")] == [
        Key.TALK,
        Key.HAND,
        Key.MUTE,
    ]


def test_two_taps_of_which_the_second_stays() -> None:
    steps = parse_script("1 hand double_hold")
    assert [step.down for step in steps] == [True, False, True, False]
    assert steps[-1].at - steps[-2].at == pytest.approx(HOLD_S)


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing", "   "])
def test_an_empty_script_does_nothing(text: str) -> None:
    assert parse_script(text) == ()
    assert ScriptPanel(text).duration_s == 0


def test_a_script_has_an_end() -> None:
    assert ScriptPanel(SCRIPT).duration_s == 7.0


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1 talk", "write a time"),
        ("1 talk down now", "write a time"),
        ("1 talk on", "'talk on' is unknown"),
        ("1 mute tap", "'mute tap' is unknown"),
        ("1 door open", "'door open' is unknown"),
        ("1 TALK down", "'TALK down' is unknown"),
        ("soon talk down", "'soon' is not a time"),
        ("-1 talk down", "'-1' is not a time"),
        ("nan talk down", "'nan' is not a time"),
        ("inf talk down", "'inf' is not a time"),
        ("86401 talk down", "'86401' is not a time"),
    ],
)
def test_a_line_that_cannot_be_played_is_refused_by_number(line: str, what: str) -> None:
    with pytest.raises(ScriptError, match=f"^Line 3: {what}") as caught:
        parse_script(f"0 talk down\n\n{line}\n0 nonsense")
    assert isinstance(caught.value, PanelError)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        steps = parse_script(text)
    except ScriptError as error:
        assert str(error).startswith("Line ")
    else:
        assert list(steps) == sorted(steps, key=lambda step: step.at)
