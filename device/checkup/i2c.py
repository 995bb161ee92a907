"""Who answers on the header's I2C bus: the kernel's own list, and the bus itself."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterable
from typing import Final

from device.checkup.machine import Machine

# The bus on pins 2 and 3 of every Pi since the B+.
BUS: Final = "dev/i2c-1"
DEVICES: Final = "sys/bus/i2c/devices"
# ioctl of Linux's i2c-dev: whom the next messages are for; refused when a driver has it.
_I2C_SLAVE: Final = 0x0703


def answered(machine: Machine, addresses: Iterable[int]) -> frozenset[int]:
    """Return those of the addresses at which a chip is."""
    known = {each for each in addresses if machine.text(f"{DEVICES}/1-{each:04x}/name")}
    return frozenset(known | _probed(machine, [each for each in addresses if each not in known]))


def _probed(machine: Machine, addresses: Iterable[int]) -> set[int]:
    """Ask each address for one byte: it is a read, which changes nothing in these chips."""
    try:
        bus = os.open(machine.path(BUS), os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return set()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, bus)
        return {each for each in addresses if _answers(bus, each)}


def _answers(bus: int, address: int) -> bool:
    try:
        fcntl.ioctl(bus, _I2C_SLAVE, address)
        return len(os.read(bus, 1)) == 1
    except OSError as error:
        return error.errno == errno.EBUSY
