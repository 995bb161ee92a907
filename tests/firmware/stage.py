"""The box's serial code and the panel's firmware on the two ends of a pseudo-terminal.

Both have the same clock, which the test moves: hours pass in minutes, and nothing depends on
how busy the computer is.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import random
import sys
import termios
import time
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from unittest.mock import patch

from device.buttons import usbpanel
from device.buttons.lamps import NAMED, Pattern
from device.buttons.pico import link
from device.buttons.ports import Key, KeyEvent
from device.buttons.serialport import write_port
from device.buttons.usbpanel import UsbPanel
from tests.firmware.line import Line
from tests.firmware.pico import Pico

# Of real time, for a kernel that has much else to do.
PATIENCE_S: Final = 5.0
KEYS = tuple(Key(name) for name in link.KEYS)


class Stage:
    """``finger``: the keys that are held, as a mask. ``down``: those the box was told of."""

    def __init__(self, folder: Path, chance: random.Random | None = None) -> None:
        self.chance = chance or random.Random(1)
        self.now = 0
        self.finger = 0
        self.down: set[Key] = set()
        self.edges: list[tuple[Key, bool]] = []
        self.wrong: list[str] = []
        self.troubles: list[str] = []
        self.up, self.across = Line(self.chance), Line(self.chance)
        self.panel: UsbPanel | None = None
        self.shown: Pattern = NAMED["off"]
        self._folder = folder
        self._cable = folder / "usb-MicroPython_Board_in_FS_mode_e6614c311b-if00"
        self._main: int | None = None
        self._owed = 0
        self.pico = Pico.boot()

    # --- what happens to it -------------------------------------------------------------

    def plug_in(self) -> None:
        """Put the cable in."""
        self._main, side = pty.openpty()
        # What the box leaves unset would be the terminal's echo.
        tty.setraw(self._main)
        os.set_blocking(self._main, False)
        self._cable.symlink_to(os.ttyname(side))
        os.close(side)

    def unplug(self) -> None:
        """Pull the cable out."""
        if self._main is not None:
            os.close(self._main)
            self._main = None
            self._cable.unlink()

    def start_box(self) -> None:
        """Start the box's side."""
        self.panel = UsbPanel(by_id=self._folder, on_trouble=self._note)
        self.panel.start(self._on_key)
        self.panel.show(self.shown)

    def stop_box(self) -> None:
        """Stop the box's side as a crash does: nothing is said."""
        if self.panel is not None:
            self.panel._send = lambda: True  # type: ignore[method-assign]
            self.panel.close()
            self.panel = None
            self.down.clear()

    def show(self, name: str) -> None:
        """Let the box show the pattern of this name."""
        self.shown = NAMED[name]
        if self.panel is not None:
            self.panel.show(self.shown)

    async def pass_ms(self, ms: int, finger: int | None = None, *, reset: bool = False) -> None:
        """Let ``ms`` pass in one piece."""
        if finger is not None:
            self.finger = finger
        self.now += ms
        self.pico.run(ms, self.finger, reset=reset)
        self._send(self.up.carry(self.pico.read(), self.now))
        for _ in range(4):
            await asyncio.sleep(0)
        self.pico.write(self.across.carry(self._receive(), self.now))

    async def run(self, ms: int, finger: int | None = None, step: int = 5) -> None:
        """Let ``ms`` pass in steps."""
        for at in range(0, ms, step):
            await self.pass_ms(min(step, ms - at), finger)

    async def bounce(self, finger: int) -> None:
        """Move the fingers; the contacts bounce for three milliseconds."""
        before = self.finger
        for level in (finger, before, finger):
            await self.pass_ms(1, level)

    def close(self) -> None:
        """Take everything down."""
        self.stop_box()
        self.unplug()
        self.pico.close()

    # --- private ------------------------------------------------------------------------

    def _on_key(self, event: KeyEvent) -> None:
        self.edges.append((event.key, event.down))
        if event.down == (event.key in self.down):
            self.wrong.append(f"{self.now}: {event.key} was already so: {event.down}")
        (self.down.add if event.down else self.down.discard)(event.key)

    def _note(self, trouble: str, _kind: object) -> None:
        self.troubles.append(trouble)

    def _send(self, data: bytes) -> None:
        if self._main is None or self.panel is None or self.panel._fd is None:
            return  # as a Pico does that nobody listens to
        os.write(self._main, data)
        arrive(self.panel._fd, len(data))

    def _receive(self) -> bytes:
        owed, self._owed = self._owed, 0
        if self._main is None:
            return b""
        arrive(self._main, owed)
        # Without the box nobody has the other end open, which reads as an error.
        with contextlib.suppress(OSError):
            return os.read(self._main, 4096)
        return b""

    def _write_port(self, fd: int, data: bytes) -> int | None:
        count = write_port(fd, data)
        self._owed += count or 0
        return count


def arrive(fd: int, count: int) -> None:
    """Wait until the kernel has handed ``count`` bytes over, which it does in its own time."""
    deadline = time.monotonic() + PATIENCE_S
    while count > 0 and time.monotonic() < deadline:
        waiting = fcntl.ioctl(fd, termios.FIONREAD, bytes(4))
        if int.from_bytes(waiting, sys.byteorder) >= count:
            return
        time.sleep(0.0002)


def play(act: Callable[[Stage], Awaitable[None]], folder: Path, seed: int = 1) -> Stage:
    """Run ``act`` on a stage whose time it moves; return the stage as it was left."""
    stage = Stage(folder, random.Random(seed))
    loop = asyncio.new_event_loop()
    loop.time = lambda: stage.now / 1000  # type: ignore[method-assign]
    try:
        with patch.object(usbpanel, "write_port", stage._write_port):
            loop.run_until_complete(act(stage))
            stage.stop_box()
    finally:
        stage.close()
        loop.close()
    return stage
