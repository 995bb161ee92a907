"""Debian's Shairport Sync, an AirPlay receiver, and what it plays; its avahi is its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import numpy as np

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE
from tests.support.avahi import BUS
from tests.support.crew import free_port

ADDRESS: Final = "127.0.0.1"
NEEDED: Final = ("shairport-sync", "avahi-daemon", "dbus-daemon", "unshare", "mount")
START_S: Final = 20.0
RATE: Final = 44_100  # what AirPlay carries
_CHUNK: Final = 1_764  # 10 ms of two channels
_AVAHI: Final = """[server]
host-name=receiver
use-ipv4=yes
use-ipv6=no
allow-interfaces=lo
[wide-area]
enable-wide-area=no
"""
# The daemon keeps its socket and PID in /run; this one sees a /run of its own.
_OWN_RUN: Final = "mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && exec {command}"
_SETTINGS: Final = """general = {{ name = "{name}"; port = {port}; output_backend = "stdout";
  udp_port_base = {udp}; udp_port_range = 100; ignore_volume_control = "no"; }};
sessioncontrol = {{ allow_session_interruption = "yes"; session_timeout = 20; }};
"""


def missing() -> list[str]:
    """Return the programs that this needs and the computer has not."""
    path = f"/usr/sbin:/usr/bin:{os.environ['PATH']}"
    return [name for name in NEEDED if shutil.which(name, path=path) is None]


class Shairport:
    """One receiver, always at the same port; use as a context. It may be killed and started."""

    def __init__(self, name: str = "Kitchen") -> None:
        self.name = name
        self.port = free_port()
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._ear: threading.Thread | None = None
        self._pieces: list[bytes] = []
        self._first_at = self._last_at = 0.0

    def __enter__(self) -> Self:
        try:
            self._folder = Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="shairport-"))
            )
            self._bus()
            settings = _SETTINGS.format(name=self.name, port=self.port, udp=free_port())
            (self._folder / "shairport.conf").write_text(settings)
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._stack.close()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._pieces, self._first_at = [], 0.0
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["shairport-sync", "-u", "-vv", "-c", str(self._folder / "shairport.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._env,
            )
        self._ear = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._ear.start()
        _wait(self._listens, self._folder / "log")

    def kill(self) -> None:
        """Pull the plug."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._ear is not None:
            self._ear.join(5)

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def is_loud(self) -> bool:
        """Whether what it played in the last half second was no silence."""
        if time.monotonic() - self._last_at > 0.5 or not self._pieces:
            return False
        return bool(np.abs(np.frombuffer(b"".join(self._pieces[-20:]), "<i2")).max() > 50)

    @property
    def seconds(self) -> float:
        """How much it has played since it was started."""
        return sum(map(len, list(self._pieces))) / (4 * RATE)

    @property
    def logged(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def recording(self) -> m.Recording:
        """Return what it played, at the rate and with the clock of all recordings here."""
        stereo = np.frombuffer(b"".join(self._pieces), "<i2").reshape(-1, 2)
        mono = stereo.mean(axis=1).astype(np.float32) / np.float32(32_768)
        at = np.arange(0, len(mono), RATE / SAMPLE_RATE)
        samples = np.interp(at, np.arange(len(mono)), mono).astype(np.float32)
        return m.Recording(samples, self._first_at)

    # --- private --------------------------------------------------------------

    def _bus(self) -> None:
        bus, folder = self._folder / "bus", self._folder
        (folder / "bus.conf").write_text(BUS.format(path=bus))
        (folder / "avahi.conf").write_text(_AVAHI)
        self._env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"}
        self._run("dbus-daemon", f"--config-file={folder / 'bus.conf'}", "--nofork")
        _wait(bus.exists, folder / "log")
        options = "--no-drop-root --no-chroot --no-rlimits --no-proc-title"
        daemon = _OWN_RUN.format(command=f"avahi-daemon {options} -f {folder / 'avahi.conf'}")
        self._run("unshare", "--mount", "--propagation", "private", "sh", "-c", daemon)
        _wait(lambda: "startup complete" in self.logged, folder / "log")

    def _run(self, *command: str) -> None:
        log = self._stack.enter_context((self._folder / "log").open("ab"))
        process = subprocess.Popen(
            command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.logged
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, self.port)):
            return True
        return False

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as out:
            while chunk := out.read(_CHUNK):
                if not self._pieces:
                    self._first_at = time.monotonic() - _CHUNK / (4 * RATE)
                self._pieces.append(chunk)
                self._last_at = time.monotonic()


def _wait(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > deadline:
            text = log.read_text(errors="replace") if log.exists() else ""
            raise AssertionError(f"it does not start:\n{text}")
        time.sleep(0.05)
