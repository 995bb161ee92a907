"""The live view of a simulated box: its picture redrawn in place, its log above it.

Drawing over the last picture works only while nobody else writes to the terminal, so
log lines that would go there are kept for a moment and written above the picture.
"""

import asyncio
import contextlib
import os
import shutil
import sys
from collections import deque
from typing import Final, TextIO

from device.buttons.terminal import HELP
from device.view.feed import Feed
from device.view.screen import render, until_next
from device.view.status import Status
from stagebox import logs
from stagebox.phrases import Language

# Fast enough for a meter, slow enough to read.
REFRESH_S: Final = 0.2
# The quickest step of a lamp is 100 ms: it is drawn at its time, but nothing faster is.
SHORTEST_S: Final = 0.05
# More between two pictures than anyone can read; the oldest are dropped.
_MAX_LINES: Final = 200
_HIDE_CURSOR: Final = "\x1b[?25l"
_SHOW_CURSOR: Final = "\x1b[?25h"
_CLEAR_BELOW: Final = "\x1b[J"
# A line with wide letters may still be longer than it looks; it must not become two.
_WRAP_OFF: Final = "\x1b[?7l"
_WRAP_ON: Final = "\x1b[?7h"


class LogLines:
    """A bounded store of log lines. Written to from any thread."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque(maxlen=_MAX_LINES)

    def write(self, text: str) -> None:
        """Keep some text, which ends a line."""
        self._texts.append(text)

    def flush(self) -> None:
        """Do nothing: whoever draws comes by soon."""

    def take(self) -> str:
        """Return what was written since the last call."""
        taken = ""
        while self._texts:
            taken += self._texts.popleft()
        return taken


class LiveView:
    """Draws one box on ``out``. Not for two at once on one terminal."""

    def __init__(
        self, status: Status, feed: Feed, out: TextIO, *, language: Language, colored: bool = True
    ) -> None:
        self._status = status
        self._feed = feed
        self._out = out
        self._language = language
        self._colored = colored
        self._height = 0
        self.log = LogLines()

    def draw(self, now: float, *, columns: int = 80, rows: int = 24) -> None:
        """Draw the picture over the last one, new log lines above it."""
        lines = render(
            self._status,
            self._feed.since(0),
            HELP,
            now=now,
            columns=columns,
            rows=rows,
            colored=self._colored,
            language=self._language,
        )
        up = f"\x1b[{self._height}A" if self._height else ""
        picture = "".join(f"{line}\n" for line in lines)
        self._height = len(lines)
        log = self.log.take()
        self._out.write(f"{up}\r{_CLEAR_BELOW}{log}{_WRAP_OFF}{picture}{_WRAP_ON}")
        self._out.flush()

    async def run(self) -> None:
        """Draw until cancelled; a terminal that is gone is no reason to stop the box."""
        news, loop = asyncio.Event(), asyncio.get_running_loop()
        self._feed.watchers.append(news.set)
        with contextlib.suppress(OSError):
            self._out.write(_HIDE_CURSOR)
            try:
                while True:
                    columns, rows = shutil.get_terminal_size()
                    self.draw(loop.time(), columns=columns, rows=rows)
                    news.clear()
                    await self._pause(news, loop.time())
            finally:
                self._out.write(f"{self.log.take()}{_SHOW_CURSOR}")
                self._out.flush()

    async def _pause(self, news: asyncio.Event, now: float) -> None:
        """Wait until the lamp's next step, something new, or the meters' turn."""
        step = until_next(self._feed.since(0), now)
        await asyncio.sleep(SHORTEST_S)
        with contextlib.suppress(TimeoutError):
            rest = REFRESH_S if step is None else min(REFRESH_S, step)
            await asyncio.wait_for(news.wait(), max(0.0, rest - SHORTEST_S))


async def watch(status: Status, feed: Feed, language: Language = Language.ENGLISH) -> None:
    """Show the box on standard output until cancelled; nothing, if that is no terminal."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return
    colored = "NO_COLOR" not in os.environ
    view = LiveView(status, feed, sys.stdout, language=language, colored=colored)
    with contextlib.ExitStack() as stack:
        if sys.stderr.isatty():
            stack.enter_context(logs.diverted(view.log))
        await view.run()
