"""A panel whose fingers follow a script: for the simulator, tests and demonstrations.

One line is one act at a time in seconds since the start::

    1.0  talk down
    4.2  talk up      # a comment
    5    hand tap
    5.5  hand double
    5.9  hand hold    # two seconds and a little; double_hold: the second of two taps
    6    mute on
    7    mute off
    8    volume_up tap
    9    status tap
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.buttons.lamps import Pattern
from device.buttons.ports import Key, KeyEvent, PanelError

# As long as a quick finger.
TAP_S: Final = 0.100
# Between the starts of two taps that are one gesture.
DOUBLE_S: Final = 0.200
# Over the threshold of every hold of HAND.
HOLD_S: Final = 2.300
# A day in seconds: a script that is longer has a typing error in it.
MAX_S: Final = 86_400.0

_MOVES: Final[dict[str, tuple[tuple[float, bool], ...]]] = {
    "down": ((0.0, True),),
    "up": ((0.0, False),),
    "tap": ((0.0, True), (TAP_S, False)),
    "double": (
        (0.0, True),
        (TAP_S, False),
        (DOUBLE_S, True),
        (DOUBLE_S + TAP_S, False),
    ),
    "hold": ((0.0, True), (HOLD_S, False)),
    "double_hold": (
        (0.0, True),
        (TAP_S, False),
        (DOUBLE_S, True),
        (DOUBLE_S + HOLD_S, False),
    ),
}
# A switch stays where it is put.
_ACTS: Final[dict[tuple[str, str], tuple[tuple[float, bool], ...]]] = {
    (str(key), act): moves for key in Key if key is not Key.MUTE for act, moves in _MOVES.items()
} | {("mute", "on"): ((0.0, True),), ("mute", "off"): ((0.0, False),)}


class ScriptError(PanelError):
    """A line of a script cannot be played; the text says which and what would do."""


@dataclass(frozen=True, slots=True, order=True)
class ScriptStep:
    """At ``at`` seconds from the start, move ``key``."""

    at: float
    key: Key
    down: bool


def parse_script(text: str) -> tuple[ScriptStep, ...]:
    """Return the steps of a script in the order of their times.

    Raises:
        ScriptError: with the number of the first line that is wrong.
    """
    steps: list[ScriptStep] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if words:
            steps += _parse_line(number, words)
    return tuple(sorted(steps, key=lambda step: step.at))


def _parse_line(number: int, words: list[str]) -> list[ScriptStep]:
    if len(words) != 3:
        raise ScriptError(f"Line {number}: write a time, a key and an act, as in '1.5 talk down'.")
    at, key, act = words
    moves = _ACTS.get((key, act))
    if moves is None:
        known = ", ".join(" ".join(pair) for pair in _ACTS)
        raise ScriptError(f"Line {number}: '{key} {act}' is unknown. Known are: {known}.")
    start = _parse_time(number, at)
    return [ScriptStep(start + later, Key(key), down) for later, down in moves]


def _parse_time(number: int, word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_S:
        raise ScriptError(f"Line {number}: '{word}' is not a time from 0 to {MAX_S:g} seconds.")
    return seconds


class ScriptPanel:
    """Plays a script, and moves keys by hand with ``move``; reports lamps to ``on_show``."""

    def __init__(
        self,
        script: str = "",
        on_show: Callable[[Pattern], None] | None = None,
        on_recording: Callable[[bool], None] | None = None,
    ) -> None:
        self._steps = parse_script(script)
        self._on_show = on_show
        self._on_recording = on_recording
        self._on_key: Callable[[KeyEvent], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._started_at = 0.0
        self._next = 0
        self._down: set[Key] = set()
        self._is_closed = False

    @property
    def duration_s(self) -> float:
        """Seconds from the start to the last act."""
        return self._steps[-1].at if self._steps else 0.0

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to play."""
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key
        self._started_at = self._loop.time()
        self._schedule()

    def is_down(self, key: Key) -> bool:
        """Tell whether the script's finger is on ``key``."""
        return key in self._down

    def move(self, key: Key, *, down: bool) -> None:
        """Move a key now. A key that is there already makes no edge."""
        if self._is_closed or (key in self._down) == down:
            return
        (self._down.add if down else self._down.discard)(key)
        if self._loop is not None:
            event = KeyEvent(key, down, self._loop.time())
            self._loop.call_soon(self._deliver, event)

    def show(self, pattern: Pattern) -> None:
        """Report the pattern."""
        if self._on_show is not None:
            self._on_show(pattern)

    def show_recording(self, on: bool) -> None:
        """Report the recording lamp."""
        if self._on_recording is not None:
            self._on_recording(on)

    def close(self) -> None:
        """Stop playing; every finger is lifted. Safe to call twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_key = None
        self._is_closed = True
        self._down.clear()

    def _schedule(self) -> None:
        if self._loop is not None and self._next < len(self._steps):
            at = self._started_at + self._steps[self._next].at
            self._timer = self._loop.call_at(at, self._play)

    def _play(self) -> None:
        step = self._steps[self._next]
        self._next += 1
        self._schedule()
        self.move(step.key, down=step.down)

    def _deliver(self, event: KeyEvent) -> None:
        if self._on_key is not None:
            self._on_key(event)
