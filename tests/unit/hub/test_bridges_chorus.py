"""Streams that never pause: voices in them are found, whole, and silence is not blended."""

import numpy as np
import pytest

from hub.bridges.blend import MAX_VOICES
from hub.bridges.chorus import HANG_S, PRE_ROLL, Chorus
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm, silence
from stagebox.media.opus import Encoder
from stagebox.media.rtp import AudioPacket

HANG = round(HANG_S / FRAME_S) + 1


def tone(frames: int) -> Pcm:
    t = np.arange(frames * FRAME_SAMPLES) / SAMPLE_RATE
    return (8_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)


class Mic:
    """Somebody's microphone, always open."""

    def __init__(self, chorus: Chorus, key: str) -> None:
        self.chorus, self.key = chorus, key
        self.encoder = Encoder()
        self.number = 0

    def send(self, pcm: Pcm, now: float) -> list[AudioPacket]:
        self.number += 1
        payload = self.encoder.encode(pcm)
        packet = AudioPacket(9, self.number, self.number * FRAME_SAMPLES, payload, False)
        return self.chorus.take(self.key, packet, now)


@pytest.fixture
def chorus() -> Chorus:
    return Chorus(0.0)


def play(mic: Mic, pcm: Pcm, begin: float) -> tuple[list[AudioPacket], float]:
    out, now = [], begin
    for at in range(0, pcm.size, FRAME_SAMPLES):
        out += mic.send(pcm[at : at + FRAME_SAMPLES], now)
        now += FRAME_S
    return out, now


def test_silence_is_no_voice(chorus: Chorus) -> None:
    out, _ = play(Mic(chorus, "a"), silence(100 * FRAME_SAMPLES), 0.0)
    assert not out
    assert not chorus.speaks("a")
    assert not chorus.speaks("nobody")
    assert (chorus.counts.quiet, chorus.blended.forwarded) == (100, 0)


def test_a_voice_is_whole_and_as_it_was_coded(chorus: Chorus) -> None:
    mic = Mic(chorus, "a")
    _, now = play(mic, silence(50 * FRAME_SAMPLES), 0.0)
    out, now = play(mic, tone(20), now)
    assert chorus.speaks("a")
    # What was needed to find it, and a little before, is not lost.
    assert len(out) >= 20 + PRE_ROLL - 3 - 1
    assert chorus.blended.mixed == 0
    stamps = [packet.timestamp for packet in out]
    assert stamps == list(range(stamps[0], stamps[0] + len(out) * FRAME_SAMPLES, FRAME_SAMPLES))
    more, _ = play(mic, silence((HANG + 20) * FRAME_SAMPLES), now)
    assert not chorus.speaks("a")
    assert HANG - 3 <= len(more) <= HANG + 3


def test_two_who_speak_are_mixed_and_two_who_are_silent_are_not(chorus: Chorus) -> None:
    ann, zoe = Mic(chorus, "a"), Mic(chorus, "z")
    now = 0.0
    for sound, mixes in ((silence(FRAME_SAMPLES), False), (tone(1), True)):
        for _ in range(30):
            ann.send(sound, now)
            zoe.send(sound, now)
            now += FRAME_S
        assert (chorus.blended.mixed > 0) is mixes


def test_who_leaves_while_speaking_is_heard_no_more(chorus: Chorus) -> None:
    mic = Mic(chorus, "a")
    _, now = play(mic, tone(20), 0.0)
    (last,) = chorus.leave("a", now)
    assert last.payload
    assert not chorus.speaks("a")
    assert chorus.leave("a", now) == []
    play(mic, silence(FRAME_SAMPLES), now)
    assert chorus.leave("a", now) == []


def test_a_flood_and_garbage_stay_with_their_stream(chorus: Chorus) -> None:
    bad, good = Mic(chorus, "b"), Mic(chorus, "g")
    for number in range(500):
        chorus.take("b", AudioPacket(1, number, 0, b"\xff\xff\xff", False), 0.0)
    assert chorus.counts.bad > 0
    assert chorus.counts.flooded > 0
    out, _ = play(good, tone(20), 0.0)
    assert out
    assert not chorus.speaks(bad.key)


def test_more_voices_than_can_be_mixed_are_counted(chorus: Chorus) -> None:
    mics = [Mic(chorus, str(number)) for number in range(MAX_VOICES + 1)]
    for turn in range(10):
        for mic in mics:
            mic.send(tone(1), turn * FRAME_S)
    assert chorus.blended.crowded > 0
