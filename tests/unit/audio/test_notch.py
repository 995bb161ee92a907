"""Tones out, speech through, no clicks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio.earcons import SCORES, Earcon, frequencies, render
from device.audio.notch import Notch, design
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from tests.support.signals import syllables

PERMIT = frequencies(Earcon.PERMIT)


def through(notch: Notch, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    whole = pcm[: pcm.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.concatenate([notch.apply(frame) for frame in whole])


def level_db(pcm: NDArray[np.int16]) -> float:
    """Of the loudest 10 ms."""
    blocks = pcm[: pcm.size // 480 * 480].astype(float).reshape(-1, 480)
    return float(10 * np.log10(np.mean(blocks**2, axis=1).max() + 1e-3))


def in_a_room(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """Late, weaker, and with half a second of reverberation."""
    rng = np.random.default_rng(4)
    path = rng.normal(0, 0.02, SAMPLE_RATE // 2) * 10 ** (-3 * np.linspace(0, 1, SAMPLE_RATE // 2))
    path[300] = 0.5
    loud = np.convolve(pcm.astype(float), path)
    return np.rint(np.pad(loud, (0, FRAME_SAMPLES))).astype(np.int16)


def test_without_tones_sound_passes_untouched() -> None:
    pcm = syllables(0.2)[: 9 * FRAME_SAMPLES]
    assert np.array_equal(through(Notch(), pcm), pcm)


@pytest.mark.parametrize("earcon", Earcon)
def test_a_tone_that_came_through_the_room_is_gone(earcon: Earcon) -> None:
    heard = in_a_room(np.pad(render(SCORES[earcon], -12), (FRAME_SAMPLES, 0)))
    notch = Notch()
    notch.tones = frequencies(earcon)
    left = through(notch, heard)
    assert level_db(heard) - level_db(left) > 35


def test_speech_passes_the_gap_of_the_permit_tone() -> None:
    pcm = syllables(1.0)
    notch = Notch()
    notch.tones = PERMIT
    left = through(notch, pcm).astype(float)
    said = pcm[: left.size].astype(float)
    assert np.corrcoef(said, left)[0, 1] > 0.99


def test_it_adds_no_delay() -> None:
    taps = design(PERMIT)
    assert int(np.argmax(np.abs(taps))) == 0
    assert float(np.sum(taps[:480] ** 2)) > 0.95 * float(np.sum(taps**2))


def test_turning_on_and_off_makes_no_click() -> None:
    t = np.arange(20 * FRAME_SAMPLES) / SAMPLE_RATE
    pcm = np.rint(8_000 * np.sin(2 * np.pi * 200 * t)).astype(np.int16)
    notch, left = Notch(), []
    for number, frame in enumerate(pcm.reshape(-1, FRAME_SAMPLES)):
        notch.tones = PERMIT if 5 <= number < 10 else ()
        left.append(notch.apply(frame))
    bend = np.abs(np.diff(np.concatenate(left).astype(float), 2))
    assert bend.max() < np.abs(np.diff(pcm.astype(float), 2)).max() + 30


def test_it_goes_out_gently_and_is_untouched_again() -> None:
    pcm = syllables(0.4)
    notch = Notch()
    notch.tones = PERMIT
    notch.apply(pcm[:FRAME_SAMPLES])
    notch.tones = ()
    last = notch.apply(pcm[FRAME_SAMPLES : 2 * FRAME_SAMPLES])
    assert not np.array_equal(last[:100], pcm[FRAME_SAMPLES : FRAME_SAMPLES + 100])
    rest = pcm[2 * FRAME_SAMPLES : 3 * FRAME_SAMPLES]
    assert np.array_equal(notch.apply(rest), rest)


def test_a_new_burst_knows_nothing_of_the_last() -> None:
    used, fresh = Notch(), Notch()
    used.tones = fresh.tones = PERMIT
    pcm = syllables(0.1)
    used.apply(pcm[:FRAME_SAMPLES])
    used.reset()
    frame = pcm[FRAME_SAMPLES : 2 * FRAME_SAMPLES]
    assert np.array_equal(used.apply(frame), fresh.apply(frame))
