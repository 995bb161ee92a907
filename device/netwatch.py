"""Reads what the network's set-up tells the box, and asks it for the set-up hotspot."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.floor.model import Say
from device.network import Network
from stagebox.netstate import (
    ASK_FILE,
    FORGET_FILE,
    HELPER_DIR,
    MOST_BYTES,
    STATE_FILE,
    NetworkState,
    NetworkStateError,
    decode,
)

# Steps take seconds, and a person waits for their words.
LOOK_S: Final = 1.0

_log = logging.getLogger(__name__)


class NetWatch:
    """Looks at the file each second. Without one, nothing is said: not every box has a helper."""

    def __init__(
        self,
        say: Callable[[list[Say]], None],
        light: Callable[[str | None], None],
        *,
        state: Path = Path(HELPER_DIR) / STATE_FILE,
        ask: Path = Path(ASK_FILE),
    ) -> None:
        self._say = say
        self._light = light
        self._state = state
        self._ask = ask
        self._network = Network()
        self._has_complained = False

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            said = self._network.feed(self._read())
            if said:
                self._say(said)
            self._light(self._network.lamp)
            await asyncio.sleep(LOOK_S)

    def guard(self, otherwise: Callable[[], None]) -> Callable[[], None]:
        """Return what a finger that asks for a hub does: without a network it sets that up."""

        def begin() -> None:
            if not (self._network.wants_set_up and self.ask()):
                otherwise()

        return begin

    def ask(self) -> bool:
        """Ask for the set-up hotspot; return whether that could be written down."""
        try:
            self._ask.unlink(missing_ok=True)
            self._ask.touch()
        except OSError as error:
            _log.warning("the set-up network cannot be asked for: %s", error.strerror)
            return False
        return True

    def forget(self) -> None:
        """Ask for the box's networks to be forgotten; without a helper they are not its own."""
        path = self._ask.with_name(FORGET_FILE)
        try:
            path.unlink(missing_ok=True)
            path.touch()
        except OSError as error:
            _log.warning("no networks are forgotten: %s", error.strerror)

    def _read(self) -> NetworkState | None:
        try:
            with self._state.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError:
            return None
        try:
            state = decode(data)
        except NetworkStateError as error:
            if not self._has_complained:
                _log.warning("%s is not understood: %s", self._state, error)
            self._has_complained = True
            return None
        self._has_complained = False
        return state
