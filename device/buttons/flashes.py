"""No lamp flashes more than twice a second, however fast what it shows changes.

Every pattern keeps to that by itself. Fingers and hubs can be quicker: who taps a key that is
refused would make a stroboscope of the lamp. So a step that would be the third flash within a
second waits. Red does not: it is a promise, lit with the first frame and gone with the last.
"""

from math import inf
from typing import Final

from device.buttons.lamps import Color, Step

# A second, less what the timers of a busy machine are late: the patterns keep to the whole one.
WINDOW_S: Final = 0.9


class FlashLimit:
    """Knows what the lamp shows, and when it brightened the last two times. Pure."""

    def __init__(self) -> None:
        self._level = 0.0
        self._is_red = False
        self._last = self._before = -inf

    def wait_s(self, step: Step, now: float) -> float:
        """Return the seconds for which ``step`` must wait; 0: it may be shown now."""
        may_flash = self._is_red or step.color is Color.RED or _light(step) <= self._level
        return 0.0 if may_flash else max(0.0, self._before + WINDOW_S - now)

    def shown(self, step: Step, now: float) -> None:
        """Take note of what the lamp shows from now on."""
        if _light(step) > self._level:
            self._before, self._last = self._last, now
        self._level, self._is_red = _light(step), step.color is Color.RED


def _light(step: Step) -> float:
    return step.level if step.is_lit else 0.0
