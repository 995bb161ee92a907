"""48 kHz to 16 kHz: what an engine hears of a tone at each frequency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.sampling import ENGINE_RATE, Decimator, low_pass
from stagebox.media.frames import SAMPLE_RATE, Pcm


def tone(hz: float, seconds: float = 0.5, level: float = 16_000) -> Pcm:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.rint(level * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def loudness(pcm: Pcm) -> float:
    """dB against a full tone, after the filter has settled."""
    settled = pcm[200:].astype(float)
    return float(20 * np.log10(max(1e-9, np.sqrt(np.mean(settled**2))) / (16_000 / np.sqrt(2))))


@pytest.mark.parametrize("hz", [60, 300, 1_000, 3_400, 6_000, 7_000])
def test_speech_passes_unchanged(hz: float) -> None:
    out = Decimator().take(tone(hz))
    assert out.size == 0.5 * ENGINE_RATE
    assert loudness(out) == pytest.approx(0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(out[200:7_400].astype(float)))
    assert np.argmax(spectrum) * ENGINE_RATE / 7_200 == pytest.approx(hz, abs=2.5)


@pytest.mark.parametrize("hz", [9_000, 10_000, 12_700, 15_000, 17_000, 20_000, 23_900])
def test_what_would_fold_back_is_gone(hz: float) -> None:
    assert loudness(Decimator().take(tone(hz))) < -68


@given(st.lists(st.sampled_from([120, 240, 480, 960, 1_920]), min_size=1, max_size=20))
def test_pieces_make_no_difference(sizes: list[int]) -> None:
    pcm = np.random.default_rng(1).integers(-20_000, 20_000, sum(sizes)).astype(np.int16)
    pieces, decimator, at = [], Decimator(), 0
    for size in sizes:
        pieces.append(decimator.take(pcm[at : at + size]))
        at += size
    # Sums of floats in another order may round one step differently.
    difference = np.concatenate(pieces).astype(int) - Decimator().take(pcm).astype(int)
    assert np.abs(difference).max() <= 1


def test_loud_sound_is_clipped_and_does_not_wrap() -> None:
    square = np.where(tone(500) >= 0, 32_767, -32_768).astype(np.int16)
    out = Decimator().take(square).astype(int)
    assert (out[200:] == 32_767).any()
    assert (out[200:] == -32_768).any()
    steps = np.abs(np.diff(out[200:]))
    assert np.sum(steps > 20_000) <= 2 * 500  # two edges a period and no more


def test_reset_forgets() -> None:
    decimator = Decimator()
    decimator.take(tone(1_000))
    decimator.reset()
    assert not decimator.take(np.zeros(960, np.int16)).any()


def test_a_piece_that_is_no_whole_number_of_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="961 samples at 48 kHz"):
        Decimator().take(np.zeros(961, np.int16))


def test_the_filter_is_symmetric_and_adds_up_to_one() -> None:
    taps = low_pass()
    assert taps.size % 2 == 1
    assert np.allclose(taps, taps[::-1])
    assert taps.sum() == pytest.approx(1, abs=1e-5)
