"""A simulated sender, network and listener for the tests. Time is a number."""

import heapq
import struct
from collections import Counter
from dataclasses import dataclass, field

from stagebox.media.delay import Advice, Change, Pull
from stagebox.media.frames import FrameKind
from stagebox.media.jitter import JitterBuffer, Step
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST

RATE = 48_000
FRAME = 960
CUT = 120  # what the listener cuts or adds: the least that accelerate() and expand() do

_TOC = {480: 0x40, 960: 0x48, 1_920: 0x50, 2_880: 0x58}
_LBRR = {480: 0x40, 960: 0x40, 1_920: 0x20, 2_880: 0x10}


def payload(number: int = 0, samples: int = FRAME, fec: bool = True) -> bytes:
    """An Opus packet by its header alone, carrying its number."""
    flags = _LBRR[samples] if fec else 0
    return bytes([_TOC[samples], flags]) + struct.pack(">I", number)


def number_of(data: bytes) -> int:
    return int(struct.unpack(">I", data[2:6])[0])


@dataclass
class Sender:
    """Numbers packets as a talking box does."""

    ssrc: int = 1
    sequence: int = 65_000
    timestamp: int = 2**32 - 40_000
    samples: int = FRAME
    fec: bool = True
    sent: int = 0

    def packet(self, marker: bool = False, data: bytes | None = None) -> AudioPacket:
        data = payload(self.sent, self.samples, self.fec) if data is None else data
        made = AudioPacket(self.ssrc, self.sequence, self.timestamp, data, marker)
        self.sequence = (self.sequence + 1) % 2**16
        self.timestamp = (self.timestamp + self.samples) % 2**32
        self.sent += 1
        return made

    def end(self) -> AudioPacket:
        return self.packet(data=END_OF_BURST)

    def pause(self, seconds: float) -> None:
        self.timestamp = (self.timestamp + round(seconds * RATE)) % 2**32


@dataclass
class Listener:
    """Pulls 10 ms at a time from a bare jitter buffer, as a playout does."""

    buffer: JitterBuffer
    block: int = 480
    ready: int = 0
    quiet: bool = True  # whether there are gaps between the words
    steps: list[Step] = field(default_factory=list)

    def pull(self, now: float) -> list[Step]:
        fresh = []
        while self.ready < self.block:
            step = self.buffer.pull(Pull(now, self.ready / RATE, self.block / RATE))
            assert step.samples > 0
            length = step.samples - step.skip
            if step.kind is FrameKind.SILENCE:
                length = min(length, self.block - self.ready)
            elif step.kind in (FrameKind.REAL, FrameKind.FEC):
                length = self._changed(length, step.change)
            self.ready += length
            fresh.append(step)
        self.ready -= self.block
        self.steps += fresh
        return fresh

    def _changed(self, length: int, change: Change) -> int:
        match change.advice:
            case Advice.ACCELERATE if length >= CUT:
                return length - min(CUT, change.most)
            case Advice.TRIM if self.quiet and length >= CUT:
                return length - min(CUT, change.most)
            case Advice.HURRY:
                return length - min(length // 4, change.most)  # as hurry() does at the least
            case Advice.EXPAND:
                return length + CUT
            case Advice.PAD if self.quiet:
                return length + CUT
        return length

    @property
    def kinds(self) -> Counter[FrameKind]:
        return Counter(step.kind for step in self.steps)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the packets played as themselves, in order."""
        return [number_of(s.payload) for s in self.steps if s.kind is FrameKind.REAL]


class Network:
    """Packets in flight, by the time they arrive."""

    def __init__(self) -> None:
        self._flying: list[tuple[float, int, AudioPacket]] = []
        self._order = 0

    def send(self, packet: AudioPacket, arrival: float) -> None:
        heapq.heappush(self._flying, (arrival, self._order, packet))
        self._order += 1

    def arrived(self, now: float) -> list[tuple[AudioPacket, float]]:
        out = []
        while self._flying and self._flying[0][0] <= now:
            arrival, _, packet = heapq.heappop(self._flying)
            out.append((packet, arrival))
        return out


def run(network: Network, listener: Listener, start: float, seconds: float) -> float:
    """Deliver and pull every 10 ms; return the time after."""
    for tick in range(round(seconds * RATE / listener.block)):
        now = start + tick * listener.block / RATE
        for packet, arrival in network.arrived(now):
            listener.buffer.put(packet, arrival)
        listener.pull(now)
    return start + round(seconds * RATE / listener.block) * listener.block / RATE
