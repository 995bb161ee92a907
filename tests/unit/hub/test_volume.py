"""How loud a member is: exact in the mix, mixed rather than forwarded, and without a click."""

import numpy as np
import pytest

from stagebox.media.frames import FRAME_SAMPLES, Pcm, silence
from stagebox.media.mixing import Mixer
from tests.unit.hub.mix_kit import Mouth, Room, levels, share, tone

SECONDS = 3.0
LEVEL = 6_000.0


def anna(pcm: Pcm | None = None) -> Mouth:
    return Mouth("anna", tone(440, SECONDS, LEVEL) if pcm is None else pcm, ssrc=1)


def bert() -> Mouth:
    return Mouth("bert", tone(1_200, SECONDS, LEVEL), ssrc=2, phase=0.005)


@pytest.mark.parametrize("percent", [0, 25, 50, 150, 200])
def test_one_alone_is_mixed_at_its_volume(percent: int) -> None:
    room = Room("cleo")
    room.audio.set_volume("anna", percent)
    room.audio.open("anna")
    assert room.audio.mixing
    room.play(40, anna())
    heard = room.ears["cleo"].listen()[0]
    assert share(heard[15 * FRAME_SAMPLES : 35 * FRAME_SAMPLES], 440) == pytest.approx(
        LEVEL * percent / 100, rel=0.05, abs=15
    )


def test_at_a_hundred_percent_one_alone_is_forwarded() -> None:
    room = Room("cleo")
    room.audio.set_volume("anna", 50)
    room.audio.set_volume("anna", 100)
    room.audio.open("anna")
    assert not room.audio.mixing


def test_a_change_in_the_middle_of_a_word_is_no_click() -> None:
    room, mouth = Room("cleo"), anna()
    room.audio.open("anna")
    room.play(20, mouth)
    room.audio.set_volume("anna", 30)
    assert room.audio.mixing
    room.play(20, mouth)
    room.audio.set_volume("anna", 120)
    room.play(20, mouth)
    cleo = room.ears["cleo"]
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    heard = cleo.listen()[0].astype(float)
    # A click is a step; the steepest step of this tone at its loudest is the measure.
    steepest = 1.2 * LEVEL * 2 * np.pi * 440 / 48_000
    assert np.abs(np.diff(heard)).max() < 1.25 * steepest
    assert np.median(levels(cleo.listen()[0], 440, 26, 38)) == pytest.approx(0.3 * LEVEL, rel=0.1)
    assert np.median(levels(cleo.listen()[0], 440, 46, 58)) == pytest.approx(1.2 * LEVEL, rel=0.1)


def test_back_at_a_hundred_it_is_forwarded_from_the_next_pause_on() -> None:
    said = tone(440, SECONDS, LEVEL)
    said[60 * FRAME_SAMPLES : 64 * FRAME_SAMPLES] = 0
    room, mouth = Room("cleo"), anna(said)
    room.audio.set_volume("anna", 50)
    room.audio.open("anna")
    room.play(30, mouth)
    room.audio.set_volume("anna", 100)
    room.play(20, mouth)
    assert room.audio.mixing  # in the middle of a word
    room.play(30, mouth)
    assert not room.audio.mixing
    assert room.ears["cleo"].steps() == ({1}, {FRAME_SAMPLES})
    assert room.ears["cleo"].got[-1].payload == mouth.packets[79].payload


def test_with_a_volume_a_pause_changes_nothing() -> None:
    said = tone(440, SECONDS, LEVEL)
    said[20 * FRAME_SAMPLES : 26 * FRAME_SAMPLES] = 0
    room = Room("cleo")
    room.audio.set_volume("anna", 50)
    room.audio.open("anna")
    room.play(60, anna(said))
    assert room.audio.mixing


def test_each_talker_hears_the_others_at_their_volume() -> None:
    room = Room("anna", "bert", "cleo")
    for name in ("anna", "bert"):
        room.audio.open(name)
    mouths = anna(), bert()
    room.play(10, *mouths)
    room.audio.set_volume("anna", 50)
    room.play(50, *mouths)
    for ear in ("bert", "cleo"):
        heard = room.ears[ear].listen()[0][25 * FRAME_SAMPLES : 55 * FRAME_SAMPLES]
        assert share(heard, 440) == pytest.approx(LEVEL / 2, rel=0.06)
    assert share(room.ears["anna"].listen()[0][-20 * FRAME_SAMPLES :], 440) < 0.01 * LEVEL
    assert share(room.ears["cleo"].listen()[0][-20 * FRAME_SAMPLES :], 1_200) == pytest.approx(
        LEVEL, rel=0.06
    )


def test_a_volume_of_nobody_in_the_mix_waits() -> None:
    room = Room("cleo")
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.audio.set_volume("dora", 50)
    room.audio.set_volume("dora", 100)
    room.play(5, anna(), bert())
    assert room.audio.mixing


def test_a_new_home_knows_the_volumes() -> None:
    room = Room("cleo")
    room.audio.follow(1, 1)
    room.audio.set_volume("anna", 50)
    room.audio.lead(2)
    room.audio.open("anna")
    assert room.audio.mixing


def test_mix_minus_is_exact_under_any_gain() -> None:
    random = np.random.default_rng(7)
    frames = {
        name: random.integers(-3_000, 3_000, FRAME_SAMPLES).astype(np.int16) for name in "abc"
    }
    gains = {"a": (0.5, 0.5), "c": (1.0, 1.7)}
    mix = Mixer().mix(frames, gains)
    ramp = np.linspace(1.0, 1.7, FRAME_SAMPLES)
    parts = {"a": frames["a"] * 0.5, "b": frames["b"] * 1.0, "c": frames["c"] * ramp}
    assert np.abs(mix.full - sum(parts.values())).max() < 1
    for name, part in parts.items():
        assert np.abs(mix.full.astype(float) - mix.minus[name] - part).max() <= 1
    assert not np.array_equal(mix.full, Mixer().mix(frames).full)
    assert np.array_equal(Mixer().mix({"a": silence(FRAME_SAMPLES)}).full, silence(FRAME_SAMPLES))
