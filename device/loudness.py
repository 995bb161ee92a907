"""How loud the programme is by the volume keys, and when that is worth keeping."""

from math import log10
from typing import Final

# Twenty steps from silence to full, each just heard.
STEP: Final = 5
FULL: Final = 100
SILENT_DB: Final = -120.0  # under the last bit of a sample
# Written when the fingers have rested: a flash card wears out by writing.
QUIET_S: Final = 5.0


class Loudness:
    """A percentage, 0 to 100. Pure."""

    def __init__(self, percent: int) -> None:
        self.percent = min(FULL, max(0, percent))
        self._kept = self.percent
        self._turned_at: float | None = None

    @property
    def db(self) -> float:
        """The volume in dB: half of the scale is about half as loud, 0 is silent."""
        return 40 * log10(self.percent / FULL) if self.percent else SILENT_DB

    @property
    def deadline(self) -> float | None:
        """When ``due`` is to be asked."""
        return None if self._turned_at is None else self._turned_at + QUIET_S

    def turn(self, steps: int, now: float) -> bool:
        """Go so many steps up, or down; tell whether there was room for it."""
        wanted = self.percent + steps * STEP
        self.percent = min(FULL, max(0, wanted))
        self._turned_at = now
        return self.percent == wanted

    def due(self, now: float) -> int | None:
        """Return what is to be kept now, if anything is."""
        if self._turned_at is None or now < self._turned_at + QUIET_S:
            return None
        self._turned_at = None
        was, self._kept = self._kept, self.percent
        return None if was == self.percent else self.percent


def parse(data: bytes) -> int | None:
    """Return the percentage that was kept; None where nothing of that kind is."""
    text = data.strip()
    return int(text) if text.isdigit() and int(text) <= FULL else None
