"""The lamp of the AIY Voice Bonnet: a KTD2027 chip on I2C, or that chip behind the kernel.

Its four channels are current sinks. A register that is written as one message of two bytes:
0x00 wakes it, 0x04 has two bits for each channel (01: on), 0x05 the ramp, 0x06 to 0x09 the
currents in steps of 0.125 mA, where 0 is the first step (as the public Linux drivers for the
chip have it). Channels 1 to 3 of the bonnet are red, green and blue, 4 is not wired. The
board's own package of drivers has one for the chip, and then the chip is its alone: the lamp
is written through that.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

from device.buttons.lamps import Color
from device.buttons.lights.port import MIX
from device.buttons.pins import plain
from device.buttons.ports import PanelError

I2C: Final = Path("/dev/i2c-1")
LEDS: Final = Path("/sys/class/leds")
ADDRESS: Final = 0x31
# ioctl of Linux's i2c-dev: whom the next messages are for.
_I2C_SLAVE: Final = 0x0703
_AWAKE, _CHANNELS, _RAMP, _CURRENT = 0x00, 0x04, 0x05, 0x06
_ON: Final = 0b01
# 24 mA; the chip takes no more.
_MOST_STEPS: Final = 192

Shares = tuple[float, float, float]


class Chip(Protocol):
    """What sets the three currents."""

    def set(self, shares: Shares) -> None:
        """Let red, green and blue have these shares, 0 to 1, of the full current."""

    def close(self) -> None:
        """Give the chip back."""


class I2cChip:
    """The chip itself.

    Raises:
        OSError: the bus is not there, not ours, or the chip is another driver's.
    """

    def __init__(self, bus: Path = I2C, address: int = ADDRESS) -> None:
        self._file = os.open(bus, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._file, _I2C_SLAVE, address)
            self._write(_AWAKE, 0)
            self._write(_RAMP, 0)
        except OSError:
            self.close()
            raise

    def set(self, shares: Shares) -> None:
        """Set the currents first, then which channels have one."""
        switches = 0
        for channel, share in enumerate(shares):
            steps = max(1, round(share * _MOST_STEPS)) if share > 0 else 0
            if steps:
                self._write(_CURRENT + channel, steps - 1)
                switches |= _ON << 2 * channel
        self._write(_CHANNELS, switches)

    def close(self) -> None:
        """Close the bus. Safe to call twice."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _write(self, register: int, value: int) -> None:
        os.write(self._file, bytes((register, value)))


class KernelChip:
    """The chip behind the kernel's driver: a file for the brightness of each channel.

    Raises:
        OSError: there is no such driver, or its files are not ours to write.
    """

    def __init__(self, leds: Path = LEDS) -> None:
        self._files = [leds / f"ktd202x:led{channel}" / "brightness" for channel in (1, 2, 3)]
        self._full = int((leds / "ktd202x:led1" / "max_brightness").read_text())
        self.set((0.0, 0.0, 0.0))

    def set(self, shares: Shares) -> None:
        """Write the files."""
        for file, share in zip(self._files, shares, strict=True):
            file.write_text(str(max(1, round(share * self._full)) if share > 0 else 0))

    def close(self) -> None:
        """Do nothing: no file is kept open."""


class Ktd2027Light:
    """The lamp in the bonnet's button.

    Raises:
        PanelError: the chip cannot be had; the text says what to do.
    """

    def __init__(self, bus: Path = I2C, leds: Path = LEDS) -> None:
        self._chip: Chip | None = None
        if (leds / "ktd202x:led1").exists():
            with plain("The lamp's driver cannot be used (let this user write to its files)"):
                self._chip = KernelChip(leds)
        else:
            with plain(
                "The lamp on I2C cannot be used (set dtparam=i2c_arm=on, and put this user in "
                "group i2c)"
            ):
                self._chip = I2cChip(bus)

    def light(self, color: Color, level: float) -> None:
        """Show a colour."""
        if self._chip is None:
            raise PanelError("The lamp is closed.")
        red, green, blue = MIX[color]
        with plain("The lamp does not answer"):
            self._chip.set((red * level, green * level, blue * level))

    def close(self) -> None:
        """Put it out and give the chip back."""
        chip, self._chip = self._chip, None
        if chip is None:
            return
        with contextlib.suppress(OSError):  # it is gone; there is nothing left to put out
            chip.set((0.0, 0.0, 0.0))
        chip.close()
