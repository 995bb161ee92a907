"""Real sound cards through PyAudio: the only module that imports it.

Blocking streams, each in the thread that opened it. PortAudio reports no loss
and may wait for ever in a read or a write, so both wait here, by asking how
much is available, and never ask for more than there is. PyAudio closes a
stream when it raises, so overflows are ignored there and counted here.
"""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Final

from device.audio.alsa import quiet
from device.audio.cards import Direction, SoundDevice
from device.audio.convert import Convert, from_device, to_device
from device.audio.ports import BLOCK_BYTES, DeviceLostError, SoundError
from device.audio.system import BLOCKS_PER_S, OpenStream, PortAudioSystem

# The port's promise: a device that gives or takes nothing for a second is lost.
_SILENCE_S: Final = 1.0
# A look that is as late as this was held up: the computer had no time for it, or another device
# was being opened. That is no silence of this one. (A look that hangs is the watchdog's affair.)
_HELD_UP_S: Final = 0.1
# How often to look when a block is due: the delay that looking adds at most.
_POLL_S: Final = 0.002
# A block takes 10 ms, so the first look comes a little early. Looking late once
# is made good by and by, because each look is timed by the one before.
_EXPECT_S: Final = 0.0085
# paInputOverflowed, paOutputUnderflowed
_XRUN_CODES: Final = frozenset({-9981, -9980})

_INSTALL: Final = (
    "PyAudio cannot be loaded ({error}). Install it: apt install python3-pyaudio,"
    " or apt install portaudio19-dev and pip install PyAudio."
)


def _start() -> Any:  # noqa: ANN401 - a pyaudio.PyAudio
    try:
        import pyaudio  # noqa: PLC0415 - hardware packages are optional
    except ImportError as error:
        raise SoundError(_INSTALL.format(error=error)) from error
    quiet()
    return pyaudio.PyAudio()


_SYSTEM: Final = PortAudioSystem(_start)


def list_devices() -> tuple[SoundDevice, ...]:
    """List the sound devices of this computer.

    Raises:
        SoundError: PyAudio is missing, or PortAudio hangs.
    """
    return _SYSTEM.devices()


class _Stream(ABC):
    """What both directions share: one PortAudio stream, opened by name."""

    _direction: Direction

    def __init__(
        self,
        match: str | None = None,
        system: PortAudioSystem = _SYSTEM,
        on_open: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """``match``: the device's name or card id, or part of it; None or "" for the default.

        ``on_open`` is told ALSA's id of the card, if it has one, each time it was opened.
        """
        self._match = match
        self._system = system
        self._on_open = on_open
        self._open: OpenStream | None = None
        self._block_at = float("-inf")
        self.xruns = 0

    @property
    def label(self) -> str:
        """The device's own name once it is open, else what was asked for."""
        if self._open is not None:
            return self._open.device.name
        return self._match or f"default {self._direction}"

    def close(self) -> None:
        """Give the device back."""
        opened, self._open = self._open, None
        if opened is not None:
            self._system.close(opened)

    @abstractmethod
    def open(self) -> None:
        """Open and start the stream."""

    def _begin(self) -> OpenStream:
        self._open = self._system.open(self._direction, self._match)
        self._on_open(self._open.device.card)
        return self._open

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """Be alone in PortAudio; turn its failure into the port's."""
        try:
            with self._system.calm():
                yield
        except OSError as error:
            raise DeviceLostError(f"{self.label} went away ({error.args[-1]}).") from error

    def _running(self) -> OpenStream:
        """Return the stream, after stepping aside for a thread that looks for devices."""
        if self._open is None:
            raise DeviceLostError(f"The {self._direction} is not open.")
        if self._system.rescan_wanted:
            self.close()
            self._system.wait_for_rescan()
            try:
                self.open()
            except SoundError as error:
                raise DeviceLostError(str(error)) from error
        return self._open

    def _wait(self, available: Callable[[], int], samples: int) -> int:
        """Wait until the stream has, or has room for, so many samples; return how many."""
        began = looked = time.monotonic()
        pause = max(_POLL_S, self._block_at + _EXPECT_S - began)
        while True:
            with self._losing():
                ready = available()
            now = time.monotonic()
            if now - looked > _HELD_UP_S:
                began += now - looked
            looked = now
            if ready >= samples:
                self._block_at = now
                return ready
            if ready in _XRUN_CODES:
                self.xruns += 1
            elif ready < 0:
                raise DeviceLostError(f"{self.label} went away (PortAudio error {ready}).")
            if now - began > _SILENCE_S:
                raise DeviceLostError(f"{self.label} has stood still for {_SILENCE_S:.0f} s.")
            time.sleep(pause)
            pause = _POLL_S


class PortAudioMicrophone(_Stream):
    """A microphone by name. Reading too late for its buffer counts as an xrun."""

    _direction = Direction.INPUT

    def open(self) -> None:
        """Open and start the stream."""
        opened = self._begin()
        self._convert: Convert = from_device(opened.rate, opened.channels)
        self._ready = b""
        with self._losing():
            self._patience = opened.stream.get_input_latency() + 1 / BLOCKS_PER_S
        self._read_at = float("inf")

    def read(self) -> bytes:
        """Return the next block."""
        opened = self._running()
        self.xruns += time.monotonic() - self._read_at > self._patience
        samples = opened.rate // BLOCKS_PER_S
        while len(self._ready) < BLOCK_BYTES:
            self._wait(opened.stream.get_read_available, samples)
            with self._losing():
                pcm = opened.stream.read(samples, exception_on_overflow=False)
            self._ready += self._convert(pcm)
        block, self._ready = self._ready[:BLOCK_BYTES], self._ready[BLOCK_BYTES:]
        self._read_at = time.monotonic()
        return block


class PortAudioLoudspeaker(_Stream):
    """A loudspeaker by name. Finding its buffer run dry counts as an xrun.

    What lies in the buffer is heard late, so it is not filled for its own sake: one
    block sounds, one waits. A computer that is too slow for that makes it run dry, and
    from then on one block more is kept in it, until it is full.
    """

    _direction = Direction.OUTPUT

    def open(self) -> None:
        """Open and start the stream."""
        opened = self._begin()
        self._convert: Convert = to_device(opened.rate, opened.channels)
        self._bytes_per_sample = 2 * opened.channels
        with self._losing():
            self._capacity = opened.stream.get_write_available()
        self._room = self._written = 0
        self._ahead = opened.rate // BLOCKS_PER_S

    def wait(self) -> None:
        """Wait until no more than one block lies in the buffer."""
        self._wait_for_room(self._running().rate // BLOCKS_PER_S)

    def write(self, block: bytes) -> None:
        """Queue one block."""
        opened = self._running()
        pcm = self._convert(block)
        samples = len(pcm) // self._bytes_per_sample
        if self._room < samples:
            self._wait_for_room(samples)
        self._room = 0
        with self._losing():
            opened.stream.write(pcm, samples)
        self._written += samples

    def _wait_for_room(self, samples: int) -> None:
        opened = self._running()
        wanted = max(samples, self._capacity - self._ahead)
        self._room = self._wait(opened.stream.get_write_available, wanted)
        if self._room >= self._capacity and self._written > self._ahead:
            self.xruns += 1
            self._ahead = min(self._ahead + opened.rate // BLOCKS_PER_S, self._capacity)
