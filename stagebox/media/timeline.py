"""One outgoing RTP stream from sources that take turns.

Listeners see one SSRC for ever. Within a source its gaps and small reorderings
are kept, so that a loss upstream is seen downstream and FEC works. When the
source changes, or begins a new talk burst, the numbers go on without a gap and
the timestamp moves on by the time that really passed.
"""

from dataclasses import dataclass
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.sequence import SequenceWindow, signed

_STRAGGLE_S: Final = 0.5  # packets of a source that was replaced may still come in this time
_MAX_RETIRED: Final = 8  # sources replaced within that time, at most remembered
_MAX_STEP: Final = 10 * SAMPLE_RATE  # a larger jump of timestamps is another timeline
_MAX_PACKET: Final = 5_760  # 120 ms


@dataclass(frozen=True, slots=True)
class Stamp:
    """The header of an outgoing packet: 16-bit sequence, 32-bit timestamp."""

    sequence: int
    timestamp: int
    marker: bool


class OutTimeline:
    """Rewrites packets of changing sources into one stream. Pure.

    Start with random numbers; a sequence below 32768 keeps SRTP from an early wrap.
    """

    def __init__(self, sequence: int, timestamp: int) -> None:
        # The newest packet sent, in our numbers, extended beyond their wrap.
        self._sequence = sequence - 1
        self._timestamp = timestamp
        self._sent_at: float | None = None
        self._samples = FRAME_SAMPLES
        # The source of the burst, its numbers, where they began and our lead on them.
        self._source: str | None = None
        self._window = SequenceWindow()
        self._packet_timestamp = 0
        self._first = 0
        self._lead = 0
        self._marked = False
        self._retired: dict[str, tuple[float, int]] = {}

    def stamp(
        self, source: str, packet_seq: int, packet_ts: int, marker: bool, now: float
    ) -> Stamp | None:
        """Return the header for a packet, or None when it must not be sent.

        Not sent: a late packet of a source that was replaced, one that came already
        (under SRTP its number would use one key stream twice), a stray.
        """
        if source != self._source:
            if not self._may_take_over(source, packet_seq, marker, now):
                return None
            self._retire(source, now)
            return self._begin(packet_seq, packet_ts, marker, now)
        extended = self._window.extend(packet_seq)
        step = signed(packet_ts - self._packet_timestamp, 32)
        if not self._window.is_near(extended):
            known = marker or self._window.confirms(packet_seq)
            return self._begin(packet_seq, packet_ts, marker, now) if known else None
        if extended > self._window.top and self._is_new_burst(step, marker):
            return self._begin(packet_seq, packet_ts, marker, now)
        return self._go_on(extended, step, marker, now)

    def splice(self, source: str, packet_seq: int, packet_ts: int, now: float) -> Stamp:
        """Return the header for a packet of another source that goes on within the burst.

        Its sound begins where that of the last packet ends: nothing marks the change.
        """
        self._retire(source, now)
        return self._restart(packet_seq, packet_ts, self._samples, False, now)

    def _may_take_over(self, source: str, packet_seq: int, marker: bool, now: float) -> bool:
        """Let a source that was just replaced come back only with a new burst."""
        retired_at, last = self._retired.get(source, (-_STRAGGLE_S, 0))
        if source not in self._retired or now - retired_at >= _STRAGGLE_S:
            return True
        return marker and signed(packet_seq - last, 16) > 0

    def _retire(self, successor: str, now: float) -> None:
        if self._source is not None:
            self._retired[self._source] = now, self._window.top
        self._retired.pop(successor, None)
        while len(self._retired) > _MAX_RETIRED:
            del self._retired[next(iter(self._retired))]
        self._source = successor

    def _is_new_burst(self, step: int, marker: bool) -> bool:
        """Look for a marker after an unmarked packet (aiortc marks all), or another timeline."""
        return (marker and not self._marked) or not 0 < step <= _MAX_STEP

    def _begin(self, packet_seq: int, packet_ts: int, marker: bool, now: float) -> Stamp:
        passed = 0
        if self._sent_at is not None:
            passed = max(self._samples, round((now - self._sent_at) * SAMPLE_RATE))
        stamp = self._restart(packet_seq, packet_ts, passed, True, now)
        self._marked = marker
        return stamp

    def _restart(
        self, packet_seq: int, packet_ts: int, passed: int, marker: bool, now: float
    ) -> Stamp:
        self._timestamp += passed
        self._sequence += 1
        self._window.restart(packet_seq)
        self._window.mark(packet_seq)
        self._first, self._lead = packet_seq, self._sequence - packet_seq
        self._packet_timestamp, self._marked, self._sent_at = packet_ts, marker, now
        return _stamp(self._sequence, self._timestamp, marker)

    def _go_on(self, extended: int, step: int, marker: bool, now: float) -> Stamp | None:
        ahead = extended - self._window.top
        if extended < self._first or not self._window.mark(extended):
            return None
        begins = marker and not self._marked
        stamp = _stamp(extended + self._lead, self._timestamp + step, begins)
        if ahead > 0:
            self._sequence += ahead
            self._timestamp += step
            self._packet_timestamp += step
            self._marked, self._sent_at = marker, now
            if ahead == 1 and step <= _MAX_PACKET:
                self._samples = step
        return stamp


def _stamp(sequence: int, timestamp: int, marker: bool) -> Stamp:
    return Stamp(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, marker)
