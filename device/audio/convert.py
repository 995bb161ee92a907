"""Between a device's own rate and channels and the house's 48 kHz mono.

At 48 kHz only the channels differ, which is arithmetic. At another rate PyAV's
resampler does the work; it keeps a few samples to itself, so what comes out of
one call is not exactly what went in; over time it is.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from device.audio.ports import SAMPLE_RATE

_LAYOUT: Final = {1: "mono", 2: "stereo"}

Convert = Callable[[bytes], bytes]


def from_device(rate: int, channels: int) -> Convert:
    """Return what turns a microphone's int16 samples (1 or 2 channels) into 48 kHz mono."""
    if rate != SAMPLE_RATE:
        return _resampler((rate, channels), (SAMPLE_RATE, 1))
    return _same if channels == 1 else _average


def to_device(rate: int, channels: int) -> Convert:
    """Return what turns 48 kHz mono into a loudspeaker's int16 samples."""
    if rate != SAMPLE_RATE:
        return _resampler((SAMPLE_RATE, 1), (rate, channels))
    return _same if channels == 1 else _both


def packed(frame: Any, bytes_per_sample: int) -> bytes:  # noqa: ANN401 - an av.AudioFrame
    """Return a frame's samples without the padding that PyAV keeps after them."""
    return bytes(frame.planes[0])[: frame.samples * bytes_per_sample]


def _same(pcm: bytes) -> bytes:
    return pcm


def _average(pcm: bytes) -> bytes:
    pairs = np.frombuffer(pcm, np.int16).reshape(-1, 2).astype(np.int32)
    halves = (pairs[:, 0] + pairs[:, 1]) >> 1
    return halves.astype(np.int16).tobytes()


def _both(pcm: bytes) -> bytes:
    return np.repeat(np.frombuffer(pcm, np.int16), 2).tobytes()


def _resampler(source: tuple[int, int], target: tuple[int, int]) -> Convert:
    from av import AudioFrame, AudioResampler  # noqa: PLC0415 - slow to import, rarely needed

    rate, channels = source
    resampler = AudioResampler("s16", _LAYOUT[target[1]], target[0])

    def convert(pcm: bytes) -> bytes:
        frame = AudioFrame("s16", _LAYOUT[channels], len(pcm) // (2 * channels))
        frame.planes[0].update(pcm)
        frame.sample_rate = rate
        return b"".join(packed(out, 2 * target[1]) for out in resampler.resample(frame))

    return convert
