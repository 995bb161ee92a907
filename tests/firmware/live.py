"""A Pico with the firmware on it that lives in real time, on a cable that can be pulled."""

import contextlib
import os
import pty
import threading
import time
import tty
from pathlib import Path
from typing import Final

from tests.firmware.pico import LeftError, Pico

# Well below what a heartbeat waits for, and no burden for the machine.
STEP_S: Final = 0.005
# A machine that stood still is caught up with in pieces: between two the line is looked at.
MOST_MS: Final = 20


class LivePico:
    """``path``: where its serial line is while it is plugged in. Close it at the end.

    ``finger``: the keys that are held, as a mask.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.finger = 0
        self._lock = threading.Lock()
        self._pico = Pico.boot()
        self._main: int | None = None
        self._ends = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._live, name="pico", daemon=True)
        self._thread.start()

    @property
    def light(self) -> tuple[int, int, int]:
        """The colour of its ring now."""
        return self._pico.light

    def lights(self, since: int = 0) -> list[tuple[int, int, int]]:
        """Return the colours that it has shown, from that number on."""
        return [light[1:] for light in self._pico.lights[since:]]

    def plug(self) -> None:
        """Put the cable in."""
        main, side = pty.openpty()
        # What the box leaves unset would be the terminal's echo.
        tty.setraw(main)
        os.set_blocking(main, False)
        self.path.symlink_to(os.ttyname(side))
        os.close(side)
        with self._lock:
            self._main = main

    def pull(self) -> None:
        """Pull the cable out."""
        with self._lock:
            main, self._main = self._main, None
        if main is not None:
            self.path.unlink()
            os.close(main)

    def close(self) -> None:
        """Take everything down."""
        self._ends.set()
        self._thread.join()
        self.pull()
        self._pico.close()

    def _live(self) -> None:
        with contextlib.suppress(LeftError):
            while not self._ends.wait(STEP_S):
                late = round(1000 * (time.monotonic() - self._began)) - self._pico.now
                self._pico.run(min(max(late, 1), MOST_MS), self.finger)
                self._exchange()

    def _exchange(self) -> None:
        out = self._pico.read()
        with self._lock:
            if self._main is None:
                return
            with contextlib.suppress(OSError):  # nobody has the other end open, or reads
                os.write(self._main, out)
            with contextlib.suppress(OSError):
                self._pico.write(os.read(self._main, 4096))
