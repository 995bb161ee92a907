"""Mixers to compare: the plain one that most conferences begin with, and both ways to a listener.

The plain mixer adds int16 and clips; its path decodes each talker behind a jitter buffer,
mixes by a clock of its own, and starts its codecs when a second talker comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

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
from stagebox.media.jitter import JitterConfig
from stagebox.media.mixing import Mix
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

BEGIN: Final = 10.0
_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
# Two frames: what a mixer holds that has to be ready at its own clock's next tick.
_PLAIN_BUFFER: Final = JitterConfig(start_s=0.040, floor_s=0.040, ceiling_s=0.040)


class PlainMixer:
    """The sum of all, less one for each who talks, each cut off at the end of the scale."""

    def mix(self, frames: Mapping[str, Pcm]) -> Mix:
        """Mix one frame of each talker."""
        voices = np.stack(list(frames.values())).astype(np.int32)
        total = voices.sum(axis=0)
        clipped = np.clip(np.vstack((total, total - voices)), -32_768, 32_767).astype(np.int16)
        return Mix(clipped[0], dict(zip(frames, clipped[1:], strict=True)))


class Path(Protocol):
    """The way from talkers to one listener."""

    @property
    def deadline(self) -> float | None: ...
    def open(self, member_id: str) -> None: ...
    def close(self, member_id: str) -> None: ...
    def packet(self, member_id: str, packet: AudioPacket, now: float) -> None: ...
    def tick(self, now: float) -> None: ...


@dataclass(slots=True)
class Got:
    """What the listener was sent, with the time."""

    now: float = BEGIN
    packets: list[tuple[float, AudioPacket]] = field(default_factory=list)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        packet = AudioPacket(1, sequence, timestamp, payload, marker)
        self.packets.append((self.now, packet))
        return True


class PlainPath:
    """Forwards one talker; mixes two or more by its own clock."""

    def __init__(self, got: Got) -> None:
        self._got = got
        self._playouts: dict[str, Playout] = {}
        self._encoder = Encoder()
        self._mixer = PlainMixer()
        self._sent = 0
        self._first = False
        self.deadline: float | None = None

    def open(self, member_id: str) -> None:
        self._playouts[member_id] = Playout(_PLAIN_BUFFER)
        if len(self._playouts) == 2:
            self._encoder.reset()
            self._first, self.deadline = True, self._got.now + FRAME_S / 2

    def close(self, member_id: str) -> None:
        del self._playouts[member_id]
        if len(self._playouts) < 2 and self.deadline is not None:
            self._first, self.deadline = True, None

    def packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        if self.deadline is None:
            self._send(packet.payload, packet.marker)
        else:
            self._playouts[member_id].put(packet, now)

    def tick(self, now: float) -> None:
        frames = {name: each.pull(FRAME_SAMPLES, now).pcm for name, each in self._playouts.items()}
        self._send(self._encoder.encode(self._mixer.mix(frames).full), marker=False)
        self.deadline = (self.deadline or now) + FRAME_S

    def _send(self, payload: bytes, marker: bool) -> None:
        self._sent += 1
        timestamp = round((self._got.now - BEGIN) * SAMPLE_RATE)
        marker, self._first = marker or self._first, False
        self._got.send(payload, self._sent, timestamp, marker)


def stagebox_path(got: Got) -> Path:
    """Return the hub's own way."""
    audio = SpaceAudio(sequence=1, timestamp=0, counts=AudioCounts())
    audio.add_leg("listener", got.send)
    return audio


@dataclass(frozen=True, slots=True)
class Mouth:
    """Who talks, from which frame to which, and at which moment within each 20 ms."""

    name: str
    payloads: list[bytes]
    begin: int
    end: int
    phase: float = 0.0


def send(path: Path, got: Got, mouths: list[Mouth]) -> None:
    """Let all say what they have to say; time is simulated."""
    events: list[tuple[float, int, Mouth, int]] = []
    for mouth in mouths:
        start = BEGIN + mouth.phase
        events.append((start + mouth.begin * FRAME_S - 0.001, 0, mouth, 0))
        events.append((start + mouth.end * FRAME_S - 0.001, 2, mouth, 0))
        events += [(start + n * FRAME_S, 1, mouth, n) for n in range(mouth.begin, mouth.end)]
    for at, kind, mouth, number in sorted(events, key=lambda event: event[:2]):
        while (deadline := path.deadline) is not None and deadline < at:
            got.now = max(got.now, deadline)
            path.tick(got.now)
        got.now = at
        if kind == 0:
            path.open(mouth.name)
        elif kind == 2:
            path.close(mouth.name)
        else:
            path.packet(mouth.name, _packet(mouth, number), at)


def listen(got: Got) -> tuple[Pcm, list[bool]]:
    """Play what came as a box does; say of each 10 ms whether nothing was there to play."""
    playout, waiting = Playout(), list(got.packets)
    sound, missing, now = [], [], BEGIN
    while waiting:
        while waiting and waiting[0][0] <= now:
            at, packet = waiting.pop(0)
            playout.put(packet, at)
        played = playout.pull(BLOCK_SAMPLES, now)
        sound.append(played.pcm)
        missing.append(bool({FrameKind.PLC, FrameKind.SILENCE}.intersection(played.kinds)))
        now += _BLOCK_S
    return np.concatenate(sound), missing


def _packet(mouth: Mouth, number: int) -> AudioPacket:
    return AudioPacket(
        len(mouth.name),
        number,
        number * FRAME_SAMPLES,
        mouth.payloads[number],
        number == mouth.begin,
    )
