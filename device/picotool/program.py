"""``stagebox panel install | list | watch``."""

import argparse
import asyncio
import sys
from typing import Final

from device.buttons.lamps import NAMED
from device.buttons.pico import link
from device.buttons.ports import Key, KeyEvent, PanelError
from device.buttons.serialport import find_ports
from device.buttons.usbpanel import AUTO, UsbPanel
from device.picotool.copying import install, waiting_disk
from device.picotool.hearing import hear

OK: Final = 0
FAILED: Final = 1


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1: it could not be done."""
    try:
        if arguments.act == "install":
            _install(arguments.port)
        elif arguments.act == "list":
            _list()
        else:
            asyncio.run(watch(arguments.port or AUTO, arguments.seconds))
    except PanelError as error:
        print(f"stagebox panel: {error}", file=sys.stderr)
        return FAILED
    return OK


def choose(port: str | None, ports: list[str], disk: str) -> str:
    """Return the serial line of the Pico that is meant.

    Raises:
        PanelError: there is none, or there are several and none was named.
    """
    if port is not None:
        return port
    if len(ports) > 1:
        raise PanelError("There are several Picos. Name one:\n  " + "\n  ".join(ports))
    if ports:
        return ports[0]
    if disk:
        raise PanelError(
            f"A Pico waits for MicroPython (its disk is {disk}). Copy the file for your board from "
            "https://micropython.org/download/ to that disk, wait until it is gone, and try again."
        )
    raise PanelError(
        "No Pico with MicroPython is plugged in. A new one: hold BOOTSEL while you plug it in, "
        "and copy MicroPython to the disk that appears; docs/guide/pico.md says which."
    )


def _install(port: str | None) -> None:
    chosen = choose(port, find_ports(), waiting_disk())
    print(f"Copying firmware {link.FIRMWARE} to {chosen} ...")
    heard = install(chosen)
    print(f"The panel is ready: firmware {heard.version}.")


def _list() -> None:
    ports = find_ports()
    for port in ports:
        print(f"{port}: {describe(port)}")
    if not ports:
        disk = waiting_disk()
        print(f"A Pico waits for MicroPython on {disk}." if disk else "No Pico is plugged in.")


def describe(port: str) -> str:
    """Say in words what talks on ``port``."""
    try:
        heard = hear(port)
    except PanelError as error:
        return str(error)
    if heard is None:
        return "MicroPython, no panel. Run 'stagebox panel install'."
    if heard.is_current:
        return f"a panel with firmware {heard.version}"
    return f"a panel with firmware {heard.version}, not {link.FIRMWARE}. Install it anew."


async def watch(port: str, seconds: float | None) -> None:
    """Show each edge, what is wrong, and a white lamp, for ``seconds`` or until Ctrl-C."""
    panel = UsbPanel(port, _say_trouble)
    panel.start(_say_edge)
    panel.show(NAMED["find"])
    try:
        await asyncio.sleep(seconds if seconds is not None else 1e9)
    finally:
        panel.close()


def _say_trouble(trouble: str, _kind: object) -> None:
    print(trouble or "The panel is there. Press its keys.", flush=True)


def _say_edge(event: KeyEvent) -> None:
    word = ("off", "on") if event.key is Key.MUTE else ("up", "down")
    print(f"{event.key} {word[event.down]}", flush=True)
