"""An update that was tried on this box and did not work: the release before it is back.

The updater and the box's start keep a line for each release that failed. The box remembers
what it has told of them, so that its user hears of each one once.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.floor.model import Say
from device.floor.prompts import Prompt
from stagebox.statefile import make_state_dir, write_atomic

FAILED: Final = Path("/var/lib/stagebox-releases/failed")
FILE_NAME: Final = "setbacks"
# What is said before the loudspeaker plays is heard by nobody; it opens within seconds.
LOOK_S: Final = 1.0
# Sixty-four lines of ten characters at the most.
_MOST_BYTES: Final = 4096

_log = logging.getLogger(__name__)


class Setback:
    """What is known of releases that failed. ``build``: the release that runs."""

    def __init__(self, state_dir: Path, build: int, failed: Path = FAILED) -> None:
        self._path = state_dir / FILE_NAME
        self._build = build
        self._failed = failed

    async def run(self, has_sound: Callable[[], bool], say: Callable[[list[Say]], None]) -> None:
        """Tell of it, as soon as that can be heard."""
        while not has_sound():  # noqa: ASYNC110 - a state of threads, not of this loop
            await asyncio.sleep(LOOK_S)
        if self.is_news():
            say([Say(Prompt.WENT_BACK)])
            self.told()

    def is_news(self) -> bool:
        """Whether a release failed that nobody was told of, and it is not the one that runs."""
        now = _lines(self._failed)
        return bool(now) and now != _lines(self._path) and now[-1] != str(self._build)

    def told(self) -> None:
        """Remember that the user knows."""
        try:
            make_state_dir(self._path.parent)
            text = "".join(f"{line}\n" for line in _lines(self._failed))
            write_atomic(self._path, text.encode())
        except OSError as error:
            _log.warning("What was told of updates cannot be kept: %s", error)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file; none where it is not there or cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("ascii", "replace").splitlines()
    except OSError:
        return []
