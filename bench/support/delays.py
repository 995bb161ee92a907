"""How late sound is, over time, found in the sound itself: reads any receiver alike.

Around each moment half a second of the original is searched for in what was heard. Where
nobody speaks, or where what was heard is too unlike, there is no reading.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from stagebox.media.frames import SAMPLE_RATE, Pcm

_RATE: Final = 16_000
_WINDOW_S: Final = 0.5
# The deepest buffer of all contenders holds 0.3 s, and 0.2 s more is looked for.
LONGEST_DELAY_S: Final = 0.6
# Below this likeness a peak is chance: between words of one voice 0.6 is common.
_LIKE: Final = 0.75
# About -50 dBFS: the room's noise is 20 dB below it.
_SPEECH_RMS: Final = 100.0
# One block of a sound card: nearer to the clean delay than that is back.
BACK_WITHIN_S: Final = 0.010


@dataclass(frozen=True, slots=True)
class Reading:
    """At ``at`` seconds what was said came out ``delay_s`` later."""

    at: float
    delay_s: float


def readings(
    original: Pcm, heard: Pcm, moments: Iterable[float], lookahead_s: float = 0.0
) -> list[Reading]:
    """Return a reading for each moment at which there is one.

    ``heard`` begins with the original; ``lookahead_s`` is the codec's own delay, which
    is taken off.
    """
    said, got = _at_16k(original), _at_16k(heard)
    found = []
    for moment in moments:
        lag = _lag(said, got, round((moment - _WINDOW_S / 2) * _RATE))
        if lag is not None:
            found.append(Reading(moment, lag / _RATE - lookahead_s))
    return found


def middle(found: Sequence[Reading], begin: float, end: float) -> float:
    """Return the median delay of the readings from ``begin`` to ``end``; NaN without any."""
    within = [each.delay_s for each in found if begin <= each.at < end]
    return median(within) if within else float("nan")


def back_after(found: Sequence[Reading], disturbed_until: float, usual_s: float) -> float | None:
    """Return seconds from the end of a disturbance until the delay stayed at its usual value.

    None where it never did, or nothing was heard after.
    """
    after = [each for each in found if each.at >= disturbed_until]
    if not after or _is_late(after[-1], usual_s):
        return None
    late = [each.at for each in after if _is_late(each, usual_s)]
    if not late:
        return 0.0
    return next(each.at for each in after if each.at > late[-1]) - disturbed_until


def _is_late(reading: Reading, usual_s: float) -> bool:
    return reading.delay_s > usual_s + BACK_WITHIN_S


def _lag(said: NDArray[np.float64], got: NDArray[np.float64], begin: int) -> int | None:
    """Return how many samples later the half second from ``begin`` on was heard."""
    length, reach = round(_WINDOW_S * _RATE), round(LONGEST_DELAY_S * _RATE)
    piece, window = said[max(begin, 0) : begin + length], got[max(begin, 0) :][: length + reach]
    if begin < 0 or piece.size < length or window.size < length + reach:
        return None
    power = float(np.sum(piece**2))
    if power < _SPEECH_RMS**2 * length:
        return None
    size = 1 << (length + reach + length).bit_length()
    spectrum = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    alike = np.fft.irfft(spectrum, size)[: reach + 1]
    total = np.concatenate([[0.0], np.cumsum(window**2)])
    powers = total[length : length + reach + 1] - total[: reach + 1]
    likeness = alike / np.sqrt(np.maximum(powers, 1.0) * power)
    best = int(np.argmax(likeness))
    return best if likeness[best] >= _LIKE else None


def _at_16k(pcm: Pcm) -> NDArray[np.float64]:
    narrow: NDArray[np.float64] = resample_poly(pcm.astype(float), _RATE, SAMPLE_RATE)
    return narrow
