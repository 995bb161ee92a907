"""The panel that is a page: its keys are moved and its lamps are read by whoever serves it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from device.buttons.lamps import Color, Pattern
from device.buttons.ports import Key, KeyEvent
from device.simulator.fingers import Edge, Fingers


@dataclass(frozen=True, slots=True)
class Lamps:
    """What is lit: the lamp's pattern, since when (monotonic seconds), and the recording lamp."""

    pattern: Pattern | None = None
    since: float = 0.0
    recording: bool = False

    @property
    def door(self) -> bool:
        """Whether the light at the door is on, which is: this box is on the air."""
        return self.pattern is not None and self.pattern.color is Color.RED


class PagePanel:
    """Implements ``Panel``. ``on_change`` is called after each change of a lamp or a key."""

    def __init__(self) -> None:
        self._fingers = Fingers()
        self._on_key: Callable[[KeyEvent], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self.lamps = Lamps()
        self.on_change: Callable[[], None] = lambda: None

    # --- the box's side ---------------------------------------------------------------

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to report edges."""
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key

    def is_down(self, key: Key) -> bool:
        """Tell whether a finger of any page is on ``key``."""
        return key in self._fingers.down

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern from its beginning."""
        now = asyncio.get_running_loop().time()
        self.lamps = Lamps(pattern, now, self.lamps.recording)
        self.on_change()

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, or not."""
        self.lamps = Lamps(self.lamps.pattern, self.lamps.since, on)
        self.on_change()

    def close(self) -> None:
        """Every finger is lifted, the lamps are off. Safe to call twice."""
        self._is_closed = True
        self._on_key = None
        self._fingers.clear()
        self.lamps = Lamps()
        self.on_change()

    # --- the pages' side --------------------------------------------------------------

    @property
    def down(self) -> frozenset[Key]:
        """The keys that are down."""
        return self._fingers.down

    def holds(self, page: int) -> bool:
        """Whether a page has a finger on a button."""
        return self._fingers.holds(page)

    def put(self, page: int, keys: Iterable[Key]) -> None:
        """Take everything that the fingers on a page hold now."""
        if not self._is_closed:
            self._report(self._fingers.put(page, keys))

    def slide(self, *, on: bool) -> None:
        """Move the MUTE switch."""
        if not self._is_closed:
            self._report(self._fingers.slide(on=on))

    def lose(self, page: int) -> None:
        """Take it that a page is gone: its fingers are off."""
        self._report(self._fingers.lose(page))

    def _report(self, edges: list[Edge]) -> None:
        for key, down in edges:
            if self._loop is not None:
                self._loop.call_soon(self._deliver, KeyEvent(key, down, self._loop.time()))
        if edges:
            self.on_change()

    def _deliver(self, event: KeyEvent) -> None:
        if self._on_key is not None:
            self._on_key(event)
