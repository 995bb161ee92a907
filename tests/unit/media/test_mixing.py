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


def test_the_gain_is_down_before_a_peak_within_the_frame() -> None:
    """A frame is known whole before it leaves: nothing needs the soft clip."""
    mixer = Mixer()
    for at in range(4):
        quiet_then_loud = tone(440, 32_000, at=at)
        quiet_then_loud[:480] //= 8
        mix = mixer.mix(dict.fromkeys("abcdefghijklm", quiet_then_loud))
        assert peak(mix.full) <= CEILING + 1
        mixer.mix({"a": silence()})
    assert mixer.bent == 0


def test_a_peak_that_begins_with_the_frame_is_bent_and_counted() -> None:
    mixer = Mixer()
    mix = mixer.mix({name: np.full(FRAME_SAMPLES, 30_000, dtype=np.int16) for name in "abc"})
    assert CEILING < peak(mix.full) <= 32_767
    assert 0 < mixer.bent <= 4 * 24
    assert peak(mix.full[24:]) <= CEILING + 1


def test_a_steady_tone_goes_through_the_limiter_without_distortion() -> None:
    """The gain holds over a period of the deepest voice instead of following the wave."""
    mixer = Mixer()
    out = [
        mixer.mix({name: tone(50, 30_000, at=at) for name in "abcdefghijklm"}).full
        for at in range(60)
    ]
    steady = np.concatenate(out[20:]).astype(float)
    time = np.arange(steady.size) / 48_000
    waves = np.stack([np.sin(2 * np.pi * 50 * time), np.cos(2 * np.pi * 50 * time)], axis=1)
    fitted = waves @ np.linalg.lstsq(waves, steady, rcond=None)[0]
    residue = np.sqrt(((steady - fitted) ** 2).mean() / (fitted**2).mean())
    assert 20 * np.log10(residue) < -70


def own_share(heard: Pcm, own: Pcm, others: Pcm) -> float:
    """Return how much of ``own`` is in ``heard``, in dB of it, by least squares.

    What is known to be there, the others under a gain that runs straight between two
    ends in each 2.5 ms, is taken out first.
    """
    found, whole = 0.0, 0.0
    ramp = np.arange(120) / 120
    for at in range(0, heard.size, 120):
        mine, rest = own[at : at + 120].astype(float), others[at : at + 120].astype(float)
        known = np.stack([rest * (1 - ramp), rest * ramp, mine], axis=1)
        amount = np.linalg.lstsq(known, heard[at : at + 120].astype(float), rcond=None)[0][2]
        power = float(np.dot(mine, mine))
        found, whole = found + amount * power, whole + power
    return float(20 * np.log10(abs(found) / whole + 1e-12))


def test_nothing_of_the_own_voice_is_in_the_mix_without_it() -> None:
    """Under limiting, while others come and go and change their level."""
    mixer, rng = Mixer(), np.random.default_rng(3)
    own, others, heard, gains = [], [], [], []
    mine = [np.clip(frame * 3.0, -32_768, 32_767).astype(np.int16) for frame in frames(voice())]
    for at, frame in enumerate(mine):
        loud = 4_000 if at % 40 < 20 else 12_000
        rest = {
            f"other {n}": np.clip(rng.normal(0, loud, FRAME_SAMPLES), -32_768, 32_767).astype(
                np.int16
            )
            for n in range(1 + at // 15 % 4)
        }
        mix = mixer.mix({"me": frame, **rest})
        own.append(frame)
        others.append(sum(v.astype(np.int32) for v in rest.values()))
        heard.append(mix.minus["me"])
        gains.append(mixer.gain)
    assert min(gains) < 0.7
    bent = np.abs(np.concatenate(heard).astype(int)).reshape(-1, 120).max(axis=1) > CEILING
    untouched = np.repeat(~bent, 120)  # the soft clip bends the others alone
    share = own_share(
        np.concatenate(heard)[untouched],
        np.concatenate(own)[untouched],
        np.concatenate(others)[untouched],
    )
    assert share < -80


def test_room_for_more_keeps_the_gain() -> None:
    mixer = Mixer(max_talkers=1)
    for at in range(5):
        mixer.mix({"a": tone(300, 32_700, at=at)})
    gain = mixer.gain
    mixer.make_room(3)
    mixer.make_room(2)
    assert mixer.gain == gain < 1
    assert len(mixer.mix({name: silence() for name in "abc"}).minus) == 3
