"""A telephone's codings, both ways: payloads here, frames of 20 ms at 48 kHz there."""

from typing import Final, Protocol

import numpy as np

from hub.telephone.rates import Down, Law, Up, a_law, mu_law
from hub.telephone.sdp import Coding
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder

_NARROW: Final = 6  # 48 kHz over 8
_WIDE: Final = 3  # 48 kHz over 16
_WIDE_RATE: Final = 16_000
# What a line to a telephone gets: between good and as good as it can hear.
_BITRATE: Final = 32_000


class Voice(Protocol):
    """One coding of one call. Opus has no ``decode``: it goes through as it came.

    ``still``: a frame of silence that fits after any other; empty: each has to be coded.
    """

    clock: int
    still: bytes

    def encode(self, pcm: Pcm) -> bytes:
        """Return the payload of one frame."""

    def decode(self, payload: bytes) -> Pcm:
        """Return a payload's samples at 48 kHz; none: it is no sound."""


class Narrow:
    """G.711."""

    clock = 8_000

    def __init__(self, law: Law) -> None:
        self._law = law
        self.still = law.encode(np.zeros(FRAME_SAMPLES // _NARROW, np.int16))
        self._up, self._down = Up(_NARROW), Down(_NARROW)

    def encode(self, pcm: Pcm) -> bytes:
        """See ``Voice``."""
        return self._law.encode(self._down.take(pcm))

    def decode(self, payload: bytes) -> Pcm:
        """See ``Voice``."""
        return self._up.take(self._law.decode(payload))


class Wide:
    """G.722, by FFmpeg."""

    clock = 8_000
    still = b""  # each frame builds on the one before

    def __init__(self) -> None:
        # Takes a moment and 40 MB that a hub without telephones does not need.
        import av  # noqa: PLC0415

        self._av = av
        self._up, self._down = Up(_WIDE), Down(_WIDE)
        self._encoder = av.AudioCodecContext.create("g722", "w")
        self._decoder = av.AudioCodecContext.create("g722", "r")
        for each in (self._encoder, self._decoder):
            each.sample_rate, each.layout, each.format = _WIDE_RATE, "mono", "s16"
            each.open()

    def encode(self, pcm: Pcm) -> bytes:
        """See ``Voice``."""
        low = self._down.take(pcm).reshape(1, -1)
        frame = self._av.AudioFrame.from_ndarray(low, format="s16", layout="mono")
        frame.sample_rate = _WIDE_RATE
        return b"".join(bytes(packet) for packet in self._encoder.encode(frame))

    def decode(self, payload: bytes) -> Pcm:
        """See ``Voice``."""
        frames = self._decoder.decode(self._av.Packet(payload))
        parts = [frame.to_ndarray().reshape(-1) for frame in frames]
        return self._up.take(np.concatenate(parts)) if parts else np.zeros(0, np.int16)


class Full:
    """Opus."""

    clock = 48_000

    def __init__(self) -> None:
        self._encoder = Encoder(bitrate=_BITRATE)
        self.still = self._encoder.encode(np.zeros(FRAME_SAMPLES, np.int16))

    def encode(self, pcm: Pcm) -> bytes:
        """See ``Voice``."""
        return self._encoder.encode(pcm)

    def decode(self, payload: bytes) -> Pcm:
        """See ``Voice``: what is Opus already is never asked for."""
        raise AssertionError(f"{len(payload)} bytes of Opus go through as they are")


def voice_for(coding: Coding) -> Voice:
    """Return a new voice of a coding."""
    match coding:
        case Coding.OPUS:
            return Full()
        case Coding.G722:
            return Wide()
        case Coding.PCMU:
            return Narrow(mu_law())
        case Coding.PCMA:
            return Narrow(a_law())


def ticks(voice: Voice) -> int:
    """Return how long a frame is in a coding's own clock."""
    return FRAME_SAMPLES * voice.clock // 48_000
