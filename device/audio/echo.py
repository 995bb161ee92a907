"""Echo cancelling: what the loudspeaker plays is taken out of what the microphone hears.

The only module that imports livekit, whose audio processing is WebRTC's third canceller.
It gets each block on its way into the loudspeaker and each block out of the microphone;
the delay between the two it finds by itself, up to half a second, so nobody has to know
how deep the cards' buffers are. Noise suppression and gain control stay off: the first
costs the near voice a quarter of a point of PESQ, the second lets the echo's rest grow.
"""

import atexit
import functools
import threading
import time
from typing import Final, Protocol

from device.audio.ports import (
    BLOCK_SAMPLES,
    SAMPLE_RATE,
    DeviceLostError,
    Loudspeaker,
    Microphone,
    SoundError,
)
from device.audio.worker import CountsXruns, KnowsStart

# The library's own thread may be about to hand Python a line of its log while the program ends;
# a thread that is stopped there takes the process with it, in a page of Rust's words.
_LAST_WORD_S: Final = 0.1
# What it adds between the microphone and the sender (measured): its filter banks.
DELAY_S: Final = 0.009

_INSTALL: Final = (
    "There is no echo canceller ({error}), so this box stays half duplex: its loudspeaker"
    " is silent while it talks. Install it with: pip install 'stagebox[echo]'"
)


class EchoMissingError(SoundError):
    """There is no canceller on this machine; the text says how to get one."""


class EchoCanceller(Protocol):
    """Takes blocks of 10 ms from two threads: one plays, one listens."""

    def played(self, block: bytes) -> None:
        """Take a block that the loudspeaker is about to be given."""

    def cancelled(self, block: bytes) -> bytes:
        """Return the microphone's block without what was played.

        Raises:
            DeviceLostError: the canceller failed; nothing with an echo may leave the box.
        """


@functools.cache
def _see_it_end() -> None:
    """At the end of the program, give the library's thread the time to finish, once."""
    atexit.register(time.sleep, _LAST_WORD_S)


class WebrtcCanceller:
    """WebRTC's canceller. Either call holds the lock for one block's work, 0.1 ms on x86."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            EchoMissingError: it is not installed, or half of it.
        """
        # Before the library's own, which then runs first: these run in reverse order.
        _see_it_end()
        try:
            from livekit import rtc  # noqa: PLC0415 - optional, and slow to import

            self._apm = rtc.AudioProcessingModule(echo_cancellation=True)
        except (ImportError, OSError) as error:
            raise EchoMissingError(_INSTALL.format(error=error)) from error
        self._frame = rtc.AudioFrame
        self._lock = threading.Lock()

    def played(self, block: bytes) -> None:
        """Take a block that the loudspeaker is about to be given."""
        frame = self._frame(block, SAMPLE_RATE, 1, BLOCK_SAMPLES)
        with self._lock:
            try:
                self._apm.process_reverse_stream(frame)
            except RuntimeError as error:
                raise DeviceLostError(f"The echo canceller took nothing: {error}.") from error

    def cancelled(self, block: bytes) -> bytes:
        """Return the microphone's block without what was played."""
        pcm = bytearray(block)
        frame = self._frame(pcm, SAMPLE_RATE, 1, BLOCK_SAMPLES)
        with self._lock:
            try:
                self._apm.process_stream(frame)
            except RuntimeError as error:
                raise DeviceLostError(f"The echo canceller gave nothing: {error}.") from error
        return bytes(pcm)


class _Device:
    """A device that counts and knows what the one inside does."""

    def __init__(self, inner: Microphone | Loudspeaker, canceller: EchoCanceller) -> None:
        self._device = inner
        self._canceller = canceller

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return self._device.label

    @property
    def xruns(self) -> int:
        """Times samples were lost or missing; 0 where the device does not count."""
        return self._device.xruns if isinstance(self._device, CountsXruns) else 0

    @property
    def t_started(self) -> float | None:
        """Monotonic second of the first sample, where the device knows it."""
        return self._device.t_started if isinstance(self._device, KnowsStart) else None

    def open(self) -> None:
        """Make ready."""
        self._device.open()

    def close(self) -> None:
        """Give the device back."""
        self._device.close()


class ClearMicrophone(_Device):
    """A microphone that does not hear its box's own loudspeaker."""

    def __init__(self, inner: Microphone, canceller: EchoCanceller) -> None:
        super().__init__(inner, canceller)
        self._inner = inner

    def read(self) -> bytes:
        """Block until the next block is there, and clear it."""
        return self._canceller.cancelled(self._inner.read())


class KnownLoudspeaker(_Device):
    """A loudspeaker of which the canceller knows all that it plays, prompts as well."""

    def __init__(self, inner: Loudspeaker, canceller: EchoCanceller) -> None:
        super().__init__(inner, canceller)
        self._inner = inner

    def wait(self) -> None:
        """Block until a block is wanted."""
        self._inner.wait()

    def write(self, block: bytes) -> None:
        """Queue one block; the canceller hears it first, for its echo comes soon."""
        self._canceller.played(block)
        self._inner.write(block)
