"""The air of a simulated room: what the loudspeaker plays comes back to the microphone.

A WAV file with an impulse response, measured or computed, says how. Like the files of
``device.audio.wav``, with which it is used, it keeps absolute time: a sample that sounds
at one instant is heard at that instant plus its place in the response.
"""

import threading
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE, SoundError
from device.audio.wav import BLOCKS_AHEAD, WavLoudspeaker, WavMicrophone, load

# Longer than the echo of any room that people sit in.
MAX_RESPONSE: Final = SAMPLE_RATE
# How far a microphone's thread may lag behind the loudspeaker's, a second, and its own lead.
_KEPT: Final = MAX_RESPONSE + 2 * SAMPLE_RATE
_FULL_SCALE: Final = 32768.0


class Air:
    """Between one loudspeaker and one microphone. Safe to use from two threads."""

    def __init__(self, response: NDArray[np.float64]) -> None:
        """``response``: what arrives at the microphone of a single sample of 1.0, at 48 kHz."""
        self._size = 1 << int(response.size + BLOCK_SAMPLES - 1).bit_length()
        self._spectrum = np.fft.rfft(response, self._size)
        self._reach = response.size - 1
        self._played = np.zeros(_KEPT)
        self._end = 0  # the instant, in samples, up to which is known what was played
        self._lock = threading.Lock()

    def play(self, at: int, pcm: NDArray[np.int16]) -> None:
        """Take what sounds from the instant ``at`` on, counted in samples."""
        with self._lock:
            quiet = np.arange(self._end, min(at, self._end + _KEPT))
            self._played[quiet % _KEPT] = 0.0
            self._played[np.arange(at, at + pcm.size) % _KEPT] = pcm
            self._end = at + pcm.size

    def hear(self, at: int) -> NDArray[np.float64]:
        """Return one block of what arrives from the instant ``at`` on."""
        instants = np.arange(at - self._reach, at + BLOCK_SAMPLES)
        with self._lock:
            known = (instants < self._end) & (instants >= self._end - _KEPT)
            played = np.where(known, self._played[instants % _KEPT], 0.0)
        heard = np.fft.irfft(np.fft.rfft(played, self._size) * self._spectrum, self._size)
        return heard[self._reach : self._reach + BLOCK_SAMPLES]


class RoomMicrophone(WavMicrophone):
    """A WAV file, and what comes through the air."""

    def __init__(self, path: Path | str, air: Air) -> None:
        super().__init__(path)
        self._air = air

    def _samples(self, block: int) -> bytes:
        near = np.frombuffer(super()._samples(block), np.int16)
        heard = near + self._air.hear(instant(self._t_started) + block * BLOCK_SAMPLES)
        return np.clip(np.rint(heard), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16).tobytes()


class RoomLoudspeaker(WavLoudspeaker):
    """A WAV file, and into the air."""

    def __init__(self, path: Path | str, air: Air, blocks_ahead: int = BLOCKS_AHEAD) -> None:
        super().__init__(path, blocks_ahead)
        self._air = air

    def _play(self, block: bytes, times: int) -> None:
        at = instant(self._t_started) + self._block * BLOCK_SAMPLES
        super()._play(block, times)
        self._air.play(at, np.tile(np.frombuffer(block, np.int16), times))


def instant(t: float | None) -> int:
    """Return a monotonic second as a number of samples."""
    return 0 if t is None else round(t * SAMPLE_RATE)


def read_air(path: Path) -> Air:
    """Return the air of a room whose impulse response is in a WAV file; full scale is 1.0.

    Raises:
        SoundError: it cannot be read, is empty or longer than a second.
    """
    response = np.frombuffer(load(path), np.int16) / _FULL_SCALE
    if not 0 < response.size <= MAX_RESPONSE:
        raise SoundError(f"{path}: an impulse response lasts up to one second, and not 0.")
    return Air(response)
