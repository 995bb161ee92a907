"""The trunk of one space: what is to be heard, and under which numbers.

Pure: packets and ``now`` in, frames out. Three paths:

- nobody talks: there is nothing to hear;
- one member talks: its packets go on as they are, with gaps kept, so that the
  listener's own FEC and concealment work on the real losses;
- two or more talk, or one is to be louder or softer: each is decoded into a mix, in
  step with the packets of the one who leads the beat; those who do not talk share one
  encoded mix, each talker gets the mix without its own voice.

What all share is one continuous stream of numbers. A change of path in the middle of
a word goes on with the next number and the next 20 ms: who was forwarded leads the
beat of the mix. Alone again, it is forwarded from a pause between words on, once all
that came of it has been mixed.
"""

from collections import deque
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from hub.media.beat import MAX_LAG_S, Beat
from hub.media.counts import AudioCounts
from hub.media.mixdown import PAST, Mixdown
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.rtp import AudioPacket
from stagebox.media.timeline import OutTimeline, Stamp

_SEQUENCE_MASK: Final = 0xFFFF
_TIMESTAMP_MASK: Final = 0xFFFFFFFF
# A mix that follows on a forwarded talker begins with its next packet, or this much later.
_BEGIN_S: Final = 2 * FRAME_S


@dataclass(frozen=True, slots=True)
class Frame:
    """Encoded sound for one talker (``to``), or for everybody who does not talk.

    The stamps of shared frames are one stream; those for each talker are another,
    which an empty payload ends.
    """

    payload: bytes
    stamp: Stamp
    to: str | None = None


@dataclass(slots=True)
class _Mix:
    """A mix from its start; ``beat`` from its first frame on."""

    name: str
    down: Mixdown
    beat: Beat | None = None
    is_spliced: bool = False  # its first frame goes on where a forwarded packet ended
    beats: int = 0
    shared: int = 0

    def is_ready(self) -> bool:
        """Say whether a frame of the leader is there."""
        return self.beat is not None and self.down.is_ready(self.beat.leader)


