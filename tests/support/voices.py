"""People who speak different languages: real voices where the machine has them."""

from functools import cache
from pathlib import Path

import av
import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm
from tests.support.signals import syllables

FOLDER = Path("/usr/share/asterisk/sounds")
SPEAKERS = ("en_US_f_Allison", "it_IT_m_Carlo", "fr_CA_f_June", "ru_RU_f_IvrvoiceRU")
_LONGEST = 30.0


def speaker(number: int, seconds: float) -> Pcm:
    """Return one of four people talking, without long pauses; beyond them, made-up voices."""
    count = round(seconds * SAMPLE_RATE)
    spoken = _speech(number)
    return np.tile(spoken, count // spoken.size + 1)[:count]


@cache
def _speech(number: int) -> Pcm:
    folder = FOLDER / SPEAKERS[number] if number < len(SPEAKERS) else FOLDER / "nobody"
    parts: list[Pcm] = []
    for path in sorted(folder.glob("vm-*.g722")):
        parts.append(_decoded(path))
        if sum(part.size for part in parts) > _LONGEST * SAMPLE_RATE:
            break
    return np.concatenate(parts) if parts else syllables(_LONGEST, seed=40 + number)


def _decoded(path: Path) -> Pcm:
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    pcm = np.concatenate(frames).astype(float)
    loud = np.flatnonzero(np.abs(pcm) > 500)
    pcm = pcm[loud[0] : loud[-1]] if loud.size else pcm
    count = pcm.size * 3
    at = np.interp(np.arange(count) / 3, np.arange(pcm.size), pcm)
    thrice: Pcm = at.astype(np.int16)
    return thrice
