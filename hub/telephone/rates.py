"""Between the hub's 48 kHz and a telephone's 8 or 16 kHz, and G.711's two laws. Pure numpy.

The filter is a windowed sinc (Kaiser), taken apart into phases: 1.5 ms of delay, and what
would fold back into the band is 50 dB down.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import SAMPLE_RATE, Pcm

Floats = NDArray[np.float32]

_DELAY_S: Final = 0.0015
_KAISER: Final = 5.0  # 53 dB
# Of half the lower rate: room for the filter's slope.
_PASSED: Final = 0.92
_LOUDEST: Final = 32_767


@cache
def _filter(factor: int) -> Floats:
    """Return the low-pass for a change by ``factor``, its gain one at 48 kHz."""
    length = 2 * round(_DELAY_S * SAMPLE_RATE)
    at = np.arange(length) - (length - 1) / 2
    cut = _PASSED / factor
    taps = np.sinc(at * cut) * np.kaiser(length, _KAISER)
    whole: Floats = (taps / taps.sum()).astype(np.float32)
    return whole


class Up:
    """From a lower rate to 48 kHz, in blocks of any length."""

    def __init__(self, factor: int) -> None:
        taps = _filter(factor) * factor
        # One row for each sample that comes out between two that went in, newest first.
        self._phases = taps.reshape(-1, factor)[::-1].copy()
        self._before = np.zeros(self._phases.shape[0] - 1, np.float32)

    def take(self, pcm: Pcm) -> Pcm:
        """Return the next samples at 48 kHz."""
        whole = np.concatenate((self._before, pcm.astype(np.float32)))
        self._before = whole[whole.size - self._before.size :]
        windows = np.lib.stride_tricks.sliding_window_view(whole, self._phases.shape[0])
        return _whole((windows @ self._phases).reshape(-1))


class Down:
    """From 48 kHz to a lower rate, in blocks that are whole there."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._taps = _filter(factor)[::-1].copy()
        self._before = np.zeros(self._taps.size - factor, np.float32)

    def take(self, pcm: Pcm) -> Pcm:
        """Return the next samples at the lower rate."""
        whole = np.concatenate((self._before, pcm.astype(np.float32)))
        self._before = whole[whole.size - self._before.size :]
        windows = np.lib.stride_tricks.sliding_window_view(whole, self._taps.size)
        return _whole(windows[:: self._factor] @ self._taps)


def _whole(samples: Floats) -> Pcm:
    rounded: Pcm = np.clip(np.rint(samples), -_LOUDEST - 1, _LOUDEST).astype(np.int16)
    return rounded


class Law:
    """One of G.711's two laws, as two tables."""

    def __init__(self, decoded: NDArray[np.int16]) -> None:
        self._decoded = decoded
        order = np.argsort(decoded, kind="stable")
        values = decoded[order].astype(np.int32)
        every = np.arange(-32_768, 32_768, dtype=np.int32)
        borders = (values[:-1] + values[1:] + 1) // 2
        self._coded = order[np.searchsorted(borders, every, side="right")].astype(np.uint8)

    def decode(self, payload: bytes) -> Pcm:
        """Return the samples at 8 kHz."""
        return self._decoded[np.frombuffer(payload, np.uint8)]

    def encode(self, pcm: Pcm) -> bytes:
        """Return the nearest codes."""
        return self._coded[pcm.astype(np.int32) + 32_768].tobytes()


def _mu() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    size = (((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)
    signed = np.where(code & 0x80, 0x84 - size, size - 0x84)
    return signed.astype(np.int16)


def _a() -> NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (code >> 4) & 7
    low = ((code & 0x0F) << 4) + 8
    size = np.where(exponent > 0, (low + 0x100) << np.maximum(exponent - 1, 0), low)
    return np.where(code & 0x80, size, -size).astype(np.int16)


@cache
def mu_law() -> Law:
    """Return the law of America and Japan."""
    return Law(_mu())


@cache
def a_law() -> Law:
    """Return the law of everybody else."""
    return Law(_a())
