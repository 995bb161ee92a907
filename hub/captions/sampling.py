"""From 48 kHz to the 16 kHz that speech engines take: a low-pass filter, then each third sample.

The filter is a windowed sinc (Kaiser). It keeps what is below 7 kHz and takes away, by
70 dB, what is above 9 kHz; what lies between folds back into the last kilohertz only,
where speech has nothing that an engine listens to.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stagebox.media.frames import SAMPLE_RATE, Pcm

FACTOR: Final = 3
ENGINE_RATE: Final = SAMPLE_RATE // FACTOR
BYTES_PER_S: Final = ENGINE_RATE * 2
_CUT_HZ: Final = 8_000  # half of what 16 kHz can hold; the filter is 6 dB down there
_WIDTH_HZ: Final = 2_000  # from where it begins to fall to where it has fallen
_DOWN_DB: Final = 70  # below the noise of any room


def low_pass() -> NDArray[np.float32]:
    """Return the filter's taps, symmetric and with a gain of 1 for what passes.

    Length and shape are Kaiser's own formulas (Oppenheim and Schafer, section 7.5.3).
    """
    turn = 2 * math.pi / SAMPLE_RATE
    half = math.ceil((_DOWN_DB - 7.95) / (2.285 * _WIDTH_HZ * turn) / 2)
    half += (1 - half) % FACTOR  # then the taps are whole threes, as many in each phase
    at = np.arange(-half, half + 1)
    window = np.kaiser(at.size, 0.1102 * (_DOWN_DB - 8.7))
    taps = np.sinc(2 * _CUT_HZ / SAMPLE_RATE * at) * window
    return np.asarray(taps / taps.sum(), dtype=np.float32)


class Decimator:
    """Takes sound at 48 kHz piece by piece, returns it at 16 kHz, 1.1 ms later."""

    def __init__(self) -> None:
        taps = low_pass()
        # Only what is kept is computed: each third sample meets each third tap (polyphase).
        self._phases = [taps[phase::FACTOR].copy() for phase in range(FACTOR)]
        self._before = np.zeros(taps.size - 1, dtype=np.float32)

    def reset(self) -> None:
        """Forget all earlier sound."""
        self._before[:] = 0

    def take(self, pcm: Pcm) -> Pcm:
        """Return a third as many samples.

        Raises:
            ValueError: the number of samples is no multiple of 3.
        """
        if pcm.size % FACTOR:
            msg = f"{pcm.size} samples at 48 kHz are no whole samples at 16 kHz"
            raise ValueError(msg)
        joined = np.concatenate((self._before, pcm.astype(np.float32)))
        self._before = joined[joined.size - self._before.size :]
        wide = np.zeros(pcm.size // FACTOR, dtype=np.float32)
        for phase, taps in enumerate(self._phases):
            wide += np.correlate(joined[phase::FACTOR], taps)[: wide.size]
        limited: Pcm = np.clip(np.rint(wide), -32_768, 32_767).astype(np.int16)
        return limited
