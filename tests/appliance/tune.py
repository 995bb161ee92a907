"""A tune that is known again when an emulated processor has torn holes into it.

Speech is not: half a second with a gap in it is like nothing that was said. A note that
lasts is still the same note, and the tune's changes from one note to the next tell it from
any other order of them.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from stagebox import measure

# A third apart; none is a multiple of another, nor near the mains.
NOTES_HZ: Final = (410, 1_100, 250, 672, 1_408, 320, 860, 525)
NOTE_S: Final = 0.8
_WINDOW_S: Final = 0.060
_STEP_S: Final = 0.030
# As a share of a note's frequency.
_NEAR: Final = 0.04
# So many windows in a row make a note.
_HELD: Final = 4
_LEVEL: Final = 0.3
_FADE_S: Final = 0.010


def played(seconds: float) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """Return the tune, over and over, for so long."""
    size = round(NOTE_S * measure.RATE)
    fade = round(_FADE_S * measure.RATE)
    shape = np.ones(size)
    shape[:fade] = np.linspace(0, 1, fade)
    shape[-fade:] = shape[:fade][::-1]
    times = np.arange(size) / measure.RATE
    once = np.concatenate([np.sin(2 * np.pi * hz * times) * shape for hz in NOTES_HZ])
    whole = np.resize(once, round(seconds * measure.RATE))
    return (whole * _LEVEL * 32_767).astype(np.int16)


def notes(heard: measure.Samples) -> list[int]:
    """Return the notes that are heard, one after the other, by their numbers."""
    size, step = round(_WINDOW_S * measure.RATE), round(_STEP_S * measure.RATE)
    shape = np.hanning(size)
    found: list[int] = []
    last, times = -1, 0
    for at in range(0, heard.size - size, step):
        note = _note(heard[at : at + size] * shape)
        times = times + 1 if note == last else 1
        last = note
        if note >= 0 and times == _HELD and (not found or found[-1] != note):
            found.append(note)
    return found


def right(found: list[int]) -> float:
    """Return the share of changes from note to note that are the tune's; 1 in 7 by chance."""
    changes = list(pairwise(found))
    return sum(b == (a + 1) % len(NOTES_HZ) for a, b in changes) / max(1, len(changes))


def _note(window: measure.Samples) -> int:
    """Return which note sounds, or -1."""
    if measure.dbfs(window) < measure.SPEECH_DBFS - 10:
        return -1
    spectrum = np.abs(np.fft.rfft(window, 4 * window.size))
    hz = float(np.argmax(spectrum)) * measure.RATE / (4 * window.size)
    off = [abs(hz / note - 1) for note in NOTES_HZ]
    nearest = int(np.argmin(off))
    return nearest if off[nearest] < _NEAR else -1
