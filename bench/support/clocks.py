"""Two sound cards that disagree about a second, a network between them, and hours of it.

Time is a number: seconds of the receiver's monotonic clock. The sender's RTP timestamps
follow its card, the receiver's pulls follow its own. Packets have headers and no sound;
what a playout would do to frames is done to their lengths.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from aiortc.jitterbuffer import JitterBuffer as StockBuffer
from aiortc.rtp import RtpPacket

from stagebox.media.delay import Advice, Change, Pace, Pull
from stagebox.media.frames import (
    BLOCK_SAMPLES,
    FRAME_S,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    FrameKind,
)
from stagebox.media.jitter import JitterBuffer
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST

BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
_MINUTE_S: Final = 60.0

# A packet of SILK, wide band, 20 ms, that says it holds FEC data.
_PAYLOAD: Final = b"\x48\x40 no sound"
_FIRST_STAMP: Final = 4_294_000_000  # wraps within the first minute
# A LAN: most packets take as long as ever, some wait for others.
_JITTER_S: Final = 0.0005
# A voice of 160 Hz: what is cut out of speech, or repeated, is one of its periods.
_PERIOD: Final = 300
_ACCEPTS: Final = 720  # in a gap between words any length can go, up to 15 ms at once
# Somebody who speaks pauses for a third of a second after some three seconds.
_WORDS: Final = 150
_GAP: Final = 17
# As aiortc.rtcrtpreceiver makes it for audio.
_CAPACITY: Final = 16
_PREFETCH: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A sender and a receiver whose cards are fast by so many parts in a million.

    ``talk`` says that there are gaps between words, ``burst_s`` and ``pause_s`` that the
    talker lets go of the button now and then; else it is one burst to the end.
    """

    name: str
    sender_ppm: float = 0.0
    receiver_ppm: float = 0.0
    talk: bool = False
    burst_s: float = 0.0
    pause_s: float = 0.0
    loss: float = 0.0

    def drift_s(self, seconds: float) -> float:
        """Return by how much sound the two cards differ after that time."""
        return seconds * (self.sender_ppm - self.receiver_ppm) / 1e6

    def sent(self, seconds: float) -> Iterator[tuple[float, AudioPacket]]:
        """Yield when each packet arrives, and the packet."""
        rng, step = random.Random(1), FRAME_S / (1 + self.sender_ppm / 1e6)
        burst = round(self.burst_s / FRAME_S) or round(2 * seconds / FRAME_S)
        sequence, slot, before = 65_000, 0, 0.0
        while slot * step < seconds:
            for number in range(burst):
                sequence, slot = sequence + 1, slot + 1
                # No packet of a LAN overtakes another.
                before = max(before, slot * step + rng.expovariate(1 / _JITTER_S))
                if rng.random() >= self.loss:
                    stamp = (_FIRST_STAMP + slot * FRAME_SAMPLES) & 0xFFFFFFFF
                    yield before, AudioPacket(1, sequence & 0xFFFF, stamp, _PAYLOAD, number == 0)
            sequence, slot = sequence + 1, slot + 1
            stamp = (_FIRST_STAMP + slot * FRAME_SAMPLES) & 0xFFFFFFFF
            before = max(before, slot * step)
            yield before, AudioPacket(1, sequence & 0xFFFF, stamp, END_OF_BURST)
            slot += round(self.pause_s / FRAME_S)


@dataclass(slots=True)
class Course:
    """How it went. Delays are of each minute, in seconds: the least and the greatest."""

    delays: list[tuple[float, float]] = field(default_factory=list)
    most_held_s: float = 0.0
    in_gaps: int = 0
    in_speech: int = 0
    cut_s: float = 0.0
    added_s: float = 0.0
    concealed: int = 0

    @property
    def corrections(self) -> int:
        """All frames that were made shorter or longer."""
        return self.in_gaps + self.in_speech

    def note(self, now: float, delay: float, held: float) -> None:
        """Take in the delay of a frame and what is held."""
        minute = int(now / _MINUTE_S)
        while len(self.delays) <= minute:
            self.delays.append((delay, delay))
        least, greatest = self.delays[minute]
        self.delays[minute] = min(least, delay), max(greatest, delay)
        self.most_held_s = max(self.most_held_s, held)


