"""The hub's routing of sound, driven as the hub drives it, without its control side."""

import asyncio
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.support.senders import LeanSenders, timed
from bench.support.voice import packets, speech
from hub.media.routing import AudioCounts, SpaceAudio
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Decoder, Encoder
from stagebox.media.rtp import AudioPacket

Send = Callable[[bytes, int, int, bool], bool]

# Any later sound would do: two talkers should not say the same thing.
_APART_S = 0.7
_ROUTED_SPEECH_S = 1.0
# Between two frames, so that receivers on the other core keep up.
_PAUSE_S = 0.003


class Counter:
    """A leg that only counts: the least that a member can cost."""

    def __init__(self) -> None:
        self.taken = 0

    def send(self, _payload: bytes, _sequence: int, _timestamp: int, _marker: bool) -> bool:
        """Count one packet."""
        self.taken += 1
        return True


class Talker:
    """A microphone that talks without end, ``late_s`` into the speech."""

    def __init__(self, name: str, ssrc: int, pcm_s: float, late_s: float = 0.0) -> None:
        self.name = name
        self._ssrc = ssrc
        voice = speech(pcm_s + late_s)[round(late_s * SAMPLE_RATE) :]
        self._payloads = packets(voice)
        self._number = 0

    def packet(self) -> AudioPacket:
        """Return the next packet."""
        number = self._number
        self._number += 1
        return AudioPacket(
            ssrc=self._ssrc,
            sequence=number & 0xFFFF,
            timestamp=number * FRAME_SAMPLES & 0xFFFFFFFF,
            payload=self._payloads[number % len(self._payloads)],
            marker=number == 0,
        )


def space(talkers: list[Talker], listeners: list[Send]) -> SpaceAudio:
    """Make a space in which ``talkers`` have the floor; a talker's own leg counts."""
    audio = SpaceAudio(sequence=1, timestamp=1, counts=AudioCounts())
    for number, send in enumerate(listeners):
        audio.add_leg(f"listener-{number}", send)
    for talker in talkers:
        audio.add_leg(talker.name, Counter().send)
        audio.open(talker.name)
    return audio


class Routing:
    """One talker, ``count`` members who cost nothing: the routing alone."""

    def __init__(self, count: int) -> None:
        self._counters = [Counter() for _ in range(count)]
        self._sends: list[Send] = [counter.send for counter in self._counters]
        self._talker = Talker("talker", 1, _ROUTED_SPEECH_S)
        self._audio = space([self._talker], self._sends)
        self._now = 0.0

    @property
    def taken(self) -> int:
        """Packets that members got."""
        return sum(counter.taken for counter in self._counters)

    def cost(self, frames: int) -> float:
        """Return the CPU seconds of routing so many frames."""
        given = [self._talker.packet() for _ in range(frames)]
        before = time.process_time()
        for packet in given:
            self._now += FRAME_S
            self._audio.packet(self._talker.name, packet, self._now)
        return time.process_time() - before

    def limit_cost(self, frames: int) -> float:
        """Return the CPU seconds of calling each member's function and nothing else."""
        payload, sends = bytes(80), self._sends
        before = time.process_time()
        for number in range(frames):
            for send in sends:
                send(payload, number, number, False)
        return time.process_time() - before


class Mixing:
    """Several talkers, and members who cost nothing and hear the mix."""

    def __init__(self, talkers: list[Talker], listeners: int) -> None:
        self._talkers = talkers
        self._audio = space(talkers, [Counter().send for _ in range(listeners)])
        self._decoders = [Decoder() for _ in talkers]
        self._encoders = [Encoder() for _ in range(len(talkers) + 1)]
        self._now = 0.0

    def cost(self, ticks: int) -> list[float]:
        """Return the CPU seconds of each tick, the packets of its frame included."""
        return [self._tick() for _ in range(ticks)]

    def limit_cost(self, ticks: int) -> list[float]:
        """Return the CPU seconds of libopus alone: each voice decoded, each mix encoded."""
        return [self._codec() for _ in range(ticks)]

    def _tick(self) -> float:
        given = [(talker.name, talker.packet()) for talker in self._talkers]
        self._now += FRAME_S
        before = time.process_time()
        for name, packet in given:
            self._audio.packet(name, packet, self._now)
        self._audio.tick(self._now)
        return time.process_time() - before

    def _codec(self) -> float:
        given = [talker.packet().payload for talker in self._talkers]
        start = time.process_time()
        heard = [
            decoder.decode(payload) for decoder, payload in zip(self._decoders, given, strict=True)
        ]
        decoding = time.process_time() - start
        # Dense sound takes longer to encode, so it has to be the same mixes.
        voices = np.stack(heard).astype(np.int32)
        full = voices.sum(axis=0)
        mixes = np.clip(np.vstack((full, full - voices)), -32_768, 32_767).astype(np.int16)
        start = time.process_time()
        for encoder, frame in zip(self._encoders, mixes, strict=True):
            encoder.encode(frame)
        return decoding + time.process_time() - start


def talkers(count: int, seconds: float) -> list[Talker]:
    """Return so many talkers who say different things."""
    return [Talker(f"talker-{n}", n + 1, seconds, n * _APART_S) for n in range(count)]


class HubSenders(LeanSenders):
    """The hub's routing into real connections."""

    async def hub_cost(
        self, frames: int, listeners: int, pause: float = _PAUSE_S
    ) -> dict[str, list[float]]:
        """Send so many frames to the first ``listeners``, as the hub and by the bare path."""
        ours = partial(self._route, self._space(listeners))
        bare = partial(self.send_bare, self.paths[:listeners])
        return await timed(frames, pause, stagebox=ours, limit=bare)

    async def paced_cost(self, frames: int, listeners: int) -> float:
        """Route frames at their real pace; return the CPU seconds of everything meanwhile.

        Everything: the loop's wake-ups, RTCP both ways and ICE checks of all connections,
        those of members who get no sound included.
        """
        audio, loop = self._space(listeners), asyncio.get_running_loop()
        due, before = loop.time(), time.process_time()
        for _ in range(frames):
            await self._route(audio)
            due += FRAME_S
            await asyncio.sleep(due - loop.time())
        return time.process_time() - before

    def _space(self, listeners: int) -> SpaceAudio:
        # On an old connection the numbers must go on: SRTP takes none twice.
        audio = SpaceAudio(sequence=self.number + 1, timestamp=1, counts=AudioCounts())
        for number, peer in enumerate(self.peers[:listeners]):
            audio.add_leg(f"listener-{number}", peer.send)
        audio.open("talker")
        return audio

    async def _route(self, audio: SpaceAudio) -> None:
        payload = self.next_payload()
        packet = AudioPacket(
            ssrc=1,
            sequence=self.number & 0xFFFF,
            timestamp=self.number * FRAME_SAMPLES & 0xFFFFFFFF,
            payload=payload,
        )
        audio.packet("talker", packet, asyncio.get_running_loop().time())
        await asyncio.sleep(0)
