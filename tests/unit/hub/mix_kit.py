"""A space in simulated time: microphones that send each 20 ms, and what a member was sent."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from hub.media.routing import AudioCounts, SpaceAudio
from stagebox.media.frames import (
    BLOCK_SAMPLES,
    FRAME_S,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    FrameKind,
    Pcm,
)
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

BEGIN = 10.0


@dataclass(frozen=True)
class Got:
    """One packet that a member was sent."""

    at: float
    payload: bytes
    sequence: int
    timestamp: int
    marker: bool


@dataclass
class Ear:
    """A member's way out."""

    room: "Room"
    got: list[Got] = field(default_factory=list)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        self.got.append(Got(self.room.now, payload, sequence, timestamp, marker))
        return True

    def listen(self) -> tuple[Pcm, list[FrameKind]]:
        """Play what came, as a box does, until the last packet; say where the sound came from."""
        playout, waiting = Playout(), list(self.got)
        sound, kinds, now = [], [], waiting[0].at
        while waiting:
            while waiting and waiting[0].at <= now:
                got = waiting.pop(0)
                packet = AudioPacket(1, got.sequence, got.timestamp, got.payload, got.marker)
                playout.put(packet, got.at)
            played = playout.pull(BLOCK_SAMPLES, now)
            sound.append(played.pcm)
            kinds += played.kinds
            now += BLOCK_SAMPLES / SAMPLE_RATE
        return np.concatenate(sound), kinds

    def steps(self) -> tuple[set[int], set[int]]:
        """Return by how much the numbers and the timestamps went on."""
        return (
            {(b.sequence - a.sequence) % 2**16 for a, b in pairwise(self.got)},
            {(b.timestamp - a.timestamp) % 2**32 for a, b in pairwise(self.got)},
        )

    def longest_wait(self) -> float:
        """Return the longest time between two packets."""
        return max(b.at - a.at for a, b in pairwise(self.got))


class Mouth:
    """A microphone that says ``pcm``, frame by frame; ``phase`` is when within the 20 ms."""

    def __init__(self, name: str, pcm: Pcm, *, ssrc: int, phase: float = 0.0) -> None:
        self.name, self.phase = name, phase
        encoder = Encoder()
        self.packets = [
            AudioPacket(ssrc, n, n * FRAME_SAMPLES, encoder.encode(frame), marker=n == 0)
            for n, frame in enumerate(pcm.reshape(-1, FRAME_SAMPLES))
        ]


class Room:
    """Members who hear, and mouths that speak; the clock calls ``tick`` as a shell does."""

    def __init__(self, *ears: str) -> None:
        self.now = BEGIN
        self.frame = 0
        self.counts = AudioCounts()
        self.audio = SpaceAudio(sequence=5, timestamp=2**32 - 1_000, counts=self.counts)
        self.ears = {name: Ear(self) for name in ears}
        for name, ear in self.ears.items():
            self.audio.add_leg(name, ear.send)

    def play(self, frames: int, *mouths: Mouth, delays: dict[int, float] | None = None) -> None:
        """Let so many frames be sent; ``delays`` of the first mouth's, by number in this call.

        A packet that is delayed for ever (``inf``) is lost.
        """
        events: list[tuple[float, Mouth, AudioPacket]] = []
        for number in range(frames):
            at = BEGIN + (self.frame + number) * FRAME_S
            for mouth in mouths:
                late = (delays or {}).get(number, 0.0) if mouth is mouths[0] else 0.0
                when = at + mouth.phase + late
                events.append((when, mouth, mouth.packets[self.frame + number]))
        self.frame += frames
        for when, mouth, packet in sorted(events, key=lambda event: event[0]):
            if when < float("inf"):
                self.wait_until(when)
                self.audio.packet(mouth.name, packet, self.now)
        self.wait_until(BEGIN + self.frame * FRAME_S - 0.001)

    def wait_until(self, when: float) -> None:
        """Let time pass."""
        while (deadline := self.audio.deadline) is not None and deadline < when:
            self.now = max(self.now, deadline)
            self.audio.tick(self.now)
        self.now = max(self.now, when)


def tone(hertz: float, seconds: float, amplitude: float = 8_000) -> Pcm:
    """Return a sine."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def share(pcm: Pcm, hertz: float) -> float:
    """Return the amplitude of one frequency."""
    at = np.arange(pcm.size) / SAMPLE_RATE
    return float(abs(np.dot(pcm, np.exp(-2j * np.pi * hertz * at))) * 2 / pcm.size)


def levels(pcm: Pcm, hertz: float, begin: int, end: int) -> list[float]:
    """Return the amplitude of one frequency in each of some frames."""
    frames = (pcm[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES] for n in range(begin, end))
    return [share(frame, hertz) for frame in frames]
