"""The sound of one space: a trunk, which makes frames, and a fan, which brings them.

Pure: packets and ``now`` in, calls of each leg's ``send`` out.
"""

from hub.media.counts import AudioCounts
from hub.media.fan import Fan, Send
from hub.media.trunk import Frame, Trunk
from stagebox.media.rtp import AudioPacket

__all__ = ["AudioCounts", "Send", "SpaceAudio"]


class SpaceAudio:
    """Routes the audio of one space. Not thread-safe; never blocks."""

    def __init__(self, *, sequence: int, timestamp: int, counts: AudioCounts) -> None:
        self.trunk = Trunk(sequence=sequence, timestamp=timestamp, counts=counts)
        self.fan = Fan(counts)

    @property
    def mixing(self) -> bool:
        """Whether ``tick`` is to be called every 20 ms."""
        return self.trunk.mixing

    def add_leg(self, member_id: str, send: Send) -> None:
        """Let a member hear; replaces the ``send`` of an older media session."""
        self.trunk.add_ear(member_id)
        self.fan.add_leg(member_id, send)

    def remove_leg(self, member_id: str) -> None:
        """Stop sending to a member."""
        self.trunk.remove_ear(member_id)
        self.fan.remove_leg(member_id)

    def open(self, member_id: str) -> None:
        """Let this member's packets through from now on."""
        self.trunk.open(member_id)
        self.fan.open(member_id)

    def close(self, member_id: str) -> None:
        """Let no more of this member's packets through."""
        self.trunk.close(member_id)
        self.fan.close(member_id)

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        """Take one packet from a member's microphone."""
        frame = self.trunk.packet(member_id, packet, now)
        if frame is not None:
            self._deliver(frame, now)

    def tick(self, now: float) -> None:
        """Mix one frame. Call every 20 ms while ``mixing``."""
        for frame in self.trunk.tick(now):
            self._deliver(frame, now)

    def _deliver(self, frame: Frame, now: float) -> None:
        if frame.to is None:
            self.fan.share(frame.payload, frame.stamp, now)
        else:
            self.fan.tell(frame.to, frame.payload, frame.stamp, now)
