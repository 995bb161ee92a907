"""The box's echo canceller: WebRTC's to begin with, the adaptive filter once it has learned.

Both work all the time. What leaves goes from one to the other within a block, so that
nobody hears which of them it is.
"""

import threading
from typing import Final

import numpy as np

from device.audio.adaptive import AdaptiveFilter
from device.audio.choice import Choice, Pairing
from device.audio.echo import EchoCanceller
from device.audio.estimate import Block
from device.audio.ports import BLOCK_SAMPLES

_UP: Final = np.linspace(0, 1, BLOCK_SAMPLES, dtype=np.float32)
# The far voice is there for 300 ms after its last block: cards, and a room that rings.
_RINGS: Final = 30
_LOUDEST: Final = 32_767


class BoxCanceller:
    """An ``EchoCanceller`` of two; each call computes for under a millisecond on x86."""

    def __init__(self, cautious: EchoCanceller) -> None:
        """``cautious`` is believed until the adaptive filter is."""
        self._cautious = cautious
        self._filter = AdaptiveFilter()
        self._choice = Choice()
        self._pairing = Pairing()
        self._lock = threading.Lock()
        self._share = 0.0
        self._silent = _RINGS  # captured blocks since something was played

    def played(self, block: bytes) -> None:
        """Take a block that the loudspeaker is about to be given."""
        self._cautious.played(block)
        samples = _samples(block)
        with self._lock:
            self._pairing.put(samples)
            if samples.any():
                self._silent = 0

    def cancelled(self, block: bytes) -> bytes:
        """Return the microphone's block without what was played.

        Raises:
            DeviceLostError: the canceller failed; nothing with an echo may leave the box.
        """
        safe = _samples(self._cautious.cancelled(block))
        with self._lock:
            played = self._pairing.take()
            self._silent += 1
            far = self._silent <= _RINGS
        heard = _samples(block)
        whole = self._filter.cancel(heard, *played)
        self._choice.note(heard, whole, far=far)
        mixed = np.rint(safe + (whole - safe) * self._ramp())
        return np.clip(mixed, -_LOUDEST - 1, _LOUDEST).astype(np.int16).tobytes()

    def _ramp(self) -> Block:
        """Return the adaptive filter's share of each sample."""
        before, self._share = self._share, float(self._choice.trusted)
        ramp: Block = before + (self._share - before) * _UP
        return ramp


def _samples(block: bytes) -> Block:
    return np.frombuffer(block, np.int16).astype(np.float32)
