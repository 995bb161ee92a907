import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.blend import DUCK, QUEUE, Blend, Gain, Prompter, UnknownSoundError

RAMP = 240  # samples in 5 ms


def level(value: int, count: int = 480) -> np.ndarray:
    return np.full(count, value, np.int16)


SOUNDS = {"short": level(1000, 300), "long": level(2000, 5000), "none": level(0, 0)}


def test_a_gain_moves_in_five_milliseconds_and_stays() -> None:
    gain = Gain()
    gain.target = 0.0
    ones = np.ones(RAMP, np.float32)
    ramp = gain.apply(ones)
    assert ramp[0] == pytest.approx(1 - 1 / RAMP)
    assert np.all(np.diff(ramp) < 0)
    assert ramp[-1] == pytest.approx(0, abs=1e-6)
    assert not gain.apply(ones).any()
    gain.target = 1.0
    assert np.all(np.diff(gain.apply(ones)) > 0)
    assert gain.apply(ones) is ones


@given(
    targets=st.lists(st.floats(0, 4), min_size=1, max_size=8),
    blocks=st.lists(st.integers(1, 700), min_size=1, max_size=8),
)
def test_a_gain_never_jumps(targets: list[float], blocks: list[int]) -> None:
    gain, heard = Gain(), [np.ones(1, np.float32)]
    for target in targets:
        gain.target = target
        heard += [gain.apply(np.ones(block, np.float32)) for block in blocks]
    assert np.abs(np.diff(np.concatenate(heard))).max() <= 1 / RAMP + 1e-5


def test_prompts_are_said_one_after_the_other() -> None:
    prompter = Prompter(SOUNDS)
    assert not prompter.speaking
    prompter.say("short")
    prompter.say("long")
    assert prompter.speaking
    heard = np.concatenate([prompter.pull(480) for _ in range(12)])
    assert np.array_equal(heard[:300], SOUNDS["short"])
    assert np.array_equal(heard[300:5300], SOUNDS["long"])
    assert not heard[5300:].any()
    assert not prompter.speaking
    assert prompter.said == 2


def test_a_repeating_prompt_goes_on_until_the_next() -> None:
    prompter = Prompter(SOUNDS)
    prompter.say("short", repeat=True)
    assert np.all(np.concatenate([prompter.pull(480) for _ in range(20)]) == 1000)
    prompter.say("long")
    rest = np.concatenate([prompter.pull(480) for _ in range(20)])
    assert np.count_nonzero(rest == 2000) == 5000
    assert not rest[-1]
    assert prompter.said == 2


def test_hush_fades_what_sounds_and_forgets_the_rest() -> None:
    prompter = Prompter(SOUNDS)
    prompter.say("long", repeat=True)
    prompter.say("short")
    prompter.pull(480)
    prompter.hush()
    tail = prompter.pull(480)
    assert tail[0] == pytest.approx(2000)
    assert np.all(np.diff(tail[:RAMP]) < 0)
    assert not tail[RAMP - 1 :].any()
    assert not prompter.pull(480).any()


def test_hush_when_nothing_sounds_is_nothing() -> None:
    prompter = Prompter(SOUNDS)
    prompter.hush()
    prompter.say("short")
    assert prompter.pull(300)[0] == 1000


def test_the_oldest_waiting_prompt_gives_way() -> None:
    prompter = Prompter(SOUNDS)
    for _ in range(QUEUE):
        prompter.say("short")
    prompter.say("long")
    assert prompter.dropped == 1
    heard = np.concatenate([prompter.pull(480) for _ in range(20)])
    assert np.count_nonzero(heard == 1000) == 300 * (QUEUE - 1)
    assert np.count_nonzero(heard == 2000) == 5000


def test_an_empty_sound_holds_nothing_up() -> None:
    prompter = Prompter(SOUNDS)
    prompter.say("none", repeat=True)
    assert not prompter.pull(480).any()
    prompter.say("short")
    assert prompter.pull(300)[0] == 1000


def test_an_unknown_prompt_is_refused_with_what_there_is() -> None:
    with pytest.raises(UnknownSoundError, match=r"'nope'.*long, none, short"):
        Prompter(SOUNDS).say("nope")


def test_programme_is_ducked_by_12_db_under_a_prompt_and_comes_back() -> None:
    blend = Blend(SOUNDS)
    assert np.all(blend.mix(level(8000)) == 8000)
    blend.tones.say("long")
    first = blend.mix(level(8000))
    assert first[RAMP] == pytest.approx(8000 * DUCK + 2000, abs=1)
    assert np.abs(np.diff(first[:RAMP])).max() <= 8000 / RAMP + 2
    for _ in range(11):
        blend.mix(level(8000))
    assert np.all(blend.mix(level(8000)) == 8000)


def test_muted_programme_is_silent_and_prompts_are_not() -> None:
    blend = Blend(SOUNDS)
    blend.muted = True
    assert not blend.mix(level(8000))[RAMP:].any()
    blend.tones.say("short")
    assert np.all(blend.mix(level(8000))[:300] == 1000)
    blend.muted = False
    assert blend.mix(level(8000))[-1] == 8000


def test_volumes_are_independent() -> None:
    blend = Blend(SOUNDS)
    blend.volume, blend.prompt_volume = 0.5, 0.25
    blend.mix(level(8000))
    assert np.all(blend.mix(level(8000)) == 4000)
    blend.muted = True
    blend.mix(level(8000))
    blend.tones.say("short")
    assert blend.mix(level(0))[0] == 250


@pytest.mark.parametrize("extreme", [32767, -32768])
def test_too_loud_is_clipped_and_does_not_wrap(extreme: int) -> None:
    blend = Blend({"loud": level(extreme, 5000)})
    blend.tones.say("loud")
    assert np.all(blend.mix(level(extreme)) == extreme)


def test_a_tone_waits_for_no_voice_and_is_heard_over_it() -> None:
    blend = Blend(SOUNDS)
    blend.words.play(level(4000, 4800))
    assert np.all(blend.mix(level(0)) == 4000)
    blend.tones.say("short")
    both = blend.mix(level(0))
    assert both[0] > 4000
    assert both[RAMP : RAMP + 50] == pytest.approx(4000 * DUCK + 1000, abs=1)
    # The phrase went on below the tone, and comes up again.
    blend.mix(level(0))
    rest = np.concatenate([blend.mix(level(0)) for _ in range(7)])
    assert np.all(rest == 4000)
    assert not blend.mix(level(0)).any()


def test_a_phrase_begins_when_no_tone_sounds() -> None:
    blend = Blend(SOUNDS)
    blend.tones.say("short")
    blend.words.play(level(4000, 480))
    assert set(blend.mix(level(0)).tolist()) == {1000, 0}
    assert np.all(blend.mix(level(0)) == 4000)


def test_hushing_ends_tones_and_words() -> None:
    blend = Blend(SOUNDS)
    blend.words.play(level(4000, 4800))
    blend.mix(level(0))
    blend.tones.say("long")
    blend.words.play(level(4000, 4800))
    blend.hush()
    blend.mix(level(0))
    assert not any(blend.mix(level(0)).any() for _ in range(12))


def test_one_volume_for_tones_and_words() -> None:
    blend = Blend(SOUNDS)
    blend.prompt_volume = 0.5
    assert blend.prompt_volume == 0.5
    blend.mix(level(0))
    blend.words.play(level(4000, 480))
    assert np.all(blend.mix(level(0)) == 2000)
