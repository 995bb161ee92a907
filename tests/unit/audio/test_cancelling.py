"""The linear canceller, on noise and a made-up way."""

from itertools import chain

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio import estimate
from device.audio.adaptive import AdaptiveFilter
from device.audio.choice import Choice, Pairing
from device.audio.estimate import PART_SAMPLES, PARTS, TURNS, Block, Estimate
from device.audio.ports import BLOCK_SAMPLES

Sound = NDArray[np.float32]
BLOCKS = 300


def noise(seed: int, blocks: int = BLOCKS, level: float = 2_000.0) -> Sound:
    random = np.random.default_rng(seed)
    return random.normal(0, level, blocks * BLOCK_SAMPLES).astype(np.float32)


def echo_of(played: Sound, late: int = 700) -> Sound:
    """Through a way of three arrivals, the last one 30 ms after the first."""
    way = np.zeros(late + 1_500)
    way[[late, late + 333, late + 1_450]] = 0.8, -0.4, 0.2
    size = 1 << (played.size + way.size).bit_length()
    spectrum = np.fft.rfft(played, size) * np.fft.rfft(way, size)
    echo: Sound = np.fft.irfft(spectrum, size)[: played.size].astype(np.float32)
    return echo


def passed(adaptive: AdaptiveFilter, heard: Sound, played: Sound) -> Sound:
    left = [
        adaptive.cancel(mic, loud)
        for mic, loud in zip(blocks_of(heard), blocks_of(played), strict=True)
    ]
    return np.concatenate(left)


def blocks_of(sound: Sound) -> list[Block]:
    return list(sound.reshape(-1, BLOCK_SAMPLES))


def db(sound: Sound) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(sound.astype(np.float64) ** 2)) + 1e-9))


