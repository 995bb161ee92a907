"""A panel on a USB cable: its serial line on the event loop, with no thread.

It is looked for until it is there, and again when it has gone, one attempt a second.
Nothing is ever queued for it: what a full line does not take is told again in a moment.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from device.buttons.lamps import NAMED, Pattern
from device.buttons.panellink import Edge, PanelLink, Trouble
from device.buttons.ports import Key, KeyEvent, PanelError
from device.buttons.serialport import BY_ID, find_ports, open_port, read_port, write_port

_LOG: Final = logging.getLogger(__name__)

AUTO: Final = "auto"
# Each new sentence about what is wrong and what to do, with its kind; None: all is well.
OnTrouble = Callable[[str, Trouble | None], None]
# As long as a Pico takes to be a serial line again.
LOOK_S: Final = 1.0


class UsbPanel:
    """The panel on ``port``: a path, or ``auto`` for any Pico that answers as a panel.

    ``on_trouble`` hears each new sentence about what is wrong, and an empty one when all is
    well; without it they go to the log.
    """

    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        port: str = AUTO,
        on_trouble: OnTrouble | None = None,
        by_id: Path = BY_ID,
    ) -> None:
        self._port = port
        self._by_id = by_id
        self._on_trouble = on_trouble or _log_trouble
        self._on_key: Callable[[KeyEvent], None] | None = None
        self._fd: int | None = None
        self._path = ""
        self._link: PanelLink | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pattern: Pattern = NAMED["off"]
        self._is_recording = False
        self._trouble: str | None = None
        self._tried = 0
        self._past_garbage = 0
        self.connections = 0

    @property
    def is_connected(self) -> bool:
        """Whether a panel talks to us now."""
        return self._link is not None and self._link.is_up

    @property
    def garbage(self) -> int:
        """How many torn or senseless frames came since the start."""
        return self._past_garbage + (self._link.garbage if self._link is not None else 0)

    @property
    def trouble(self) -> str:
        """What is wrong with the panel, and what to do; empty: nothing."""
        return self._trouble or ""

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to look for the panel. One that is not there yet is no error."""
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key
        self._look()

    def is_down(self, key: Key) -> bool:
        """Tell whether the key's edge down came and its edge up did not."""
        return self._link is not None and key in self._link.down

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern until another is shown."""
        self._pattern = pattern
        if self._link is not None:
            self._link.show(pattern)
            self._step()

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, or not."""
        self._is_recording = on
        if self._link is not None:
            self._link.record(on)
            self._step()

    def close(self) -> None:
        """Lamps off, the line closed. Safe to call twice."""
        self._on_key = None
        if self._link is not None:
            self._link.record(False)
            self._link.show(NAMED["off"])
            self._send()
        self._hang_up()
        self._sleep()

    # --- looking for it -----------------------------------------------------------------

    def _look(self) -> None:
        self._timer = None
        ports = find_ports(self._by_id) if self._port == AUTO else [self._port]
        if not ports:
            lacks = "No panel is plugged in: no Pico with MicroPython is on a USB port."
            self._say(lacks, Trouble.GONE)
        # Each in turn: the first may be somebody's Pico that is no panel.
        path = ports[self._tried % len(ports)] if ports else ""
        try:
            if path:
                self._open(path)
        except PanelError as error:
            self._tried += 1
            self._say(str(error), Trouble.GONE)
        if self._fd is None:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _open(self, path: str) -> None:
        self._fd, self._path = open_port(path), path
        self._link = PanelLink(secrets.token_hex(4), self._loop.time())
        self._link.show(self._pattern)
        self._link.record(self._is_recording)
        self._loop.add_reader(self._fd, self._on_readable)
        self.connections += 1
        self._step()

    def _hang_up(self) -> None:
        """Close the line; its keys are up."""
        if self._fd is None or self._link is None:
            return
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        dropped, self._past_garbage = self._link.drop(), self.garbage
        self._fd, self._link = None, None
        self._report(dropped)

    def _lose(self, why: str, kind: Trouble = Trouble.GONE) -> None:
        self._hang_up()
        self._say(why, kind)
        self._sleep()
        if self._on_key is not None:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    # --- the line -------------------------------------------------------------------------

    def _on_readable(self) -> None:
        if self._fd is None or self._link is None:
            return
        data = read_port(self._fd)
        if data is None:
            self._lose(f"{self._path} has gone. Plug the panel in.")
            return
        self._report(self._link.feed(data))
        self._step()

    def _step(self) -> None:
        """Send what is due, and be called again when the next is."""
        self._sleep()
        if not self._send():
            self._lose(f"{self._path} has gone. Plug the panel in.")
        if self._link is not None:
            self._judge(self._link)
        if self._link is not None:
            self._timer = self._loop.call_at(self._link.due_at(), self._step)

    def _send(self) -> bool:
        """Send what is due and report what was lost; tell whether the line is still there."""
        if self._fd is None or self._link is None:
            return True
        edges, out = self._link.step(self._loop.time())
        is_there = not out or write_port(self._fd, out) is not None
        self._report(edges)
        return is_there

    def _judge(self, link: PanelLink) -> None:
        """Say what is wrong; leave a Pico that is no panel for the next one."""
        kind = link.kind()
        if kind is not None:
            self._say(f"The panel on {self._path}: {link.trouble()}", kind)
        elif link.is_up:
            self._say("", None)
        if kind is not None and not link.panel and self._port == AUTO:
            self._tried += 1
            self._lose(self.trouble, kind)

    def _report(self, edges: Iterable[Edge]) -> None:
        for key, down in edges:
            if self._on_key is not None:
                self._on_key(KeyEvent(key, down, self._loop.time()))

    def _say(self, trouble: str, kind: Trouble | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble, kind)

    def _sleep(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _log_trouble(trouble: str, kind: Trouble | None) -> None:
    if kind is not None:
        _LOG.warning("%s", trouble)
    else:
        _LOG.info("the panel on the cable is there")
