"""Forgetting everything: what a box has of its own on its disk, and who asks for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.floor.prompts import Prompt
from device.knob import FILE_NAME as VOLUME
from device.lessons import FILE_NAME as LESSONS
from device.link.hubs import FILE_NAME as LAST_HUB
from device.trust.errand import Tell
from device.trust.hold import ResetHold, Step
from device.trust.kept import FILE_NAME as ENROLMENT
from stagebox.identity import FILE_NAME as IDENTITY
from stagebox.statefile import remove

# Its hub first: a box whose plug is pulled in between belongs to nobody, and keeps its key.
OWN_FILES: Final = (ENROLMENT, LAST_HUB, VOLUME, LESSONS, IDENTITY)
# The voice says that it is done.
FAREWELL_S: Final = 4.0

_log = logging.getLogger(__name__)


def wipe(state_dir: Path) -> list[Path]:
    """Remove what a box keeps; return what there was. It may be done again after a power cut.

    Raises:
        OSError: something cannot be removed.
    """
    found = [path for name in OWN_FILES if (path := state_dir / name).exists()]
    for name in OWN_FILES:
        remove(state_dir / name)
    return found


@dataclass(slots=True)
class Wiper:
    """``look`` takes the reset key's level; ``over`` ends the program after so many seconds.

    ``forget``: asks whoever set the networks up to forget them.
    """

    state_dir: Path
    tell: Callable[[Tell], None]
    show: Callable[[bool], None]
    forget: Callable[[], None]
    over: Callable[[float], None]
    hold: ResetHold

    def look(self, *, down: bool, now: float) -> None:
        """Do what a hold at power-on asks for."""
        match self.hold.look(down=down, now=now):
            case Step.ASK:
                self.tell(Tell(Prompt.RESET_AGAIN))
                self.show(True)
            case Step.LEAVE:
                self.show(False)
            case Step.WIPE:
                self._wipe()

    def _wipe(self) -> None:
        try:
            wipe(self.state_dir)
        except OSError as error:
            _log.error("the box cannot be wiped: %s", error.strerror)
            self.show(False)
            self.tell(Tell(Prompt.ENROL_NOT_KEPT))
            return
        self.forget()
        _log.warning("the box was wiped by a hold of its key")
        self.tell(Tell(Prompt.RESET_DONE))
        self.over(FAREWELL_S)
