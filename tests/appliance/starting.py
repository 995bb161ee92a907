"""How long a box takes from the start of its program until it listens, on this computer.

    python -m tests.appliance.starting 20

An enrolled box and its hub, as processes. Ready: systemd is told so (keys, lamp and voice work).
Listening: it is in its space, with sound both ways. systemd's own time to start a program comes
on top; the emulated processor of a virtual machine says nothing about it.
"""

import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.support.crew import START_S, Box, Hub, free_port, running
from tests.support.enrolled import introduce


def is_there(box: Box) -> bool:
    """Whether it is in its space and has sound."""
    return box.last_state("floor") == "idle_free" and box.last_state("media") == "up"


def start(folder: Path, turn: int, url: str) -> tuple[float, float]:
    """Start the box; return the seconds until it was ready, and until it listened."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = folder / f"notify{turn}"
    line.bind(str(address))
    line.settimeout(START_S)
    began = time.monotonic()
    box = Box(folder, "Kitchen", url, env={"NOTIFY_SOCKET": str(address)})
    with running(box):
        while line.recv(4096) != b"READY=1":
            pass
        ready = time.monotonic() - began
        box.wait_for(is_there, START_S, "listens")
        last = max(box.events("floor")[-1]["t"], box.events("media")[-1]["t"])
    line.close()
    return ready, float(last) - began


def main() -> None:
    """Start it so many times."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "hub.toml").write_text(f"[web]\nsecure_port = {port}\n")
        introduce(folder / "hub", ("Kitchen", folder / "kitchen-state"))
        settings = ("--config", str(folder / "hub.toml"))
        hub = Hub(folder, free_port(), extra=settings, enrolled=True)
        with running(hub):
            hub.wait_up()
            found = [start(folder, turn, f"wss://127.0.0.1:{port}") for turn in range(turns)]
    for what, seconds in zip(("ready", "listening"), zip(*found, strict=True), strict=True):
        middle, worst = statistics.median(seconds), max(seconds)
        print(f"{what}: median {middle:.2f} s, worst {worst:.2f} s of {turns} starts")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
