"""What fingers mean: taps, double taps, holds, and keys that are pressed together.

TALK alone acts on the way down, always, and nothing here delays it; on a box without HAND its
holds are gestures besides. HAND acts when it is sure what is meant: a tap after the time in
which a second one would have come, a hold at its threshold. The two keys that came
down as one are a third key; held apart they mean what each means. STATUS and
the volume keys act on the way down.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from device.buttons.gesture import GUEST, STUCK_S, TOGETHER_S, Gesture, Timing
from device.buttons.ports import Key
from device.buttons.sidekeys import SideKeys


class _Phase(StrEnum):
    """Where HAND stands."""

    UP = "up"
    DOWN = "down"
    TAPPED = "tapped"  # up again; a second tap may come
    SECOND = "second"  # the second is down
    HELD = "held"
    BOTH = "both"  # a threshold of both is behind, and one is to come
    USED = "used"  # what it meant is over; it must come up


class Gestures:
    """The recogniser. Pure: edges and ``now`` in, gestures out. Repeated edges change nothing."""

    def __init__(self, timing: Timing = GUEST) -> None:
        self.timing = timing
        self._phase = _Phase.UP
        self._hand_at = 0.0
        self._tapped_at = 0.0
        self._later: tuple[tuple[float, Gesture], ...] = ()
        self._talk_at: float | None = None
        self._talk_holds: tuple[tuple[float, Gesture], ...] = ()
        self._side = SideKeys()

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        talk = self._talk_holds[0][0] if self._talk_holds else None
        times = (self._hand_due, talk, self._side.deadline)
        return min((time for time in times if time is not None), default=None)

    def down(self, key: Key, now: float) -> list[Gesture]:
        """Take a finger that went down."""
        done = self.tick(now)
        match key:
            case Key.TALK:
                self._talk_down(now)
            case Key.HAND:
                done += self._hand_down(now)
            case _:
                done += self._side.down(key, now, self.timing.long_s)
        return done

    def up(self, key: Key, now: float) -> list[Gesture]:
        """Take a finger that came up."""
        done = self.tick(now)
        self._side.up(key)
        if key is Key.TALK:
            if self._phase is _Phase.BOTH or (self._phase is _Phase.DOWN and self._both):
                self._phase = _Phase.USED
            self._talk_at, self._talk_holds = None, ()
        elif key is Key.HAND:
            done += self._hand_up(now)
        return done

    def tick(self, now: float) -> list[Gesture]:
        """Return what became clear by time alone."""
        return [*self._tick_hand(now), *self._tick_talk(now), *self._side.tick(now)]

    # --- TALK ---------------------------------------------------------------------------

    def _talk_down(self, now: float) -> None:
        if self._talk_at is None:
            self._talk_at = now
            if self.timing.holds_talk:
                enrol_s = self.timing.enrol_s
                last = () if enrol_s is None else ((now + enrol_s, Gesture.TALK_ENROL),)
                self._talk_holds = ((now + self.timing.long_s, Gesture.TALK_HOLD), *last)

    def _tick_talk(self, now: float) -> Iterator[Gesture]:
        while self._talk_holds and now >= self._talk_holds[0][0]:
            yield self._talk_holds[0][1]
            self._talk_holds = self._talk_holds[1:]

    # --- HAND ---------------------------------------------------------------------------

    @property
    def _hand_due(self) -> float | None:
        match self._phase:
            case _Phase.DOWN:
                both = self._both
                return self._hand_at + (both[0][0] if both else self.timing.hold_s)
            case _Phase.SECOND:
                return self._hand_at + self.timing.hold_s
            case _Phase.TAPPED:
                return self._tapped_at + self.timing.double_s
            case _Phase.HELD:
                return self._hand_at + STUCK_S
            case _Phase.BOTH:
                return self._hand_at + self._later[0][0]
            case _:
                return None

    def _tick_hand(self, now: float) -> Iterator[Gesture]:
        while (due := self._hand_due) is not None and now >= due:
            yield from self._hand_did()

    def _hand_did(self) -> tuple[Gesture, ...]:
        """Go on to what the time that has come makes of the finger."""
        match self._phase:
            case _Phase.DOWN if self._both:
                return self._both_did(self._both)
            case _Phase.BOTH:
                return self._both_did(self._later)
            case _Phase.DOWN:
                self._phase = _Phase.HELD
                return (Gesture.HAND_HOLD,)
            case _Phase.TAPPED:
                self._phase = _Phase.UP
                return (Gesture.HAND_TAP,)
        was, self._phase = self._phase, _Phase.USED
        return _AT_LAST[was]

    def _both_did(self, steps: tuple[tuple[float, Gesture], ...]) -> tuple[Gesture, ...]:
        self._later = steps[1:]
        self._phase = _Phase.BOTH if self._later else _Phase.USED
        return (steps[0][1],)

    def _hand_down(self, now: float) -> tuple[Gesture, ...]:
        if self._phase not in {_Phase.UP, _Phase.TAPPED}:
            return ()
        is_second = self._phase is _Phase.TAPPED
        self._hand_at = now
        if not is_second:
            self._phase = _Phase.DOWN
            return ()
        self._phase = _Phase.SECOND if self.timing.holds_double else _Phase.USED
        return () if self.timing.holds_double else (Gesture.HAND_DOUBLE,)

    def _hand_up(self, now: float) -> tuple[Gesture, ...]:
        phase = self._phase
        if phase is _Phase.DOWN and now < self._hand_at + self.timing.hold_s:
            self._phase, self._tapped_at = _Phase.TAPPED, now
        elif phase is not _Phase.TAPPED:
            self._phase = _Phase.UP
        if phase is _Phase.SECOND:
            return (Gesture.HAND_DOUBLE,)
        return (Gesture.HAND_LET_GO,) if phase is _Phase.HELD else ()

    @property
    def _both(self) -> tuple[tuple[float, Gesture], ...]:
        """What both keys mean, if they came down as one."""
        since = self._talk_at
        if since is None or abs(since - self._hand_at) > TOGETHER_S:
            return ()
        return self.timing.both


# The last that each phase can come to while the finger stays down.
_AT_LAST: Final = {
    _Phase.SECOND: (Gesture.DOUBLE_HOLD,),
    _Phase.HELD: (Gesture.HAND_LET_GO, Gesture.HAND_STUCK),
}
