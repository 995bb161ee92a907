"""Shortening and lengthening: how much, and how well the seam is hidden."""

import numpy as np
import pytest

from stagebox.media.frames import Pcm, silence
from stagebox.media.timescale import accelerate, expand, hurry
from tests.unit.media.voice import frames, voice


def tone(hertz: float, samples: int = 960) -> Pcm:
    return (9_000 * np.sin(2 * np.pi * hertz * np.arange(samples) / 48_000)).astype(np.int16)


def noise(samples: int = 960) -> Pcm:
    return np.random.default_rng(5).normal(0, 5_000, samples).astype(np.int16)


def steepest(pcm: Pcm) -> int:
    return int(np.abs(np.diff(pcm.astype(np.int32))).max())


@pytest.mark.parametrize("hertz", [80, 100, 150, 200, 300])
def test_a_whole_number_of_periods_goes_or_comes(hertz: float) -> None:
    pcm = tone(hertz)
    period = 48_000 / hertz
    for changed in (accelerate(pcm), hurry(pcm), expand(pcm)):
        periods = abs(pcm.size - changed.size) / period
        assert 120 <= abs(pcm.size - changed.size) <= 720
        assert periods == pytest.approx(round(periods), abs=0.02)
        assert steepest(changed) <= steepest(pcm) * 1.1


def test_the_ends_stay_where_they_were() -> None:
    pcm = frames(voice())[30]
    for changed in (hurry(pcm), expand(pcm)):
        assert abs(int(changed[0]) - int(pcm[0])) <= 1
        assert abs(int(changed[-1]) - int(pcm[-1])) <= 1


def test_noise_is_left_alone_unless_in_a_hurry() -> None:
    pcm = noise()
    assert accelerate(pcm) is pcm
    assert expand(pcm) is pcm
    assert 240 <= pcm.size - hurry(pcm).size <= 720


def test_quiet_frames_lose_as_much_as_fits() -> None:
    hiss = (noise() / 1_000).astype(np.int16)
    for pcm in (silence(), hiss):
        assert accelerate(pcm).size == 240
        assert expand(pcm).size > pcm.size


@pytest.mark.parametrize("samples", [480, 960, 1_920, 2_880])
def test_in_a_hurry_every_frame_gets_shorter(samples: int) -> None:
    for pcm in (noise(samples), tone(140, samples), silence(samples)):
        left = hurry(pcm).size
        assert 240 <= left <= samples - min(240, samples // 4)


@pytest.mark.parametrize("samples", [120, 240, 300])
def test_short_frames_are_left_alone(samples: int) -> None:
    for pcm in (tone(300, samples), silence(samples)):
        assert np.array_equal(hurry(pcm), pcm)
        assert expand(pcm) is pcm


def test_the_loudest_sound_does_not_wrap() -> None:
    square = np.where(np.arange(960) // 160 % 2 == 0, 32_767, -32_768).astype(np.int16)
    shorter = accelerate(square)
    assert shorter.size == 640
    assert np.array_equal(shorter, square[:640])


def test_speech_is_mostly_easy_to_shorten() -> None:
    cut = [f.size - accelerate(f).size for f in frames(voice())]
    assert np.mean([c > 0 for c in cut]) > 0.7
