"""Reads a code from what a box played, by the recordings of its digits: matched filters."""

import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.audio import synthesiser
from device.audio.prompts import recordings
from device.audio.speech import phrase
from stagebox.measure import RATE, Samples
from stagebox.phrases import Language, pronounced
from stagebox.speech import read_wav, write_wav

# A digit that the box played is its recording again, but for gaps of a slow computer; two
# different digits of one voice are alike to a quarter or so.
ALIKE: Final = 0.6
# Two digits are not begun within this.
_APART_S: Final = 0.15
# No voice is silent to the last bit for so long.
_GAP_S: Final = 0.001
# Between the two times that a box says it.
_AGAIN: Final = "|"
_LENGTH: Final = 6
_WANTED: Final = ("number.", "say.enrol_code")


def render(folder: Path) -> None:
    """Make the recordings that a box needs to say a code.

    Raises:
        OSError: there is no synthesiser.
    """
    program = synthesiser.find()
    if program is None:
        raise OSError(synthesiser.REMEDY)
    folder.mkdir()
    for name, words in recordings(Language.ENGLISH).items():
        if name.startswith(_WANTED):
            text = pronounced(words, Language.ENGLISH).encode()
            command = synthesiser.command(program, Language.ENGLISH)
            done = subprocess.run(command, input=text, capture_output=True, check=True)
            write_wav(folder / f"{name}.wav", phrase(done.stdout))


def code(heard: Samples, folder: Path) -> str | None:
    """Return the six digits that were said, of which one of the two times may be unclear."""
    return understood(_said(_without_gaps(heard), folder))


def understood(said: str) -> str | None:
    """Return the code in digits that were said twice, or None.

    One of the two times is whole, the other as much of it as was understood.
    """
    first, found, second = said.partition(_AGAIN)
    parts = [(first, second)] if found else [(said[:at], said[at:]) for at in range(len(said) + 1)]
    codes = {
        whole
        for pair in parts
        for whole, rest in (pair, pair[::-1])
        if len(whole) == _LENGTH and _is_part(rest, whole)
    }
    return codes.pop() if len(codes) == 1 else None


def _is_part(some: str, whole: str) -> bool:
    """Whether digits are those of ``whole``, in order, with some left out."""
    rest = iter(whole)
    return all(digit in rest for digit in some)


def _without_gaps(heard: Samples) -> Samples:
    """Leave out the silence that a card plays when a slow computer brings nothing."""
    silent = np.concatenate(([False], heard == 0, [False])).astype(np.int8)
    edges = np.flatnonzero(np.diff(silent))
    kept = np.ones(heard.size, bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        kept[begin:end] = end - begin < _GAP_S * RATE
    found: Samples = heard[kept]
    return found


def _said(heard: Samples, folder: Path) -> str:
    """Return every digit, in order, and where the code is said again."""
    words = {digit: f"number.{digit}" for digit in "0123456789"} | {_AGAIN: "say.enrol_code.part2"}
    found: list[tuple[float, int, str]] = []
    for what, name in words.items():
        scores = _likeness(heard, _trimmed(folder / f"{name}.wav"))
        found += [(float(scores[at]), at, what) for at in _peaks(scores)]
    said: list[tuple[int, str]] = []
    for _, at, what in sorted(found, reverse=True):
        if all(abs(at - other) > _APART_S * RATE for other, _ in said):
            said.append((at, what))
    return "".join(what for _, what in sorted(said))


def _trimmed(path: Path) -> Samples:
    pcm = _without_gaps(read_wav(path).astype(np.float32))
    loud = np.flatnonzero(np.abs(pcm) > 0.05 * np.abs(pcm).max())
    return pcm[loud[0] : loud[-1]]


def _likeness(field: Samples, word: Samples) -> NDArray[Any]:
    """Return the normalised cross-correlation at each place of ``field``."""
    size = 1 << (field.size + word.size - 1).bit_length()
    spectrum = np.fft.rfft(field, size) * np.conj(np.fft.rfft(word, size))
    products = np.fft.irfft(spectrum, size)[: field.size - word.size + 1]
    sums = np.concatenate(([0.0], np.cumsum(np.square(field, dtype=np.float64))))
    energies = np.maximum(sums[word.size :] - sums[: -word.size], 1.0)
    own = float(np.sum(np.square(word, dtype=np.float64)))
    scores: NDArray[Any] = products / np.sqrt(energies * own)
    return scores


def _peaks(scores: NDArray[Any]) -> list[int]:
    """Return the best place of each stretch that is alike enough."""
    good = np.flatnonzero(scores > ALIKE)
    if not good.size:
        return []
    cuts = np.flatnonzero(np.diff(good) > _APART_S * RATE) + 1
    return [int(part[np.argmax(scores[part])]) for part in np.split(good, cuts)]
