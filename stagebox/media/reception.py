"""Follows a sender through its wrapping numbers, its restarts and its successors."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from stagebox.media.rtp import AudioPacket
from stagebox.media.sequence import MAX_MISORDER, SequenceWindow, signed

_STRAGGLE_S: Final = 0.5  # packets of the SSRC before may still come in this time


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A packet that waits to be played; numbers extended beyond their wrap."""

    sequence: int
    timestamp: int = field(compare=False)
    samples: int = field(compare=False)
    marker: bool = field(compare=False)
    payload: bytes = field(compare=False)


class Belongs(Enum):
    """How a packet relates to those before it."""

    SAME_RUN = auto()
    NEW_RUN = auto()
    STRAY = auto()


class Reception:
    """The numbers of one stream, one SSRC at a time."""

    def __init__(self) -> None:
        self._window = SequenceWindow()
        self._ssrc: int | None = None
        self._old_ssrc: int | None = None
        self._left_at = 0.0
        self._timestamp = 0  # of the packet at the window's top

    @property
    def top(self) -> int:
        """The highest extended sequence number of this run."""
        return self._window.top

    @property
    def oldest(self) -> int:
        """The lowest extended sequence number that can still be told from a new run."""
        return self._window.top - MAX_MISORDER

    def follow(self, packet: AudioPacket, now: float) -> Belongs:
        """Say whether the packet goes on, begins a new run of numbers, or is to be dropped."""
        if packet.ssrc != self._ssrc:
            if packet.ssrc == self._old_ssrc and now - self._left_at < _STRAGGLE_S:
                return Belongs.STRAY
            self._old_ssrc, self._left_at, self._ssrc = self._ssrc, now, packet.ssrc
        elif not self._is_strange(packet):
            return Belongs.SAME_RUN
        elif not (packet.marker or self._window.confirms(packet.sequence)):
            return Belongs.STRAY
        self._window.restart(packet.sequence)
        self._timestamp = packet.timestamp
        return Belongs.NEW_RUN

    def accept(self, packet: AudioPacket, samples: int) -> Held | None:
        """Return the packet with extended numbers, or None if it had come before."""
        sequence = self._window.extend(packet.sequence)
        timestamp = self._timestamp + signed(packet.timestamp - self._timestamp, 32)
        if sequence > self._window.top:
            self._timestamp = timestamp
        if not self._window.mark(sequence):
            return None
        return Held(sequence, timestamp, samples, packet.marker, packet.payload)

    def _is_strange(self, packet: AudioPacket) -> bool:
        """Look for numbers far off, or running back while the timestamps run on."""
        sequence = self._window.extend(packet.sequence)
        ahead = signed(packet.timestamp - self._timestamp, 32)
        return not self._window.is_near(sequence) or (sequence < self._window.top and ahead > 0)