def test_an_echo_goes_away_and_a_voice_stays() -> None:
    blocks = 400
    played, near = noise(1, blocks), noise(2, blocks, level=300.0)
    near[: near.size // 2] = 0
    echo = echo_of(played)
    left = passed(AdaptiveFilter(), echo + near, played)
    alone = slice(blocks // 3 * BLOCK_SAMPLES, blocks // 2 * BLOCK_SAMPLES)
    assert db(echo[alone]) - db(left[alone]) > 20
    both = slice(blocks // 2 * BLOCK_SAMPLES, None)
    assert db(left[both] - near[both]) < db(near[both]) - 5


def test_soft_edges_keep_a_low_near_voice_out_of_the_other_tones() -> None:
    played = noise(12, 600, 300.0)
    seconds = np.arange(played.size) / 48_000
    near = 6_000 * np.sin(2 * np.pi * 110 * seconds + 3 * np.sin(2 * np.pi * 2 * seconds))
    echo, last = echo_of(played), slice(-200 * BLOCK_SAMPLES, None)

    def learned() -> float:
        left = passed(AdaptiveFilter(), (echo + near).astype(np.float32), played)
        return db(echo[last]) - db((left - near)[last])

    soft = learned()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimate, "_EDGES", np.ones(PART_SAMPLES, np.float32))
        assert soft > learned() + 1.5


def test_without_an_echo_nothing_is_changed() -> None:
    adaptive, near = AdaptiveFilter(), noise(3, 20)
    silence = np.zeros_like(near)
    assert np.array_equal(passed(adaptive, near, silence), near)


def test_the_echo_of_the_last_word_is_waited_for() -> None:
    played = noise(4, 200)
    adaptive = AdaptiveFilter()
    passed(adaptive, echo_of(played), played)
    silence = np.zeros(BLOCK_SAMPLES, np.float32)
    left = [adaptive.cancel(np.ones_like(silence), silence) for _ in range((PARTS + 1) * TURNS + 2)]
    assert not np.array_equal(left[0], np.ones_like(silence))
    assert np.array_equal(left[-1], np.ones_like(silence))
    assert not np.any(adaptive._played), "the next word would be laid beside this one"


def test_a_way_that_changes_is_learned_anew() -> None:
    played = noise(5, 600)
    heard = echo_of(played)
    half = heard.size // 2
    heard[half:] = echo_of(played, late=1_900)[half:]
    left = passed(AdaptiveFilter(), heard, played)
    last = slice(-100 * BLOCK_SAMPLES, None)
    assert db(heard[last]) - db(left[last]) > 20


def test_while_both_talk_the_steady_estimate_stays_what_it_was() -> None:
    played, near = noise(6, 500), noise(7, 500, 1_500.0)
    near[: near.size // 2] = 0
    echo = echo_of(played)
    left = passed(AdaptiveFilter(), echo + near, played)
    both = slice(300 * BLOCK_SAMPLES, None)
    assert db(echo[both]) - db(left[both] - near[both]) > 22


def test_what_the_nimble_estimate_found_is_taken_over_and_led_back() -> None:
    played = noise(8, 700)
    heard = echo_of(played)
    heard[heard.size // 3 :] *= 0.5  # farther away, and no louder than nothing
    adaptive, taken, led = AdaptiveFilter(), [], []
    steady, nimble = adaptive._steady, adaptive._nimble
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steady, "take", lambda other: taken.append(Estimate.take(steady, other)))
        patch.setattr(nimble, "take", lambda other: led.append(Estimate.take(nimble, other)))
        left = passed(adaptive, heard, played)
    assert taken
    last = slice(-100 * BLOCK_SAMPLES, None)
    assert db(heard[last]) - db(left[last]) > 20
    nimble.forget()
    played = noise(10, 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nimble, "take", lambda other: led.append(Estimate.take(nimble, other)))
        passed(adaptive, echo_of(played) * 0.5, played)
    assert led


def test_an_estimate_of_one_part_is_held_to_its_length() -> None:
    played = noise(11, 100)
    adaptive = AdaptiveFilter(parts=1)
    left = passed(adaptive, echo_of(played), played)
    last = slice(-30 * BLOCK_SAMPLES, None)
    assert db(echo_of(played)[last]) - db(left[last]) > 6


@pytest.mark.parametrize("seed", range(4))
def test_bursts_and_pauses_never_make_it_louder_for_long(seed: int) -> None:
    random = np.random.default_rng(seed)
    gates = np.repeat(random.random(60) < 0.6, 10 * BLOCK_SAMPLES)
    played = np.where(gates, noise(seed, 600), 0).astype(np.float32)
    heard = echo_of(played) + noise(seed + 9, 600, 8.0)
    left = passed(AdaptiveFilter(), heard, played)
    last = slice(-300 * BLOCK_SAMPLES, None)
    assert db(heard[last]) - db(left[last]) > 20


def one(value: float) -> Block:
    return np.full(BLOCK_SAMPLES, value, np.float32)


def test_the_filter_is_believed_without_a_far_voice_and_once_it_has_shown_what_it_can() -> None:
    choice = Choice()
    assert choice.trusted
    choice.note(one(1_000), one(1_000), far=True)
    assert not choice.trusted
    choice.note(one(1_000), one(1_000), far=False)
    assert choice.trusted
    for _ in range(110):
        choice.note(one(1_000), one(100), far=True)
    assert choice.trusted
    for _ in range(600):
        choice.note(one(1_000), one(900), far=True)
    assert not choice.trusted


def test_an_echo_that_cannot_be_heard_proves_nothing() -> None:
    choice = Choice()
    for _ in range(300):
        choice.note(one(10), one(1), far=True)
    assert not choice.trusted


def proven() -> Choice:
    choice = Choice()
    for _ in range(400):
        choice.note(one(1_000), one(100), far=True)
    assert choice.trusted
    return choice


def test_a_filter_that_is_little_by_little_worse_is_not_believed_for_ever() -> None:
    choice = proven()
    for _ in range(600):
        choice.note(one(1_000), one(300), far=True)
    assert not choice.trusted


@pytest.mark.parametrize("slip", [-960, 480, 1_440])
def test_a_filter_whose_way_slipped_is_believed_no_more_within_two_tenths(slip: int) -> None:
    choice, played = proven(), noise(14, 120)
    echo = np.roll(played, slip)
    lasted = 0
    for heard, taken in zip(blocks_of(echo), blocks_of(played), strict=True):
        if not choice.trusted:
            break
        choice.note(heard, heard - taken, far=True)
        lasted += 1
    assert lasted < 20
    for _ in range(90):
        choice.note(one(1_000), one(100), far=True)
    assert not choice.trusted
    for _ in range(20):
        choice.note(one(1_000), one(100), far=True)
    assert choice.trusted


def test_a_long_speech_of_the_near_voice_over_the_far_one_says_nothing() -> None:
    choice = Choice()
    for _ in range(400):
        choice.note(one(1_000), one(100), far=True)
    for echo, near in zip(blocks_of(noise(12, 1_500)), blocks_of(noise(13, 1_500)), strict=True):
        choice.note(echo + near, near, far=True)
    assert choice.trusted


def numbers(pairing: Pairing) -> list[int]:
    return [round(float(block[0])) for block in pairing.take()]


@pytest.mark.parametrize("first", ["played", "captured"])
def test_blocks_are_paired_whichever_thread_comes_first(first: str) -> None:
    pairing, taken = Pairing(), []
    if first == "captured":
        assert numbers(pairing) == []
    for number in range(1, 9):
        pairing.put(one(number))
        taken.append(numbers(pairing))
    assert taken == [[number] for number in range(1, 9)]


def test_a_block_that_is_late_once_costs_one_turn_and_no_block() -> None:
    pairing = Pairing()
    pairing.put(one(1))
    assert numbers(pairing) == [1]
    assert numbers(pairing) == []  # the second is late
    pairing.put(one(2))
    pairing.put(one(3))
    assert [numbers(pairing) for _ in range(2)] == [[2], [3]]


def test_what_waits_for_good_is_given_out_of_turn() -> None:
    pairing = Pairing()
    pairing.put(one(0))
    pairing.put(one(0))
    given = []
    for number in range(1, 131):
        pairing.put(one(number))
        given.append(numbers(pairing))
    assert [len(each) for each in given].count(3) == 1
    assert list(chain(*given)) == [0, 0, *range(1, 131)]


def test_what_waits_now_and_then_keeps_its_turn() -> None:
    pairing = Pairing()
    for number in range(0, 600, 2):  # the card takes two blocks at a time
        pairing.put(one(number))
        pairing.put(one(number + 1))
        assert [numbers(pairing) for _ in range(2)] == [[number], [number + 1]]


def test_a_loudspeaker_that_is_away_is_silent_and_does_not_move_what_is_known() -> None:
    pairing = Pairing()
    taken = [numbers(pairing) for _ in range(53)]
    assert taken == [[]] * 50 + [[0]] * 3
    pairing.put(one(7))
    assert numbers(pairing) == [7]
    assert numbers(pairing) == []


def test_of_what_nobody_captures_half_a_second_is_kept() -> None:
    pairing = Pairing()
    for number in range(60):
        pairing.put(one(number))
    assert numbers(pairing) == [10]


@pytest.mark.parametrize("many", [0, 2, 3])
def test_turns_that_are_missed_or_made_up_for_do_not_move_the_echo(many: int) -> None:
    played = noise(15, 400)
    echo, at = echo_of(played), 300
    adaptive = AdaptiveFilter()
    passed(adaptive, echo[: at * BLOCK_SAMPLES], played[: at * BLOCK_SAMPLES])
    loud, left = blocks_of(played)[at:], []
    for turn, heard in enumerate(blocks_of(echo)[at:]):
        given = many if turn == 0 else 1
        left.append(adaptive.cancel(heard, *loud[:given]))
        loud = loud[given:]
        if not loud:
            break
    after = np.concatenate(left)
    assert db(echo[at * BLOCK_SAMPLES :][: after.size]) - db(after) > 20


def test_a_way_moves_out_of_what_is_known_of_it() -> None:
    short = Estimate(2, estimate.Pace())
    short._way[:] = np.fft.rfft(np.eye(2, 2 * PART_SAMPLES))
    short.move(480)
    assert np.argmax(np.fft.irfft(short._way[0])) == 480
    short.move(-480)
    assert np.argmax(np.fft.irfft(short._way[0])) == 0
    for by in (10**6, -(10**6)):
        short.move(by)
        assert not short._way.any()
