"""Hours of programme through a box's own output, faster than real time, and what they leave behind.

``python -m tests.support.programme HOURS`` is a process that does nothing else: it prints a list of
``Look``, the first one when all that is bounded has filled.
"""

import gc
import json
import os
import random
import sys
from typing import Final, NamedTuple

import numpy as np

from device.audio.output import Output
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from tests.support.processes import rss_mib
from tests.support.signals import syllables

BLOCK: Final = 480
FRAME_S: Final = 0.02
SAMPLES: Final = 960
# By then what the jitter buffer remembers of arrivals is full, and so is each small cache.
WARM_UP_S: Final = 300.0
# Of frames: a talk burst of 4 s, then a pause of 1 s, and so on.
CYCLE: Final = 250
BURST: Final = 200
# The prompt's place, in the pause.
SAYS: Final = 220


class Look(NamedTuple):
    """``packets``: sent up to now. What is held: ``blocks`` by Python, ``mib`` by the process."""

    packets: int
    blocks: int
    mib: float


class Air:
    """A clock, a network that loses and delays packets, and the box's own output behind it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.packets = 0
        self.output = Output(Playout(), clock=lambda: self.now)
        encoder, speech = Encoder(), np.tile(syllables(6.0), 10)
        self._frames = [
            encoder.encode(speech[at : at + SAMPLES]) for at in range(0, 48_000, SAMPLES)
        ]
        self._rng = random.Random(5)
        self._late: list[AudioPacket] = []
        # Just before both of them wrap.
        self._sequence, self._timestamp = 60_000, 2**32 - 10_000 * SAMPLES
        self._frame = 0

    def play(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / FRAME_S)):
            at, self._frame = self._frame % CYCLE, self._frame + 1
            if at < BURST:
                self._send(is_first=at == 0)
            self._timestamp = (self._timestamp + SAMPLES) % 2**32
            for _ in range(2):
                self.output.pull(BLOCK)
                self.now += FRAME_S / 2
            if at == SAYS:
                self.output.say("permit")
                self.output.drain()

    def look(self) -> Look:
        """Return what is held now."""
        self.output.drain()
        gc.collect()
        return Look(self.packets, sys.getallocatedblocks(), rss_mib(os.getpid()))

    def _send(self, *, is_first: bool) -> None:
        payload = self._frames[self._sequence % len(self._frames)]
        packet = AudioPacket(7, self._sequence, self._timestamp, payload, is_first)
        self._sequence = (self._sequence + 1) % 2**16
        self.packets += 1
        fate = self._rng.random()
        if fate < 0.02:
            return
        if fate < 0.05:
            self._late.append(packet)
            return
        self.output.put(packet, self.now)
        for each in self._late:
            self.output.put(each, self.now)
        self._late.clear()


def main() -> None:
    """Play; print the looks."""
    air = Air()
    air.play(WARM_UP_S)
    first = air.look()
    air.play(float(sys.argv[1]) * 3_600)
    print(json.dumps([first, air.look()]))


if __name__ == "__main__":
    main()
