"""The room on paper is a room: sound takes its time, weakens with distance and dies away."""

import numpy as np
import pytest

from bench.support.room import SOUND_M_PER_S, Loudspeaker, Room, through
from stagebox.media.frames import SAMPLE_RATE


@pytest.mark.parametrize("metres", [0.1, 0.15, 0.3])
def test_the_direct_sound_comes_after_its_way_and_as_loud_as_its_distance_says(
    metres: float,
) -> None:
    path = Room(spread_m=metres).echo_path()
    arrival = metres / SOUND_M_PER_S * SAMPLE_RATE
    assert abs(int(np.argmax(path)) - arrival) <= 1
    direct = path[: round(arrival) + 20]  # the table's and the walls' images come later
    assert np.sum(direct) == pytest.approx(1 / metres, rel=0.05)


@pytest.mark.parametrize("rt60", [0.3, 0.5])
def test_sound_dies_away_about_as_fast_as_asked(rt60: float) -> None:
    # Schroeder 1965: the decay is the energy that is still to come. Images of a shoebox
    # die away more slowly than Eyring's formula has it, which is known of the method.
    late = np.cumsum(Room(rt60_s=rt60).echo_path()[::-1] ** 2)[::-1]
    level = 10 * np.log10(late / late[0])
    t20 = 3 * (int(np.argmax(level < -25)) - int(np.argmax(level < -5))) / SAMPLE_RATE
    assert 0.8 * rt60 < t20 < 1.5 * rt60


def test_the_talker_is_heard_less_than_the_loudspeaker_that_is_nearer() -> None:
    room = Room(spread_m=0.15, talker_m=0.6)
    assert room.echo_path().max() == pytest.approx(4 * room.talker_path().max(), rel=0.1)


def test_a_path_delays_and_weakens() -> None:
    path = np.zeros(100)
    path[30] = 0.5
    sound = np.arange(1, 501, dtype=np.int16)
    heard = through(path, sound)
    assert heard.size == sound.size
    np.testing.assert_allclose(heard[30:], sound[:-30] / 2, atol=1e-6)
    np.testing.assert_allclose(heard[:30], 0, atol=1e-6)


def tone(hz: float) -> np.ndarray:
    return (20_000 * np.sin(2 * np.pi * hz / SAMPLE_RATE * np.arange(SAMPLE_RATE))).astype(np.int16)


def test_a_small_loudspeaker_has_no_bass() -> None:
    def gain(hz: float) -> float:
        return float(np.std(Loudspeaker().sounds(tone(hz))) / np.std(tone(hz)))

    assert gain(60) < 0.1
    assert gain(1000) == pytest.approx(1, rel=0.05)


def test_a_cone_that_bends_adds_overtones() -> None:
    spectrum = np.abs(np.fft.rfft(Loudspeaker(full=0.5).sounds(tone(1000))))
    assert spectrum[3000] > 100 * spectrum[2500]


def test_a_clock_that_runs_fast_drifts_away() -> None:
    late = Loudspeaker(drift_ppm=1000).sounds(tone(1000))
    true = Loudspeaker().sounds(tone(1000))
    end = slice(-4800, None)
    # After a second at 1000 ppm one period of 1 kHz has gone by, after half of it half of one.
    half = slice(SAMPLE_RATE // 2 - 480, SAMPLE_RATE // 2 + 480)
    assert np.corrcoef(late[half], true[half])[0, 1] < -0.9
    assert np.corrcoef(late[end], true[end])[0, 1] > 0.8
