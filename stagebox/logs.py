"""Logging for both programs: short lines to standard error, nothing secret.

The transport libraries print addresses, packets and ICE passwords at debug level,
so their loggers stay at warning whatever is asked for.
"""

import contextlib
import logging
from collections.abc import Iterator
from typing import Final, Protocol

MAX_LINE: Final = 512
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
        """Return the record as text; a traceback keeps its lines."""
        message = record.getMessage()
        safe = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in message)
        line = f"{record.levelname.lower():7} {record.name}: {safe}"[:MAX_LINE]
        if record.exc_info:
            return f"{line}\n{self.formatException(record.exc_info)}"
        return line


def set_up(*, verbose: bool) -> None:
    """Log to standard error; the journal adds the time."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
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
