"""The receive chains that are compared: packets in, samples out, on simulated time.

A player pulls 10 ms at a time from either, and gets silence where there is nothing:
this is the least that a listener waits with that chain.
"""

import time
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpreceiver import TimestampMapper
from aiortc.rtp import RtpPacket
from av.audio.frame import AudioFrame

from stagebox.media.frames import BLOCK_SAMPLES, SAMPLE_RATE, FrameKind, Pcm, silence
from stagebox.media.opus import Decoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE

_PAYLOAD_TYPE = 96
# As aiortc.rtcrtpreceiver makes it for audio.
_CAPACITY, _PREFETCH = 16, 4
_STEREO = 2
_RECEIVED = (FrameKind.REAL, FrameKind.FEC)


class Chain(Protocol):
    """A receive chain; ``heard`` holds when each frame of the voice was first played."""

    heard: dict[int, float]

    @property
    def rebuilt(self) -> int: ...
    def put(self, packet: AudioPacket, now: float) -> None: ...
    def pull(self, now: float) -> tuple[int | None, Pcm]: ...


class _TracingDecoder(Decoder):
    """The decoder of the house, which also says which frame it decoded last."""

    def __init__(self, payloads: tuple[bytes, ...]) -> None:
        super().__init__()
        self._numbers = {payload: number for number, payload in enumerate(payloads)}
        if len(self._numbers) < len(payloads):
            raise ValueError("two frames have the same packet and cannot be told apart")
        self.decoded: list[int] = []

    def decode(self, payload: bytes) -> Pcm:
        self.decoded.append(self._numbers[payload])
        return super().decode(payload)

    def decode_fec(self, payload: bytes, samples: int) -> Pcm:
        self.decoded.append(self._numbers[payload] - 1)
        return super().decode_fec(payload, samples)


class StageboxChain:
    """``Playout`` as it stands."""

    def __init__(self, payloads: tuple[bytes, ...]) -> None:
        self._decoder = _TracingDecoder(payloads)
        self._playout = Playout(decoder=self._decoder)
        self._sounding: int | None = None
        self.heard: dict[int, float] = {}

    @property
    def rebuilt(self) -> int:
        """Frames played from in-band FEC so far."""
        return self._playout.stats.jitter.fec

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take a packet as it arrives."""
        self._playout.put(packet, now)

    def pull(self, now: float) -> tuple[int | None, Pcm]:
        """Return the next 10 ms and the frame that sounds at their end, if one does."""
        self._decoder.decoded.clear()
        played = self._playout.pull(BLOCK_SAMPLES, now)
        for number in self._decoder.decoded:
            self.heard.setdefault(number, now)
            self._sounding = number
        if played.kinds and played.kinds[-1] not in _RECEIVED:
            self._sounding = None
        return self._sounding, played.pcm


class StockChain:
    """The library's own parts, joined as its receiver joins them, without its threads."""

    def __init__(self, payloads: tuple[bytes, ...]) -> None:
        self._numbers = {payload: number for number, payload in enumerate(payloads)}
        self._buffer = JitterBuffer(capacity=_CAPACITY, prefetch=_PREFETCH)
        self._mapper = TimestampMapper()
        self._decoder = OpusDecoder()
        self._frames: deque[tuple[int, Pcm]] = deque()
        self._ready = silence(0)
        self._sounding: int | None = None
        self.heard: dict[int, float] = {}

    @property
    def rebuilt(self) -> int:
        """Frames played from in-band FEC: the library never asks its decoder for any."""
        return 0

    def put(self, packet: AudioPacket, now: float) -> None:  # noqa: ARG002 - it knows no clock
        """Take a packet as it arrives; a frame that this completes is decoded at once."""
        rtp = RtpPacket(
            payload_type=_PAYLOAD_TYPE,
            marker=int(packet.marker),
            sequence_number=packet.sequence,
            timestamp=packet.timestamp,
            ssrc=packet.ssrc,
            payload=packet.payload,
        )
        rtp._data = packet.payload  # type: ignore[attr-defined]
        _, frame = self._buffer.add(rtp)
        if frame is None:
            return
        frame.timestamp = self._mapper.map(frame.timestamp)
        for decoded in self._decoder.decode(frame):
            assert isinstance(decoded, AudioFrame)
            left = decoded.to_ndarray().reshape(-1, _STEREO)[:, 0].astype(np.int16)
            self._frames.append((self._numbers[frame.data], left))

    def pull(self, now: float) -> tuple[int | None, Pcm]:
        """Return the next 10 ms of its queue, or silence where that is empty."""
        if self._ready.size < BLOCK_SAMPLES:
            if not self._frames:
                return None, silence(BLOCK_SAMPLES)
            self._sounding, self._ready = self._frames.popleft()
            self.heard.setdefault(self._sounding, now)
        block, self._ready = self._ready[:BLOCK_SAMPLES], self._ready[BLOCK_SAMPLES:]
        return self._sounding, block


def drive(
    chain: "Chain | Clocked", arrivals: Iterable[tuple[float, AudioPacket]], until: float
) -> tuple[list[int | None], Pcm]:
    """Play packets as they arrive; return the frame that each 10 ms are of, and the sound."""
    numbers, sound, waiting = [], [], deque(arrivals)
    for tick in range(round(until / BLOCK_S)):
        now = tick * BLOCK_S
        while waiting and waiting[0][0] <= now:
            at, packet = waiting.popleft()
            chain.put(packet, at)
        number, pcm = chain.pull(now)
        numbers.append(number)
        sound.append(pcm)
    return numbers, np.concatenate(sound)


class Clocked:
    """A chain and the CPU time that it takes."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.cpu_s = 0.0

    def put(self, packet: AudioPacket, now: float) -> None:
        """As the chain's, on the clock."""
        before = time.process_time()
        self.chain.put(packet, now)
        self.cpu_s += time.process_time() - before

    def pull(self, now: float) -> tuple[int | None, Pcm]:
        """As the chain's, on the clock."""
        before = time.process_time()
        played = self.chain.pull(now)
        self.cpu_s += time.process_time() - before
        return played
