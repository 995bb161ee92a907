"""One LED, or a red-green-blue one, on pins of the header."""

import contextlib

from device.buttons.lamps import Color
from device.buttons.lights.port import MIX
from device.buttons.pins import Header, OutPin
from device.buttons.ports import PanelError

# What each of red, green and blue is lit for where one of them is missing: red belongs to the
# sender, also where it is a lamp of its own beside a green one.
_ALL = (1.0, 1.0, 1.0)
_RED = (1.0, 0.0, 0.0)
_NOT_RED = (0.0, 1.0, 1.0)


class LedLight:
    """``pins``: of red, green and blue; None: that one is not fitted.

    A single LED shows every colour as lit. Of two LEDs the red one is lit for red alone and
    the other one for every other colour. Without ``dimming`` a pin is only on or off, and
    amber becomes yellow.

    Raises:
        PanelError: a pin cannot be had; none is kept then.
    """

    def __init__(
        self,
        header: Header,
        pins: tuple[int | None, int | None, int | None],
        *,
        what: str = "lamp",
        active_high: bool = True,
        dimming: bool = True,
    ) -> None:
        self._pins: list[OutPin | None] = []
        try:
            for pin in pins:
                if pin is None:
                    self._pins.append(None)
                else:
                    out = header.out(what, pin, active_high=active_high, dimming=dimming)
                    self._pins.append(out)
        except PanelError:
            self.close()
            raise

    def light(self, color: Color, level: float) -> None:
        """Show a colour."""
        for pin, part in zip(self._pins, self._mix(color), strict=False):
            if pin is not None:
                pin.set(part * level)

    def close(self) -> None:
        """Put it out and give the pins back."""
        pins, self._pins = self._pins, []
        for pin in pins:
            if pin is not None:
                with contextlib.suppress(PanelError):  # a pin that is released is dark, too
                    pin.set(0.0)
                pin.close()

    def _mix(self, color: Color) -> tuple[float, float, float]:
        fitted = [pin is not None for pin in self._pins]
        if all(fitted) or color is Color.OFF:
            return MIX[color]
        if sum(fitted) == 1 or not fitted[0]:
            return _ALL
        return _RED if color is Color.RED else _NOT_RED
