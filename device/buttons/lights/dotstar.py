"""A chain of DotStar pixels on a clock and a data pin."""

import contextlib
from typing import Final

from device.buttons.lamps import Color
from device.buttons.lights.apa102 import MAX_PIXELS, frame
from device.buttons.pins import Header, PinWires
from device.buttons.ports import PanelError

# A change of a pin takes gpiozero an estimated 20 us on a Pi 4, and the event loop waits: a frame
# for three pixels some 8 ms, for eight not quite the 20 ms of a frame of sound.
MAX_PINWISE: Final = 8


class DotstarLight:
    """``pixels``: 1 to 64, all of them in one colour.

    Raises:
        PanelError: a pin cannot be had, or these pins are too slow for so many pixels.
    """

    def __init__(self, header: Header, clock: int, data: int, pixels: int) -> None:
        if not 1 <= pixels <= MAX_PIXELS:
            msg = f"The lamp has {pixels} pixels; give lamp_pixels from 1 to {MAX_PIXELS}."
            raise PanelError(msg)
        self._pixels = pixels
        self._wires = header.wires("lamp", clock, data)
        self._is_open = True
        if pixels > MAX_PINWISE and isinstance(self._wires, PinWires):
            self.close()
            msg = (
                f"The lamp has {pixels} pixels, and pins {clock} and {data} are fast enough for "
                f"{MAX_PINWISE}: wire them to SPI (clock 11, data 10) and set dtparam=spi=on."
            )
            raise PanelError(msg)

    def light(self, color: Color, level: float) -> None:
        """Show a colour."""
        self._wires.send(frame(color, level, self._pixels))

    def close(self) -> None:
        """Put it out and give the pins back."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(PanelError):
                self.light(Color.OFF, 0.0)
            self._wires.close()
