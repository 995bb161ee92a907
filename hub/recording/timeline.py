"""Where in a recording each packet belongs. Pure.

All files of a recording share one clock: the hub's, less the dead air that was left out.
A talk burst begins where that clock stands when its first packet comes; inside it the
packets' own timestamps count, because they are exact and arrival is not. Positions are
samples at 48 kHz from the beginning of the recording.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from hub.recording.opusfile import silence
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.sequence import signed
from stagebox.media.toc import OpusError, is_end_of_burst, packet_samples

# Longer pauses are left out; this much of them stays, so that it is heard as a pause.
DEAD_AIR_S: Final = 2.0
# A packet that was overtaken is waited for this long or until so many are there: as long as
# a jitter buffer on a bad network waits.
_PATIENCE_S: Final = 0.1
_DEPTH: Final = 5
# So many lost frames a decoder conceals; beyond that it has faded to silence anyway.
_CONCEALED: Final = 5 * FRAME_SAMPLES
# Packets this near to each other's ends follow on each other.
_NEAR: Final = FRAME_SAMPLES // 2
# A TOC that says one frame, of which nothing follows.
_ONE_FRAME: Final = 0xFC
# Timestamps that went on by so much more or less than time did are another line's.
_OTHER_LINE_S: Final = 1.0
# Without a packet for so long a burst is over: a box that was cut off says no end.
SILENT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Dead air: ``seconds`` are missing at ``at``."""

    at: int
    seconds: float


class Clock:
    """Recording time. ``began_at``: the monotonic second at which position 0 is."""

    def __init__(self, began_at: float, quiet_until: float) -> None:
        # From which moment on position 0 would have been when, latest last.
        self._zeros: list[tuple[float, float]] = [(began_at, began_at)]
        self._busy = quiet_until

    def position(self, at: float) -> int:
        """Return the position of a moment; of one that was left out, where it would be."""
        later: float | None = None
        for since, zero in reversed(self._zeros):
            if at >= since:
                break
            later = since - zero
        else:
            return 0
        seconds = at - zero if later is None else min(at - zero, later)
        return max(0, round(seconds * SAMPLE_RATE))

    def sounds(self, at: float) -> Pause | None:
        """Note that there is sound at a moment; return the dead air that ends with it."""
        left_out = at - self._busy - DEAD_AIR_S
        self._busy = max(self._busy, at)
        if left_out <= 0:
            return None
        self._zeros.append((at, self._zeros[-1][1] + left_out))
        return Pause(self.position(at), left_out)


@dataclass(order=True, frozen=True, slots=True)
class _Waiting:
    """A packet at its position, that came at ``at``."""

    position: int
    at: float = field(compare=False)
    samples: int = field(compare=False)
    payload: bytes = field(compare=False)


@dataclass(slots=True)
class _Burst:
    """Where the newest packet of a talk burst is, in both counts."""

    timestamp: int
    position: int
    at: float
    marked: bool


@dataclass(slots=True)
class Counts:
    """What became of packets that are not in the file, and of gaps."""

    late: int = 0
    broken: int = 0
    concealed: int = 0


class Track:
    """One file's packets, in order and without gaps. ``end`` is where the next one begins.

    ``burst_from``: where the present talk burst began, None between bursts;
    ``burst_to``: where the last one ended.
    """

    def __init__(self, end: int = 0) -> None:
        self.end = end
        self.burst_from: int | None = None
        self.burst_to = end
        self.counts = Counts()
        self._burst: _Burst | None = None
        self._toc: int | None = None  # of the burst's last packet in the file
        self._waiting: list[_Waiting] = []

    def put(
        self, timestamp: int, payload: bytes, marker: bool, at: float, place: int
    ) -> list[bytes]:
        """Take a packet; return what is to be written now.

        ``place``: where it belongs if it is the first of a burst.
        """
        try:
            samples = packet_samples(payload)
        except OpusError:
            self.counts.broken += 1
            return []
        if is_end_of_burst(payload):  # it holds no sound; what follows is a pause
            return []
        written: list[bytes] = []
        burst = self._burst
        if burst is None or _is_new(burst, timestamp, marker, at):
            written = self.stop()
            position = max(place, self.end)
            burst = self._burst = _Burst(timestamp, position, at, marker)
            self.burst_from = position
        step = signed(timestamp - burst.timestamp, 32)
        waiting = _Waiting(burst.position + step, at, samples, payload)
        if step > 0:
            burst.timestamp, burst.position = timestamp, waiting.position
            burst.at, burst.marked = at, marker
        if waiting.position + _NEAR <= self.end or waiting in self._waiting:
            self.counts.late += 1
        else:
            insort(self._waiting, waiting)
        return written + list(self._ready(at))

    def tick(self, now: float) -> list[bytes]:
        """Return what is not to be waited for any longer."""
        if self._burst is not None and now - self._burst.at > SILENT_S:
            return self.stop()
        return list(self._ready(now))

    def stop(self) -> list[bytes]:
        """End the burst, if there is one; return what is left of it."""
        written: list[bytes] = []
        if self._burst is None:
            return written
        while self._waiting:
            written += self._next(self._burst)
        self._burst, self.burst_from, self._toc = None, None, None
        self.burst_to = self.end
        return written

    # --- private --------------------------------------------------------------

    def _ready(self, now: float) -> Iterator[bytes]:
        while self._burst and self._waiting and self._may_go(self._waiting[0], now):
            yield from self._next(self._burst)

    def _may_go(self, first: _Waiting, now: float) -> bool:
        fits = first.position - self.end < _NEAR or self._toc is None
        return fits or len(self._waiting) > _DEPTH or now - first.at > _PATIENCE_S

    def _next(self, burst: _Burst) -> list[bytes]:
        """Return the first that waits, and before it what is missing."""
        first = self._waiting.pop(0)
        written = self._fill(first.position - self.end)
        self._shift(burst, self.end - first.position)
        written.append(first.payload)
        self.end += first.samples
        self._toc = first.payload[0]
        return written

    def _shift(self, burst: _Burst, samples: int) -> None:
        """Let what follows be where it follows: gaps are filled by whole frames only."""
        burst.position += samples
        if self._toc is None:
            self.burst_from = self.end
        self._waiting = [replace(each, position=each.position + samples) for each in self._waiting]

    def _fill(self, gap: int) -> list[bytes]:
        """Return packets for a gap, to the nearest whole frame.

        Inside a burst a packet of no bytes has the decoder conceal a frame (RFC 7845,
        section 4.1).
        """
        missing = max(0, round(gap / FRAME_SAMPLES)) * FRAME_SAMPLES
        self.end += missing
        toc = self._toc
        if toc is None or missing > _CONCEALED:
            return list(silence(missing))
        lost = bytes([toc & _ONE_FRAME])
        count, rest = divmod(missing, packet_samples(lost))
        self.counts.concealed += count
        return [lost] * count + list(silence(rest))


def _is_new(burst: _Burst, timestamp: int, marker: bool, at: float) -> bool:
    """Say whether such a packet begins another burst (aiortc marks every packet)."""
    step = signed(timestamp - burst.timestamp, 32)
    if abs(step / SAMPLE_RATE - (at - burst.at)) > _OTHER_LINE_S:
        return True
    return marker and not burst.marked and step > 0
