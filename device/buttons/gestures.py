"""What fingers mean: taps, double taps and holds of HAND, and TALK and HAND together.

TALK alone is no gesture. It acts on the way down, always, and nothing here delays it. HAND
acts when it is sure what is meant: a tap after the time in which a second one would have
come, a hold at its threshold. On a box whose HAND is NEXT the two keys that came down as one
are a third key; held apart they mean what each means.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.buttons.ports import Key

# Two taps of one hand are 150 to 250 ms apart; longer would make every tap late.
DOUBLE_S: Final = 0.300
# Two fingers that mean one thing come down this close to each other.
TOGETHER_S: Final = 0.300


class Gesture(StrEnum):
    """What was done with the fingers."""

    TAP = "tap"
    DOUBLE = "double"
    HOLD = "hold"
    LET_GO = "let_go"  # the end of a hold
    BOTH = "both"  # TALK and HAND, for a first time
    BOTH_LONG = "both_long"  # and still


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to each threshold. ``both_s`` None: the two keys never are one."""

    hold_s: float
    both_s: tuple[float, float] | None = None


# Long enough not to leave by leaning on a key.
GUEST: Final = Timing(hold_s=2.0)
STUDIO: Final = Timing(hold_s=2.0, both_s=(2.0, 3.0))
# Priority is wanted at once; ending for everybody is not.
CHAIR: Final = Timing(hold_s=0.6, both_s=(2.0, 3.0))


class _Phase(StrEnum):
    """Where HAND stands."""

    UP = "up"
    DOWN = "down"
    TAPPED = "tapped"  # up again; a second tap may come
    HELD = "held"
    BOTH = "both"  # the first threshold of both is behind
    USED = "used"  # what it meant is over; it must come up


class Gestures:
    """The recogniser. Pure: edges and ``now`` in, gestures out. Repeated edges change nothing."""

    def __init__(self, timing: Timing = GUEST) -> None:
        self.timing = timing
        self._phase = _Phase.UP
        self._hand_at = 0.0
        self._tapped_at = 0.0
        self._talk_at: float | None = None
        self._long_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        match self._phase:
            case _Phase.DOWN:
                both_s = self._both_s
                return self._hand_at + (self.timing.hold_s if both_s is None else both_s[0])
            case _Phase.TAPPED:
                return self._tapped_at + DOUBLE_S
            case _Phase.BOTH:
                return self._long_at
            case _:
                return None

    def down(self, key: Key, now: float) -> list[Gesture]:
        """Take a finger that went down."""
        done = self.tick(now)
        if key is Key.TALK and self._talk_at is None:
            self._talk_at = now
        if key is Key.HAND and self._phase in {_Phase.UP, _Phase.TAPPED}:
            is_second = self._phase is _Phase.TAPPED
            self._phase = _Phase.USED if is_second else _Phase.DOWN
            self._hand_at = now
            return [*done, Gesture.DOUBLE] if is_second else done
        return done

    def up(self, key: Key, now: float) -> list[Gesture]:
        """Take a finger that came up."""
        done = self.tick(now)
        if key is Key.TALK:
            if self._phase is _Phase.BOTH or (self._phase is _Phase.DOWN and self._both_s):
                self._phase = _Phase.USED
            self._talk_at = None
        elif key is Key.HAND:
            done += self._hand_up(now)
        return done

    def tick(self, now: float) -> list[Gesture]:
        """Return what became clear by time alone."""
        done: list[Gesture] = []
        while (deadline := self.deadline) is not None and now >= deadline:
            done.append(self._due())
        return done

    def _due(self) -> Gesture:
        if self._phase is _Phase.TAPPED:
            self._phase = _Phase.UP
            return Gesture.TAP
        if self._phase is _Phase.BOTH:
            self._phase = _Phase.USED
            return Gesture.BOTH_LONG
        both_s = self._both_s
        if both_s is None:
            self._phase = _Phase.HELD
            return Gesture.HOLD
        self._phase, self._long_at = _Phase.BOTH, self._hand_at + both_s[1]
        return Gesture.BOTH

    def _hand_up(self, now: float) -> list[Gesture]:
        phase = self._phase
        if phase is _Phase.DOWN and now < self._hand_at + self.timing.hold_s:
            self._phase, self._tapped_at = _Phase.TAPPED, now
        elif phase is not _Phase.TAPPED:
            self._phase = _Phase.UP
        return [Gesture.LET_GO] if phase is _Phase.HELD else []

    @property
    def _both_s(self) -> tuple[float, float] | None:
        """The thresholds of both keys, if they came down as one."""
        if self._talk_at is None or abs(self._talk_at - self._hand_at) > TOGETHER_S:
            return None
        return self.timing.both_s
