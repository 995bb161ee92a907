"""The measuring of delay, likeness and gaps, on signals whose truth is known."""

import numpy as np
import pytest

from stagebox import measure as m


def voice(seconds: float, seed: int = 1) -> m.Samples:
    """Return something as busy as speech: band-limited noise in syllables."""
    rng = np.random.default_rng(seed)
    count = round(seconds * m.RATE)
    noise = np.convolve(rng.standard_normal(count), np.ones(24) / 24, "same")
    syllables = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(count) / m.RATE)
    return (0.3 * noise * syllables / np.max(np.abs(noise))).astype(np.float32)


def late(samples: m.Samples, delay_s: float, gain: float = 1.0) -> m.Samples:
    return np.concatenate([np.zeros(round(delay_s * m.RATE), np.float32), gain * samples])


@pytest.mark.parametrize("delay_ms", [0.0, 12.5, 65.0, 310.0])
def test_delay_is_found_to_the_sample(delay_ms: float) -> None:
    said = m.Recording(voice(3), start=100.0)
    heard = m.Recording(late(said.samples, delay_ms / 1000, gain=0.5), start=100.0)
    result = m.compare(said, heard, 100.0, 103.0)
    assert result.delay_ms == pytest.approx(delay_ms, abs=0.03)
    assert result.correlation > 0.99
    assert result.heard_dbfs - result.said_dbfs == pytest.approx(-6.02, abs=0.05)


def test_recordings_that_start_at_different_instants_are_put_on_one_clock() -> None:
    speech = voice(3)
    said = m.Recording(speech, start=50.0)
    heard = m.Recording(late(speech, 0.040), start=50.0)
    shifted = m.Recording(heard.samples[m.RATE :], start=51.0)
    assert m.compare(said, shifted, 51.0, 53.0).delay_ms == pytest.approx(40, abs=0.03)


def test_other_speech_is_not_taken_for_this_one() -> None:
    said, other = m.Recording(voice(3), 0.0), m.Recording(voice(4, seed=2), 0.0)
    result = m.compare(said, other, 0.0, 3.0)
    assert result.correlation < 0.3
    assert result.speech_s == 0
    assert result.worst_delay_ms == 0


def test_upside_down_is_not_the_same() -> None:
    said = m.Recording(voice(2), 0.0)
    assert m.compare(said, m.Recording(-said.samples, 0.0), 0.0, 2.0).correlation < 0.5


def test_silence_is_not_measured() -> None:
    quiet = m.Recording(np.zeros(m.RATE * 2, np.float32), 0.0)
    result = m.compare(quiet, quiet, 0.0, 2.0)
    assert result.windows == ()
    assert (result.correlation, result.delay_ms, result.speech_s) == (0, 0, 0)
    assert result.said_dbfs == -120


def test_one_late_window_shows_in_the_worst_and_not_in_the_median() -> None:
    speech = voice(4)
    cut = round(3 * m.RATE)
    heard = np.concatenate([speech[:cut], np.zeros(9600, np.float32), speech[cut:]])
    result = m.compare(m.Recording(speech, 0.0), m.Recording(heard, 0.0), 0.0, 4.0)
    assert result.delay_ms == pytest.approx(0, abs=0.1)
    assert result.worst_delay_ms == pytest.approx(200, abs=0.1)


def test_a_stretch_outside_the_recording_is_silence() -> None:
    recording = m.Recording(np.ones(480, np.float32), start=10.0)
    assert recording.between(9.99, 10.02).tolist() == [0.0] * 480 + [1.0] * 480 + [0.0] * 480
    assert recording.between(20.0, 20.01).sum() == 0
    assert recording.between(10.0, 9.0).size == 0


def test_level_of_known_signals() -> None:
    assert m.dbfs(np.ones(100, np.float32)) == pytest.approx(0, abs=0.01)
    assert m.dbfs(np.full(100, 0.1, np.float32)) == pytest.approx(-20, abs=0.01)
    assert m.dbfs(np.zeros(0, np.float32)) == -120


def test_only_what_was_said_can_be_missing() -> None:
    said = np.full(4800, 0.1, np.float32)
    said[2400:3360] = 0  # a pause of 20 ms
    heard = said.copy()
    heard[960:1920] = 0  # 20 ms lost
    heard[2400:3840] = 0  # the pause, and 10 ms after it
    shifted = m.Recording(late(heard, 0.03), 5.0)
    assert m.longest_dropout_s(m.Recording(said, 5.0), shifted, 5.0, 5.1, 0.03) == pytest.approx(
        0.02
    )
    assert m.longest_dropout_s(m.Recording(said, 5.0), shifted, 5.0, 5.0, 0.03) == 0
