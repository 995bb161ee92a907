"""Whether the box has explained itself already: once in its life is enough."""

import logging
from pathlib import Path
from typing import Final

from stagebox.statefile import make_state_dir, write_atomic

FILE_NAME: Final = "explained"

_log = logging.getLogger(__name__)


class Lessons:
    """The box's memory of its tutorial. ``wanted``: the settings ask for it."""

    def __init__(self, state_dir: Path, *, wanted: bool) -> None:
        self._path = state_dir / FILE_NAME
        self._is_known = self._path.exists()
        self._wanted = wanted

    @property
    def are_due(self) -> bool:
        """Whether the box is to explain itself without being asked."""
        return self._wanted and not self._is_known

    def learnt(self) -> None:
        """Remember that it did, or that nobody wanted to hear it."""
        if self._is_known:
            return
        self._is_known = True
        try:
            make_state_dir(self._path.parent)
            write_atomic(self._path, b"Remove this file to hear it again.\n")
        except OSError as error:
            _log.warning("That the keys were explained cannot be kept: %s", error)
