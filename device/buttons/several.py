"""Several panels as one: keys on pins, a panel on a cable, the keys of a speakerphone.

A key is down while it is down on any of them. The panel that fails, or is gone, counts as
one whose keys are all up, and the others do not notice.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from device.buttons.lamps import Pattern
from device.buttons.ports import Key, KeyEvent, Panel, PanelError

_LOG: Final = logging.getLogger(__name__)


class Panels:
    """Merges the edges of ``panels``; shows each of them the same."""

    def __init__(self, panels: Iterable[Panel]) -> None:
        self._panels = tuple(panels)
        self._on_key: Callable[[KeyEvent], None] | None = None
        # What each panel's edges said last, and what was passed on.
        self._held: list[set[Key]] = [set() for _ in self._panels]
        self._told: set[Key] = set()
        self._is_open = False
        self.faults = 0

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Start every panel that can be started.

        Raises:
            PanelError: one, or a part of one, is not there; what is there works.
        """
        self._on_key, self._is_open = on_key, True
        missing = []
        for number, panel in enumerate(self._panels):
            try:
                panel.start(partial(self._on_edge, number))
            except PanelError as error:
                missing.append(str(error))
        for number in range(len(self._panels)):
            self._held[number] |= {key for key in Key if self._reads_down(number, key)}
            self._told |= self._held[number]
        if missing:
            raise PanelError(" ".join(missing))

    def is_down(self, key: Key) -> bool:
        """Read the level on each panel now."""
        return any(self._reads_down(number, key) for number in range(len(self._panels)))

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern on each."""
        for panel in self._panels:
            self._try(partial(panel.show, pattern))

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp of each, or not."""
        for panel in self._panels:
            self._try(partial(panel.show_recording, on))

    def close(self) -> None:
        """Close each. Safe to call twice."""
        self._on_key, self._is_open = None, False
        for panel in self._panels:
            self._try(panel.close)

    # --- private ----------------------------------------------------------------------

    def _on_edge(self, number: int, event: KeyEvent) -> None:
        """Pass an edge on unless another panel holds the key down, before and after."""
        key = event.key
        (self._held[number].add if event.down else self._held[number].discard)(key)
        if self._is_held_by_another(number, key) or not (event.down or key in self._told):
            return
        (self._told.add if event.down else self._told.discard)(key)
        if self._on_key is not None:
            self._on_key(event)

    def _is_held_by_another(self, number: int, key: Key) -> bool:
        """Whether another's edge says so and its level does, too: an edge can be lost."""
        return any(
            key in held and self._reads_down(other, key)
            for other, held in enumerate(self._held)
            if other != number
        )

    def _reads_down(self, number: int, key: Key) -> bool:
        """Read a level; a panel that fails has no key that is down."""
        try:
            return self._is_open and self._panels[number].is_down(key)
        except (PanelError, OSError) as error:
            self._note(error)
            return False

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (PanelError, OSError) as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        self.faults += 1
        if self.faults == 1:
            _LOG.warning("one panel does not obey, the others do: %s", error)


def joined(panels: Iterable[Panel]) -> Panel:
    """Return the panels as one; none at all is a panel without keys and lamps."""
    every = tuple(panels)
    return every[0] if len(every) == 1 else Panels(every)
