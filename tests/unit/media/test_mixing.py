"""The mixer: sums, mix-minus under the limiter, range, limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stagebox.media.frames import FRAME_SAMPLES, Pcm, silence
from stagebox.media.levels import peak
from stagebox.media.mixing import Mixer, TooManyTalkersError
from tests.unit.media.voice import frames, voice

CEILING = 29_204


def tone(hertz: float, amplitude: float, phase: float = 0.0, at: int = 0) -> Pcm:
    time = (np.arange(FRAME_SAMPLES) + at * FRAME_SAMPLES) / 48_000
    return (amplitude * np.sin(2 * np.pi * hertz * time + phase)).astype(np.int16)


def test_one_voice_passes_untouched_and_hears_nothing() -> None:
    said = frames(voice())[10]
    mix = Mixer().mix({"ann": said})
    assert np.array_equal(mix.full, said)
    assert np.array_equal(mix.minus["ann"], silence())


def test_nobody_is_silence() -> None:
    mix = Mixer().mix({})
    assert np.array_equal(mix.full, silence())
    assert mix.minus == {}


def test_voices_are_added_not_averaged() -> None:
    voices = {name: tone(200 + 50 * n, 3_000) for n, name in enumerate("abcd")}
    mix = Mixer().mix(voices)
    total = sum(v.astype(np.int32) for v in voices.values())
    assert np.array_equal(mix.full, total)
    for name, own in voices.items():
        assert np.array_equal(mix.minus[name], total - own)


def test_the_limiter_brings_loud_talkers_under_the_ceiling() -> None:
    mixer = Mixer()
    peaks, gains = [], []
    for at in range(10):
        mix = mixer.mix({name: tone(300, 25_000, at=at) for name in "abc"})
        peaks.append(peak(mix.full))
        gains.append(mixer.gain)
    assert max(peaks) <= 32_767
    assert peaks[-1] <= CEILING + 1
    assert gains[-1] == pytest.approx(CEILING / 75_000, rel=0.01)
    # 20 ms are four time constants of the attack: most of the way.
    assert gains[0] < 0.45


def test_the_limiter_lets_go_slowly_and_wholly() -> None:
    mixer = Mixer()
    for at in range(5):
        mixer.mix({name: tone(300, 25_000, at=at) for name in "abc"})
    gains = []
    for _ in range(150):
        mixer.mix({"a": silence()})
        gains.append(mixer.gain)
    assert gains == sorted(gains)
    assert gains[0] < 0.5
    # Held for 20 ms, then 200 ms to go 63 % of the way in dB.
    assert gains[0] == pytest.approx(CEILING / 75_000, rel=0.02)
    assert np.log(gains[10]) == pytest.approx(np.log(CEILING / 75_000) / np.e, rel=0.05)
    assert gains[-1] == 1.0


def test_mix_minus_is_the_full_mix_less_the_own_voice_under_one_gain() -> None:
    """With the limiter at work and the soft clip at rest, the difference is the voice."""
    mixer = Mixer()
    for at in range(30):
        # Whole periods in each 2.5 ms: the limiter comes to rest, no peak slips through.
        voices = {name: tone(400 * n, 15_000, at=at) for n, name in enumerate("abcd", 1)}
        mix = mixer.mix(voices)
    assert mixer.gain < 0.7
    assert peak(mix.full) <= CEILING
    for name, own in voices.items():
        heard = mix.full.astype(np.int32) - mix.minus[name]
        assert np.abs(heard - own * mixer.gain).max() <= 2
    total = sum(v.astype(np.int32) for v in voices.values())
    assert np.abs(mix.full - total * mixer.gain).max() <= 2


def test_a_mix_minus_louder_than_the_mix_is_held_down_too() -> None:
    mixer = Mixer()
    for at in range(12):
        mix = mixer.mix(
            {
                "a": tone(300, 30_000, at=at),
                "b": tone(300, 30_000, at=at),
                "c": tone(300, 30_000, np.pi, at),
            }
        )
    assert peak(mix.minus["c"]) <= CEILING + 1


def test_bounds() -> None:
    with pytest.raises(TooManyTalkersError, match="3 talkers, room for 2"):
        Mixer(max_talkers=2).mix({name: silence() for name in "abc"})
    with pytest.raises(ValueError, match=r"\(480,\)"):
        Mixer().mix({"a": silence(480)})


def test_results_do_not_share_memory() -> None:
    mixer = Mixer()
    first = mixer.mix({"a": tone(200, 900), "b": silence()})
    kept = first.minus["b"].copy()
    mixer.mix({"a": silence(), "b": silence()})
    assert np.array_equal(first.minus["b"], kept)


SOUND = arrays(np.int16, FRAME_SAMPLES, elements=st.integers(-32_768, 32_767), fill=st.just(0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(SOUND, max_size=4), min_size=1, max_size=4))
def test_nothing_wraps_around(history: list[list[Pcm]]) -> None:
    mixer = Mixer(max_talkers=4)
    for sounds in history:
        voices = {str(n): sound for n, sound in enumerate(sounds)}
        mix = mixer.mix(voices)
        total = sum((s.astype(np.int64) for s in sounds), np.zeros(FRAME_SAMPLES, np.int64))
        wanted = {"full": total, **{n: total - v for n, v in voices.items()}}
        assert 0.0 < mixer.gain <= 1.0
        for name, out in {"full": mix.full, **mix.minus}.items():
            # Every sample keeps its sign and gets no louder, to within one step.
            true = wanted[name]
            assert (out.astype(np.int64) * np.sign(true) >= -1).all()
            assert (np.abs(out.astype(np.int64)) <= np.abs(true) + 1).all()
