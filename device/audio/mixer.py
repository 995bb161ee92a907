"""Sets a sound card's levels whenever it is opened, through ALSA's own tool.

Many codecs start with every way through them closed or 23 dB down, and a card that was
plugged in anew has forgotten what it was told. What cannot be set is said once and stops
nothing: the card may well be heard as it is.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from device.audio.levels import script, sentence, wrong

PROGRAM: Final = "amixer"
# It takes some 20 ms on a small computer. A card that hangs is found out elsewhere.
_PATIENCE_S: Final = 3.0
_MISSING: Final = (
    "The levels of the sound card could not be set, as amixer is not installed."
    " Install it with: sudo apt install alsa-utils"
)


class Mixer:
    """The levels that a card is to have. Called from the threads that open devices."""

    def __init__(self, levels: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """``tell`` is given each problem once, as a sentence, on the calling thread."""
        self._levels = dict(levels)
        self._tell = tell
        self._told: set[str] = set()

    def set(self, card: str | None) -> None:
        """Set the levels of the card with this ALSA id; None: it is no card of its own."""
        if not self._levels:
            return
        problem = self._set(card)
        if problem and problem not in self._told:
            self._told.add(problem)
            self._tell(problem)

    def _set(self, card: str | None) -> str:
        if card is None:
            return "The levels of the mixer were not set: what was opened is no card of its own."
        if shutil.which(PROGRAM) is None:
            return _MISSING
        try:
            done = _run([PROGRAM, "-D", f"hw:CARD={card}", "-s"], script(self._levels))
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"The levels for the card {card} could not be set ({type(error).__name__})."
        faults = wrong(self._levels, done.stdout)
        if done.returncode:
            said = done.stderr.strip().rpartition("\n")[2][:200]
            return f"The levels for the card {card} could not be set: {said or 'no reason given'}."
        return sentence(card, faults) if faults else ""


def contents(card: str, tool: str = PROGRAM) -> str:
    """Return the state of all controls of a card as the tool prints it; empty where it fails."""
    try:
        return _run([tool, "-D", f"hw:CARD={card}", "scontents"], "").stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _run(command: list[str], told: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - a fixed program; the id is ALSA's, no shell reads it
        command,
        input=told,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE_S,
        check=False,
    )
