"""Where speech begins and ends within a burst."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.sampling import ENGINE_RATE
from hub.captions.utterances import (
    BLOCK,
    BLOCK_S,
    HANG,
    LONGEST,
    PRE_ROLL,
    Begin,
    End,
    Sound,
    Step,
    Utterances,
)
from stagebox.media.frames import Pcm

SPEECH, ROOM = -25.0, -70.0


def noise(seconds: float, dbfs: float, seed: int = 1) -> Pcm:
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 32_768 * 10 ** (dbfs / 20), round(seconds * ENGINE_RATE))
    return np.clip(samples, -32_768, 32_767).astype(np.int16)


def scene(*parts: tuple[float, float]) -> Pcm:
    return np.concatenate([noise(seconds, dbfs) for seconds, dbfs in parts])


def fed(pcm: Pcm, cutter: Utterances | None = None, piece: int = BLOCK) -> list[Step]:
    cutter = cutter or Utterances()
    steps: list[Step] = []
    for at in range(0, pcm.size, piece):
        steps += cutter.feed(pcm[at : at + piece])
    return steps


def utterances(steps: list[Step]) -> list[float]:
    """Return the lengths in seconds; the order of the steps must make sense."""
    lengths: list[float] = []
    inside = False
    for step in steps:
        match step:
            case Begin():
                assert not inside
                inside = True
                lengths.append(0)
            case Sound(pcm):
                assert inside
                lengths[-1] += pcm.size / ENGINE_RATE
            case End():
                assert inside
                inside = False
    return lengths


def test_two_sentences_are_two_utterances() -> None:
    steps = fed(scene((1, ROOM), (2, SPEECH), (1, ROOM), (1.5, SPEECH), (1, ROOM)))
    hang = HANG * BLOCK_S
    # The pre-roll holds the two blocks by which speech is known, too.
    before = (PRE_ROLL - 2) * BLOCK_S
    assert utterances(steps) == pytest.approx([2 + before + hang, 1.5 + before + hang], abs=0.03)
    assert sum(isinstance(step, End) for step in steps) == 2


def test_a_pause_between_words_does_not_cut() -> None:
    parts = [(0.4, SPEECH), (0.4, ROOM)] * 4
    assert len(utterances(fed(scene(*parts, (1, ROOM))))) == 1


def test_the_first_sound_of_a_burst_is_in_it() -> None:
    steps = fed(scene((0.5, SPEECH), (1, ROOM)))
    assert utterances(steps) == pytest.approx([0.5 + HANG * BLOCK_S])
    assert steps[0] == Begin(pytest.approx(2 * BLOCK_S))


def test_when_it_began_and_when_the_last_word_ended() -> None:
    cutter = Utterances()
    at, began, ended = 0.0, None, None
    pcm = scene((1, ROOM), (2, SPEECH), (2, ROOM))
    for start in range(0, pcm.size, 1_600):
        at += 0.1
        for step in cutter.feed(pcm[start : start + 1_600]):
            if isinstance(step, Begin):
                began = at - step.ago_s
            if isinstance(step, End):
                ended = at - step.ago_s
    assert began == pytest.approx(1 - (PRE_ROLL - 2) * BLOCK_S, abs=0.021)
    assert ended == pytest.approx(3, abs=0.021)


@pytest.mark.parametrize("dbfs", [-96.0, -70.0, -60.0])
def test_a_quiet_room_says_nothing(dbfs: float) -> None:
    assert fed(noise(10, dbfs)) == []


def test_a_click_is_no_speech() -> None:
    assert fed(scene((1, ROOM), (0.02, SPEECH), (1, ROOM))) == []


def test_a_loud_room_is_learnt_within_seconds_and_speech_in_it_is_still_found() -> None:
    fan = -40.0
    steps = fed(scene((20, fan), (2, SPEECH), (4, fan)))
    lengths = utterances(steps)
    assert lengths[0] < 4  # the fan, until it is known
    assert len(lengths) == 2
    assert lengths[1] == pytest.approx(2 + (PRE_ROLL - 2 + HANG) * BLOCK_S, abs=0.05)


def test_a_monologue_is_cut_at_a_short_lull_and_at_last_anyhow() -> None:
    monologue = [(0.83, SPEECH), (0.2, ROOM)] * 30
    lengths = utterances(fed(scene(*monologue)))
    assert len(lengths) == 3
    assert all(9.99 <= length <= 11.1 for length in lengths)
    # Without any lull: a new one begins at once, and nothing in between is lost.
    breathless = [(0.1, SPEECH), (0.1, -45.0)] * 200
    lengths = utterances(fed(scene(*breathless)))
    assert lengths[:2] == pytest.approx([LONGEST * BLOCK_S] * 2)
    assert sum(lengths) == pytest.approx(40, abs=0.2)


def test_stop_ends_it_and_forgets_what_came_before() -> None:
    cutter = Utterances()
    steps = fed(scene((1, SPEECH), (0.1, ROOM)), cutter)
    assert cutter.speaking
    steps += cutter.stop()
    assert steps[-1] == End(pytest.approx(0.1))
    assert not cutter.speaking
    assert cutter.stop() == []
    again = fed(scene((0.04, SPEECH)), cutter)
    assert utterances(again) == pytest.approx([2 * BLOCK_S])


@given(st.integers(0, 5), st.lists(st.integers(100, 2_000), min_size=1, max_size=60))
def test_how_sound_is_cut_into_pieces_makes_no_difference(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    parts = [(float(rng.uniform(0.05, 1.5)), float(rng.choice([SPEECH, ROOM]))) for _ in range(5)]
    pcm = scene(*parts)
    at, cutter, steps = 0, Utterances(), []
    while at < pcm.size:
        size = sizes[at % len(sizes)]
        steps += cutter.feed(pcm[at : at + size])
        at += size
    ends = [type(step) for step in [*steps, *cutter.stop()]]
    cutter = Utterances()
    assert ends == [type(step) for step in [*fed(pcm, cutter), *cutter.stop()]]
