"""A HID device that a program is, through the kernel's /dev/uhid.

The kernel makes a /dev/hidraw of it, and whoever opens that cannot tell it from one on USB.
"""

import os
import struct
from pathlib import Path
from typing import Final

from tests.appliance.guest.telephones import Telephone

_DESTROY, _OUTPUT, _CREATE, _INPUT = 1, 6, 11, 12
_USB: Final = 0x03
_PRODUCT: Final = 0x0412
# Linux leaves the keys of this one alone before 1.11, for its old firmware was wrong about them.
_VERSION: Final = 0x0111
# The kernel's struct uhid_event: a type, and the largest of its members.
_EVENT_BYTES: Final = 4380
_DATA_BYTES: Final = 4096
_NAME, _PHYS, _UNIQ = 128, 64, 64


class Plugged:
    """A telephone that is plugged in, until ``unplug``."""

    def __init__(self, telephone: Telephone) -> None:
        self.telephone = telephone
        self._fd = os.open("/dev/uhid", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        descriptor = telephone.descriptor
        ids = struct.pack("<HHIIII", len(descriptor), _USB, telephone.vendor, _PRODUCT, _VERSION, 0)
        names = telephone.name.encode().ljust(_NAME, b"\0") + bytes(_PHYS + _UNIQ)
        self._tell(_CREATE, names + ids + descriptor)
        self.written: list[bytes] = []

    def send(self, report: bytes) -> None:
        """Report keys."""
        self._tell(_INPUT, struct.pack("<H", len(report)) + report)

    def lit(self) -> set[str]:
        """Return the lamps that the host lit last."""
        self.receive()
        return self.telephone.lit(self.written[-1])[1] if self.written else set()

    def receive(self) -> None:
        """Take what the host has written."""
        while True:
            try:
                event = os.read(self._fd, _EVENT_BYTES)
            except BlockingIOError:
                return
            if struct.unpack_from("<I", event)[0] == _OUTPUT:
                (size,) = struct.unpack_from("<H", event, 4 + _DATA_BYTES)
                self.written.append(event[4 : 4 + size])

    def unplug(self) -> None:
        """Pull the cable."""
        self._tell(_DESTROY, b"")
        os.close(self._fd)

    def _tell(self, kind: int, body: bytes) -> None:
        os.write(self._fd, (struct.pack("<I", kind) + body).ljust(_EVENT_BYTES, b"\0"))


def nodes() -> list[str]:
    """Return the kernel's hidraw devices."""
    folder = Path("/sys/class/hidraw")
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
