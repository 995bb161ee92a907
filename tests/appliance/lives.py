"""A machine that lives again and again from one moment on, and dies when its power is cut.

Its memory is kept where everything is loaded and its data disk was never touched. Each life
begins there, with that disk as the last cut left it: what the guest's kernel had not written
is gone, as it is with a plug that is pulled.
"""

import json
import random
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.appliance.machine import Machine
from tests.appliance.remote import Remote

# Nothing that wants to write to the system's disk, which stays as it is, for ever tries again.
ERRAND: Final = """systemctl mask --runtime --now systemd-logind.service
mount -o remount,ro /opt/stagebox
exec /usr/bin/python3 -m tests.appliance.guest.cuts
"""
MEMORY_MIB: Final = 320
DISK: Final = "192M"
# An emulated processor that others wait for, too.
PATIENCE_S: Final = 240.0
# How long a life may be: an update takes some seconds there.
WRITES_S: Final = 5.0
# Some are cut while they still look at what the last cut left.
EARLY: Final = 0.2


class LifeError(Exception):
    """A machine did not live; the text says what was seen."""


@dataclass
class Ledger:
    """What each part of the disk may hold: what was there last, or what was about to be."""

    settled: dict[str, str] = field(default_factory=lambda: {"update": "good"})
    begun: dict[str, str] = field(default_factory=dict)
    steps: int = 0
    wrong: list[str] = field(default_factory=list)
    new: int = 0
    old: int = 0

    def take(self, said: dict[str, Any]) -> None:
        """Note what a writer said."""
        part = said["part"]
        if "begun" in said:
            self.begun[part] = said["begun"]
        else:
            self.steps += 1
            self.settled[part] = self.begun.pop(part)

    def judge(self, found: dict[str, str], cut: int) -> None:
        """Hold what a start found against what may be there."""
        for part, is_there in found.items():
            old, new = self.settled.get(part, "none"), self.begun.pop(part, None)
            if is_there not in {old, new}:
                self.wrong.append(f"cut {cut}, {part}: {is_there!r}, neither {old!r} nor {new!r}")
            elif new is not None:
                self.new += is_there == new
                self.old += is_there != new
            self.settled[part] = is_there


class Port:
    """Lines of JSON over a socket of qemu's."""

    def __init__(self, path: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._buffer = b""
        ends = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._line.connect(str(path))
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.01)
            else:
                return

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def send(self, **what: object) -> None:
        """Say something."""
        self._line.sendall(json.dumps(what).encode() + b"\n")

    def lines(self, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield what is said within so many seconds."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            while b"\n" in self._buffer:
                text, _, self._buffer = self._buffer.partition(b"\n")
                yield json.loads(text)
            self._line.settimeout(left)
            try:
                data = self._line.recv(1 << 16)
            except (TimeoutError, ConnectionResetError):  # its end is an end like any other
                return
            if not data:
                return
            self._buffer += data

    def wait_for(self, key: str, seconds: float) -> dict[str, Any]:
        """Return the next thing said that has ``key``.

        Raises:
            LifeError: it was not said, or trouble was.
        """
        for said in self.lines(seconds):
            if "trouble" in said:
                raise LifeError(said["trouble"])
            if key in said:
                return said
        raise LifeError(f"{key} was not said within {seconds:g} s")


class Lives:
    """The machine, its memory, its data disk, and how often it died."""

    def __init__(self, folder: Path) -> None:
        self._agent, self._qmp = folder / "agent", folder / "qmp"
        self._memory, self._disk = folder / "memory", folder / "data.img"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", self._disk, DISK], check=True)
        self.machine = Machine(
            folder,
            ERRAND,
            kernel_says="ro",
            more=(
                *("-m", str(MEMORY_MIB)),
                *("-drive", f"file={self._disk},if=virtio,format=raw"),
                *("-qmp", f"unix:{self._qmp},server=on,wait=off"),
                *Remote.arguments(self._agent),
            ),
        )
        self.ledger = Ledger()
        self.lives = 0

    def __enter__(self) -> Self:
        """Boot once, and keep the machine's memory from there."""
        self.machine.start()
        port = Port(self._agent)
        port.wait_for("loaded", PATIENCE_S)
        control = Port(self._qmp)
        control.send(execute="qmp_capabilities")
        control.send(execute="migrate", arguments={"uri": f"exec:cat >{self._memory}"})
        while True:
            control.send(execute="query-migrate")
            for said in control.lines(PATIENCE_S):
                if said.get("return"):
                    break
            if said["return"].get("status") == "failed":
                raise LifeError(str(said))
            if said["return"].get("status") == "completed":
                break
            time.sleep(0.2)
        control.close()
        port.close()
        self.machine.cut()
        return self

    def __exit__(self, *what: object) -> None:
        """Leave nothing behind."""
        self.machine.__exit__(*what)
        for path in (self._memory, self._disk):
            path.unlink(missing_ok=True)

    def live(self, chance: random.Random) -> None:
        """Begin a life, look at what the last one left, write, and die."""
        self.machine.start("-incoming", f"exec:cat {self._memory}")
        port = Port(self._agent)
        try:
            port.send(**{"from": 1_000 * (self.lives + 1)})
            if self.lives and chance.random() < EARLY:
                self._write(port, chance.uniform(0.2, WRITES_S))
            else:
                self._judge(port.wait_for("found", PATIENCE_S))
                port.wait_for("ready", PATIENCE_S)
                self._write(port, chance.uniform(0.05, WRITES_S))
        finally:
            self.machine.cut()
            # What was said before the end, and not heard yet.
            self._write(port, 1.0)
            port.close()
        self.lives += 1

    def _judge(self, said: dict[str, Any]) -> None:
        self.ledger.judge(said["found"], self.lives)

    def _write(self, port: Port, seconds: float) -> None:
        for said in port.lines(seconds):
            if "trouble" in said:
                raise LifeError(said["trouble"])
            if "found" in said:
                self._judge(said)
            elif "part" in said:
                self.ledger.take(said)


__all__ = ["LifeError", "Lives"]
