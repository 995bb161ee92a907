"""The lamp: what the floor's state looks like, and red exactly while frames leave.

Two sources, one rule: while the sender is on air the lamp is red, whatever the
floor's state says; otherwise it shows the state and never red. A box that no sound can
pass says so in place of a state that promises sound.
"""

from collections.abc import Callable
from math import inf
from typing import Final

from device.buttons.lamps import (
    PATTERNS,
    RED_LIVE,
    RED_WARNING,
    Color,
    Pattern,
    dimmed,
    led_by,
    pattern_for,
)
from device.buttons.ports import Key, Panel
from device.events import EventLog
from device.floor.model import FloorState, Show
from device.floor.prompts import Prompt
from device.view.status import Status

# Without a sound card these are no news: nothing is heard, and no press opens anything.
_PROMISES: Final = frozenset(
    {FloorState.NO_SPACE, FloorState.IDLE_FREE, FloorState.IDLE_BUSY, FloorState.COOLDOWN}
)
# In no space there is no sound session to miss.
_PROMISES_MEDIA: Final = _PROMISES - {FloorState.NO_SPACE}
# A slide stays where it is put.
_STAYS: Final = frozenset({Key.MUTE})
# A wink takes a second or so; applause is one after another, with the lamp's own in between.
WINK_S: Final = 2.0


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
        self._has_sound = self._has_media = True
        self._is_stuck = self._is_asking = False
        self._overlay: Pattern | None = None
        self._network: str | None = None
        self._lesson: Pattern | None = None
        self._brightness = 1.0
        self._lit: Pattern | None = None
        self._is_recorded = False
        self._winked_at = -inf

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

    def said(self, prompt: Prompt, now: float) -> None:
        """Take what is said to the user, where the lamp is to say it, too."""
        if prompt is Prompt.NEWS:
            self._wink("news", Color.PURPLE, now)
        elif prompt is Prompt.BUTTON_STUCK:
            self._is_stuck = True
            self._light()

    def down(self, keys: frozenset[Key]) -> None:
        """Take which keys are down: with the last of them up, none is stuck any more."""
        if self._is_stuck and keys <= _STAYS:
            self._is_stuck = False
            self._light()

    def sparkle(self, now: float) -> None:
        """Wink for a reaction: not on the air, and not for each of a whole audience."""
        self._wink("sparkle", Color.WHITE, now)

    def asks(self, asks: bool) -> None:
        """Take whether the box waits for a key that says yes."""
        if asks is not self._is_asking:
            self._is_asking = asks
            self._light()

    def teach(self, lamp: str | None) -> None:
        """Show a pattern while it is explained; None: the state again.

        No lesson is seen that cannot be heard.

        Raises:
            KeyError: there is no such pattern.
        """
        self._lesson = None if lamp is None else PATTERNS[lamp]
        self._light()

    def overlay(self, name: str | None) -> None:
        """Show this pattern (``find``, ``pairing``) in place of the state's; None: that again.

        Red still goes before.

        Raises:
            KeyError: there is no such pattern.
        """
        self._overlay = None if name is None else PATTERNS[name]
        self._light()

    def network(self, name: str | None) -> None:
        """Show this pattern while there is no hub; None: the network is no trouble."""
        is_new, self._network = name != self._network, name
        if is_new:
            self._light()

    def dim(self, brightness: float) -> None:
        """Show everything at this share of full light, 0 to 1, from now on."""
        is_new, self._brightness = brightness != self._brightness, brightness
        if is_new and self._lit is not None:
            self._panel.show(self._at_brightness(self._lit))

    def sound(self, works: bool) -> None:
        """Take whether the sound devices work."""
        self._has_sound = works
        self._light()

    def media(self, up: bool) -> None:
        """Take whether there is a sound session with the hub."""
        self._has_media = up
        self._light()

    def relight(self) -> None:
        """Show the pattern again: a panel that has just started knows none."""
        if self._lit is not None:
            self._panel.show(self._at_brightness(self._lit))
            self._panel.show_recording(self._is_recorded)

    def _wink(self, lead: str, color: Color, now: float) -> None:
        if self._is_on_air or self._lit is None or now < self._winked_at + WINK_S:
            return
        self._winked_at = now
        pattern = led_by(lead, self._lit)
        self._events.emit("lamp", color=color, pattern=pattern.name)
        self._panel.show(self._at_brightness(pattern))

    def _light(self) -> None:
        pattern = self._pattern()
        if pattern != self._lit:
            self._lit = pattern
            self._events.emit("lamp", color=pattern.color, pattern=pattern.name)
            self._status.color, self._status.pattern = pattern.color, pattern.name
            self._panel.show(self._at_brightness(pattern))

    def _at_brightness(self, pattern: Pattern) -> Pattern:
        return pattern if self._brightness == 1 else dimmed(pattern, self._brightness)

    def _pattern(self) -> Pattern:
        if self._is_on_air:
            return RED_WARNING if self._show.warning else RED_LIVE
        if self._is_stuck:
            return PATTERNS["stuck"]
        if self._overlay is not None:
            return self._overlay
        if self._is_asking:
            return PATTERNS["confirm"]
        if self._lesson is not None and self._has_sound:
            return self._lesson
        return pattern_for(self._stands_for(self._show.state), refused=self._show.refused)

    def _stands_for(self, state: FloorState) -> str:
        """Return what the state is shown as: it may promise what cannot be."""
        if self._network is not None and state is FloorState.OFFLINE:
            return self._network
        if not self._has_sound and state in _PROMISES:
            return "no_sound"
        if not self._has_media and state in _PROMISES_MEDIA:
            return "no_media"
        return state
