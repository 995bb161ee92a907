"""When to shorten or lengthen a frame so that the playout delay meets its target."""

from collections import deque
from enum import StrEnum
from typing import Final

from stagebox.media.arrival import JitterConfig

_MEASURES: Final = 3  # one late pull must not look like delay


class Advice(StrEnum):
    """What the playout should do to the frame to bring the delay to its target."""

    NORMAL = "normal"
    ACCELERATE = "accelerate"  # shorten it if that is hardly heard
    HURRY = "hurry"  # shorten it
    EXPAND = "expand"  # lengthen it if that is hardly heard


class DelayControl:
    """Compares the delay of each frame with the target."""

    def __init__(self, config: JitterConfig) -> None:
        self._config = config
        self._recent: deque[float] = deque(maxlen=_MEASURES)
        self._over_since: float | None = None

    def forget(self) -> None:
        """Measure anew: playing begins or ends."""
        self._recent.clear()
        self._over_since = None

    def advise(self, delay: float, target: float, now: float) -> Advice:
        """Take in the delay of the frame about to be played; say what to do to it."""
        self._recent.append(delay)
        if len(self._recent) < _MEASURES:
            return Advice.NORMAL
        if max(self._recent) < target - self._config.slack_s:
            return self._once(Advice.EXPAND)
        over = min(self._recent) - target
        if over <= self._config.slack_s:
            self._over_since = None
            return Advice.NORMAL
        if self._over_since is None:
            self._over_since = now
        if over > self._config.hurry_s or now - self._over_since > self._config.patience_s:
            return Advice.HURRY
        return self._once(Advice.ACCELERATE)

    def _once(self, advice: Advice) -> Advice:
        """Measure the effect before the next correction."""
        self._recent.clear()
        return advice
