"""The wishes that last: one file, written whole."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from hub.speakers.terms import clean_name
from hub.speakers.wish import Wish
from stagebox.statefile import write_atomic

FILE: Final = "speakers.json"

_wishes: Final = msgspec.json.Decoder(tuple[Wish, ...])
log = logging.getLogger(__name__)


class Kept:
    """What is kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def read(self) -> tuple[Wish, ...]:
        """Return the wishes; none where they cannot be read, which is logged."""
        try:
            return _wishes.decode(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as error:
            log.error("%s cannot be read (%s): no speaker plays on by itself", FILE, error)
            return ()

    def write(self, wishes: Iterable[Wish]) -> None:
        """Keep these and no others.

        Raises:
            OSError: they cannot be kept; those from before are.
        """
        named = tuple(replace(each, name=clean_name(each.name)) for each in wishes)
        write_atomic(self._path, msgspec.json.encode(named))
