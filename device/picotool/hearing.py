"""Whether a panel talks on a serial line, and which: it does so by itself twice a second."""

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from device.buttons.pico import link
from device.buttons.ports import PanelError
from device.buttons.serialport import open_port, read_port, write_port

# Four of its words.
LISTEN_S: Final = 2.0
# A Pico goes, comes back and talks in four seconds; a busy computer takes its time, too.
RETURN_S: Final = 15.0
_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Heard:
    """What a panel says of itself: its present start, its firmware, its language."""

    name: str
    version: str
    protocol: int

    @property
    def is_current(self) -> bool:
        """Whether this box brings the same firmware."""
        return self.protocol == link.PROTOCOL and self.version == link.FIRMWARE


def hear(port: str, seconds: float = LISTEN_S) -> Heard | None:
    """Return what talks on ``port``; None: nothing that is a panel.

    Raises:
        PanelError: the line cannot be had.
    """
    with _line(port) as fd:
        return _next(fd, seconds)


def ask_for_service(port: str, heard: Heard) -> None:
    """Ask the panel to start once without its program.

    Raises:
        PanelError: the line cannot be had.
    """
    with _line(port) as fd:
        write_port(fd, link.frame(link.service(heard.name)))
        # It is on its way when the panel says no more.
        select.select([], [fd], [], _PAUSE_S)
        time.sleep(_PAUSE_S)


def wait_for(port: str, *, panel: bool, seconds: float = RETURN_S) -> Heard | None:
    """Wait until ``port`` is back, with a ``panel`` or with a prompt; return the panel.

    Raises:
        PanelError: that does not happen.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            heard = hear(port)
            if (heard is not None) == panel:
                return heard
            why = "It goes on with its program." if heard is not None else "It does not talk."
        except PanelError as error:
            why = str(error)
        if time.monotonic() > deadline:
            raise PanelError(f"{why} Unplug the Pico on {port}, plug it in and try again.")
        time.sleep(_PAUSE_S)


@contextmanager
def _line(port: str) -> Iterator[int]:
    fd = open_port(port)
    try:
        yield fd
    finally:
        os.close(fd)


def _next(fd: int, seconds: float) -> Heard | None:
    deadline = time.monotonic() + seconds
    decoder = link.Decoder()
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([fd], [], [], left)[0]:
            return None
        data = read_port(fd)
        if data is None:
            raise PanelError("The Pico went away while it was listened to. Plug it in.")
        for byte in data:
            heard = _parse(decoder.push(byte) or "")
            if heard is not None:
                return heard
    return None


def _parse(body: str) -> Heard | None:
    words = body.split(" ")
    protocol = words[0][1:]
    if words[0][:1].upper() != link.PANEL or not protocol.isdigit() or len(words) < 3:
        return None
    return Heard(words[2], words[1], int(protocol))
