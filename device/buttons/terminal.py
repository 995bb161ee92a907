"""The panel of the simulator: a terminal's keyboard for fingers, a line of text for the lamp.

A terminal reports no key-up, so the space bar is a latch: once for TALK down, again
for TALK up; ``t`` taps it. ``h`` taps HAND (twice quickly: a double tap), ``H`` is a latch for
HAND, as the space bar is for TALK, and ``s`` and ``S`` are the same for STATUS; ``m`` slides
MUTE, ``+`` and ``-`` tap the volume keys, ``q`` quits.
"""

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable
from typing import Any, Final

from device.buttons.lamps import Pattern
from device.buttons.ports import Key, KeyEvent, PanelError

HELP: Final = "space: TALK, t: its tap, h H: HAND, m: MUTE, + -: volume, s S: STATUS, q: quit"
# As long as a quick finger: the floor is asked for, and given, while it is down.
TAP_S: Final = 0.15
_LATCHED: Final = {" ": Key.TALK, "H": Key.HAND, "S": Key.STATUS, "m": Key.MUTE}
_TAPPED: Final = {
    "h": Key.HAND,
    "+": Key.VOLUME_UP,
    "-": Key.VOLUME_DOWN,
    "s": Key.STATUS,
}
# One read takes what a person can type in a moment, and bounds what a pipe can.
READ_BYTES: Final = 64


class TerminalPanel:
    """Reads single characters from the file descriptor ``fd``; writes the lamp to ``write``."""

    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        fd: int = 0,
        write: Callable[[str], object] | None = None,
        on_quit: Callable[[], None] | None = None,
    ) -> None:
        self._fd = fd
        self._write = write
        self._on_quit = on_quit
        self._on_key: Callable[[KeyEvent], None] | None = None
        self._is_read = False
        self._saved: list[Any] | None = None
        self._down: set[Key] = set()

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to read keys, without echo and without waiting for a line.

        Raises:
            PanelError: ``fd`` cannot be waited on, as with a file.
        """
        self._loop = asyncio.get_running_loop()
        try:
            self._loop.add_reader(self._fd, self._on_readable)
        except (OSError, ValueError) as error:
            msg = f"The keyboard cannot be read ({error}). Use a terminal, or a script."
            raise PanelError(msg) from error
        self._is_read = True
        self._on_key = on_key
        if os.isatty(self._fd):
            self._saved = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd, termios.TCSANOW)
        self._say(HELP)

    def is_down(self, key: Key) -> bool:
        """Tell whether ``key`` is latched down."""
        return key in self._down

    def show(self, pattern: Pattern) -> None:
        """Write the pattern's name and colour."""
        self._say(f"lamp: {pattern.name} ({pattern.color})")

    def show_recording(self, on: bool) -> None:
        """Write whether the recording lamp is lit."""
        self._say(f"recording: {'on' if on else 'off'}")

    def close(self) -> None:
        """Stop reading and give the terminal back as it was. Safe to call twice."""
        self._stop_reading()
        if self._saved is not None:
            with contextlib.suppress(termios.error):  # there is nothing left to give back
                termios.tcsetattr(self._fd, termios.TCSANOW, self._saved)
            self._saved = None
        self._on_key = None
        self._down.clear()

    def _on_readable(self) -> None:
        try:
            typed = os.read(self._fd, READ_BYTES)
        except OSError:  # the terminal is gone
            typed = b""
        # The end of a pipe is somebody who quits.
        for character in typed.decode("ascii", "ignore") if typed else "q":
            if self._is_read:
                self._on_character(character)

    def _on_character(self, character: str) -> None:
        if character in _LATCHED:
            key = _LATCHED[character]
            self._move(key, down=key not in self._down)
        elif character in _TAPPED:
            self._tap(_TAPPED[character])
        elif character == "t" and Key.TALK not in self._down:
            self._move(Key.TALK, down=True)
            self._loop.call_later(TAP_S, self._lift, Key.TALK)
        elif character == "q":
            self._hang_up()

    def _lift(self, key: Key) -> None:
        if key in self._down:
            self._move(key, down=False)

    def _tap(self, key: Key) -> None:
        if key not in self._down:
            self._move(key, down=True)
        self._move(key, down=False)

    def _hang_up(self) -> None:
        """Stop reading: nobody is at the keyboard any more, so no finger is on TALK or HAND."""
        self._stop_reading()
        for key in sorted(self._down - {Key.MUTE}):
            self._move(key, down=False)
        if self._on_quit is not None:
            self._on_quit()

    def _stop_reading(self) -> None:
        if self._is_read:
            self._is_read = False
            self._loop.remove_reader(self._fd)

    def _move(self, key: Key, *, down: bool) -> None:
        (self._down.add if down else self._down.discard)(key)
        if self._on_key is not None:
            self._on_key(KeyEvent(key, down, self._loop.time()))

    def _say(self, text: str) -> None:
        if self._write is not None:
            self._write(f"{text}\n")
