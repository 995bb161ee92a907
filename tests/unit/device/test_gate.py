"""Which frames leave the microphone gate, by hand and over random sequences."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.gate import BLOCK_S, FRAME_S, GateFrame, MicGate
from device.audio.ports import BLOCK_BYTES, BLOCK_SAMPLES

FIRST = 1_000.0  # when block 0 starts
SILENCE = bytes(BLOCK_BYTES)
# 10 dB under speech, as a quiet room is, so that what is padded can be told from it.
ROOM_DBFS, SPEECH_DBFS = -55.0, -20.0


def sound(level_dbfs: float, number: int = 0) -> bytes:
    """One block of a square wave, whose RMS is its amplitude; its first sample tells its number."""
    amplitude = round(32_768 * 10 ** (level_dbfs / 20))
    wave = np.tile(np.array([amplitude, -amplitude], "<i2"), BLOCK_SAMPLES // 2)
    wave[0] = number
    return wave.tobytes()


def at(block: float) -> float:
    """The instant at which block number ``block`` starts."""
    return FIRST + block * BLOCK_S


def numbers(frames: list[GateFrame]) -> list[int]:
    """The numbers of the blocks in frames, without what was padded."""
    found: list[int] = []
    for frame in frames:
        halves = [frame.pcm[:BLOCK_BYTES], frame.pcm[BLOCK_BYTES:]]
        assert len(halves[1]) == BLOCK_BYTES
        found += [int(np.frombuffer(half, "<i2")[0]) for half in halves if half != SILENCE]
        assert round((frame.start - FIRST) / BLOCK_S) == int(np.frombuffer(halves[0], "<i2")[0])
    return found


def fill(gate: MicGate, count: int, dbfs: float = ROOM_DBFS, begin: int = 0) -> list[GateFrame]:
    """Push ``count`` blocks; return all that left."""
    left: list[GateFrame] = []
    for number in range(begin, begin + count):
        left += gate.push(sound(dbfs, number), at(number))
    return left


def test_a_closed_gate_lets_nothing_out() -> None:
    assert fill(MicGate(), 100, SPEECH_DBFS) == []


def test_what_was_said_since_the_press_comes_out_at_once() -> None:
    gate = MicGate()
    fill(gate, 20)
    left = gate.open(at(14.5))  # the grant came five and a half blocks after the press
    assert numbers(left) == [14, 15, 16, 17, 18, 19]
    assert [frame.first for frame in left] == [True, False, False]
    assert numbers(fill(gate, 4, begin=20)) == [20, 21, 22, 23]


def test_the_newest_block_completes_a_frame() -> None:
    """An odd number of blocks since the press: one more from before it leaves, quiet or not."""
    gate = MicGate()
    fill(gate, 20)
    assert numbers(gate.open(at(15.5))) == [14, 15, 16, 17, 18, 19]


def test_the_block_of_the_press_leaves_as_soon_as_it_is_there() -> None:
    gate = MicGate()
    fill(gate, 20)
    assert gate.open(at(20.3)) == []
    left = fill(gate, 1, begin=20)
    assert numbers(left) == [19, 20]
    assert left[0].first
    assert numbers(fill(gate, 2, begin=21)) == [21, 22]


def test_without_a_block_before_the_press_a_frame_takes_two() -> None:
    gate = MicGate()
    assert gate.open(at(0.3)) == []
    assert numbers(fill(gate, 2)) == [0, 1]


def test_a_silent_pre_roll_adds_no_delay() -> None:
    gate = MicGate()
    fill(gate, 20)
    gate.open(at(20))
    assert numbers(fill(gate, 2, begin=20)) == [19, 20]


def test_a_word_that_began_before_the_press_is_whole_and_with_it_its_soft_attack() -> None:
    gate = MicGate()
    fill(gate, 16)
    fill(gate, 4, SPEECH_DBFS, begin=16)
    assert numbers(gate.open(at(20))) == [14, 15, 16, 17, 18, 19]


def test_the_closure_before_a_stop_does_not_cut_a_word_in_two() -> None:
    gate = MicGate()
    fill(gate, 10)
    fill(gate, 3, SPEECH_DBFS, begin=10)  # the s of "stop"
    fill(gate, 7, begin=13)  # its t is being held
    assert numbers(gate.open(at(20))) == list(range(8, 20))


def test_the_onset_is_one_word() -> None:
    gate = MicGate()
    fill(gate, 6, SPEECH_DBFS)
    fill(gate, 8, begin=6)
    fill(gate, 6, SPEECH_DBFS, begin=14)
    assert numbers(gate.open(at(20))) == list(range(12, 20))


def test_speech_before_a_gap_in_the_recording_is_another_word() -> None:
    gate = MicGate()
    fill(gate, 14, SPEECH_DBFS)
    fill(gate, 4, SPEECH_DBFS, begin=16)  # an xrun ate two blocks
    assert numbers(gate.open(at(20))) == [16, 17, 18, 19]


def test_speech_that_stopped_before_the_press_is_not_its_onset() -> None:
    gate = MicGate()
    fill(gate, 12, SPEECH_DBFS)
    fill(gate, 8, begin=12)
    assert gate.open(at(20)) == []


def test_blocks_that_stopped_coming_before_the_press_are_not_its_onset() -> None:
    gate = MicGate()
    fill(gate, 17, SPEECH_DBFS)
    assert gate.open(at(20)) == []


def test_the_pre_roll_is_bounded() -> None:
    gate = MicGate(pre_roll_s=0.2)
    fill(gate, 50, SPEECH_DBFS)
    left = numbers(gate.open(at(50)))
    assert left[-1] == 49
    assert 50 - 24 <= left[0] <= 50 - 20


@pytest.mark.parametrize(("level", "leaves"), [(-44.5, True), (-45.5, False)])
def test_the_threshold_is_a_level(level: float, leaves: bool) -> None:
    gate = MicGate(speech_dbfs=-45)
    fill(gate, 2, level)
    assert bool(gate.open(at(2))) is leaves


@pytest.mark.parametrize(
    ("room", "hiss", "leaves"), [(-72, -60, True), (-72, -64, False), (-80, -66, False)]
)
def test_a_hiss_is_speech_where_the_room_is_quiet(room: float, hiss: float, leaves: bool) -> None:
    gate = MicGate()
    fill(gate, 16, room)
    fill(gate, 4, hiss, begin=16)
    assert bool(gate.open(at(20))) is leaves


def test_the_wait_for_a_grant_is_bounded() -> None:
    gate = MicGate(pre_roll_s=0.2, hold_s=1.5)
    fill(gate, 400, SPEECH_DBFS)
    assert numbers(gate.open(at(0))) == list(range(230, 400))


def test_what_the_loudspeaker_may_have_said_never_leaves() -> None:
    gate = MicGate()
    fill(gate, 20, SPEECH_DBFS)
    assert numbers(gate.open(at(18), quiet_from=at(17))) == [18, 19]
    gate.cut()
    fill(gate, 4, SPEECH_DBFS, begin=20)
    assert gate.open(at(23), quiet_from=at(26)) == []  # it still sounds
    assert numbers(fill(gate, 4, SPEECH_DBFS, begin=24)) == [26, 27]


def test_closing_lets_the_tail_out_and_marks_the_last_frame() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 2)
    gate.close(at(6))
    left = fill(gate, 10, begin=2)
    assert numbers(left) == [2, 3, 4, 5]
    assert [frame.last for frame in left] == [False, True]
    assert not gate.is_open


@pytest.mark.parametrize("until", [4.9, 5.0, 5.9])
def test_sound_up_to_the_end_leaves_in_whole_blocks_filled_up_with_silence(until: float) -> None:
    gate = MicGate()
    gate.open(at(0))
    gate.close(at(until))
    left = fill(gate, 10)
    assert numbers(left) == list(range(int(until)))
    assert left[-1].last
    assert not gate.is_open


def test_closing_when_everything_has_left_closes_now() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 4)
    assert gate.close(at(4.5)) == []
    assert not gate.is_open


def test_closing_lets_half_a_frame_out() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 5)
    left = gate.close(at(5.5))
    assert numbers(left) == [4]
    assert left[0].last
    assert not gate.is_open
    assert gate.close(at(5.5)) == []


def test_half_a_frame_that_was_captured_after_the_end_stays() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 5)
    assert gate.close(at(3.5)) == []
    assert not gate.is_open


def test_a_microphone_that_skips_the_end_closes_the_gate() -> None:
    gate = MicGate()
    gate.open(at(0))
    gate.close(at(5))
    assert fill(gate, 1, begin=9) == []
    assert not gate.is_open


def test_a_microphone_that_skips_the_end_leaves_no_half_behind() -> None:
    gate = MicGate()
    gate.open(at(0))
    gate.close(at(5))
    fill(gate, 3)
    assert numbers(fill(gate, 1, begin=9)) == [2]
    assert not gate.is_open


def test_nothing_leaves_after_a_cut_and_nothing_from_before_it_ever() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 3, SPEECH_DBFS)
    gate.cut(at(5))
    assert not gate.is_open
    assert fill(gate, 7, SPEECH_DBFS, begin=3) == []
    assert numbers(gate.open(at(10))) == [6, 7, 8, 9]


def test_a_cut_without_a_time_forgets_what_was_pushed() -> None:
    gate = MicGate()
    fill(gate, 10, SPEECH_DBFS)
    gate.cut()
    assert gate.open(at(10)) == []


def test_the_next_burst_does_not_repeat_the_last() -> None:
    gate = MicGate()
    gate.open(at(0))
    fill(gate, 4, SPEECH_DBFS)
    gate.close(at(4))
    fill(gate, 2, SPEECH_DBFS, begin=4)
    left = gate.open(at(6))
    assert numbers(left) == [4, 5]
    assert left[0].first


def test_an_open_gate_without_blocks_has_stalled() -> None:
    gate = MicGate()
    assert not gate.stalled(at(0))
    gate.open(at(0))
    assert gate.stalled(at(0))
    fill(gate, 1)
    assert not gate.stalled(at(1) + 0.09)
    assert gate.stalled(at(1) + 0.11)
    gate.cut()
    assert not gate.stalled(at(99))


@pytest.mark.parametrize("size", [0, BLOCK_BYTES - 2, BLOCK_BYTES + 2])
def test_a_block_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="960 bytes"):
        MicGate().push(bytes(size), at(0))


moves = st.one_of(
    st.tuples(st.just("push"), st.integers(1, 25), st.booleans()),
    st.tuples(st.just("push"), st.integers(1, 80), st.just(True)),
    st.tuples(st.just("open"), st.integers(0, 80), st.booleans()),
    st.tuples(st.just("close"), st.integers(-5, 20), st.booleans()),
    st.tuples(st.just("cut"), st.integers(0, 5), st.booleans()),
)


@given(st.lists(moves, min_size=10, max_size=40))
def test_over_any_sequence(acts: list[tuple[str, int, bool]]) -> None:
    """Sound leaves in order, once, that of its own burst only, and never after a cut."""
    gate = MicGate()
    clock = 1  # number 0 looks like silence
    since, until, barrier = inf, -inf, -inf
    last_left = -1
    fresh = False
    for act, amount, flag in acts:
        left: list[GateFrame] = []
        match act:
            case "push":
                left = fill(gate, amount, SPEECH_DBFS if flag else ROOM_DBFS, begin=clock)
                clock += amount
            case "open":
                since, until, fresh = at(clock - amount), inf, True
                quiet_from = at(clock - amount // 2) if flag else -inf
                barrier = max(barrier, quiet_from)
                left = gate.open(since, quiet_from)
            case "close":
                until = min(until, at(clock + amount))
                left = gate.close(until)
            case "cut":
                barrier = at(clock + amount)  # blocks captured before may still come in
                since = inf
                left = []
                gate.cut(barrier)
                assert not gate.is_open
        for number in numbers(left):
            assert number > last_left, "out of order, or twice"
            assert at(number) > since - 0.2 - 3 * BLOCK_S
            assert at(number + 1) <= until + 1e-6
            assert at(number) >= barrier - 1e-6
            last_left = number
        for frame in left:
            assert frame.first == fresh
            fresh = False
        assert all(not frame.last for frame in left[:-1])
        assert gate.is_open or until < inf or since == inf


@given(st.integers(0, 30), st.floats(0, 0.99), st.floats(0, 0.06), st.booleans())
def test_the_press_is_on_its_way_within_a_block(
    before: int, phase: float, wait: float, speaks: bool
) -> None:
    """Wherever the press lies between blocks, the first of its sound waits for no other."""
    gate = MicGate()
    pressed = at(30 + phase)
    granted = pressed + wait
    left: list[GateFrame] = []
    opened = False
    for number in range(30 - before, 60):
        if not opened and at(number + 1) > granted:
            opened = True
            left += gate.open(pressed)
        left += gate.push(sound(SPEECH_DBFS if speaks else ROOM_DBFS, number), at(number))
        # A block that is quiet before the press lets the block of the press complete a frame.
        if opened and number >= 30 and (before > 0) and not speaks:
            assert 30 in numbers(left)
    assert numbers(left)[-1] >= 58
    assert 30 in numbers(left)
    assert left[0].start > pressed - 0.2 - 2 * FRAME_S
