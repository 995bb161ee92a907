"""Sound between packets of Opus and LiveKit's library, which knows samples alone.

Out: a jitter buffer, pulled on a steady beat, fills the library's queue. In: the library's
frames of each voice are mixed and coded once.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from hub.bridges.livekit_mail import Heard, Say
from hub.bridges.livekit_mix import FarMix
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.jitter import JitterConfig
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

# The hub is on the same machine; what jitter there is came from a box, by one network.
_JITTER: Final = JitterConfig(start_s=0.020, floor_s=0.010)
# Ahead of the library's own beat of 10 ms, for turns of ours that come late.
_CUSHION: Final = FRAME_SAMPLES
# A pause this long ends the beat; the library sends its own silence then.
_REST_S: Final = 1.0
# Later than this the beat is begun anew: to catch up would only fill the queue.
_LATE_S: Final = 0.1


class Sink(Protocol):
    """Where the samples go to."""

    async def capture(self, pcm: Pcm) -> None:
        """Take some samples, and wait while there is no room for them."""


class Mouth:
    """The hub's voice over there. Run ``run`` as a task."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._playout = Playout(_JITTER)
        self._loop = asyncio.get_running_loop()
        self._awake = asyncio.Event()
        self._heard_at = 0.0

    def put(self, say: Say) -> None:
        """Take one packet."""
        now = self._heard_at = self._loop.time()
        packet = AudioPacket(0, say.sequence, say.timestamp, say.payload, say.marker)
        self._playout.put(packet, now)
        self._awake.set()

    async def run(self) -> None:
        """Speak, for ever."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            await self._sink.capture(np.zeros(_CUSHION, dtype=np.int16))
            await self._burst()

    async def _burst(self) -> None:
        due = self._loop.time()
        while (now := self._loop.time()) < self._heard_at + _REST_S:
            if now > due + _LATE_S:
                due = now
            await self._sink.capture(self._playout.pull(FRAME_SAMPLES, now).pcm)
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - self._loop.time()))


class Ears:
    """All voices over there, coded as one. ``tell`` gets the packets."""

    def __init__(self, tell: Callable[[Heard], None]) -> None:
        self.mix = FarMix()
        self._tell = tell
        self._encoder = Encoder()
        self._sequence = 0
        self._next = -1

    def heard(self, voice: str, samples: bytes | memoryview, rate: int) -> None:
        """Take 20 ms of one voice: 16 bit, mono, 48 kHz; anything else is left out."""
        if rate != SAMPLE_RATE:
            return
        pcm = np.frombuffer(samples, dtype=np.int16)
        for at, mixed in self.mix.put(voice, pcm):
            self._sequence = (self._sequence + 1) & 0xFFFF
            begins = at != self._next
            self._next = at + FRAME_SAMPLES
            payload = self._encoder.encode(mixed)
            self._tell(Heard(self._sequence, at & 0xFFFF_FFFF, begins, payload))
