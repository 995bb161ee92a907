"""Packets of voices and of silence, for tests of bridges."""

import numpy as np

from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.opus import Encoder
from stagebox.media.rtp import AudioPacket

_TONE = (8_000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * 440 / 48_000)).astype(np.int16)
LOUD = Encoder().encode(_TONE)
STILL = Encoder().encode(np.zeros(FRAME_SAMPLES, np.int16))


class Stream:
    """Packets of one far side, 20 ms each, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sequence = 0

    def next(self, payload: bytes) -> tuple[AudioPacket, float]:
        self.sequence += 1
        self.now += FRAME_S
        packet = AudioPacket(1, self.sequence, self.sequence * FRAME_SAMPLES, payload)
        return packet, self.now
