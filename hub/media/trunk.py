"""The trunk of one space: what is to be heard, and under which numbers.

Pure: packets and ``now`` in, frames out. Three paths:

- nobody talks: there is nothing to hear;
- one member talks: its packets go on as they are, with gaps kept, so that the
  listener's own FEC and concealment work on the real losses;
- two or more talk: each is decoded into a mixer every 20 ms; those who do not talk
  share one encoded mix, each talker gets the mix without its own voice.

What all share is one continuous stream of numbers. Going from mix back to forwarding
waits for the start of the next talk burst, because a burst cut in the middle would
lose what the mixer's jitter buffer still holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.media.counts import AudioCounts
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.mixing import Mixer
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from stagebox.media.timeline import OutTimeline, Stamp

_SEQUENCE_MASK: Final = 0xFFFF
_TIMESTAMP_MASK: Final = 0xFFFFFFFF
# Room in the mixer at first; it grows with the talkers, whose number the floor limits.
_VOICES: Final = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """Encoded sound for one talker (``to``), or for everybody who does not talk.

    The stamps of shared frames are one stream; those for each talker are another.
    """

    payload: bytes
    stamp: Stamp
    to: str | None = None


@dataclass(slots=True)
class _Talker:
    """An open microphone. ``playout`` and ``encoder`` exist only while it is mixed."""

    playout: Playout | None = None
    encoder: Encoder | None = None
    timeline: OutTimeline = field(default_factory=lambda: OutTimeline(0, 0))


class Trunk:
    """Makes the frames of one space. Not thread-safe; never blocks."""

    def __init__(self, *, sequence: int, timestamp: int, counts: AudioCounts) -> None:
        self._shared = OutTimeline(sequence, timestamp)
        self._ears: set[str] = set()
        self._talkers: dict[str, _Talker] = {}
        self._counts = counts
        self._voices = _VOICES
        self._mixer = Mixer(_VOICES)
        self._encoder: Encoder | None = None
        self._ticks = 0
        self._mixes = 0
        self.mixing = False

    # --- who is there ---------------------------------------------------------

    def add_ear(self, member_id: str) -> None:
        """Note that a member can hear: only for ears is a mix worth encoding."""
        self._ears.add(member_id)

    def remove_ear(self, member_id: str) -> None:
        """Note that a member can hear no more."""
        self._ears.discard(member_id)

    def open(self, member_id: str) -> None:
        """Let this member's packets through from now on."""
        if member_id in self._talkers:
            return
        self._talkers[member_id] = _Talker()
        if len(self._talkers) > self._voices:
            self._voices *= 2
            self._mixer = Mixer(self._voices)
        if len(self._talkers) > 1 and not self.mixing:
            self._start_mixing()
        elif self.mixing:
            self._attach(self._talkers[member_id])

    def close(self, member_id: str) -> None:
        """Let no more of this member's packets through."""
        self._talkers.pop(member_id, None)
        if not self._talkers:
            self._stop_mixing()

    # --- packets --------------------------------------------------------------

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> Frame | None:
        """Take one packet from a member's microphone; return what is to be sent at once."""
        talker = self._talkers.get(member_id)
        if talker is None:
            self._counts.dropped_no_floor += 1
            return None
        if self.mixing and len(self._talkers) == 1 and packet.marker:
            self._stop_mixing()
        if talker.playout is not None:
            talker.playout.put(packet, now)
            return None
        return self._forward(member_id, packet, now)

    def tick(self, now: float) -> list[Frame]:
        """Mix one frame. Call every 20 ms while ``mixing``."""
        frames: dict[str, Pcm] = {
            member_id: talker.playout.pull(FRAME_SAMPLES, now).pcm
            for member_id, talker in self._talkers.items()
            if talker.playout is not None
        }
        if not frames:
            return []
        mix = self._mixer.mix(frames)
        self._counts.mixed_frames += len(frames)
        self._ticks += 1
        return [*self._minus(mix.minus, now), *self._full(mix.full, now)]

    # --- private --------------------------------------------------------------

    def _forward(self, member_id: str, packet: AudioPacket, now: float) -> Frame | None:
        source = f"{member_id}/{packet.ssrc}"
        stamp = self._shared.stamp(source, packet.sequence, packet.timestamp, packet.marker, now)
        if stamp is None:
            self._counts.dropped_stale += 1
            return None
        self._counts.forwarded += 1
        return Frame(packet.payload, stamp)

    def _start_mixing(self) -> None:
        self.mixing = True
        self._ticks = 0
        self._mixes += 1
        self._encoder = Encoder()
        for talker in self._talkers.values():
            self._attach(talker)

    def _stop_mixing(self) -> None:
        self.mixing = False
        self._encoder = None
        for talker in self._talkers.values():
            talker.playout = None
            talker.encoder = None

    @staticmethod
    def _attach(talker: _Talker) -> None:
        talker.playout = Playout()
        talker.encoder = Encoder()

    def _minus(self, minus: Mapping[str, Pcm], now: float) -> Iterator[Frame]:
        if len(minus) < 2:
            return  # alone among the mixed: there is nothing to hear but oneself
        for member_id, pcm in minus.items():
            talker = self._talkers[member_id]
            if talker.encoder is None or member_id not in self._ears:
                continue
            payload = talker.encoder.encode(pcm)
            self._counts.encoded_frames += 1
            stamp = self._stamp_mix(talker.timeline, now)
            if stamp is None:
                self._counts.undeliverable += 1
            else:
                yield Frame(payload, stamp, member_id)

    def _full(self, full: Pcm, now: float) -> Iterator[Frame]:
        if self._encoder is None or self._ears <= self._talkers.keys():
            return
        payload = self._encoder.encode(full)
        self._counts.encoded_frames += 1
        stamp = self._stamp_mix(self._shared, now)
        if stamp is not None:
            yield Frame(payload, stamp)

    def _stamp_mix(self, timeline: OutTimeline, now: float) -> Stamp | None:
        sequence = self._ticks & _SEQUENCE_MASK
        timestamp = (self._ticks * FRAME_SAMPLES) & _TIMESTAMP_MASK
        return timeline.stamp(f"mix {self._mixes}", sequence, timestamp, self._ticks == 1, now)
