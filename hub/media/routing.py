"""The sound of one space: who hears what, packet by packet.

Pure: packets and ``now`` in, calls of each leg's ``send`` out. Three paths:

- nobody talks: nothing is sent;
- one member talks: its packets go on to everybody else as they are, with gaps kept,
  so that the listener's own FEC and concealment work on the real losses;
- two or more talk: each is decoded into a mixer every 20 ms; those who do not talk
  share one encoded mix, each talker gets the mix without its own voice.

Whatever the path, a leg is one continuous RTP stream: nobody is ever moved to
another connection. Going from mix back to forwarding waits for the start of the
next talk burst, because a burst cut in the middle would lose what the mixer's
jitter buffer still holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.mixing import Mixer
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from stagebox.media.sequence import signed
from stagebox.media.timeline import OutTimeline, Stamp

Send = Callable[[bytes, int, int, bool], bool]

_SEQUENCE_MASK: Final = 0xFFFF
_UPPER_HALF: Final = 0x8000
_TIMESTAMP_MASK: Final = 0xFFFFFFFF
# Room in the mixer at first; it grows with the talkers, whose number the floor limits.
_VOICES: Final = 16
_NOTHING: Final = ""
_SHARED: Final = "shared"
_MINUS: Final = "minus"


@dataclass(slots=True)
class AudioCounts:
    """What happened to packets, for /metrics."""

    forwarded: int = 0
    delivered: int = 0
    undeliverable: int = 0
    dropped_no_floor: int = 0
    dropped_stale: int = 0
    mixed_frames: int = 0
    encoded_frames: int = 0


@dataclass(slots=True)
class _Leg:
    """One member's outgoing stream. Offsets join the streams it is fed from without a jump.

    ``last`` is the newest packet sent of the streams before the present one.
    """

    send: Send
    source: str = _NOTHING
    sequence_offset: int = 0
    timestamp_offset: int = 0
    first: int = 0  # where it joined its source, in the source's numbers
    last: Stamp | None = None
    last_at: float = 0.0


@dataclass(slots=True)
class _Talker:
    """An open microphone. ``playout`` and ``encoder`` exist only while it is mixed."""

    playout: Playout | None = None
    encoder: Encoder | None = None
    timeline: OutTimeline = field(default_factory=lambda: OutTimeline(0, 0))


class SpaceAudio:
    """Routes the audio of one space. Not thread-safe; never blocks."""

    def __init__(self, *, sequence: int, timestamp: int, counts: AudioCounts) -> None:
        self._shared = OutTimeline(sequence, timestamp)
        self._legs: dict[str, _Leg] = {}
        # The legs of those who do not talk, kept ready because each packet goes through
        # all of them; and those of them that have not joined the shared stream yet.
        self._listeners: list[_Leg] = []
        self._joining: list[_Leg] = []
        self._newest = Stamp((sequence - 1) & _SEQUENCE_MASK, timestamp, marker=False)
        self._newest_at = 0.0
        self._talkers: dict[str, _Talker] = {}
        self._counts = counts
        self._voices = _VOICES
        self._mixer = Mixer(_VOICES)
        self._encoder: Encoder | None = None
        self._ticks = 0
        self._mixes = 0
        self.mixing = False

    # --- who is there ---------------------------------------------------------

    def add_leg(self, member_id: str, send: Send) -> None:
        """Let a member hear; replaces the ``send`` of an older media session."""
        self._legs[member_id] = _Leg(send)
        self._sort_legs()

    def remove_leg(self, member_id: str) -> None:
        """Stop sending to a member."""
        self._legs.pop(member_id, None)
        self._sort_legs()

    def open(self, member_id: str) -> None:
        """Let this member's packets through from now on."""
        if member_id in self._talkers:
            return
        self._talkers[member_id] = _Talker()
        leg = self._legs.get(member_id)
        if leg is not None:
            self._detach(leg)
        self._sort_legs()
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
        self._sort_legs()
        if not self._talkers:
            self._stop_mixing()

    # --- packets --------------------------------------------------------------

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        """Take one packet from a member's microphone."""
        talker = self._talkers.get(member_id)
        if talker is None:
            self._counts.dropped_no_floor += 1
            return
        if self.mixing and len(self._talkers) == 1 and packet.marker:
            self._stop_mixing()
        if talker.playout is not None:
            talker.playout.put(packet, now)
            return
        self._forward(member_id, packet, now)

    def tick(self, now: float) -> None:
        """Mix one frame. Call every 20 ms while ``mixing``."""
        frames: dict[str, Pcm] = {
            member_id: talker.playout.pull(FRAME_SAMPLES, now).pcm
            for member_id, talker in self._talkers.items()
            if talker.playout is not None
        }
        if not frames:
            return
        mix = self._mixer.mix(frames)
        self._counts.mixed_frames += len(frames)
        self._ticks += 1
        self._send_minus(mix.minus, now)
        self._send_mix(mix.full, now)

    # --- private --------------------------------------------------------------

    def _forward(self, member_id: str, packet: AudioPacket, now: float) -> None:
        source = f"{member_id}/{packet.ssrc}"
        stamp = self._shared.stamp(source, packet.sequence, packet.timestamp, packet.marker, now)
        if stamp is None:
            self._counts.dropped_stale += 1
            return
        self._counts.forwarded += 1
        self._fan_out(packet.payload, stamp, now)

    def _fan_out(self, payload: bytes, stamp: Stamp, now: float) -> None:
        sequence, timestamp, marker = stamp.sequence, stamp.timestamp, stamp.marker
        legs = self._listeners
        if _is_before(sequence, self._newest.sequence):
            # For a leg that joined after it, its number was another packet's.
            legs = [leg for leg in legs if _has_joined(leg, sequence)]
        else:
            self._newest, self._newest_at = stamp, now
            for leg in self._joining:
                _join(leg, _SHARED, stamp, now)
            self._joining.clear()
        delivered = 0
        for leg in legs:
            delivered += leg.send(
                payload,
                (sequence + leg.sequence_offset) & _SEQUENCE_MASK,
                (timestamp + leg.timestamp_offset) & _TIMESTAMP_MASK,
                marker,
            )
        self._counts.delivered += delivered
        self._counts.undeliverable += len(legs) - delivered

    def _sort_legs(self) -> None:
        talkers = self._talkers
        self._listeners = [leg for name, leg in self._legs.items() if name not in talkers]
        self._joining = [leg for leg in self._listeners if leg.source != _SHARED]

    def _detach(self, leg: _Leg) -> None:
        """Note where a leg stopped; the stream that it heard goes on without it."""
        if leg.source == _SHARED:
            leg.last, leg.last_at = _shifted(self._newest, leg), self._newest_at
        leg.source = _NOTHING

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

    def _send_minus(self, minus: Mapping[str, Pcm], now: float) -> None:
        if len(minus) < 2:
            return  # alone among the mixed: there is nothing to hear but oneself
        for member_id, pcm in minus.items():
            talker, leg = self._talkers[member_id], self._legs.get(member_id)
            if leg is None or talker.encoder is None:
                continue
            payload = talker.encoder.encode(pcm)
            self._counts.encoded_frames += 1
            stamp = self._stamp_mix(talker.timeline, now)
            if stamp is not None and _send_own(leg, payload, stamp, now):
                self._counts.delivered += 1
            else:
                self._counts.undeliverable += 1

    def _send_mix(self, full: Pcm, now: float) -> None:
        if self._encoder is None or not self._listeners:
            return
        payload = self._encoder.encode(full)
        self._counts.encoded_frames += 1
        stamp = self._stamp_mix(self._shared, now)
        if stamp is not None:
            self._fan_out(payload, stamp, now)

    def _stamp_mix(self, timeline: OutTimeline, now: float) -> Stamp | None:
        sequence = self._ticks & _SEQUENCE_MASK
        timestamp = (self._ticks * FRAME_SAMPLES) & _TIMESTAMP_MASK
        return timeline.stamp(f"mix {self._mixes}", sequence, timestamp, self._ticks == 1, now)


