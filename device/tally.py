"""The lamp: what the floor's state looks like, and red exactly while frames leave.

Two sources, one rule: while the sender is on air the lamp is red, whatever the
floor's state says; otherwise it shows the state and never red. A box whose sound
card is gone says so in place of a state that promises sound.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from device.buttons.lamps import RED_LIVE, RED_WARNING, Color, Pattern, pattern_for, sparkling
from device.buttons.ports import Panel
from device.events import EventLog
from device.floor.model import FloorState, Show
from device.view.status import Status

# Without a sound card these are no news: nothing is heard, and no press opens anything.
_PROMISES: Final = frozenset(
    {FloorState.NO_SPACE, FloorState.IDLE_FREE, FloorState.IDLE_BUSY, FloorState.COOLDOWN}
)
# A wink takes one second; applause is one wink after another, with the lamp's own in between.
SPARKLE_S: Final = 2.0


class Tally:
    """Observes the transmitter and the floor; drives one lamp."""

    def __init__(
        self,
        panel: Panel,
        events: EventLog,
        status: Status,
        on_air: Callable[[bool], None],
    ) -> None:
        self._panel = panel
        self._events = events
        self._status = status
        self._tell = on_air
        self._show = Show(FloorState.OFFLINE)
        self._told: FloorState | None = None
        self._is_on_air = False
        self._has_sound = True
        self._lit: Pattern | None = None
        self._is_recorded = False
        self._sparkled_at = -inf

    def on_air(self, on: bool) -> None:
        """Take from the sender whether audio frames leave."""
        self._is_on_air = on
        self._tell(on)
        self._light()

    def frame_sent(self, sequence: int) -> None:
        """Take note of a frame that left."""
        self._events.emit("frame_sent", seq=sequence)

    def show(self, show: Show) -> None:
        """Take what the floor's state is now; the first time, too, is told."""
        if show.state is not self._told:
            self._told = show.state
            self._events.emit("floor", state=show.state)
        self._show = show
        if show.recorded is not self._is_recorded:
            self._is_recorded = self._status.recorded = show.recorded
            self._events.emit("recording", on=show.recorded)
            self._panel.show_recording(show.recorded)
        self._light()

    def sparkle(self, now: float) -> None:
        """Wink for a reaction: not on the air, and not for each of a whole audience."""
        if self._is_on_air or self._lit is None or now < self._sparkled_at + SPARKLE_S:
            return
        self._sparkled_at = now
        pattern = sparkling(self._lit)
        self._events.emit("lamp", color=Color.WHITE, pattern=pattern.name)
        self._panel.show(pattern)

    def sound(self, works: bool) -> None:
        """Take whether the sound devices work."""
        self._has_sound = works
        self._light()

    def relight(self) -> None:
        """Show the pattern again: a panel that has just started knows none."""
        if self._lit is not None:
            self._panel.show(self._lit)
            self._panel.show_recording(self._is_recorded)

    def _light(self) -> None:
        pattern = self._pattern()
        if pattern != self._lit:
            self._lit = pattern
            self._events.emit("lamp", color=pattern.color, pattern=pattern.name)
            self._status.color, self._status.pattern = pattern.color, pattern.name
            self._panel.show(pattern)

    def _pattern(self) -> Pattern:
        if self._is_on_air:
            return RED_WARNING if self._show.warning else RED_LIVE
        is_deaf = not self._has_sound and self._show.state in _PROMISES
        return pattern_for("no_sound" if is_deaf else self._show.state, refused=self._show.refused)
