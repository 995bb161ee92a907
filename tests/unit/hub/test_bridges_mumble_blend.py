"""Far voices: forwarded while one speaks, mixed while more do."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bridges.blend import GONE_S, MAX_VOICES, Blend, Utterance
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.levels import dbfs, rms
from stagebox.media.opus import Decoder, Encoder
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST

A, B = 7, 8
_TIME = np.arange(50 * FRAME_SAMPLES) / SAMPLE_RATE


def tone(hertz: float) -> list[bytes]:
    """Return a second of a tone, in packets."""
    encoder = Encoder()
    pcm = (8_000 * np.sin(2 * np.pi * hertz * _TIME)).astype(np.int16)
    return [encoder.encode(frame) for frame in pcm.reshape(-1, FRAME_SAMPLES)]


LOW, HIGH = tone(300), tone(1_500)
# Two frames of equal size in one packet of 40 ms.
DOUBLE = bytes((LOW[0][0] | 1,)) + LOW[0][1:] + LOW[0][1:]


def said(voice: int, number: int, payload: bytes, *, last: bool = False) -> Utterance:
    return Utterance(voice, number * FRAME_SAMPLES, payload, last)


def alone(blend: Blend, voice: int, numbers: range, begin: float) -> list[AudioPacket]:
    out = []
    for n in numbers:
        out += blend.take(said(voice, n, LOW[n % 50]), begin + n * 0.02)
    return out


def test_one_voice_goes_through_as_it_was_coded() -> None:
    blend = Blend(0.0)
    out = alone(blend, A, range(10), 1.0)
    assert [each.payload for each in out] == LOW[:10]
    assert [each.marker for each in out] == [True] + [False] * 9
    assert {b.timestamp - a.timestamp for a, b in pairwise(out)} == {960}
    assert {b.sequence - a.sequence for a, b in pairwise(out)} == {1}
    assert blend.counts.forwarded == 10


def test_what_is_lost_and_what_is_late_stay_so() -> None:
    blend = Blend(0.0)
    out = []
    for at, n in enumerate((0, 1, 4, 3, 5)):
        out += blend.take(said(A, n, LOW[n]), 1.0 + at * 0.02)
    first = out[0]
    assert [(p.timestamp - first.timestamp) // 960 for p in out] == [0, 1, 4, 3, 5]
    assert [p.sequence - first.sequence for p in out] == [0, 1, 4, 3, 5]


def test_an_end_is_told() -> None:
    blend = Blend(0.0)
    alone(blend, A, range(3), 1.0)
    out = blend.take(said(A, 3, LOW[3], last=True), 1.06)
    assert [each.payload for each in out] == [LOW[3], END_OF_BURST]
    assert out[1].timestamp - out[0].timestamp == 960
    assert out[1].sequence - out[0].sequence == 1
    # An end without sound, of somebody who has said nothing, is none.
    assert blend.take(said(A, 4, b"", last=True), 1.08) == []


@pytest.mark.parametrize("is_told", [True, False])
def test_after_a_pause_the_stamps_go_on_by_what_it_took(is_told: bool) -> None:
    blend = Blend(0.0)
    before = alone(blend, A, range(3), 1.0)
    if is_told:
        blend.take(said(A, 3, b"", last=True), 1.06)
    (after,) = blend.take(said(B, 900, LOW[0]), 3.04)
    assert after.marker
    assert abs(after.timestamp - before[-1].timestamp - 2 * SAMPLE_RATE) <= 2 * FRAME_SAMPLES
    assert after.sequence - before[-1].sequence <= 2


def test_a_count_that_begins_anew_is_no_hole() -> None:
    blend = Blend(0.0)
    (one,) = blend.take(said(A, 5_000_000, LOW[0]), 1.0)
    (two,) = blend.take(said(A, 3, LOW[1]), 1.02)
    assert (two.timestamp - one.timestamp, two.sequence - one.sequence) == (960, 1)
    # Packets of another length are another count, too.
    (long,) = blend.take(said(A, 4, DOUBLE), 1.04)
    assert (long.timestamp - two.timestamp, long.sequence - two.sequence) == (960, 1)


def mixed(blend: Blend) -> list[AudioPacket]:
    out = []
    for n in range(40):
        out += blend.take(said(A, n, LOW[n]), 1.0 + n * 0.02)
        out += blend.take(said(B, 500 + n, HIGH[n]), 1.005 + n * 0.02)
    return out


def hears(out: list[AudioPacket]) -> Pcm:
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet.payload) for packet in out])


def part(pcm: Pcm, hertz: float) -> float:
    """Return how much of a tone there is, 0 to 1."""
    wave = np.exp(-2j * np.pi * hertz * np.arange(pcm.size) / SAMPLE_RATE)
    return float(abs(np.mean(pcm * wave)) / 4_000)


def test_two_who_speak_at_once_are_both_heard() -> None:
    blend = Blend(0.0)
    out = mixed(blend)
    assert abs(len(out) - 40) <= 2
    assert {b.timestamp - a.timestamp for a, b in pairwise(out)} == {960}
    assert {b.sequence - a.sequence for a, b in pairwise(out)} == {1}
    pcm = hears(out)[10 * FRAME_SAMPLES :]
    assert part(pcm, 300) > 0.7
    assert part(pcm, 1_500) > 0.7
    assert blend.counts.mixed > 70


def test_who_stops_leaves_the_other_as_it_was_coded() -> None:
    blend = Blend(0.0)
    before = mixed(blend)[-1]
    blend.take(said(B, 540, b"", last=True), 1.81)
    out = alone(blend, A, range(40, 50), 1.0)
    assert [each.payload for each in out[-9:]] == LOW[41:50]
    assert not any(each.marker for each in out)
    steps = [b.timestamp - a.timestamp for a, b in zip([before, *out], out, strict=False)]
    assert set(steps) == {960}


def test_who_stops_without_a_word_is_waited_for_and_no_longer() -> None:
    blend = Blend(0.0)
    mixed(blend)
    out = []
    for n in range(40, 60):
        out += blend.take(said(A, n, LOW[n % 50]), 1.0 + n * 0.02)
    # In the end each packet goes through, and on the way nothing but a little was dropped.
    assert out[-1].payload == LOW[59 % 50]
    assert len(out) >= 18
    assert dbfs(rms(hears(out))) > -20


def test_packets_of_many_lengths_are_mixed_in_frames() -> None:
    blend = Blend(0.0)
    blend.take(said(A, 0, LOW[0]), 1.0)
    assert blend.take(said(B, 0, DOUBLE), 1.001) == []
    assert len(blend.take(said(A, 1, LOW[1]), 1.02)) == 1


def test_more_voices_than_anybody_can_follow_are_left_out() -> None:
    blend = Blend(0.0)
    for voice in range(MAX_VOICES + 1):
        blend.take(said(voice, 0, LOW[0]), 1.0)
    assert blend.counts.crowded == 1
    blend.take(said(MAX_VOICES, 0, LOW[0]), 1.01 + GONE_S)
    assert blend.counts.crowded == 1


def test_what_is_no_opus_is_counted() -> None:
    blend = Blend(0.0)
    assert blend.take(said(A, 0, b"\xff"), 1.0) == []
    blend.take(said(A, 0, LOW[0]), 1.0)
    assert blend.take(said(B, 0, b""), 1.0) == []
    assert blend.take(said(B, 1, b"\x03\x00"), 1.0) == []
    assert blend.counts.bad == 2
    assert len(blend.take(said(A, 1, LOW[1]), 1.02)) == 1  # B has never spoken


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(-3, 5),
            st.sampled_from([*LOW[:3], b"", b"\xff", b"\x48"]),
            st.booleans(),
            st.floats(0, 0.3),
        ),
        max_size=60,
    )
)
def test_stamps_go_forward_whatever_comes(
    events: list[tuple[int, int, bytes, bool, float]],
) -> None:
    blend, now, counts, sent = Blend(0.0), 0.0, [1_000] * 4, 0
    for voice, step, payload, last, wait in events:
        now += wait
        counts[voice] += step
        out = blend.take(said(voice, counts[voice], payload, last=last), now)
        sent += len(out)
        assert len(out) <= 10
        assert all(0 <= each.sequence < 2**16 for each in out)
    assert sent <= 3 * len(events)
