"""Puts the firmware on a Pico that runs MicroPython, with MicroPython's own tool."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Final

from device.buttons.pico import link
from device.buttons.ports import PanelError
from device.picotool.hearing import Heard, ask_for_service, hear, wait_for

FIRMWARE: Final = Path(link.__file__).parent
# A Pico copies some ten kilobytes a second.
COPY_S: Final = 120.0
LABELS: Final = Path("/dev/disk/by-label")
# What the disk of a Pico is called that waits for MicroPython.
BOOT_DISKS: Final = ("RPI-RP2", "RP2350")


def firmware_files(folder: Path = FIRMWARE) -> list[str]:
    """Return the files that a panel needs, main.py last: half a copy is no program."""
    names = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")
    names.remove("main.py")
    return [*(str(folder / name) for name in names), str(folder / "main.py")]


def waiting_disk(labels: Path = LABELS) -> str:
    """Return the name of a Pico's boot disk that is plugged in, or nothing."""
    return next((name for name in BOOT_DISKS if (labels / name).exists()), "")


def install(port: str) -> Heard:
    """Put the firmware on the Pico on ``port``; return what it says of itself then.

    Raises:
        PanelError: it cannot be done; the text says why, and what to do.
    """
    if importlib.util.find_spec("mpremote") is None:
        raise PanelError("mpremote is missing. Run 'pip install stagebox[panel]'.")
    heard = hear(port)
    if heard is not None:
        ask_for_service(port, heard)
        wait_for(port, panel=False)
    _copy(port)
    now = wait_for(port, panel=True)
    if now is None or not now.is_current:
        raise PanelError(f"The Pico on {port} runs other firmware than was copied. Try again.")
    return now


def _copy(port: str) -> None:
    command = [sys.executable, "-m", "mpremote", "connect", port, "fs", "cp", *firmware_files()]
    try:
        done = subprocess.run(  # noqa: S603 - this Python, and files of our own
            [*command, ":", "+", "reset"],
            capture_output=True,
            text=True,
            timeout=COPY_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise PanelError(
            f"The Pico on {port} does not answer. Unplug it, plug it in and try again; "
            "if that does not help, hold its louder, softer and STATUS keys while you plug it in."
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = said[-1] if said else "it did not say why"
        raise PanelError(
            f"mpremote could not copy the firmware to {port}: {why}. MicroPython must be on the "
            "Pico; docs/guide/pico.md says how it gets there."
        )
