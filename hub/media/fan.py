"""The fan of one space: brings the frames of its trunk to the members.

Pure: frames and ``now`` in, calls of each leg's ``send`` out. Whatever the trunk does,
a leg is one continuous RTP stream: nobody is ever moved to another connection.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from hub.media.counts import AudioCounts
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.sequence import signed
from stagebox.media.timeline import Stamp

Send = Callable[[bytes, int, int, bool], bool]

_SEQUENCE_MASK: Final = 0xFFFF
_UPPER_HALF: Final = 0x8000
_TIMESTAMP_MASK: Final = 0xFFFFFFFF
_NOTHING: Final = ""
_SHARED: Final = "shared"
_OWN: Final = "own"
# Who stops talking goes on with its own stream until the end of its voice has left the mix,
# which the trunk says. Should that word be lost, so many shared frames later it is over.
_LINGER: Final = 10
# A change of stream within so much time is no pause: the frames of both follow on each other.
_NO_PAUSE: Final = 2 * FRAME_SAMPLES


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


class Fan:
    """Sends the frames of one space to its legs. Not thread-safe; never blocks."""

    def __init__(self, counts: AudioCounts) -> None:
        self._legs: dict[str, _Leg] = {}
        self._talkers: set[str] = set()
        self._lingering: dict[str, int] = {}
        # The legs of those who do not talk, kept ready because each packet goes through
        # all of them; and those of them that have not joined the shared stream yet.
        self._listeners: list[_Leg] = []
        self._joining: list[_Leg] = []
        self._newest: Stamp | None = None
        self._newest_at = 0.0
        self._counts = counts

    @property
    def members(self) -> Collection[str]:
        """Who has a leg."""
        return self._legs.keys()

    def add_leg(self, member_id: str, send: Send) -> None:
        """Let a member hear; replaces the ``send`` of an older media session."""
        self._legs[member_id] = _Leg(send)
        self._sort_legs()

    def remove_leg(self, member_id: str) -> None:
        """Stop sending to a member."""
        self._legs.pop(member_id, None)
        self._lingering.pop(member_id, None)
        self._sort_legs()

    def open(self, member_id: str) -> None:
        """Take a member that talks from the shared stream, which goes on without it."""
        if member_id in self._talkers:
            return
        self._talkers.add(member_id)
        leg = self._legs.get(member_id)
        if self._lingering.pop(member_id, 0) == 0 and leg is not None:
            self._detach(leg)
        self._sort_legs()

    def close(self, member_id: str) -> None:
        """Let a member that talks no more hear what all hear, once its own stream has ended."""
        leg = self._legs.get(member_id)
        if member_id in self._talkers and leg is not None and leg.source == _OWN:
            self._lingering[member_id] = _LINGER
        self._talkers.discard(member_id)
        self._sort_legs()

    def renew(self) -> None:
        """Make ready for another trunk, whose stamps have nothing to do with the last one's."""
        for leg in self._legs.values():
            self._detach(leg)
        self._lingering.clear()
        self._newest = None
        self._sort_legs()

    def share(self, payload: bytes, stamp: Stamp, now: float) -> None:
        """Send a frame to everybody who does not talk."""
        if self._lingering:
            self._count_down()
        sequence, timestamp, marker = stamp.sequence, stamp.timestamp, stamp.marker
        legs = self._listeners
        if self._newest is not None and _is_before(sequence, self._newest.sequence):
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

    def tell(self, member_id: str, payload: bytes, stamp: Stamp, now: float) -> None:
        """Send a frame of a talker's own stream, in which its voice is not.

        An empty payload ends that stream.
        """
        hears = member_id in self._talkers or member_id in self._lingering
        leg = self._legs.get(member_id) if hears else None
        if not payload:
            self._end_own(member_id)
        elif leg is not None and _send_own(leg, payload, stamp, now):
            self._counts.delivered += 1
        else:
            self._counts.undeliverable += 1

    # --- private --------------------------------------------------------------

    def _end_own(self, member_id: str) -> None:
        leg = self._legs.get(member_id)
        if leg is not None and leg.source == _OWN:
            leg.source = _NOTHING
        if self._lingering.pop(member_id, 0):
            self._sort_legs()

    def _count_down(self) -> None:
        for member_id, left in list(self._lingering.items()):
            if left == 1:
                self._end_own(member_id)
            else:
                self._lingering[member_id] = left - 1

    def _sort_legs(self) -> None:
        others = self._talkers | self._lingering.keys()
        self._listeners = [leg for name, leg in self._legs.items() if name not in others]
        self._joining = [leg for leg in self._listeners if leg.source != _SHARED]

    def _detach(self, leg: _Leg) -> None:
        """Note where a leg stopped; the stream that it heard goes on without it."""
        if leg.source == _SHARED and self._newest is not None:
            leg.last, leg.last_at = _shifted(self._newest, leg), self._newest_at
        leg.source = _NOTHING


def _send_own(leg: _Leg, payload: bytes, stamp: Stamp, now: float) -> bool:
    if leg.source != _OWN:
        _join(leg, _OWN, stamp, now)
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
    # Sequence goes on by one; time goes on by a frame, or by what really passed in a pause.
    elapsed = round((now - leg.last_at) * SAMPLE_RATE)
    elapsed = elapsed if elapsed > _NO_PAUSE else FRAME_SAMPLES
    leg.sequence_offset = leg.last.sequence + 1 - stamp.sequence
    leg.timestamp_offset = leg.last.timestamp + elapsed - stamp.timestamp


def _has_joined(leg: _Leg, sequence: int) -> bool:
    return leg.source == _SHARED and not _is_before(sequence, leg.first)


def _is_before(sequence: int, other: int) -> bool:
    return signed(sequence - other, 16) < 0
