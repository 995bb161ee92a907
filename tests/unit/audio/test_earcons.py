import itertools

import numpy as np
import pytest

from device.audio.earcons import (
    EARCON_MEANINGS,
    PEAK_DBFS,
    RAMP_MS,
    SCORES,
    Earcon,
    Note,
    described,
    frequencies,
    render,
    render_all,
    samples,
    seconds,
)


def pitch(pcm: np.ndarray) -> float:
    """The strongest frequency, by FFT zero-padded to 0.73 Hz."""
    size = 1 << 16
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), size))
    return float(np.argmax(spectrum)) * 48_000 / size


def notes(earcon: Earcon) -> list[tuple[Note, np.ndarray]]:
    pcm, at, found = render(SCORES[earcon]), 0, []
    for note in SCORES[earcon]:
        found.append((note, pcm[at : at + samples(note.ms)]))
        at += samples(note.ms) + samples(note.rest)
    assert at == len(pcm)
    return found


@pytest.mark.parametrize("earcon", Earcon)
def test_each_note_sounds_at_its_pitch_and_rests_are_silent(earcon: Earcon) -> None:
    pcm, at = render(SCORES[earcon]), 0
    for note, tone in notes(earcon):
        assert pitch(tone) == pytest.approx(note.hz, abs=6)
        at += samples(note.ms)
        assert not pcm[at : at + samples(note.rest)].any()
        at += samples(note.rest)


@pytest.mark.parametrize("earcon", Earcon)
@pytest.mark.parametrize("peak_dbfs", [PEAK_DBFS, -40.0, 0.0])
def test_the_loudest_sample_is_at_the_level_asked_for(earcon: Earcon, peak_dbfs: float) -> None:
    peak = np.abs(render(SCORES[earcon], peak_dbfs).astype(int)).max()
    assert peak == round(32767 * 10 ** (peak_dbfs / 20))


@pytest.mark.parametrize("earcon", Earcon)
def test_no_clicks_where_a_note_begins_and_ends(earcon: Earcon) -> None:
    for note, tone in notes(earcon):
        peak = np.abs(tone.astype(int)).max()
        # No step is greater than that of the steady tone, and both ends are close to zero.
        steepest = peak * 2 * np.pi * note.hz / 48_000
        assert np.abs(np.diff(tone.astype(int))).max() <= steepest + 1
        ramp = samples(RAMP_MS)
        assert abs(int(tone[0])) <= 1
        assert abs(int(tone[-1])) <= max(2, peak // 100)
        assert np.abs(tone[: ramp // 4]).max() < peak * 0.2


def test_what_the_tones_mean_is_in_how_they_move() -> None:
    def shape(earcon: Earcon) -> list[float]:
        return [note.hz for note in SCORES[earcon]]

    assert len(shape(Earcon.PERMIT)) == 1
    assert seconds(Earcon.PERMIT) == min(seconds(earcon) for earcon in Earcon)
    assert SCORES[Earcon.RECORDING] == (Note(1400, 500),)
    assert shape(Earcon.ENDED) == sorted(shape(Earcon.ENDED), reverse=True)
    assert len(shape(Earcon.REVOKED)) == 3
    assert shape(Earcon.REVOKED) == sorted(shape(Earcon.REVOKED), reverse=True)
    assert len(shape(Earcon.OFFERED)) == 2
    assert shape(Earcon.OFFERED) == sorted(shape(Earcon.OFFERED))
    assert len(shape(Earcon.QUEUED)) == 1
    assert SCORES[Earcon.DENY] == (Note(330, 300),)
    assert len(set(shape(Earcon.WARNING))) == 1
    assert min(shape(Earcon.WARNING)) > max(shape(Earcon.REVOKED))
    assert max(shape(Earcon.BUSY)) < min(shape(Earcon.QUEUED))


def test_what_is_heard_while_talking_is_out_of_the_way_of_speech() -> None:
    for earcon in (Earcon.PERMIT, Earcon.LATCHED, Earcon.COUGH):
        assert min(frequencies(earcon)) > 2_000
        assert seconds(earcon) <= 0.160
    up, down = frequencies(Earcon.LATCHED), frequencies(Earcon.COUGH)
    assert up == down


def test_how_each_sounds_can_be_written() -> None:
    assert described(Earcon.OFFERED) == "two notes, rising, 350 ms"
    assert described(Earcon.REVOKED) == "three notes, falling, 240 ms"
    assert described(Earcon.BUSY) == "two notes, level, 320 ms"
    assert described(Earcon.DENY) == "one note, low, 300 ms"
    assert described(Earcon.QUEUED) == "one note, middle, 150 ms"
    assert described(Earcon.PERMIT) == "one note, high, 60 ms"


def test_each_has_a_meaning_of_its_own_for_people() -> None:
    assert set(EARCON_MEANINGS) == set(Earcon)
    assert len({*EARCON_MEANINGS.values()}) == len(Earcon)
    assert len({(described(each), frequencies(each)) for each in Earcon}) == len(Earcon)


def test_no_two_are_alike_without_their_absolute_pitch() -> None:
    """Rhythm and direction alone tell them apart."""
    seen = set()
    for score in SCORES.values():
        moves = tuple(np.sign(b.hz - a.hz) for a, b in itertools.pairwise(score))
        seen.add((tuple((note.ms, note.rest) for note in score), moves))
    assert len(seen) == len(SCORES)


def test_where_and_how_long_an_earcon_is() -> None:
    assert frequencies(Earcon.REVOKED) == (880, 1109, 1319)
    assert frequencies(Earcon.WARNING) == (1760,)
    assert seconds(Earcon.WARNING) == pytest.approx(0.240)
    assert all(seconds(e) == len(render(SCORES[e])) / 48_000 for e in Earcon)


def test_the_busy_rhythm_repeats_evenly_and_flashes_no_faster_than_twice_a_second() -> None:
    total = sum(note.ms + note.rest for note in SCORES[Earcon.BUSY])
    assert total == 800


def test_every_earcon_has_a_sound() -> None:
    assert set(render_all()) == {earcon.value for earcon in Earcon}
    assert all(pcm.dtype == np.int16 for pcm in render_all().values())
