"""Plays lamp patterns on the event loop: one timer, no thread, no stroboscope."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from itertools import chain, cycle
from typing import Final

from device.buttons.flashes import FlashLimit
from device.buttons.lamps import Color, Pattern, Step
from device.buttons.ports import PanelError

_LOG: Final = logging.getLogger(__name__)


Show = Callable[[Color, float], None]


class LampPlayer:
    """Calls each of ``lights(color, level)`` at each step of the pattern that is shown.

    One that fails (``PanelError``) is logged and tried again at the next step: buttons are
    worth more than light.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *lights: Show) -> None:
        self._loop = loop
        self._lights = lights
        self._steps: Iterator[Step] = iter(())
        self._timer: asyncio.TimerHandle | None = None
        self._limit = FlashLimit()
        self.faults = 0

    def play(self, pattern: Pattern) -> None:
        """Show ``pattern`` from its beginning until another is played."""
        self._stop()
        if len(pattern.steps) == 1:
            self._steps = chain(pattern.lead, pattern.steps)
        else:
            self._steps = chain(pattern.lead, cycle(pattern.steps))
        self._next()

    def close(self) -> None:
        """Put every light out. Safe to call twice."""
        self._stop()
        self._set(Color.OFF, 0.0)

    def _next(self) -> None:
        step = next(self._steps, None)
        if step is None:  # a steady light needs no timer
            self._timer = None
            return
        self._begin(step)

    def _begin(self, step: Step) -> None:
        now = self._loop.time()
        wait_s = self._limit.wait_s(step, now)
        if wait_s > 0:
            self._timer = self._loop.call_later(wait_s, self._begin, step)
            return
        self._limit.shown(step, now)
        self._set(step.color, step.level)
        self._timer = self._loop.call_later(step.ms / 1000, self._next)

    def _set(self, color: Color, level: float) -> None:
        for light in self._lights:
            try:
                light(color, level)
            except PanelError:
                self.faults += 1
                if self.faults == 1:
                    _LOG.exception("a lamp does not obey; the buttons still do")

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
