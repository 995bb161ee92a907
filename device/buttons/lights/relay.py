"""A relay for a light at the door: on while this box is on the air."""

import asyncio
import contextlib
import logging
from typing import Final

from device.buttons.lamps import Color
from device.buttons.pins import Header
from device.buttons.ports import PanelError

_LOG: Final = logging.getLogger(__name__)
# From one burst to the next it stays on: contacts wear, click beside a microphone, and who
# stands at the door is not to come in between two sentences.
HOLD_S: Final = 3.0


class RelayLight:
    """Closes its contact for red, which is the sender's colour, and opens it ``hold_s`` after.

    Raises:
        PanelError: the pin cannot be had.
    """

    def __init__(
        self, header: Header, pin: int, *, active_high: bool = True, hold_s: float = HOLD_S
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._hold_s = hold_s
        self._off: asyncio.TimerHandle | None = None
        self._is_on = False
        self._pin = header.out("door relay", pin, active_high=active_high, dimming=False)

    def light(self, color: Color, level: float) -> None:
        """Switch on at once for red, off later for anything else."""
        if color is Color.RED and level > 0:
            self._stay()
            if not self._is_on:
                self._pin.set(1.0)
                self._is_on = True
        elif self._is_on and self._off is None:
            self._off = self._loop.call_later(self._hold_s, self._open)

    def close(self) -> None:
        """Open the contact and give the pin back."""
        self._stay()
        self._is_on = False
        with contextlib.suppress(PanelError):  # a pin that is released holds no relay
            self._pin.set(0.0)
        self._pin.close()

    def _stay(self) -> None:
        if self._off is not None:
            self._off.cancel()
            self._off = None

    def _open(self) -> None:
        self._off = None
        try:
            self._pin.set(0.0)
            self._is_on = False
        except PanelError:
            _LOG.exception("the door relay does not obey; it stays on until the next burst")
