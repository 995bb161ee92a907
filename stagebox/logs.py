"""Logging for both programs: short lines to standard error, nothing secret.

The transport libraries print addresses, packets and ICE passwords at debug level,
so their loggers stay at warning whatever is asked for.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Final, Protocol

from stagebox.flood import Flood

MAX_LINE: Final = 512
# Of a traceback, these many lines at its beginning and at its end say where it is.
TRACE_BEGIN: Final = 10
TRACE_END: Final = 30
_NOTE: Final = "left_out"  # the attribute of a record
_QUIET: Final = ("aioice", "aiortc", "zeroconf", "aiohttp.access", "asyncio", "libav")


class Lines(Protocol):
    """Where lines of log may go; called from any thread."""

    def write(self, text: str, /) -> object:
        """Take some text."""

    def flush(self) -> object:
        """Nothing more comes for now."""


class LineFormatter(logging.Formatter):
    """One bounded line per record; control characters cannot forge another."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text; a traceback keeps its lines, set in."""
        begin = f"{record.levelname.lower():7} {record.name}: "
        lines = [begin + record.getMessage()]
        if record.exc_info:
            lines += [f"  {line}" for line in _trace(self.formatException(record.exc_info))]
        note = getattr(record, _NOTE, "")
        if note:
            lines.insert(0, f"{begin}({note})")
        return "\n".join(_plain(line)[:MAX_LINE] for line in lines)


class Brake(logging.Filter):
    """Leaves out what is too much of one source, and tells with its next line how much."""

    def __init__(self) -> None:
        super().__init__()
        self._flood = Flood()

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is written."""
        note = self._flood.note(record.name, record.getMessage(), time.monotonic())
        if note:
            setattr(record, _NOTE, note)
        return note is not None


def _plain(text: str) -> str:
    """Return the text with what cannot be printed as its number."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _trace(text: str) -> list[str]:
    # A message within may have any line breaks: each is one of ours, set in, or none.
    lines = text.split("\n")
    if len(lines) > TRACE_BEGIN + TRACE_END:
        return [*lines[:TRACE_BEGIN], "...", *lines[-TRACE_END:]]
    return lines


def set_up(*, verbose: bool) -> None:
    """Log to standard error; the journal adds the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    handler.addFilter(Brake())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A network that comes and goes is normal for a box, and reported by its own events.
    logging.getLogger("zeroconf").setLevel(logging.ERROR)


@contextlib.contextmanager
def diverted(lines: Lines) -> Iterator[None]:
    """Log there instead of to standard error until the end of the block."""
    streams = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    before = [(handler, handler.setStream(lines)) for handler in streams]
    try:
        yield
    finally:
        for handler, stream in before:
            handler.setStream(stream)
