"""The edge to sound hardware: blocking devices, each living in one thread of its own.

A block is 10 ms of signed 16-bit mono at 48 kHz, ``BLOCK_BYTES`` long. Real
devices (``device.audio.portaudio``) and the files of the simulator
(``device.audio.wav``) implement the same two protocols and pass the same
contract tests. Open, use and close happen in the same thread.
"""

from typing import Final, Protocol

SAMPLE_RATE: Final = 48_000
BLOCK_SAMPLES: Final = 480
BLOCK_BYTES: Final = BLOCK_SAMPLES * 2


class SoundError(Exception):
    """A sound device cannot be used; the text says which and what to do."""


class DeviceLostError(SoundError):
    """The device went away while in use. It may come back: close, wait, open."""


class NoDeviceError(SoundError):
    """There is no such device now."""


class Microphone(Protocol):
    """Where sound comes from."""

    @property
    def label(self) -> str:
        """What a person calls the device."""

    def open(self) -> None:
        """Make ready to read.

        Raises:
            SoundError: with what is wrong in plain words.
        """

    def read(self) -> bytes:
        """Block until the next block is there, at most one second.

        Raises:
            DeviceLostError: nothing more will come from this device.
        """

    def close(self) -> None:
        """Give the device back. Safe to call twice, and after a failed open."""


class Loudspeaker(Protocol):
    """Where sound goes. Writing paces the caller: the card is the clock."""

    @property
    def label(self) -> str:
        """What a person calls the device."""

    def open(self) -> None:
        """Make ready to write.

        Raises:
            SoundError: with what is wrong in plain words.
        """

    def wait(self) -> None:
        """Block until a block is wanted, at most one second.

        What is decided after this is heard as soon as the device allows.

        Raises:
            DeviceLostError: the device takes nothing more.
        """

    def write(self, block: bytes) -> None:
        """Queue one block, waiting first if none was wanted yet.

        Raises:
            DeviceLostError: the device takes nothing more.
        """

    def close(self) -> None:
        """Give the device back. Safe to call twice, and after a failed open."""
