"""Logging for both programs: short lines to standard error, nothing secret.

The transport libraries print addresses, packets and ICE passwords at debug level,
so their loggers stay at warning whatever is asked for.
"""

import logging
from typing import Final

MAX_LINE: Final = 512
_QUIET: Final = ("aioice", "aiortc", "zeroconf", "aiohttp.access", "asyncio", "libav")


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
