"""How bright the lamps are by the time of the day.

Pure: minutes of the day in, as the clock on the wall shows them; the brightness out, and how
long it stays. A night may go over midnight. The clock may jump, so whoever asks does so again
before long, however far away the next change is.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

DAY_MIN: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Night:
    """From ``begins`` until ``ends``, minutes of the day; the same: all day and night."""

    begins: int
    ends: int

    def holds(self, minute: float) -> bool:
        """Whether it is night at a minute of the day."""
        length = (self.ends - self.begins) % DAY_MIN or DAY_MIN
        return (minute - self.begins) % DAY_MIN < length


def parse_night(text: str) -> Night | None:
    """Return the night of a text such as ``22:00-07:00``; of an empty one: none.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        return None
    begins, ends = (_minute(part) for part in text.split("-"))
    return Night(begins, ends)


@dataclass(frozen=True, slots=True)
class Dimming:
    """Shares of full light, 0 to 1, by day and by night. A night is never the brighter one."""

    day: float
    night: float
    hours: Night | None

    def at(self, minute: float) -> float:
        """Return the brightness at a minute of the day."""
        if self.hours is not None and self.hours.holds(minute):
            return min(self.day, self.night)
        return self.day

    def changes_in_s(self, minute: float) -> float:
        """Return the seconds until the brightness may change, by the clock as it stands."""
        if self.hours is None or self.hours.begins == self.hours.ends:
            return inf
        change = self.hours.ends if self.hours.holds(minute) else self.hours.begins
        return ((change - minute) % DAY_MIN or DAY_MIN) * 60


def _minute(text: str) -> int:
    hours, minutes = (int(part) for part in text.split(":"))
    if not (0 <= hours < 24 and 0 <= minutes < 60):
        raise ValueError(f"{text} is no time of the day.")
    return 60 * hours + minutes
