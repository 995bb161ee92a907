from stagebox.media.arrival import JitterConfig
from stagebox.media.delay import Advice, DelayControl

TARGET = 0.040


def advice(*delays: float, gap: float = 0.02) -> list[Advice]:
    control = DelayControl(JitterConfig())
    return [control.advise(delay, TARGET, at * gap) for at, delay in enumerate(delays)]


def test_near_the_target_nothing_is_done() -> None:
    assert set(advice(*[TARGET + 0.010, TARGET - 0.010, TARGET] * 5)) == {Advice.NORMAL}


def test_one_late_pull_is_no_delay() -> None:
    assert set(advice(TARGET, TARGET, 0.3, TARGET, TARGET)) == {Advice.NORMAL}


def test_a_little_late_every_third_frame_is_shortened() -> None:
    assert advice(*[TARGET + 0.02] * 6) == [
        Advice.NORMAL,
        Advice.NORMAL,
        Advice.ACCELERATE,
        Advice.NORMAL,
        Advice.NORMAL,
        Advice.ACCELERATE,
    ]


def test_very_late_every_frame_is_shortened() -> None:
    assert advice(*[TARGET + 0.1] * 5)[2:] == [Advice.HURRY] * 3


def test_late_for_too_long_every_frame_is_shortened() -> None:
    got = advice(*[TARGET + 0.02] * 60)
    assert got.index(Advice.HURRY) in (53, 54, 55, 56)
    assert got[57:] == [Advice.HURRY] * 3


def test_patience_begins_anew_when_the_target_was_met() -> None:
    late = [TARGET + 0.02] * 40
    assert Advice.HURRY not in advice(*late, *[TARGET] * 3, *late)


def test_too_early_frames_are_lengthened() -> None:
    assert advice(*[TARGET - 0.02] * 3)[2] is Advice.EXPAND


def test_forgetting_measures_anew() -> None:
    control = DelayControl(JitterConfig())
    for at in range(2):
        control.advise(0.2, TARGET, at * 0.02)
    control.forget()
    assert control.advise(0.2, TARGET, 0.04) is Advice.NORMAL
