"""The event log: one line of JSON for each thing that happened in the box.

For people and programs outside that want to know what a box did and when; the
format is in docs/events.md. A log that cannot be written never disturbs the
box: lines are dropped and counted.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

# A broken disk or a pipe without a reader is tried again this often.
_RETRY_S: Final = 1.0
# Within this, a pipe takes a line whole or not at all (POSIX: at least 512; Linux: 4096).
MAX_LINE: Final = 4096
# A day of talking is some 200 MB; an appliance's disk must not fill up.
MAX_BYTES: Final = 256 * 1024 * 1024

_log = logging.getLogger(__name__)
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


class EventLog:
    """Appends to a file or a named pipe. Safe to use from any thread; never raises."""

    def __init__(
        self, path: Path | str | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``path`` None: nobody wants to know, and nothing is counted."""
        self._path = None if path is None else Path(path)
        self._watch: Callable[[str, float, Mapping[str, object]], None] | None = None
        self._clock = clock
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._retry_at = float("-inf")
        self._written = 0
        self._complained = False
        self.dropped = 0

    def watch(self, watch: Callable[[str, float, Mapping[str, object]], None]) -> None:
        """Tell ``watch`` of each event as well, on the thread that emits it, file or not."""
        self._watch = watch

    def emit(self, event: str, /, *, at: float | None = None, **fields: object) -> None:
        """Write one event that happened ``at`` (monotonic seconds; None for now).

        The fields ``t`` and ``event`` cannot be overridden.
        """
        if self._watch is not None:
            self._watch(event, self._clock() if at is None else at, fields)
        if self._path is None:
            return
        now = self._clock()
        line = _line(round(now if at is None else at, 6), event, fields)
        with self._lock:
            if line is None or not self._write(self._path, line, now):
                self.dropped += 1

    def close(self) -> None:
        """Close the file. A later event opens it again."""
        with self._lock:
            self._abandon(float("-inf"))

    def _write(self, path: Path, line: bytes, now: float) -> bool:
        fd = None if self._written + len(line) > MAX_BYTES else self._opened(path, now)
        if fd is None:
            return False
        try:
            taken = os.write(fd, line)
        except BlockingIOError:  # a pipe whose reader is slow
            return False
        except OSError:
            self._abandon(now + _RETRY_S)
            return False
        self._written += taken
        if taken < len(line):  # a full disk
            self._abandon(now + _RETRY_S)
        return taken == len(line)

    def _opened(self, path: Path, now: float) -> int | None:
        if self._fd is None and now >= self._retry_at:
            # Not blocking: opening a pipe would wait for its reader.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
            try:
                self._fd = os.open(path, flags, 0o640)
                self._complained = False
            except OSError as error:
                self._retry_at = now + _RETRY_S
                self._complain(path, error)
        return self._fd

    def _complain(self, path: Path, error: OSError) -> None:
        """Say once that nothing is written down."""
        if not self._complained:
            self._complained = True
            _log.warning("events: %s cannot be written: %s.", path, error.strerror)

    def _abandon(self, retry_at: float) -> None:
        fd, self._fd = self._fd, None
        self._retry_at = retry_at
        if fd is not None:
            with contextlib.suppress(OSError):
                os.close(fd)


def _line(t: float, event: str, fields: dict[str, Any]) -> bytes | None:
    """Return the line, or None for one that is too long or cannot be written."""
    record = {"t": t, "event": event}
    for key, value in fields.items():
        record.setdefault(key, value)
    try:
        line = _encode(record) + b"\n"
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None
    return line if len(line) <= MAX_LINE else None
