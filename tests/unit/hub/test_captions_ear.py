"""From packets to an engine's sound: loss, lateness, jumps and garbage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.ear import MOST_CONCEALED, MOST_SILENCE, Ear, EarCounts
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.toc import END_OF_BURST, OpusError, packet_has_fec
from tests.unit.media.voice import frames, voice

SIXTEEN = FRAME_SAMPLES // 3  # samples of a frame at 16 kHz


def speech(seconds: float = 2.0) -> list[bytes]:
    encoder = Encoder(packet_loss_percent=20)
    return [encoder.encode(frame) for frame in frames(voice(seconds))]


PACKETS = speech()


def heard(ear: Ear, indices: list[int], start: int = 0) -> Pcm:
    parts = [
        ear.hear((start + index * FRAME_SAMPLES) & 0xFFFF_FFFF, PACKETS[index], marker=index == 0)
        for index in indices
    ]
    return np.concatenate(parts)


def likeness(one: Pcm, other: Pcm) -> float:
    return float(np.corrcoef(one.astype(float), other.astype(float))[0, 1])


def test_all_of_it_is_heard_and_is_the_speech() -> None:
    counts = EarCounts()
    out = heard(Ear(counts), list(range(100)))
    assert out.size == 100 * SIXTEEN
    original = voice(2.0)[::3]
    lags = [likeness(out[lag : lag + 16_000], original[:16_000]) for lag in range(300)]
    assert max(lags) > 0.9
    assert counts == EarCounts(packets=100)


@pytest.mark.parametrize("start", [0, 0xFFFF_FFFF - 30 * FRAME_SAMPLES])
@pytest.mark.parametrize("lost", [1, 2, 5])
def test_lost_packets_are_filled_and_time_is_kept(lost: int, start: int) -> None:
    counts = EarCounts()
    indices = [index for index in range(100) if not 40 <= index < 40 + lost]
    out = heard(Ear(counts), indices, start)
    assert out.size == 100 * SIXTEEN
    assert counts.filled == lost
    whole = heard(Ear(EarCounts()), list(range(100)), start)
    assert likeness(out[60 * SIXTEEN :], whole[60 * SIXTEEN :]) > 0.9


def test_a_lost_packet_comes_back_from_the_next_ones_fec() -> None:
    at = next(index for index in range(30, 90) if packet_has_fec(PACKETS[index + 1]))
    out = heard(Ear(EarCounts()), [index for index in range(100) if index != at])
    whole = heard(Ear(EarCounts()), list(range(100)))
    span = slice(at * SIXTEEN, (at + 1) * SIXTEEN)
    assert likeness(out[span], whole[span]) > 0.7


class Notes:
    """A decoder that notes what it is asked."""

    def __init__(self, corrupt: bool = False) -> None:
        self.asked: list[object] = []
        self.corrupt = corrupt

    def decode(self, payload: bytes) -> Pcm:
        self.asked.append("decode")
        if self.corrupt:
            raise OpusError("corrupted stream")
        return np.zeros(FRAME_SAMPLES, np.int16)

    def decode_fec(self, payload: bytes, samples: int) -> Pcm:
        self.asked.append(("fec", samples))
        return np.zeros(samples, np.int16)

    def conceal(self, samples: int) -> Pcm:
        self.asked.append(("conceal", samples))
        return np.zeros(samples, np.int16)

    def reset(self) -> None:
        self.asked.append("reset")


WITH_FEC = next(packet for packet in PACKETS[10:] if packet_has_fec(packet))
WITHOUT = PACKETS[0]


@pytest.mark.parametrize(
    ("payload", "gap", "asked"),
    [
        (WITHOUT, 0, []),
        (WITHOUT, 960, [("conceal", 960)]),
        (WITHOUT, 1_000, [("conceal", 960)]),  # Opus works in whole 2.5 ms
        (WITH_FEC, 960, [("fec", 960)]),
        (WITH_FEC, 2_880, [("conceal", 1_920), ("fec", 960)]),
        (WITH_FEC, 480, [("conceal", 480)]),
        (WITHOUT, 60, []),
        (WITHOUT, MOST_CONCEALED, [("conceal", MOST_CONCEALED)]),
        (WITH_FEC, MOST_CONCEALED + 120, []),
    ],
)
def test_how_a_gap_is_filled(payload: bytes, gap: int, asked: list[object]) -> None:
    assert not packet_has_fec(WITHOUT)
    decoder = Notes()
    ear = Ear(EarCounts(), decoder)
    ear.hear(0, WITHOUT, marker=False)
    decoder.asked.clear()
    out = ear.hear(FRAME_SAMPLES + gap, payload, marker=False)
    assert decoder.asked == [*asked, "decode"]
    assert out.size == (FRAME_SAMPLES + gap - gap % 120) // 3


@pytest.mark.parametrize("jump", [MOST_SILENCE + 960, -MOST_SILENCE - 960, 2**31 - 1])
def test_a_far_jump_begins_anew(jump: int) -> None:
    decoder, counts = Notes(), EarCounts()
    ear = Ear(counts, decoder)
    ear.hear(10**6, WITHOUT, marker=False)
    out = ear.hear((10**6 + FRAME_SAMPLES + jump) & 0xFFFF_FFFF, WITHOUT, marker=False)
    assert decoder.asked == ["reset", "decode", "reset", "decode"]
    assert (out.size, counts.filled, counts.late) == (SIXTEEN, 0, 0)


def test_a_marker_begins_anew() -> None:
    decoder = Notes()
    ear = Ear(EarCounts(), decoder)
    ear.hear(0, WITHOUT, marker=True)
    ear.hear(5 * FRAME_SAMPLES, WITHOUT, marker=True)
    assert decoder.asked == ["reset", "decode", "reset", "decode"]


def test_late_and_corrupt_packets_are_counted_and_give_nothing() -> None:
    counts = EarCounts()
    ear = Ear(counts, Notes())
    ear.hear(9_600, WITHOUT, marker=False)
    assert ear.hear(9_600, WITHOUT, marker=False).size == 0
    assert ear.hear(8_640, WITHOUT, marker=False).size == 0
    assert ear.hear(10_560, b"", marker=False).size == 0
    assert ear.hear(10_560, b"\x03", marker=False).size == 0
    assert (counts.late, counts.corrupt, counts.packets) == (2, 2, 5)
    assert ear.hear(10_560, WITHOUT, marker=False).size == SIXTEEN


def test_what_the_decoder_refuses_is_concealed() -> None:
    counts, decoder = EarCounts(), Notes(corrupt=True)
    out = Ear(counts, decoder).hear(0, WITHOUT, marker=True)
    assert decoder.asked == ["reset", "decode", ("conceal", FRAME_SAMPLES)]
    assert (out.size, counts.corrupt) == (SIXTEEN, 1)


def test_the_end_of_a_burst_is_silence_and_not_decoded() -> None:
    decoder = Notes()
    ear = Ear(EarCounts(), decoder)
    out = ear.hear(0, END_OF_BURST, marker=False)
    assert (out.size, decoder.asked) == (SIXTEEN, ["reset"])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**32 - 1) | st.integers(0, 200_000),
            st.binary(max_size=60) | st.sampled_from(PACKETS),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_no_packets_do_harm(packets: list[tuple[int, bytes, bool]]) -> None:
    counts = EarCounts()
    ear = Ear(counts)
    for timestamp, payload, marker in packets:
        out = ear.hear(timestamp, payload, marker=marker)
        assert out.dtype == np.int16
        assert out.size <= (MOST_SILENCE + 5_760) // 3
    assert counts.packets == len(packets)
