import numpy as np
import pytest

from stagebox.media.frames import require_frame, silence
from stagebox.media.levels import FLOOR_DBFS, Level, Lull, dbfs, level, peak, rms


def test_full_scale_is_zero() -> None:
    square = np.array([-32_768, 32_767] * 480, dtype=np.int16)
    assert level(square).peak == 0.0
    assert level(square).rms == pytest.approx(0.0, abs=0.001)


def test_a_full_sine_has_three_less_rms() -> None:
    sine = (32_767 * np.sin(2 * np.pi * np.arange(960) / 96)).astype(np.int16)
    assert level(sine).rms == pytest.approx(-3.01, abs=0.01)


def test_halving_takes_six() -> None:
    assert dbfs(16_384) == pytest.approx(-6.02, abs=0.01)


def test_silence_and_nothing_are_at_the_floor() -> None:
    assert level(silence()) == level(silence(0)) == Level(FLOOR_DBFS, FLOOR_DBFS)
    assert dbfs(0.1) == FLOOR_DBFS


def test_the_negative_end_does_not_wrap() -> None:
    assert peak(np.array([-32_768], dtype=np.int16)) == 32_768
    assert rms(np.array([-32_768], dtype=np.int16)) == 32_768


def test_a_frame_is_a_frame() -> None:
    require_frame(silence())
    with pytest.raises(ValueError, match="int16 of"):
        require_frame(silence(959))


def test_a_lull_is_twenty_decibels_below_the_words() -> None:
    word = np.full(960, 4_000, dtype=np.int16)
    lull = Lull()
    assert not lull.is_in(word)
    assert not lull.is_in(word // 9)
    assert lull.is_in(word // 12)
    for _ in range(150):  # 3 s later a softer voice counts as loud
        lull.is_in(word // 9)
    assert not lull.is_in(word // 12)


def test_a_quiet_room_is_a_lull_from_the_start() -> None:
    assert Lull().is_in(silence())
    assert Lull().is_in(np.full(960, 50, dtype=np.int16))
