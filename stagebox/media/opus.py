"""libopus by ctypes: one encoder and one decoder, mono at 48 kHz.

libopus is looked for where ``STAGEBOX_OPUS`` says, else as the system's
``libopus.so.0``, else inside the PyAV wheel. It is loaded at the first use, so
importing this module needs no library. ctypes lets go of the GIL during a call;
an object must still be used by one thread at a time, for its buffers are its own.
"""

import ctypes
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm, require_frame
from stagebox.media.toc import (
    END_OF_BURST,
    INVALID_PACKET,
    OpusError,
    is_end_of_burst,
    packet_has_fec,
    packet_samples,
)

__all__ = [
    "END_OF_BURST",
    "Decoder",
    "Encoder",
    "OpusError",
    "OpusMissingError",
    "is_end_of_burst",
    "opus_version",
    "packet_has_fec",
    "packet_samples",
]

LIBRARY_VARIABLE: Final = "STAGEBOX_OPUS"
_SYSTEM_LIBRARY: Final = "libopus.so.0"

# From opus_defines.h.
_OK: Final = 0
_APPLICATION_VOIP: Final = 2_048
_SET_BITRATE: Final = 4_002
_SET_VBR: Final = 4_006
_SET_COMPLEXITY: Final = 4_010
_SET_INBAND_FEC: Final = 4_012
_SET_PACKET_LOSS_PERC: Final = 4_014
_SET_DTX: Final = 4_016
_SET_VBR_CONSTRAINT: Final = 4_020
_SET_PREDICTION_DISABLED: Final = 4_042
_GET_LOOKAHEAD: Final = 4_027
_RESET_STATE: Final = 4_028

_MONO: Final = 1
_MAX_PACKET_BYTES: Final = 1_275  # the longest Opus frame
_MAX_SAMPLES: Final = 5_760  # the longest packet, 120 ms
_PLC_STEP: Final = 120  # libopus conceals in whole 2.5 ms

_SIGNATURES: Final[dict[str, tuple[type | None, list[type]]]] = {
    "opus_get_version_string": (ctypes.c_char_p, []),
    "opus_strerror": (ctypes.c_char_p, [ctypes.c_int]),
    "opus_encoder_get_size": (ctypes.c_int, [ctypes.c_int]),
    "opus_encoder_init": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int, ctypes.c_int],
    ),
    "opus_encode": (
        ctypes.c_int32,
        [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32],
    ),
    # Variadic after the request: each caller wraps its one argument itself.
    "opus_encoder_ctl": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
    "opus_decoder_get_size": (ctypes.c_int, [ctypes.c_int]),
    "opus_decoder_init": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int]),
    "opus_decode": (
        ctypes.c_int,
        [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
        ],
    ),
    "opus_decoder_ctl": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
}


class OpusMissingError(OpusError):
    """No libopus can be loaded; the text says what was tried and what to install."""


def opus_version() -> str:
    """Return libopus's name and version as it gives them.

    Raises:
        OpusMissingError: there is no libopus.
    """
    return str(_library().opus_get_version_string().decode())


def library_names(environ: Mapping[str, str]) -> Iterator[str]:
    """Name the libraries to try, best first. One that was asked for has no stand-in."""
    chosen = environ.get(LIBRARY_VARIABLE)
    if chosen:
        yield chosen
        return
    yield _SYSTEM_LIBRARY
    spec = find_spec("av")  # finds the package without importing it
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(map(str, Path(place).parent.glob("av.libs/libopus-*.so*")))


def load_library(environ: Mapping[str, str]) -> ctypes.CDLL:
    """Load the first library that works.

    Raises:
        OpusMissingError: none does.
    """
    tried = []
    for name in library_names(environ):
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _SIGNATURES.items():
                entry = getattr(library, function)
                entry.restype, entry.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            tried.append(str(error))
        else:
            return library
    msg = (
        f"no libopus: install the package libopus0 or set {LIBRARY_VARIABLE} to the"
        f" library's path ({'; '.join(tried)})"
    )
    raise OpusMissingError(msg)


@cache
def _library() -> ctypes.CDLL:
    return load_library(os.environ)


def _checked(library: ctypes.CDLL, result: int) -> int:
    if result < 0:
        raise OpusError(library.opus_strerror(result).decode(), result)
    return result


