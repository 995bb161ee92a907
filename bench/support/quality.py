"""How good speech sounds beside its original: PESQ-WB (ITU-T P.862.2), STOI, and delay.

Both take 48 kHz mono and measure at 16 kHz, PESQ's wide band. What was heard is first laid
over the original by cross-correlation, so a constant delay costs nothing; PESQ then
follows slow changes of the delay by itself, and STOI, which cannot, is taken piece by piece.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from pystoi import stoi as stoi_of
from scipy.signal import resample_poly

from stagebox.media.frames import SAMPLE_RATE, Pcm

_RATE: Final = 16_000
# The scales' lowest values, given where nothing that can be judged was heard.
WORST_PESQ: Final = 1.0
WORST_STOI: Final = 0.0

# The most that a playout is late here: Chromium's clock starts apart from the sender's.
MOST_DELAY_S: Final = 1.0
# STOI compares 384 ms at a time and wants at least 30 frames of speech: pieces of this
# length are laid over the original one by one, for a playout shifts sound while it adapts.
_PIECE_S: Final = 2.0
_PIECE_SHIFT_S: Final = 0.25

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """One utterance as it was heard; ``delay_s`` is how far it was behind the original."""

    pesq: float
    stoi: float
    delay_s: float


def delay(original: Pcm, heard: Pcm, most_s: float = MOST_DELAY_S) -> float:
    """Return by how many seconds ``heard`` is behind ``original``, 0 to ``most_s``."""
    return _lag(original.astype(float), heard.astype(float), 0, round(most_s * SAMPLE_RATE)) / (
        SAMPLE_RATE
    )


def pesq_wb(original: Pcm, heard: Pcm) -> float:
    """Return PESQ-WB's MOS-LQO, 1.0 to 4.64, of a sound that begins where the original does.

    Good for utterances of 8 to 12 s; the measure is not defined for much longer ones.
    """
    if not np.any(heard):
        return WORST_PESQ
    try:
        return float(pesq(_RATE, _at_16k(original), _at_16k(heard), "wb"))
    except NoUtterancesError:
        return WORST_PESQ


def stoi(original: Pcm, heard: Pcm) -> float:
    """Return the short-time objective intelligibility, 0 to 1, of a sound laid over its original.

    Source: Taal, Hendriks, Heusdens, Jensen 2011. Pieces of 2 s are aligned one by one.
    """
    said, got = _at_16k(original), _at_16k(_fitted(heard, original.size))
    length, shift = round(_PIECE_S * _RATE), round(_PIECE_SHIFT_S * _RATE)
    around = np.concatenate([np.zeros(shift), got, np.zeros(shift)])
    total = 0.0
    pieces = range(0, max(said.size - length, 0) + 1, length)
    for at in pieces:
        end = at + length if at + 2 * length <= said.size else said.size
        piece, window = said[at:end], around[at : end + 2 * shift]
        lag = _lag(piece, window, 0, 2 * shift)
        total += float(stoi_of(piece, window[lag : lag + piece.size], _RATE)) * piece.size
    return max(total / said.size, WORST_STOI)


def judge(original: Pcm, heard: Pcm, most_s: float = MOST_DELAY_S) -> Quality:
    """Judge one utterance; ``heard`` begins when ``original`` did and goes on after it."""
    behind = delay(original, heard, most_s)
    begin = round(behind * SAMPLE_RATE)
    aligned = _fitted(heard[begin:], original.size)
    return Quality(pesq_wb(original, aligned), stoi(original, aligned), behind)


def judge_each(
    original: Pcm, heard: Pcm, utterances: Sequence[range], most_s: float = MOST_DELAY_S
) -> list[Quality]:
    """Judge each of several utterances of one long sound by itself."""
    after = round(most_s * SAMPLE_RATE)
    return [
        judge(original[each.start : each.stop], heard[each.start : each.stop + after], most_s)
        for each in utterances
    ]


def _lag(source: Samples, heard: Samples, least: int, most: int) -> int:
    """Return the lag, ``least`` to ``most`` samples, at which both are most alike."""
    size = 1 << (source.size + heard.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(source, size))
    return least + int(np.argmax(np.fft.irfft(spectrum, size)[least : most + 1]))


def _at_16k(pcm: Pcm) -> Samples:
    narrow: Samples = resample_poly(pcm.astype(float), _RATE, SAMPLE_RATE)
    return narrow


def _fitted(pcm: Pcm, size: int) -> Pcm:
    """Cut to ``size`` samples, or lengthen with silence."""
    return np.concatenate([pcm[:size], np.zeros(max(size - pcm.size, 0), dtype=np.int16)])
