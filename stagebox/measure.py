"""What came out, measured against what went in. Pure numpy.

Speech is compared in windows of half a second: normalised cross-correlation
finds how late each window arrived and how much of its waveform survived. The
windows are placed by the two recordings' own start instants on one clock, so
the delay is from mouth to ear and not relative to anything inside the system.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE: Final = 48_000
WINDOW_S: Final = 0.5
HOP_S: Final = 0.25
# Sound cannot arrive before it was made; a little slack covers clock rounding.
EARLIEST_S: Final = -0.02
LATEST_S: Final = 0.8
# Windows this quiet hold breath and room, not words: their correlation says nothing.
SPEECH_DBFS: Final = -45.0
# What a fade or a concealed frame still lets through is above this.
SILENT_DBFS: Final = -65.0
_TINY: Final = 1e-9
_BLOCK: Final = RATE // 100


@dataclass(frozen=True, slots=True)
class Recording:
    """Mono samples (-1 to 1) at 48 kHz whose first sample was at ``start`` (monotonic s)."""

    samples: Samples
    start: float

    def between(self, begin: float, end: float) -> Samples:
        """Return the samples from ``begin`` to ``end``, silence where there are none."""
        first, last = round((begin - self.start) * RATE), round((end - self.start) * RATE)
        out = np.zeros(max(0, last - first), np.float32)
        low, high = max(first, 0), min(last, self.samples.size)
        if high > low:
            out[low - first : high - first] = self.samples[low:high]
        return out


@dataclass(frozen=True, slots=True)
class Window:
    """One window of speech: where it was said, how late and how whole it was heard."""

    said_at: float
    delay_s: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Heard:
    """How one member heard another."""

    windows: tuple[Window, ...]
    said_dbfs: float
    heard_dbfs: float

    @property
    def speech_s(self) -> float:
        """Seconds of speech that arrived, in steps of the windows' hop."""
        return sum(HOP_S for window in self.windows if window.correlation > 0.5)

    @property
    def correlation(self) -> float:
        """Median correlation of the windows; 0 if nothing was said."""
        return _median([window.correlation for window in self.windows])

    @property
    def delay_ms(self) -> float:
        """Median delay from mouth to ear in milliseconds."""
        return 1000 * _median([window.delay_s for window in self.windows])

    @property
    def worst_delay_ms(self) -> float:
        """Longest delay of any window that was recognised."""
        known = [window.delay_s for window in self.windows if window.correlation > 0.5]
        return 1000 * max(known, default=0.0)


def dbfs(samples: Samples) -> float:
    """Return the RMS level in dB below full scale (a full-scale square wave is 0)."""
    if not samples.size:
        return -120.0
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return float(max(-120.0, 20 * np.log10(rms + _TINY)))


def compare(said: Recording, heard: Recording, begin: float, end: float) -> Heard:
    """Compare what was said between two instants with what was heard."""
    windows: list[Window] = []
    loud_said: list[Samples] = []
    loud_heard: list[Samples] = []
    at = begin
    while at + WINDOW_S <= end:
        spoken = said.between(at, at + WINDOW_S)
        if dbfs(spoken) > SPEECH_DBFS:
            field = heard.between(at + EARLIEST_S, at + WINDOW_S + LATEST_S)
            lag, correlation = best_lag(spoken, field)
            windows.append(Window(at, lag / RATE + EARLIEST_S, correlation))
            loud_said.append(spoken)
            loud_heard.append(field[lag : lag + spoken.size])
        at += HOP_S
    return Heard(tuple(windows), _level(loud_said), _level(loud_heard))


def best_lag(spoken: Samples, field: Samples) -> tuple[int, float]:
    """Return where in ``field`` the window ``spoken`` fits best, and how well (0 to 1).

    Normalised cross-correlation by FFT; polarity does not count as likeness.
    """
    size = 1 << (field.size + spoken.size - 1).bit_length()
    spectrum = np.fft.rfft(field, size) * np.conj(np.fft.rfft(spoken, size))
    lags = field.size - spoken.size + 1
    products = np.fft.irfft(spectrum, size)[:lags]
    sums = np.concatenate(([0.0], np.cumsum(np.square(field, dtype=np.float64))))
    energies = sums[spoken.size :] - sums[: -spoken.size]
    own = float(np.sum(np.square(spoken, dtype=np.float64)))
    scores = products / np.sqrt(np.maximum(energies, _TINY) * max(own, _TINY))
    best = int(np.argmax(scores))
    return best, float(min(1.0, max(0.0, scores[best])))


def longest_dropout_s(
    said: Recording, heard: Recording, begin: float, end: float, delay_s: float
) -> float:
    """Return the longest of ``dropouts_s``, 0 if there is none."""
    return max(dropouts_s(said, heard, begin, end, delay_s), default=0.0)


def dropouts_s(
    said: Recording, heard: Recording, begin: float, end: float, delay_s: float
) -> list[float]:
    """Return how long each stretch was, in steps of 10 ms, that was said and not heard.

    Said means above the level of speech, not heard means silent; ``delay_s`` is how
    late the speech arrived.
    """
    loud = _levels(said.between(begin, end)) > SPEECH_DBFS
    silent = _levels(heard.between(begin + delay_s, end + delay_s)) < SILENT_DBFS
    found, run = [], 0
    for is_missing in [*(loud & silent), False]:
        if run and not is_missing:
            found.append(run * _BLOCK / RATE)
        run = run + 1 if is_missing else 0
    return found


def _levels(samples: Samples) -> NDArray[np.float64]:
    """Return the level of each 10 ms block in dBFS."""
    count = samples.size // _BLOCK
    blocks = samples[: count * _BLOCK].reshape(count, _BLOCK).astype(np.float64)
    levels: NDArray[np.float64] = 10 * np.log10(np.mean(np.square(blocks), axis=1) + _TINY**2)
    return levels


def _level(parts: list[Samples]) -> float:
    return dbfs(np.concatenate(parts)) if parts else -120.0


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else 0.0
