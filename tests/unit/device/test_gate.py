"""Which frames leave the microphone gate, by hand and over random sequences."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.gate import FRAME_BYTES, FRAME_S, GateFrame, MicGate

FIRST = 1_000.0  # when frame 0 starts
SILENCE = bytes(FRAME_BYTES)


def sound(level_dbfs: float) -> bytes:
    """One frame of a square wave, whose RMS is its amplitude."""
    amplitude = round(32_768 * 10 ** (level_dbfs / 20))
    return np.tile(np.array([amplitude, -amplitude], "<i2"), FRAME_BYTES // 4).tobytes()


SPEECH = sound(-20)
ROOM = sound(-55)


def at(frame: float) -> float:
    """The instant at which frame number ``frame`` starts."""
    return FIRST + frame * FRAME_S


def numbers(frames: list[GateFrame]) -> list[int]:
    return [round((frame.start - FIRST) / FRAME_S) for frame in frames]


def fill(gate: MicGate, count: int, pcm: bytes = SILENCE, begin: int = 0) -> list[GateFrame]:
    """Push ``count`` frames; return all that left."""
    left: list[GateFrame] = []
    for number in range(begin, begin + count):
        left += gate.push(pcm, at(number))
    return left


def test_a_closed_gate_lets_nothing_out() -> None:
    assert fill(MicGate(), 100, SPEECH) == []


def test_what_was_said_since_the_press_comes_out_at_once() -> None:
    gate = MicGate()
    fill(gate, 20, SILENCE)
    left = gate.open(at(15.5))  # the grant came four and a half frames after the press
    assert numbers(left) == [15, 16, 17, 18, 19]
    assert [frame.first for frame in left] == [True, False, False, False, False]
    assert numbers(fill(gate, 3, begin=20)) == [20, 21, 22]


def test_a_silent_pre_roll_adds_no_delay() -> None:
    gate = MicGate()
    fill(gate, 20, ROOM)
    assert gate.open(at(20)) == []
    assert fill(gate, 1, ROOM, begin=20) == [GateFrame(ROOM, at(20), first=True)]


def test_a_word_that_began_before_the_press_is_whole() -> None:
    gate = MicGate()
    fill(gate, 16, ROOM)
    fill(gate, 4, SPEECH, begin=16)
    assert numbers(gate.open(at(20))) == [16, 17, 18, 19]


def test_the_onset_is_contiguous() -> None:
    gate = MicGate()
    fill(gate, 16, SPEECH)
    fill(gate, 1, ROOM, begin=16)
    fill(gate, 3, SPEECH, begin=17)
    assert numbers(gate.open(at(20))) == [17, 18, 19]


def test_speech_before_a_gap_is_another_word() -> None:
    gate = MicGate()
    fill(gate, 14, SPEECH)
    fill(gate, 3, SPEECH, begin=17)  # an xrun ate three frames
    assert numbers(gate.open(at(20))) == [17, 18, 19]


def test_speech_that_stopped_coming_before_the_press_is_not_its_onset() -> None:
    gate = MicGate()
    fill(gate, 15, SPEECH)
    assert gate.open(at(20)) == []


def test_the_pre_roll_is_bounded() -> None:
    gate = MicGate(pre_roll_s=0.2)
    fill(gate, 50, SPEECH)
    assert numbers(gate.open(at(50))) == list(range(40, 50))


@pytest.mark.parametrize(("level", "leaves"), [(-44.5, True), (-45.5, False)])
def test_the_threshold_is_a_level(level: float, leaves: bool) -> None:
    gate = MicGate(speech_dbfs=-45)
    fill(gate, 1, sound(level))
    assert bool(gate.open(at(1))) is leaves


def test_the_wait_for_a_grant_is_bounded() -> None:
    gate = MicGate(pre_roll_s=0.2, hold_s=1.5)
    fill(gate, 200, SPEECH)
    assert numbers(gate.open(at(0))) == list(range(115, 200))


def test_closing_lets_the_tail_out_and_marks_the_last_frame() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 2)
    gate.close(at(5))
    left = fill(gate, 10, begin=2)
    assert numbers(left) == [2, 3, 4]
    assert [frame.last for frame in left] == [False, False, True]
    assert not gate.is_open


def test_a_frame_that_straddles_the_end_stays() -> None:
    gate = MicGate()
    gate.open(at(0))
    gate.close(at(2.9))
    assert numbers(fill(gate, 10)) == [0, 1]


def test_closing_when_everything_has_left_closes_now() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 3)
    gate.close(at(3.5))
    assert not gate.is_open


def test_a_microphone_that_skips_the_end_closes_the_gate() -> None:
    gate = MicGate()
    gate.open(at(0))
    gate.close(at(5))
    assert fill(gate, 1, begin=9) == []
    assert not gate.is_open


def test_nothing_leaves_after_a_cut_and_nothing_from_before_it_ever() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 3, SPEECH)
    gate.cut(at(5))
    assert not gate.is_open
    assert fill(gate, 7, SPEECH, begin=3) == []
    assert numbers(gate.open(at(10))) == [5, 6, 7, 8, 9]


def test_a_cut_without_a_time_forgets_what_was_pushed() -> None:
    gate = MicGate()
    fill(gate, 10, SPEECH)
    gate.cut()
    assert gate.open(at(10)) == []


def test_the_next_burst_does_not_repeat_the_last() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 5, SPEECH)
    gate.close(at(5))
    fill(gate, 2, SPEECH, begin=5)
    left = gate.open(at(7))
    assert numbers(left) == [5, 6]
    assert left[0].first


def test_an_open_gate_without_frames_has_stalled() -> None:
    gate = MicGate()
    assert not gate.stalled(at(0))
    gate.open(at(0))
    assert gate.stalled(at(0))
    fill(gate, 1)
    assert not gate.stalled(at(1) + 0.09)
    assert gate.stalled(at(1) + 0.11)
    gate.cut()
    assert not gate.stalled(at(99))


@pytest.mark.parametrize("size", [0, FRAME_BYTES - 2, FRAME_BYTES + 2])
def test_a_frame_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="1920 bytes"):
        MicGate().push(bytes(size), at(0))


moves = st.one_of(
    st.tuples(st.just("push"), st.integers(1, 12), st.booleans()),
    st.tuples(st.just("push"), st.integers(1, 40), st.just(True)),
    st.tuples(st.just("open"), st.integers(0, 40), st.booleans()),
    st.tuples(st.just("close"), st.integers(-3, 10), st.booleans()),
    st.tuples(st.just("cut"), st.integers(0, 3), st.booleans()),
)


@given(st.lists(moves, min_size=10, max_size=40))
def test_over_any_sequence(acts: list[tuple[str, int, bool]]) -> None:
    """Frames leave in order, once, with sound of their own burst only, and never after a cut."""
    gate = MicGate()
    clock = 0
    since, until, barrier = inf, -inf, -inf
    last_left = -1
    fresh = False
    for act, amount, flag in acts:
        left: list[GateFrame] = []
        match act:
            case "push":
                left = fill(gate, amount, SPEECH if flag else ROOM, begin=clock)
                clock += amount
            case "open":
                since, until, fresh = at(clock - amount), inf, True
                left = gate.open(since)
            case "close":
                until = min(until, at(clock + amount))
                gate.close(until)
            case "cut":
                barrier = at(clock + amount)  # frames captured before may still come in
                since = inf
                gate.cut(barrier)
                assert not gate.is_open
        for frame, number in zip(left, numbers(left), strict=True):
            assert number > last_left, "out of order, or twice"
            assert frame.start > since - 0.2 - FRAME_S
            assert frame.start + FRAME_S <= until + 1e-6
            assert frame.start >= barrier
            assert frame.first == fresh
            last_left, fresh = number, False
        assert all(not frame.last for frame in left[:-1])
        assert gate.is_open or until < inf or since == inf
