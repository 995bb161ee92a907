"""Errand: a panel on a real USB line of the kernel, plugged in and pulled out.

The kernel's dummy controller joins a gadget and a host in one machine: what is written to
/dev/ttyGS0 comes out of /dev/ttyACM0. At the gadget's end runs the panel's own program, but
under this Python; at the host's end the box's panel finds the line by its serial number.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
import termios
import time
import tty
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from device.buttons import pico
from device.buttons.lamps import RED_LIVE
from device.buttons.pico import link
from device.buttons.ports import Key, KeyEvent
from device.buttons.usbpanel import UsbPanel

GADGET: Final = Path("/sys/kernel/config/usb_gadget/panel")
# The maker and the board of a Pico with MicroPython.
IDS: Final = {"idVendor": "0x2e8a", "idProduct": "0x0005"}
STRINGS: Final = {
    "manufacturer": "MicroPython",
    "product": "Board in FS mode",
    "serialnumber": "e6614c311b7e6a2d",
}
PATIENCE_S: Final = 60.0


def make_gadget() -> None:
    """Describe the Pico to the kernel."""
    os.system("mount -t configfs none /sys/kernel/config 2>/dev/null")
    strings, config = GADGET / "strings/0x409", GADGET / "configs/c.1"
    for folder in (GADGET, strings, config, GADGET / "functions/acm.usb0"):
        folder.mkdir()
    for folder, values in ((GADGET, IDS), (strings, STRINGS)):
        for name, value in values.items():
            (folder / name).write_text(value)
    (config / "acm.usb0").symlink_to(GADGET / "functions/acm.usb0")


def plug(*, here: bool) -> None:
    """Put the cable in, or pull it out."""
    controller = next(Path("/sys/class/udc").iterdir()).name
    (GADGET / "UDC").write_text(controller if here else "\n")


class Board:
    """What the panel's program asks of its hardware; ``mask``: the keys that are down."""

    def __init__(self) -> None:
        self.mask = 0
        self.color = (0, 0, 0)
        self.recording = False
        self._fd = -1
        self._unread = b""
        self._open()

    def _open(self) -> None:
        """Open the line: the kernel hangs it up with the cable, where a Pico would start anew."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = os.open("/dev/ttyGS0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd, termios.TCSANOW)

    def levels(self) -> int:
        return self.mask

    def light(self, *color: int) -> None:
        self.color = color

    def record(self, on: bool) -> None:
        self.recording = on

    def read(self) -> int:
        try:
            self._unread = self._unread or os.read(self._fd, 256)
        except BlockingIOError:
            return -1
        except OSError:
            self._open()
            return -1
        if not self._unread:  # hung up
            self._open()
        byte, self._unread = self._unread[:1], self._unread[1:]
        return byte[0] if byte else -1

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._fd, data)


class Program(Protocol):
    """The panel's program, seen from outside."""

    def step(self, ms: int) -> None: ...


def program(board: Board) -> Program:
    """Return the panel's program on ``board``."""
    sys.path.insert(0, str(Path(str(pico.__file__)).parent))
    stand_in: Any = types.ModuleType("board")
    stand_in.Board = Board
    sys.modules["board"] = stand_in
    from panel import Panel  # noqa: PLC0415 - the firmware's, beside which a board must be

    made: Program = Panel(board)
    return made


async def be_a_pico(board: Board) -> None:
    """Run the panel's program for good."""
    subject, before = program(board), time.monotonic()
    while True:
        await asyncio.sleep(0.002)
        now = time.monotonic()
        subject.step(round((now - before) * 1000))
        before = now


def names() -> list[str]:
    """Return what udev calls the lines."""
    return [path.name for path in Path("/dev/serial/by-id").glob("*")]


async def until(condition: Callable[[], bool]) -> float:
    """Wait for it; return how many milliseconds that took, -1: too many."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > PATIENCE_S:
            return -1.0
        await asyncio.sleep(0.002)
    return round((time.monotonic() - start) * 1000, 1)


async def errand(presses: int) -> dict[str, object]:
    """Press, pull the cable, put it in, and say what came of it."""
    make_gadget()
    plug(here=True)
    board, troubles, edges = Board(), list[str](), list[KeyEvent]()
    pico_task = asyncio.create_task(be_a_pico(board))
    panel = UsbPanel(on_trouble=lambda trouble, _kind: troubles.append(trouble))
    panel.start(edges.append)
    found: dict[str, object] = {"found_ms": await until(lambda: panel.is_connected)}
    found["names"] = names()
    panel.show(RED_LIVE)
    panel.show_recording(True)
    found["red_ms"] = await until(lambda: board.color == (255, 0, 0) and board.recording)
    wrong, chance, delays = 0, random.Random(7), list[float]()
    for _ in range(presses):
        board.mask = chance.randrange(1 << len(link.KEYS))
        wanted = {key for i, key in enumerate(link.KEYS) if board.mask >> i & 1}
        passed = await until(lambda wanted=wanted: {k for k in Key if panel.is_down(k)} == wanted)
        wrong += passed < 0
        delays.append(passed)
    found |= {"presses": presses, "wrong": wrong, "press_ms": sorted(delays)[len(delays) // 2]}
    for turn in range(3):
        board.mask = 0
        await until(lambda: not any(panel.is_down(key) for key in Key))
        board.mask = 1
        await until(lambda: panel.is_down(Key.TALK))
        plug(here=False)
        found[f"up_ms_{turn}"] = await until(lambda: not panel.is_down(Key.TALK))
        found[f"lost_ms_{turn}"] = await until(lambda: board.color[0] > 0 and board.color[1] > 0)
        board.mask = 0
        plug(here=True)
        found[f"back_ms_{turn}"] = await until(lambda: panel.is_connected)
    found |= {"garbage": panel.garbage, "trouble": panel.trouble, "troubles": len(troubles)}
    panel.close()
    pico_task.cancel()
    return found


if __name__ == "__main__":
    print("RESULT", json.dumps(asyncio.run(errand(int(sys.argv[1])))), flush=True)