def _state(size: int) -> "ctypes.Array[ctypes.c_uint64]":
    """Return memory for libopus's state, aligned for pointers, freed with its owner."""
    return (ctypes.c_uint64 * (size // 8 + 1))()


class Encoder:
    """Speech to Opus, one 20 ms frame at a time: voip, constrained VBR, no DTX.

    Raises:
        OpusError: libopus refuses a setting.
        OpusMissingError: there is no libopus.
    """

    def __init__(
        self,
        bitrate: int = 32_000,
        complexity: int = 5,
        fec: bool = True,
        packet_loss_percent: int = 10,
    ) -> None:
        self._lib = _library()
        self._state = _state(self._lib.opus_encoder_get_size(_MONO))
        self._pcm = np.zeros(FRAME_SAMPLES, dtype=np.int16)
        self._out = np.zeros(_MAX_PACKET_BYTES, dtype=np.uint8)
        self._pcm_at, self._out_at = self._pcm.ctypes.data, self._out.ctypes.data
        self._settings = (
            (_SET_BITRATE, bitrate),
            (_SET_COMPLEXITY, complexity),
            (_SET_INBAND_FEC, int(fec)),
            (_SET_PACKET_LOSS_PERC, packet_loss_percent),
            (_SET_VBR, 1),
            (_SET_VBR_CONSTRAINT, 1),
            (_SET_DTX, 0),
        )
        self.reset()

    def encode(self, pcm: Pcm) -> bytes:
        """Return the packet for one frame.

        Raises:
            ValueError: not exactly 960 samples of int16.
        """
        require_frame(pcm)
        self._pcm[:] = pcm
        size = self._lib.opus_encode(
            self._state, self._pcm_at, FRAME_SAMPLES, self._out_at, _MAX_PACKET_BYTES
        )
        return self._out[: _checked(self._lib, size)].tobytes()

    def predict(self, on: bool) -> None:
        """Let frames build on the ones before, or not, until ``reset``.

        Frames that do not are right for a decoder that heard another encoder before, at
        the price of quality: half a point of PESQ and more at 32 kb/s.
        """
        self._control(_SET_PREDICTION_DISABLED, ctypes.c_int32(not on))

    @property
    def lookahead(self) -> int:
        """Samples by which decoded sound lags behind what was encoded."""
        value = ctypes.c_int32()
        self._control(_GET_LOOKAHEAD, ctypes.byref(value))
        return value.value

    def reset(self) -> None:
        """Forget all earlier sound, as at the start of a talk burst."""
        # libopus's own reset keeps some of SILK's history; a new start keeps none.
        init = self._lib.opus_encoder_init
        _checked(self._lib, init(self._state, SAMPLE_RATE, _MONO, _APPLICATION_VOIP))
        for request, value in self._settings:
            self._control(request, ctypes.c_int32(value))

    def _control(self, request: int, *argument: object) -> None:
        _checked(self._lib, self._lib.opus_encoder_ctl(self._state, request, *argument))


class Decoder:
    """Opus to speech, with FEC and concealment.

    Raises:
        OpusMissingError: there is no libopus.
    """

    def __init__(self) -> None:
        self._lib = _library()
        self._state = _state(self._lib.opus_decoder_get_size(_MONO))
        self._pcm = np.zeros(_MAX_SAMPLES, dtype=np.int16)
        self._pcm_at = self._pcm.ctypes.data
        _checked(self._lib, self._lib.opus_decoder_init(self._state, SAMPLE_RATE, _MONO))

    def decode(self, payload: bytes) -> Pcm:
        """Return the packet's sound, at most 5760 samples.

        Raises:
            OpusError: the packet is corrupt; the decoder remains usable.
        """
        return self._decode(_require_payload(payload), _MAX_SAMPLES, fec=0)

    def decode_fec(self, payload: bytes, samples: int) -> Pcm:
        """Return the sound of the packet lost just before this one, ``samples`` long.

        Without FEC data in it this conceals. ``samples`` is the missing time.

        Raises:
            OpusError: the packet is corrupt, or ``samples`` not whole 2.5 ms up to 120 ms.
        """
        return self._decode(_require_payload(payload), samples, fec=1)

    def conceal(self, samples: int) -> Pcm:
        """Return a guess at ``samples`` of lost sound, from what came before.

        Raises:
            OpusError: ``samples`` is not whole 2.5 ms up to 120 ms.
        """
        return self._decode(None, samples, fec=0)

    def reset(self) -> None:
        """Forget all earlier sound, as at the start of a talk burst."""
        _checked(self._lib, self._lib.opus_decoder_ctl(self._state, _RESET_STATE))

    def _decode(self, payload: bytes | None, samples: int, fec: int) -> Pcm:
        if not 0 < samples <= _MAX_SAMPLES or samples % _PLC_STEP:
            msg = f"{samples} samples are not whole 2.5 ms of at most 120 ms"
            raise OpusError(msg, code=-1)
        size = len(payload) if payload else 0
        got = self._lib.opus_decode(self._state, payload, size, self._pcm_at, samples, fec)
        return self._pcm[: _checked(self._lib, got)].copy()


def _require_payload(payload: bytes) -> bytes:
    """Refuse an empty packet, which libopus would take for a lost one."""
    if not payload:
        raise OpusError("corrupted stream: empty packet", INVALID_PACKET)
    return payload
