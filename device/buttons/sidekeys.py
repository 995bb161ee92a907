"""STATUS and the volume keys: they act on the way down, and the volume repeats while it is held.

The two volume keys that came down as one are STATUS, for boxes that have no such key; what
their own edges did cancels out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device.buttons.gesture import TOGETHER_S, Gesture
from device.buttons.ports import Key

# As a keyboard repeats: late enough for one step, quick enough to go through the whole scale.
REPEAT_AFTER_S: Final = 0.5
REPEAT_S: Final = 0.2
# From one end of the scale to the other; a thing that lies on the key does no more.
REPEATS: Final = 20
_STEPS: Final[Mapping[Key, Gesture]] = MappingProxyType(
    {Key.VOLUME_UP: Gesture.VOLUME_UP, Key.VOLUME_DOWN: Gesture.VOLUME_DOWN}
)


class SideKeys:
    """The recogniser. Pure: edges and ``now`` in, gestures out. Other keys are none of its own."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}
        self._hold_at: float | None = None
        self._repeat_at: float | None = None
        self._repeated = Gesture.VOLUME_UP
        self._left = 0

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        times = (self._hold_at, self._repeat_at)
        return min((time for time in times if time is not None), default=None)

    def down(self, key: Key, now: float, long_s: float) -> list[Gesture]:
        """Take a finger that went down; held for ``long_s`` STATUS means more."""
        if key in self._since or (key is not Key.STATUS and key not in _STEPS):
            return []
        other = next((since for each, since in self._since.items() if each in _STEPS), None)
        self._since[key] = now
        self._repeat_at = None
        step = [_STEPS[key]] if key in _STEPS else []
        if step and other is None:
            self._repeat_at, self._repeated, self._left = now + REPEAT_AFTER_S, step[0], REPEATS
        if step and (other is None or now > other + TOGETHER_S):
            return step
        self._hold_at = now + long_s
        return [*step, Gesture.STATUS]

    def up(self, key: Key) -> None:
        """Take a finger that came up."""
        if self._since.pop(key, None) is not None:
            self._hold_at = self._repeat_at = None

    def tick(self, now: float) -> list[Gesture]:
        """Return what became clear by time alone."""
        done: list[Gesture] = []
        if self._hold_at is not None and now >= self._hold_at:
            self._hold_at = None
            done.append(Gesture.STATUS_HOLD)
        while self._repeat_at is not None and now >= self._repeat_at:
            self._left -= 1
            self._repeat_at = self._repeat_at + REPEAT_S if self._left else None
            done.append(self._repeated)
        return done
