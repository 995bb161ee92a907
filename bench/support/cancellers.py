"""Echo cancellers that can be had: none at all, and Debian's speexdsp by ctypes."""

import ctypes
from typing import Final

import numpy as np

from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE

REMEDY: Final = "Install it with: apt-get install libspeexdsp1"
# Speex's manual wants a third of the room's reverberation time; this is half.
TAIL_S: Final = 0.2
# speex_echo.h and speex_preprocess.h: what can be set.
_ECHO_SET_SAMPLING_RATE: Final = 24
_PREPROCESS_SET_DENOISE: Final = 0
_PREPROCESS_SET_ECHO_STATE: Final = 24


class SpeexMissingError(RuntimeError):
    """libspeexdsp is not installed; the text says how to get it."""


class NoCanceller:
    """The microphone as it is."""

    def played(self, block: bytes) -> None:
        """Take a block, and do nothing with it."""

    def cancelled(self, block: bytes) -> bytes:
        """Return the same block."""
        return block


class SpeexCanceller:
    """Speex's adaptive filter with its suppressor of what is left; noise reduction is off."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            SpeexMissingError: it is not installed.
        """
        try:
            self._speex = ctypes.CDLL("libspeexdsp.so.1")
        except OSError as error:
            raise SpeexMissingError(REMEDY) from error
        for make in (self._speex.speex_echo_state_init, self._speex.speex_preprocess_state_init):
            make.restype = ctypes.c_void_p
        tail = round(TAIL_S * SAMPLE_RATE)
        self._echo = ctypes.c_void_p(self._speex.speex_echo_state_init(BLOCK_SAMPLES, tail))
        self._rest = ctypes.c_void_p(
            self._speex.speex_preprocess_state_init(BLOCK_SAMPLES, SAMPLE_RATE)
        )
        rate, off = ctypes.c_int(SAMPLE_RATE), ctypes.c_int(0)
        self._speex.speex_echo_ctl(self._echo, _ECHO_SET_SAMPLING_RATE, ctypes.byref(rate))
        set_ = self._speex.speex_preprocess_ctl
        set_(self._rest, _PREPROCESS_SET_DENOISE, ctypes.byref(off))
        set_(self._rest, _PREPROCESS_SET_ECHO_STATE, self._echo)
        self._played = bytes(BLOCK_SAMPLES * 2)

    def played(self, block: bytes) -> None:
        """Take a block that the loudspeaker is about to be given."""
        self._played = block

    def cancelled(self, block: bytes) -> bytes:
        """Return the microphone's block without what was played."""
        out = np.empty(BLOCK_SAMPLES, np.int16)
        to = ctypes.c_void_p(out.ctypes.data)
        self._speex.speex_echo_cancellation(self._echo, block, self._played, to)
        self._speex.speex_preprocess_run(self._rest, to)
        return out.tobytes()
