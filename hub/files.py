"""How many files the hub may open: a member takes two, its control line and its media."""

import logging
import resource
from typing import Final

# Far above any hub's members; beyond it the operating system's own limits count.
ENOUGH: Final = 65_536

_log = logging.getLogger(__name__)


def raise_file_limit(enough: int = ENOUGH) -> int:
    """Raise this process's soft limit as far as it may be, and return it.

    Systems start programs with a soft limit of 1024, for the sake of programs that
    still wait with select(); the hub does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        _log.warning("only %d files may be open at once: %s", soft, error)
        return soft
    return wanted
