"""Delays are found in the sound: known delays in, the same delays out."""

import math

import numpy as np
import pytest

from bench.support.delays import Reading, back_after, middle, readings
from stagebox.media.frames import SAMPLE_RATE, Pcm


def noise(seconds: float) -> Pcm:
    rng = np.random.default_rng(1)
    return rng.normal(0, 3_000, round(seconds * SAMPLE_RATE)).astype(np.int16)


def late_by(pcm: Pcm, seconds: float) -> Pcm:
    return np.concatenate([np.zeros(round(seconds * SAMPLE_RATE), np.int16), pcm])


def test_a_delay_is_found_and_the_codecs_own_taken_off() -> None:
    said = noise(4.0)
    found = readings(said, late_by(said, 0.120), [1.0, 2.0], lookahead_s=0.020)
    assert [each.at for each in found] == [1.0, 2.0]
    assert all(each.delay_s == pytest.approx(0.100, abs=1e-3) for each in found)


def test_a_delay_that_changes_is_followed() -> None:
    said = noise(6.0)
    half = said.size // 2
    heard = np.concatenate([late_by(said, 0.050)[:half], late_by(said, 0.200)[half:]])
    found = readings(said, heard, [1.0, 4.0])
    assert [round(each.delay_s, 3) for each in found] == [0.050, 0.200]


def test_there_is_no_reading_of_silence_of_other_sound_or_beyond_the_end() -> None:
    said = noise(4.0)
    assert not readings(np.zeros_like(said), said, [2.0])
    assert not readings(said, np.zeros_like(said), [2.0])
    assert not readings(said, said[::-1].copy(), [2.0])
    assert not readings(said, said, [0.1, 3.9])


def track(*delays: float) -> list[Reading]:
    return [Reading(float(at), delay) for at, delay in enumerate(delays)]


def test_the_middle_of_readings_between_two_moments() -> None:
    assert middle(track(9.0, 0.1, 0.3, 0.2, 9.0), 1.0, 4.0) == 0.2
    assert math.isnan(middle(track(0.1), 5.0, 6.0))


@pytest.mark.parametrize(
    ("delays", "back"),
    [
        ((0.03, 0.2, 0.03, 0.03), 0.0),
        ((0.03, 0.2, 0.2, 0.03), 1.0),
        ((0.03, 0.2, 0.03, 0.2, 0.03), 2.0),
        ((0.03, 0.2, 0.2, 0.2), None),
        ((0.03, 0.2), None),
        ((0.03, 0.2, 0.02, 0.035), 0.0),
    ],
)
def test_back_is_when_it_stays_back(delays: tuple[float, ...], back: float | None) -> None:
    assert back_after(track(*delays), 2.0, 0.03) == back
