"""The one shape of sound in this house: 48 kHz, mono, signed 16 bit, frames of 20 ms."""

from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 48_000
FRAME_SAMPLES: Final = 960
FRAME_S: Final = 0.02
BLOCK_SAMPLES: Final = 480  # what a sound card is fed at a time: 10 ms

Pcm: TypeAlias = NDArray[np.int16]
"""One-dimensional int16 samples."""


class FrameKind(StrEnum):
    """Where a played frame came from."""

    REAL = "real"
    FEC = "fec"
    PLC = "plc"
    SILENCE = "silence"


def silence(samples: int = FRAME_SAMPLES) -> Pcm:
    """Return so many samples of digital silence."""
    return np.zeros(samples, dtype=np.int16)


@lru_cache(maxsize=8)
def stillness(samples: int) -> Pcm:
    """Return so many samples of silence that nobody can change.

    They are the same ones each time: who gets them can tell without a look at them.
    """
    pcm = np.zeros(samples, dtype=np.int16)
    pcm.flags.writeable = False
    return pcm


def require_frame(pcm: Pcm) -> None:
    """Check that ``pcm`` is one frame.

    Raises:
        ValueError: it is not 960 samples of int16; the text names what it is.
    """
    if pcm.shape != (FRAME_SAMPLES,) or pcm.dtype != np.int16:
        msg = f"one frame is int16 of shape ({FRAME_SAMPLES},), not {pcm.dtype} of {pcm.shape}"
        raise ValueError(msg)
