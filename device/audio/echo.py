"""Echo cancelling: what the loudspeaker plays is taken out of what the microphone hears.

The only module that imports livekit, whose audio processing is WebRTC's third canceller.
It gets each block on its way into the loudspeaker and each block out of the microphone;
the delay between the two it finds by itself, up to half a second, so nobody has to know
how deep the cards' buffers are. Noise suppression and gain control stay off: the first
costs the near voice a quarter of a point of PESQ, the second lets the echo's rest grow.
"""

import ctypes
import threading
from typing import Any, Final, Protocol

from device.audio.ports import (
    BLOCK_SAMPLES,
    SAMPLE_RATE,
    DeviceLostError,
    Loudspeaker,
    Microphone,
    SoundError,
)
from device.audio.worker import CountsXruns, KnowsStart

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


def _library() -> Any:  # noqa: ANN401 - the module livekit.rtc
    """Load livekit, and have it call nothing of this program from threads of its own.

    Once a second it hands its log over that way, and when the program ends in that moment,
    Python ends the thread within livekit's code, which takes that for a failure of its own and
    aborts. What a canceller is asked it answers at once, so nothing else is lost.

    Raises:
        ImportError, OSError: it is not installed, or half of it.
    """
    from livekit.rtc import _ffi_client as client  # noqa: PLC0415 - optional, and slow to import

    # A function of the C library that takes no arguments and does nothing.
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, client.ffi_cb_fnc)
    client.ffi_event_callback = nothing
    from livekit import rtc  # noqa: PLC0415 - as above

    return rtc


class WebrtcCanceller:
    """WebRTC's canceller. Either call holds the lock for one block's work, 0.1 ms on x86."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            EchoMissingError: it is not installed, or half of it.
        """
        try:
            rtc = _library()
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
