"""Which correction, when, and of how much; and how much a playout asks for at once."""

import pytest

from stagebox.media.arrival import JitterConfig
from stagebox.media.delay import Advice, Change, DelayControl, Pace, Pull

TARGET = 0.040
CONFIG = JitterConfig()


def changes(*waits: float, ahead: float = 0.0, block: float = 0.01) -> list[Change]:
    control = DelayControl(CONFIG)
    return [
        control.advise(wait, TARGET, Pull(at * 0.02, ahead, block)) for at, wait in enumerate(waits)
    ]


def advice(*waits: float, ahead: float = 0.0) -> list[Advice]:
    return [change.advice for change in changes(*waits, ahead=ahead)]


def test_between_the_target_and_a_block_more_nothing_is_done() -> None:
    waits = [TARGET + 0.0095, TARGET - 0.0025, TARGET] * 5
    assert set(advice(*waits)) == {Advice.NORMAL}


def test_one_late_pull_is_no_delay() -> None:
    assert set(advice(TARGET, TARGET, TARGET, 0.3, TARGET, TARGET)) == {Advice.NORMAL}


def test_a_little_late_is_first_taken_from_the_gaps_between_words() -> None:
    got = advice(*[TARGET + 0.012] * 44)
    assert got[:5] == [*[Advice.NORMAL] * 3, Advice.TRIM, Advice.TRIM]
    first = got.index(Advice.ACCELERATE)
    assert first in (33, 34)  # 0.6 s after the first correction
    assert got[first + 1 : first + 5] == [*[Advice.NORMAL] * 3, Advice.ACCELERATE]


def test_late_by_the_room_for_fec_goes_at_once_and_soon_in_a_hurry() -> None:
    got = advice(*[TARGET + 0.025] * 30)
    assert got[3] is Advice.ACCELERATE
    assert got.index(Advice.HURRY) in range(19, 24)
    assert got[24:] == [Advice.HURRY] * 6


def test_very_late_every_frame_is_shortened_by_no_more_than_it_must() -> None:
    got = changes(*[TARGET + 0.1005] * 5)[3:]
    assert got == [Change(Advice.HURRY, 4_800)] * 2


def test_late_for_too_long_every_frame_is_shortened() -> None:
    got = advice(*[TARGET + 0.012] * 70)
    assert got.index(Advice.HURRY) in range(53, 60)
    assert got[60:] == [Advice.HURRY] * 10


def test_patience_begins_anew_when_the_target_was_met() -> None:
    late = [TARGET + 0.012] * 40
    assert Advice.HURRY not in advice(*late, *[TARGET] * 4, *late)


def test_frames_that_begin_within_a_block_can_begin_with_it() -> None:
    assert changes(*[TARGET] * 4, ahead=0.004)[3] == Change(Advice.TRIM, 192)
    assert changes(*[TARGET] * 4, ahead=0.006)[3] == Change(Advice.TRIM, 288)
    assert advice(*[TARGET] * 4, ahead=0.002)[3] is Advice.NORMAL


def test_a_trifle_is_never_taken_from_speech() -> None:
    assert Advice.ACCELERATE not in advice(*[TARGET] * 100, ahead=0.004)


def test_too_short_a_wait_is_lengthened_in_gaps_then_in_speech() -> None:
    got = changes(*[TARGET - 0.004] * 44, ahead=0.003)
    assert got[3] == Change(Advice.PAD, 336)
    assert [change.advice for change in got].index(Advice.EXPAND) == 35


def test_with_large_pulls_only_what_makes_a_difference_is_cut() -> None:
    assert changes(*[TARGET + 0.019] * 4, block=0.02)[3].advice is Advice.NORMAL
    assert changes(*[TARGET + 0.021] * 4, block=0.02)[3].most == 960


def test_forgetting_measures_anew() -> None:
    control = DelayControl(CONFIG)
    for at in range(3):
        control.advise(0.2, TARGET, Pull(at * 0.02))
    control.forget()
    assert control.advise(0.2, TARGET, Pull(0.06)).advice is Advice.NORMAL


def test_the_pace_is_the_longest_step_of_the_last_pulls() -> None:
    pace = Pace()
    assert pace.note(5.0, 0.01) == 0.01
    assert pace.note(5.0, 0.01) == 0.01
    assert pace.note(5.02, 0.01) == pytest.approx(0.02)
    for n in range(1, 8):
        assert pace.note(5.02 + n * 0.01, 0.01) == pytest.approx(0.02)
    assert pace.note(5.10, 0.01) == pytest.approx(0.01)
