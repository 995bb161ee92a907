"""The sound of one space, as far as it is in this process.

Pure: packets and ``now`` in, calls of each leg's ``send`` and of ``post`` out. A space
has one trunk, which makes its frames, in its home process; and a fan, which brings
them to members, in each process that has connections of members. With one process
both are here and nothing is ever posted.

A home that is lost is replaced. Each home has an epoch, one higher than the last, and
its frames are numbered anew; the legs go on where they were.
"""

from collections.abc import Callable
from typing import Final

from hub.media.counts import AudioCounts
from hub.media.fan import Fan, Send
from hub.media.mail import Sound, Tape, Voice
from hub.media.tapes import Take
from hub.media.trunk import Frame, Trunk
from stagebox.media.rtp import AudioPacket
from stagebox.media.timeline import Stamp

__all__ = ["AudioCounts", "Post", "Send", "SpaceAudio"]

# Takes a message for other processes. Never waits, never fails.
Post = Callable[[tuple[int, ...], Voice | Sound], None]

_FIRST_EPOCH: Final = 0
# The ear for which the programme is made even when nobody else listens; no member's id.
_TAPE: Final = "*tape*"


class SpaceAudio:
    """Routes the audio of one space. Not thread-safe; never blocks.

    At first its home is here.
    """

    def __init__(
        self,
        *,
        sequence: int,
        timestamp: int,
        counts: AudioCounts,
        post: Post = lambda _processes, _mail: None,
        space_id: str = "",
    ) -> None:
        self._first = sequence, timestamp
        self._counts = counts
        self._post = post
        self._space_id = space_id
        self._home: int | None = None  # another process
        self._epoch = _FIRST_EPOCH
        self._open: set[str] = set()
        # Who hears by way of another process, and for how many each has to be sent to.
        self._far: dict[str, int] = {}
        self._far_processes: tuple[int, ...] = ()
        self._volumes: dict[str, int] = {}
        self._tape: Take | None = None
        self.fan = Fan(counts)
        self.trunk: Trunk | None = self._new_trunk()

    @property
    def mixing(self) -> bool:
        """Whether frames are mixed here, not forwarded."""
        return self.trunk is not None and self.trunk.mixing

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest; None: no need to. Any call may change it."""
        return None if self.trunk is None else self.trunk.deadline

    # --- where the trunk is ---------------------------------------------------

    def lead(self, epoch: int) -> None:
        """Be the home from now on."""
        self._renew(epoch)
        self._home = None
        if self.trunk is None:
            self.trunk = self._new_trunk()

    def follow(self, home: int, epoch: int) -> None:
        """Let ``home``, another process, be the home from now on."""
        self._renew(epoch)
        self._home = home
        self.trunk = None
        self._far.clear()
        self._sort_far()

    def far_ear(self, member_id: str, process: int | None) -> None:
        """Note by way of which other process a member hears; None: of none."""
        if process is None:
            self._far.pop(member_id, None)
        else:
            self._far[member_id] = process
        self._sort_far()
        self._note_ear(member_id)

    # --- who is there ---------------------------------------------------------

    def add_leg(self, member_id: str, send: Send) -> None:
        """Let a member hear; replaces the ``send`` of an older media session."""
        self.fan.add_leg(member_id, send)
        self._note_ear(member_id)

    def remove_leg(self, member_id: str) -> None:
        """Stop sending to a member."""
        self.fan.remove_leg(member_id)
        self._note_ear(member_id)

    def open(self, member_id: str) -> None:
        """Let this member's packets through from now on."""
        self._open.add(member_id)
        self.fan.open(member_id)
        if self.trunk is not None:
            self.trunk.open(member_id)

    def close(self, member_id: str) -> None:
        """Let no more of this member's packets through."""
        self._open.discard(member_id)
        self.fan.close(member_id)
        if self.trunk is not None:
            self.trunk.close(member_id)

    def set_volume(self, member_id: str, percent: int) -> None:
        """Let a member be so loud from now on, 100 being as it comes."""
        if percent == 100:
            self._volumes.pop(member_id, None)
        else:
            self._volumes[member_id] = percent
        if self.trunk is not None:
            self.trunk.set_gain(member_id, percent / 100)

    def tape(self, take: Take | None) -> None:
        """Copy what is said and heard to ``take``, or no longer; at the home only."""
        self._tape = take
        if self.trunk is not None and take is not None:
            self.trunk.add_ear(_TAPE)
        elif self.trunk is not None:
            self.trunk.remove_ear(_TAPE)

    # --- packets --------------------------------------------------------------

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        """Take one packet from a member's microphone, which came at ``now``."""
        if self.trunk is not None:
            if self._tape is not None and member_id in self._open:
                self._tape(self._copy(member_id, packet, packet.payload, now))
            for frame in self.trunk.packet(member_id, packet, now):
                self._deliver(frame, now)
        elif self._home is not None and member_id in self._open:
            self._post((self._home,), self._voice(member_id, packet, now))
        else:
            self._counts.dropped_no_floor += 1

    def tick(self, now: float) -> None:
        """Mix what is due; before ``deadline`` nothing is."""
        if self.trunk is not None:
            for frame in self.trunk.tick(now):
                self._deliver(frame, now)

    def sound(self, sound: Sound, now: float) -> None:
        """Take one frame from the home."""
        if sound.epoch < self._epoch:
            self._counts.dropped_stale += 1
            return
        self._renew(sound.epoch)
        stamp = Stamp(sound.sequence, sound.timestamp, sound.marker)
        self._fan_out(Frame(sound.payload, stamp, sound.to), now)

    # --- private --------------------------------------------------------------

    def _new_trunk(self) -> Trunk:
        sequence, timestamp = self._first
        trunk = Trunk(sequence=sequence, timestamp=timestamp, counts=self._counts)
        for member_id in self.fan.members:
            trunk.add_ear(member_id)
        if self._tape is not None:
            trunk.add_ear(_TAPE)
        for member_id, percent in self._volumes.items():
            trunk.set_gain(member_id, percent / 100)
        for member_id in sorted(self._open):
            trunk.open(member_id)
        return trunk

    def _renew(self, epoch: int) -> None:
        if epoch > self._epoch:
            self._epoch = epoch
            self.fan.renew()

    def _sort_far(self) -> None:
        self._far_processes = tuple(sorted(set(self._far.values())))

    def _note_ear(self, member_id: str) -> None:
        if self.trunk is None:
            return
        if member_id in self._far or member_id in self.fan.members:
            self.trunk.add_ear(member_id)
        else:
            self.trunk.remove_ear(member_id)

    def _voice(self, member_id: str, packet: AudioPacket, now: float) -> Voice:
        return Voice(
            self._space_id,
            member_id,
            packet.ssrc,
            packet.sequence,
            packet.timestamp,
            packet.marker,
            packet.payload,
            now,
        )

    def _deliver(self, frame: Frame, now: float) -> None:
        """Post a frame first, so that the others send while we do."""
        if frame.to is None:
            processes = self._far_processes
        else:
            process = self._far.get(frame.to)
            processes = () if process is None else (process,)
        if processes:
            self._post(processes, self._sound(frame, now))
        if frame.to is None or not processes:
            self._fan_out(frame, now)
        if self._tape is not None and frame.to is None:
            self._tape(self._copy(None, frame.stamp, frame.payload, now))

    def _copy(
        self, member_id: str | None, head: AudioPacket | Stamp, payload: bytes, now: float
    ) -> Tape:
        return Tape(self._space_id, member_id, head.timestamp, payload, head.marker, now)

    def _sound(self, frame: Frame, now: float) -> Sound:
        stamp = frame.stamp
        return Sound(
            self._space_id,
            self._epoch,
            stamp.sequence,
            stamp.timestamp,
            stamp.marker,
            frame.payload,
            now,
            frame.to,
        )

    def _fan_out(self, frame: Frame, now: float) -> None:
        if frame.to is None:
            self.fan.share(frame.payload, frame.stamp, now)
        else:
            self.fan.tell(frame.to, frame.payload, frame.stamp, now)