class Ear(Protocol):
    """What takes packets and is asked for 10 ms at a time."""

    def put(self, packet: AudioPacket, now: float) -> None: ...
    def pull(self, now: float) -> None: ...


class StageboxEar:
    """The jitter buffer of the house, with a playout that changes lengths alone."""

    def __init__(self, line: Line) -> None:
        self.course = Course()
        self._buffer = JitterBuffer()
        self._pace = Pace()
        self._talk = line.talk
        self._ready = 0
        self._played = 0

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take a packet as it arrives."""
        self._buffer.put(packet, now)

    def pull(self, now: float) -> None:
        """Play 10 ms."""
        block = self._pace.note(now, BLOCK_S)
        while self._ready < BLOCK_SAMPLES:
            step = self._buffer.pull(Pull(now, self._ready / SAMPLE_RATE, block))
            length = step.samples - step.skip
            if step.kind is FrameKind.SILENCE:
                length = BLOCK_SAMPLES - self._ready
            elif step.kind is FrameKind.PLC:
                self.course.concealed += 1
            else:
                self._played += 1
                length += self._changed(step.change)
                held = self._buffer.depth_s + self._ready / SAMPLE_RATE
                self.course.note(now, self._buffer.stats.delay_ms / 1e3, held)
            self._ready += length
        self._ready -= BLOCK_SAMPLES

    def _changed(self, change: Change) -> int:
        """Return by how many samples a playout would change this frame's length."""
        if change.advice is Advice.NORMAL:
            return 0
        quiet = self._talk and self._played % _WORDS < _GAP
        if change.advice in (Advice.TRIM, Advice.PAD) and not quiet:
            return 0
        samples = min(change.most, _ACCEPTS if quiet else _PERIOD)
        self.course.in_gaps += quiet
        self.course.in_speech += not quiet
        if change.advice in (Advice.PAD, Advice.EXPAND):
            self.course.added_s += samples / SAMPLE_RATE
            return samples
        self.course.cut_s += samples / SAMPLE_RATE
        return -samples


class StockEar:
    """The library's jitter buffer and the queue behind it, without decoding."""

    def __init__(self, line: Line) -> None:
        self.course = Course()
        self._step = FRAME_S / (1 + line.sender_ppm / 1e6)
        self._buffer = StockBuffer(capacity=_CAPACITY, prefetch=_PREFETCH)
        self._frames: deque[int] = deque()
        self._first: int | None = None
        self._half = False

    def put(self, packet: AudioPacket, now: float) -> None:  # noqa: ARG002 - it knows no clock
        """Take a packet as it arrives; a frame that this completes goes into the queue."""
        rtp = RtpPacket(sequence_number=packet.sequence, timestamp=packet.timestamp)
        rtp._data = packet.payload  # type: ignore[attr-defined]
        _, frame = self._buffer.add(rtp)
        if self._first is None:
            self._first = packet.timestamp - FRAME_SAMPLES  # the first slot is number 1
        if frame is not None:
            self._frames.append((frame.timestamp - self._first) % 2**32 // FRAME_SAMPLES)

    def pull(self, now: float) -> None:
        """Play 10 ms: half a frame."""
        if self._half:
            self._half = False
        elif self._frames:
            sent = self._frames.popleft() * self._step
            self._half = True
            self.course.note(now, now - sent, len(self._frames) * FRAME_S)
        else:
            self.course.concealed += 1


def run(ear: Ear, line: Line, seconds: float) -> None:
    """Let that much time pass on the line."""
    block = BLOCK_S / (1 + line.receiver_ppm / 1e6)
    packets = line.sent(seconds)
    arrival, packet = next(packets)
    for tick in range(round(seconds / block)):
        now = tick * block
        while arrival <= now:
            ear.put(packet, arrival)
            arrival, packet = next(packets, (seconds + 1.0, packet))
        ear.pull(now)