class Trunk:
    """Makes the frames of one space. Not thread-safe; never blocks."""

    def __init__(self, *, sequence: int, timestamp: int, counts: AudioCounts) -> None:
        self._shared = OutTimeline(sequence, timestamp)
        self._ears: set[str] = set()
        self._open: set[str] = set()
        self._gains: dict[str, float] = {}  # of those who are not heard as they come
        self._counts = counts
        # The last packets of the one who is forwarded, and when they came.
        self._last: deque[tuple[AudioPacket, float]] = deque(maxlen=PAST)
        self._last_source = "", 0
        self._mix: _Mix | None = None
        self._mixes = 0
        self._own_frames = 0
        self._told: set[str] = set()  # who is getting a stream of its own

    @property
    def mixing(self) -> bool:
        """Whether frames are mixed, not forwarded."""
        return self._mix is not None

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest; None: no need to. Any call may change it."""
        mix = self._mix
        if mix is None:
            return None
        if mix.beat is not None:
            return mix.beat.deadline(ready=mix.is_ready())
        return self._last[-1][1] + _BEGIN_S if self._last else None

    # --- who is there ---------------------------------------------------------

    def add_ear(self, member_id: str) -> None:
        """Note that a member can hear: only for ears is a mix worth encoding."""
        self._ears.add(member_id)

    def remove_ear(self, member_id: str) -> None:
        """Note that a member can hear no more."""
        self._ears.discard(member_id)

    def open(self, member_id: str) -> None:
        """Let this member's packets through from now on."""
        if member_id in self._open:
            return
        self._open.add(member_id)
        if self._mix is not None:
            self._mix.down.join(member_id, self._gains.get(member_id, 1.0))
        elif len(self._open) > 1 or member_id in self._gains:
            self._begin_mix()

    def set_gain(self, member_id: str, gain: float) -> None:
        """Let a member be louder or softer; 1 is as it comes, and anything else is mixed."""
        if gain == 1.0:
            self._gains.pop(member_id, None)
        else:
            self._gains[member_id] = gain
        if self._mix is not None:
            self._mix.down.set_gain(member_id, gain)
        elif member_id in self._gains and member_id in self._open:
            self._begin_mix()

    def close(self, member_id: str) -> None:
        """Let no more of this member's packets through; what came already is heard."""
        if member_id not in self._open:
            return
        self._open.discard(member_id)
        mix = self._mix
        if mix is None:
            return
        mix.down.leave(member_id)
        if mix.beat is None:
            mix.down.drop(member_id)
        elif mix.beat.leader == member_id:
            mix.beat.lead(None)
        if not mix.down.voices:
            self._mix = None

    # --- packets --------------------------------------------------------------

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> list[Frame]:
        """Take one packet from a member's microphone; return what is to be sent at once."""
        if member_id not in self._open:
            self._counts.dropped_no_floor += 1
            return []
        mix = self._mix
        if mix is None:
            return self._forward(member_id, packet, now)
        if mix.down.is_plain(member_id):
            if mix.beat is None or packet.marker:
                return [*self._stop(), *self._forward(member_id, packet, now)]
            if mix.beat.leader == member_id and mix.down.is_empty_in_lull(member_id):
                return [*self._stop(), *self._forward_on(member_id, packet, now)]
        return self._take(mix, member_id, packet, now)

    def tick(self, now: float) -> list[Frame]:
        """Mix what is due; before ``deadline`` nothing is."""
        deadline = self.deadline
        if self._mix is None or deadline is None or now < deadline:
            return []
        return self._run(self._mix, self._beat(self._mix, now), now)

    # --- private --------------------------------------------------------------

    def _begin_mix(self) -> None:
        self._mixes += 1
        self._mix = _Mix(f"mix {self._mixes}", Mixdown(self._counts))
        for each in sorted(self._open):
            self._mix.down.join(each, self._gains.get(each, 1.0))

    def _forward(self, member_id: str, packet: AudioPacket, now: float) -> list[Frame]:
        source = f"{member_id}/{packet.ssrc}"
        stamp = self._shared.stamp(source, packet.sequence, packet.timestamp, packet.marker, now)
        if stamp is None:
            self._counts.dropped_stale += 1
            return []
        return self._forwarded(member_id, packet, stamp, now)

    def _forward_on(self, member_id: str, packet: AudioPacket, now: float) -> list[Frame]:
        """Forward the packet that follows on the last mixed frame."""
        source = f"{member_id}/{packet.ssrc}"
        stamp = self._shared.splice(source, packet.sequence, packet.timestamp, now)
        return self._forwarded(member_id, packet, stamp, now)

    def _forwarded(
        self, member_id: str, packet: AudioPacket, stamp: Stamp, now: float
    ) -> list[Frame]:
        self._counts.forwarded += 1
        if self._last_source != (member_id, packet.ssrc):
            self._last.clear()
            self._last_source = member_id, packet.ssrc
        self._last.append((packet, now))
        return [Frame(packet.payload, stamp)]

    def _take(self, mix: _Mix, member_id: str, packet: AudioPacket, now: float) -> list[Frame]:
        beat = self._beat(mix, now)
        if beat.leader is None:
            beat.lead(member_id)
        at = beat.came(packet.timestamp, now) if beat.leader == member_id else now
        mix.down.put(member_id, packet, at)
        return self._run(mix, beat, now)

    def _beat(self, mix: _Mix, now: float) -> Beat:
        """Return the mix's beat. The first time, let it go on from what was forwarded."""
        if mix.beat is not None:
            return mix.beat
        (last_of, _), last = self._last_source, list(self._last)
        self._last.clear()
        if not last or last_of not in self._open or now - last[-1][1] > MAX_LAG_S:
            mix.beat = Beat(now)
            return mix.beat
        packet, came_at = last[-1]
        mix.is_spliced = True
        mix.down.go_on(last_of, last)
        mix.beat = Beat(came_at + FRAME_S)
        mix.beat.lead(last_of)
        mix.beat.came(packet.timestamp, came_at)
        return mix.beat

    def _run(self, mix: _Mix, beat: Beat, now: float) -> list[Frame]:
        """Mix all frames that it is time for."""
        frames: list[Frame] = []
        while mix.down.voices and beat.is_time(now, ready=mix.is_ready()):
            leader = beat.leader
            at = beat.beat(now, ready=mix.is_ready())
            frames += self._mixed(mix, at, now)
            if leader is not None and beat.leader is None:
                mix.down.wait_for(leader)
        if not mix.down.voices:
            frames += self._stop()
        return frames

    def _mixed(self, mix: _Mix, at: float, now: float) -> list[Frame]:
        mix.beats += 1
        self._own_frames += 1
        own = self._own_stamp(marker=mix.beats == 1 and not mix.is_spliced)
        frames = []
        for to, payload in mix.down.mix(self._ears, at):
            stamp = own if to is not None else self._stamp(mix, now)
            if stamp is not None:
                frames.append(Frame(payload, stamp, to))
        self._told.update(frame.to for frame in frames if frame.to is not None)
        mix.down.let_go()
        left = mix.down.voices
        return frames + self._end_own(self._told - left if len(left) > 1 else self._told.copy())

    def _own_stamp(self, *, marker: bool) -> Stamp:
        sequence = self._own_frames & _SEQUENCE_MASK
        return Stamp(sequence, (self._own_frames * FRAME_SAMPLES) & _TIMESTAMP_MASK, marker)

    def _stamp(self, mix: _Mix, now: float) -> Stamp | None:
        mix.shared += 1
        sequence = mix.shared & _SEQUENCE_MASK
        timestamp = (mix.beats * FRAME_SAMPLES) & _TIMESTAMP_MASK
        if mix.beats == 1 and mix.is_spliced:
            return self._shared.splice(mix.name, sequence, timestamp, now)
        return self._shared.stamp(mix.name, sequence, timestamp, mix.shared == 1, now)

    def _stop(self) -> list[Frame]:
        self._mix = None
        return self._end_own(self._told.copy())

    def _end_own(self, members: AbstractSet[str]) -> list[Frame]:
        """Return the ends of the members' own streams."""
        stamp = self._own_stamp(marker=False)
        self._told -= members
        return [Frame(b"", stamp, name) for name in members & self._ears]