def _send_own(leg: _Leg, payload: bytes, stamp: Stamp, now: float) -> bool:
    """Send a packet of the mix that is this leg's alone."""
    if leg.source != _MINUS:
        _join(leg, _MINUS, stamp, now)
    own = leg.last = _shifted(stamp, leg)
    leg.last_at = now
    return leg.send(payload, own.sequence, own.timestamp, own.marker)


def _shifted(stamp: Stamp, leg: _Leg) -> Stamp:
    """Return a stamp of the leg's source in the leg's own numbers."""
    sequence = (stamp.sequence + leg.sequence_offset) & _SEQUENCE_MASK
    timestamp = (stamp.timestamp + leg.timestamp_offset) & _TIMESTAMP_MASK
    return Stamp(sequence, timestamp, stamp.marker)


def _join(leg: _Leg, source: str, stamp: Stamp, now: float) -> None:
    """Let ``leg`` go on from where it was with packets of another stream."""
    leg.source, leg.first = source, stamp.sequence
    if leg.last is None:
        # SRTP counts a new stream's wraps from 0. Were the first packets lost and the
        # numbers to wrap meanwhile, the receiver could decrypt nothing ever after.
        leg.sequence_offset = -(stamp.sequence & _UPPER_HALF)
        return
    # Sequence goes on by one; time goes on by what really passed, at least a frame.
    elapsed = max(FRAME_SAMPLES, round((now - leg.last_at) * SAMPLE_RATE))
    leg.sequence_offset = leg.last.sequence + 1 - stamp.sequence
    leg.timestamp_offset = leg.last.timestamp + elapsed - stamp.timestamp


def _has_joined(leg: _Leg, sequence: int) -> bool:
    return leg.source == _SHARED and not _is_before(sequence, leg.first)


def _is_before(sequence: int, other: int) -> bool:
    return signed(sequence - other, 16) < 0
