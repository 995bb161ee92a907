"""Streams that never pause, as people who speak now and then. Pure.

A forwarding room sends each person's microphone for as long as it is open. To blend all of
them would decode and mix rooms full of silence, so a stream counts as a voice only while
somebody speaks in it; what a detection needs is kept, so that no syllable is lost.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from hub.bridges.blend import MAX_VOICES, Blend, BlendCounts, Utterance
from hub.bridges.voice import BURST, MOST_PER_S, VOICE_DBFS, VOICED_FRAMES
from stagebox.bucket import TokenBucket
from stagebox.media.levels import dbfs, rms
from stagebox.media.opus import Decoder, OpusError
from stagebox.media.rtp import AudioPacket

# The detection and a plosive before it.
PRE_ROLL: Final = VOICED_FRAMES + 2
# Between two words; the space's own voice detection waits for the end of the sentence.
HANG_S: Final = 0.4


@dataclass(slots=True)
class ChorusCounts:
    """What became of packets that went no further."""

    quiet: int = 0
    flooded: int = 0
    bad: int = 0


@dataclass(slots=True)
class _Stream:
    """One microphone."""

    number: int
    bucket: TokenBucket
    decoder: Decoder = field(default_factory=Decoder)
    ring: deque[AudioPacket] = field(default_factory=lambda: deque(maxlen=PRE_ROLL))
    loud: int = 0
    voice_at: float | None = None

    def listen(self, payload: bytes, now: float) -> None:
        self.loud = self.loud + 1 if dbfs(rms(self.decoder.decode(payload))) >= VOICE_DBFS else 0
        if self.loud >= VOICED_FRAMES:
            self.voice_at = now
        elif self.voice_at is not None and now - self.voice_at >= HANG_S:
            self.voice_at = None


class Chorus:
    """All streams of one room. Not thread-safe; never blocks."""

    def __init__(self, now: float) -> None:
        self.counts = ChorusCounts()
        self._blend = Blend(now)
        self._streams: dict[Hashable, _Stream] = {}
        self._last = 0

    @property
    def blended(self) -> BlendCounts:
        """What became of packets in which somebody spoke."""
        return self._blend.counts

    def speaks(self, key: Hashable) -> bool:
        """Whether somebody speaks in this stream."""
        stream = self._streams.get(key)
        return stream is not None and stream.voice_at is not None

    def take(self, key: Hashable, packet: AudioPacket, now: float) -> list[AudioPacket]:
        """Take in a packet of a stream; return what the room says by that."""
        stream = self._streams.get(key)
        if stream is None:
            self._last += 1
            bucket = TokenBucket(MOST_PER_S, BURST, now)
            stream = self._streams[key] = _Stream(self._last, bucket)
        if not stream.bucket.take(now):
            self.counts.flooded += 1
            return []
        spoke = stream.voice_at is not None
        try:
            stream.listen(packet.payload, now)
        except OpusError:
            self.counts.bad += 1
            return []
        if stream.voice_at is None and not spoke:
            self.counts.quiet += 1
            stream.ring.append(packet)
            return []
        return self._say(stream, packet, now)

    def leave(self, key: Hashable, now: float) -> list[AudioPacket]:
        """Forget a stream; return what the room says by that."""
        stream = self._streams.pop(key, None)
        if stream is None or stream.voice_at is None:
            return []
        return self._blend.take(Utterance(stream.number, 0, b"", last=True), now)

    # --- private --------------------------------------------------------------

    def _say(self, stream: _Stream, packet: AudioPacket, now: float) -> list[AudioPacket]:
        out = []
        for each in (*stream.ring, packet):
            is_last = each is packet and stream.voice_at is None
            said = Utterance(stream.number, each.timestamp, each.payload, last=is_last)
            out += self._blend.take(said, now)
        stream.ring.clear()
        return out


__all__ = ["HANG_S", "MAX_VOICES", "PRE_ROLL", "Chorus", "ChorusCounts"]
