"""Delays that are made on purpose are found as they were made."""

from statistics import median

import numpy as np
import pytest

from bench.support import ear
from bench.support.mouth import LOOKAHEAD, Spoken, Trip
from bench.support.voice import packets
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Decoder
from stagebox.media.rtp import AudioPacket
from tests.support.signals import voice

SECONDS = 4.0
LOOKAHEAD_S = LOOKAHEAD / SAMPLE_RATE


def said(seed: int) -> Spoken:
    pcm = voice(SECONDS, seed)
    spoken = Spoken(pcm, packets(pcm))
    spoken.at = [100.0 + number * FRAME_S for number in range(len(spoken.payloads))]
    return spoken


def arrived(
    payloads: list[bytes], sent: list[float], late_s: float
) -> list[tuple[float, AudioPacket]]:
    return [
        (at + late_s, AudioPacket(1, number & 0xFFFF, 5000 + number * FRAME_SAMPLES, payload))
        for number, (payload, at) in enumerate(zip(payloads, sent, strict=True))
    ]


def decoded(payloads: list[bytes]) -> list[Pcm]:
    decoder = Decoder()
    return [decoder.decode(payload) for payload in payloads]


def test_a_packet_that_is_passed_on_is_known_again() -> None:
    spoken = said(1)
    trip = Trip([spoken], arrived(spoken.payloads, spoken.at, 0.003))
    found = ear.packet_delays(trip)
    assert len(found) > len(spoken.payloads) / 2
    assert found == pytest.approx([0.003] * len(found))
    assert median(ear.sound_delays(trip)) == pytest.approx(0.003, abs=0.0005)


def test_in_a_mix_the_words_are_found_and_a_second_encoder_counts() -> None:
    talkers = [said(1), said(5)]
    voices = [decoded(talker.payloads) for talker in talkers]
    mix = [first // 2 + second // 2 for first, second in zip(*voices, strict=True)]

    again = packets(np.concatenate(mix))
    trip = Trip(talkers, arrived(again, talkers[0].at, 0.040))
    assert ear.packet_delays(trip) == []
    # A speech codec bends a waveform by some milliseconds; 40 ms would be without it.
    assert median(ear.sound_delays(trip)) == pytest.approx(0.040 + LOOKAHEAD_S, abs=0.003)


@pytest.mark.parametrize("stock", [False, True])
def test_what_is_later_on_the_way_is_later_at_the_ear(stock: bool) -> None:
    spoken = said(1)
    delays = [
        median(ear.heard(Trip([spoken], arrived(spoken.payloads, spoken.at, late)), stock=stock))
        for late in (0.001, 0.051)
    ]
    # Frame, encoder, half a block, what waits in the card: nothing can be faster.
    assert delays[0] > FRAME_S + LOOKAHEAD_S + 0.005 + ear.CARD_S
    assert delays[1] - delays[0] == pytest.approx(0.050, abs=0.011)
