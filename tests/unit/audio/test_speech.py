"""What a synthesiser answers, made fit to be played; and what is kept of it."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.speech import (
    MAX_PHRASE_S,
    PEAK_DBFS,
    RATES,
    Kept,
    Sound,
    SpeechFormatError,
    converted,
    cut,
    joined,
    phrase,
    read,
)
from stagebox.media.frames import SAMPLE_RATE, Pcm

RATE = 22_050


def wav(pcm: Pcm, *, rate: int = RATE, channels: int = 1, bits: int = 16, coding: int = 1) -> bytes:
    """A stream as a program writes it that cannot know how long it will be."""
    head = struct.pack("<4sI4s4sI", b"RIFF", 0x7FFFF024, b"WAVE", b"fmt ", 16)
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * 2 * channels, 2 * channels, bits)
    return head + form + struct.pack("<4sI", b"data", 0x7FFFF000) + pcm.tobytes()


def tone(seconds: float, hz: float = 440.0, rate: int = RATE) -> Pcm:
    pcm = 20_000 * np.sin(2 * np.pi * hz / rate * np.arange(round(seconds * rate)))
    return pcm.astype(np.int16)


@pytest.mark.parametrize("rate", RATES)
def test_a_phrase_keeps_its_pitch_and_length_and_gets_its_level(rate: int) -> None:
    said = phrase(wav(tone(0.5, rate=rate), rate=rate))
    assert len(said) == pytest.approx(0.5 * SAMPLE_RATE, abs=3 * SAMPLE_RATE / rate + 1)
    spectrum = np.abs(np.fft.rfft(said * np.hanning(len(said)), 1 << 16))
    assert np.argmax(spectrum) * SAMPLE_RATE / (1 << 16) == pytest.approx(440, abs=1)
    assert np.abs(said.astype(int)).max() == round(32767 * 10 ** (PEAK_DBFS / 20))


def test_silence_around_it_is_cut_off() -> None:
    quiet = np.zeros(RATE, np.int16)
    said = phrase(wav(np.concatenate([quiet, tone(0.25), quiet])))
    assert len(said) == pytest.approx(0.25 * SAMPLE_RATE, abs=200)


def test_a_synthesiser_that_does_not_stop_is_cut_off() -> None:
    assert len(phrase(wav(tone(MAX_PHRASE_S + 5)))) <= MAX_PHRASE_S * SAMPLE_RATE


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no such voice",
        wav(tone(0.1))[:40],
        b"RIFX" + wav(tone(0.1))[4:],
        wav(tone(0.1), channels=3),
        wav(tone(0.1), bits=8),
        wav(tone(0.1), coding=3),
        wav(tone(0.1), rate=4_000),
        wav(tone(0.1), rate=96_000),
        wav(tone(0.1), rate=22_051),
        wav(tone(0.1))[:36],
        wav(tone(0.1))[:12] + struct.pack("<4sI", b"junk", 0) * 40 + wav(tone(0.1))[12:],
        wav(tone(0.1))[:12] + wav(tone(0.1))[36:],
        wav(np.zeros(1_000, np.int16)),
        wav(np.zeros(0, np.int16)),
    ],
)
def test_anything_else_is_refused(answer: bytes) -> None:
    with pytest.raises(SpeechFormatError):
        phrase(answer)


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_played(garbage: bytes) -> None:
    with contextlib.suppress(SpeechFormatError):
        assert phrase(wav(tone(0.01))[:44] + garbage).dtype == np.int16


def test_what_stands_before_the_samples_is_passed_over() -> None:
    whole = wav(tone(0.1))
    note = struct.pack("<4sI", b"LIST", 5) + b"hello\0"
    assert np.array_equal(
        phrase(whole[:12] + note + whole[12:36] + note + whole[36:]), phrase(whole)
    )


def test_two_channels_become_one() -> None:
    left, right = tone(0.2), tone(0.2) // 2
    both = np.stack([left, right], axis=1).ravel()
    sound = read(wav(both, channels=2))
    assert sound.rate == RATE
    assert len(sound.pcm) == pytest.approx(0.2 * RATE, abs=3)
    assert np.abs(sound.pcm).max() == pytest.approx(15_000, abs=20)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_pieces_fit_together_without_a_seam(rate: int) -> None:
    pcm = tone(1.0, rate=rate)
    pieces = list(converted(Sound(pcm, rate)))
    assert len(pieces) > 5
    assert max(len(piece) for piece in pieces) < 0.2 * SAMPLE_RATE
    heard = np.concatenate(pieces)
    assert len(heard) == SAMPLE_RATE
    pure = 20_000 * np.sin(2 * np.pi * 440 / SAMPLE_RATE * np.arange(SAMPLE_RATE))
    error = (heard - pure)[2_000:-2_000]
    assert np.abs(error).max() < 4


def test_parts_are_joined_at_one_level_with_a_pause_between() -> None:
    loud, soft = np.full(1_000, 9_000.0), np.full(500, 90.0)
    said = joined([[loud], [soft, soft]])
    peak = round(32767 * 10 ** (PEAK_DBFS / 20))
    assert np.all(said[:1_000] == peak)
    assert np.all(said[-1_000:] == peak)
    assert not said[1_000:-1_000].any()
    assert len(said) == 2_000 + round(0.06 * SAMPLE_RATE)


def test_no_more_than_a_phrase_is_taken() -> None:
    assert len(cut(Sound(tone(20.0), RATE)).pcm) == round(MAX_PHRASE_S * RATE)


def test_an_odd_byte_at_the_end_is_dropped() -> None:
    assert np.array_equal(phrase(wav(tone(0.1)) + b"x"), phrase(wav(tone(0.1))))


def test_the_longest_unsaid_gives_way() -> None:
    kept = Kept(limit=100)
    first, second, third = (np.zeros(40, np.int16) for _ in range(3))
    kept.put("one", first)
    kept.put("two", second)
    assert kept.get("one") is first
    kept.put("three", third)
    assert kept.get("two") is None
    assert kept.get("one") is first
    kept.put("one", third)
    assert kept.get("one") is third
    assert kept.get("three") is third
    kept.put("long", np.zeros(101, np.int16))
    assert [kept.get(text) for text in ("one", "three", "long")] == [None] * 3
    kept.put("one", first)
    assert kept.get("one") is first
    assert kept.samples == 40
