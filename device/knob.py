"""The volume keys' effect: the programme's volume, a tick that says how loud it is, and memory."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.audio.earcons import SCORES, Earcon, render
from device.loudness import Loudness, parse
from stagebox.media.frames import Pcm
from stagebox.statefile import make_state_dir, write_atomic

FILE_NAME: Final = "volume"
# As loud as speech is on average, so that the tick is as loud as the programme will be.
TICK_DBFS: Final = -20.0

_MAX_BYTES: Final = 16
_log = logging.getLogger(__name__)


class VolumeKnob:
    """Turns the volume. ``apply`` takes dB; ``play`` takes sound that is heard at once."""

    def __init__(
        self,
        percent: int,
        state_dir: Path,
        apply: Callable[[float], None],
        play: Callable[[Pcm], None],
    ) -> None:
        """Start at ``percent``, or where the keys left it last."""
        self._path = state_dir / FILE_NAME
        kept = _read(self._path)
        self._loudness = Loudness(percent if kept is None else kept)
        self._apply = apply
        self._play = play
        self._timer: asyncio.TimerHandle | None = None
        apply(self._loudness.db)

    @property
    def percent(self) -> int:
        """How loud the programme is, 0 to 100."""
        return self._loudness.percent

    def turn(self, steps: int, now: float) -> None:
        """Go so many steps up, or down. At either end there are two ticks."""
        has_room = self._loudness.turn(steps, now)
        self._apply(self._loudness.db)
        for _ in range(1 if has_room else 2):
            self._play(render(SCORES[Earcon.TICK], TICK_DBFS + self._loudness.db))
        if self._timer is None:
            self._arm()

    def close(self) -> None:
        """Keep what was not kept yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._keep(self._loudness.percent)

    def _arm(self) -> None:
        deadline = self._loudness.deadline
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        percent = self._loudness.due(asyncio.get_running_loop().time())
        if percent is not None:
            self._keep(percent)
        self._arm()

    def _keep(self, percent: int) -> None:
        try:
            make_state_dir(self._path.parent)
            write_atomic(self._path, f"{percent}\n".encode())
        except OSError as error:
            _log.warning("The volume cannot be kept in %s: %s", self._path, error)


def _read(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            return parse(file.read(_MAX_BYTES))
    except OSError:
        return None
