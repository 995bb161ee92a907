"""From the packets of one open microphone to the sound that an engine is given.

This is no playout: nothing waits for a clock. A packet is decoded when it comes; what is
missing before it is filled from its FEC, by concealment or, if it is much, by silence, so
that words keep their place in time.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hub.captions.sampling import Decimator
from stagebox.media.frames import FRAME_SAMPLES, Pcm, silence
from stagebox.media.opus import Decoder, OpusError
from stagebox.media.playout import SpeechDecoder
from stagebox.media.sequence import signed
from stagebox.media.toc import is_end_of_burst, packet_has_fec, packet_samples

# Concealment is a guess that fades: past 120 ms nothing of it is speech any more.
MOST_CONCEALED: Final = 5_760
# Past one second, or far back in time, it is another stretch of sound.
MOST_SILENCE: Final = 48_000
_GRAIN: Final = 120  # Opus works in whole 2.5 ms
_NOTHING: Final = silence(0)


@dataclass(slots=True)
class EarCounts:
    """What happened to packets, since the start."""

    packets: int = 0
    late: int = 0
    corrupt: int = 0
    filled: int = 0  # missing frames that were made up


class Ear:
    """One speaker's packets in, in the order of their coming; sound at 16 kHz out."""

    def __init__(self, counts: EarCounts, decoder: SpeechDecoder | None = None) -> None:
        self._counts = counts
        self._decoder = decoder or Decoder()
        self._decimator = Decimator()
        self._due: int | None = None

    def hear(self, timestamp: int, payload: bytes, *, marker: bool) -> Pcm:
        """Return the sound up to the end of this packet; none for a late or corrupt one."""
        self._counts.packets += 1
        try:
            samples = packet_samples(payload)
        except OpusError:
            self._counts.corrupt += 1
            return _NOTHING
        gap = self._gap(timestamp, marker=marker)
        if gap < 0:
            self._counts.late += 1
            return _NOTHING
        self._due = (timestamp + samples) & 0xFFFF_FFFF
        parts = self._missing(gap, payload)  # before the packet: the decoder has a memory
        parts.append(self._sound(payload, samples))
        return self._decimator.take(np.concatenate(parts))

    def _gap(self, timestamp: int, *, marker: bool) -> int:
        """Return how many samples are missing before this packet; negative: it is late."""
        gap = 0 if self._due is None else signed(timestamp - self._due, 32)
        if marker or self._due is None or abs(gap) > MOST_SILENCE:
            self._decoder.reset()
            self._decimator.reset()
            return 0
        return gap - gap % _GRAIN

    def _missing(self, gap: int, payload: bytes) -> list[Pcm]:
        """Return what stands in for ``gap`` samples."""
        self._counts.filled += -(-gap // FRAME_SAMPLES)
        if gap == 0:
            return []
        if gap > MOST_CONCEALED:
            return [silence(gap)]
        spare = FRAME_SAMPLES if packet_has_fec(payload) else 0
        parts = [self._decoder.conceal(gap - spare)] if gap > spare else []
        if spare and gap >= spare:
            parts.append(self._decoder.decode_fec(payload, spare))
        elif spare:
            parts.append(self._decoder.conceal(gap))
        return parts

    def _sound(self, payload: bytes, samples: int) -> Pcm:
        if is_end_of_burst(payload):
            return silence(samples)
        try:
            return self._decoder.decode(payload)
        except OpusError:
            self._counts.corrupt += 1
            return self._decoder.conceal(samples)
