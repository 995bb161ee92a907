"""Debian's Icecast, with settings of its own in a temporary folder.

Fed by a source of its own, or (``feed``) with exactly the bytes that a player gets from a hub.
"""

import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Final, Self

from tests.support.crew import free_port

START_S: Final = 15.0
_USER: Final = "nobody"  # Icecast refuses to be root
_SETTINGS: Final = """<icecast>
  <limits><clients>{clients}</clients><sources>2</sources><queue-size>524288</queue-size>
    <burst-size>8192</burst-size></limits>
  <authentication><source-password>source</source-password>
    <admin-user>admin</admin-user><admin-password>admin</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <fileserve>0</fileserve>
  <paths><basedir>{folder}</basedir><logdir>{folder}</logdir><webroot>{folder}</webroot>
    <adminroot>{folder}</adminroot></paths>
  <logging><accesslog>-</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
  <security><chroot>0</chroot></security>
</icecast>
"""


class IcecastMissingError(RuntimeError):
    """Icecast is not installed; the text says how to install it."""


def is_here() -> bool:
    """Tell whether this machine has one."""
    return shutil.which("icecast2") is not None


def version() -> str:
    """Return the version on this machine.

    Raises:
        IcecastMissingError: there is none.
    """
    found = shutil.which("icecast2")
    if found is None:
        raise IcecastMissingError("Icecast is not installed: apt install icecast2")
    said = subprocess.run([found, "-v"], capture_output=True, text=True, check=False).stdout
    return said.strip()


class Icecast:
    """One server with one stream, at ``path``; use as a context."""

    path: Final = "/stream.opus"

    def __init__(self, folder: Path, clients: int = 10, port: int = 0) -> None:
        version()
        self.port = port or free_port()
        self._folder = folder / "icecast"
        self._folder.mkdir(exist_ok=True)
        settings = _SETTINGS.format(port=self.port, folder=self._folder, clients=clients + 10)
        (self._folder / "icecast.xml").write_text(settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._source: threading.Thread | None = None
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        user = pwd.getpwnam(_USER) if os.geteuid() == 0 else None
        if user is not None:
            (self._folder / "icecast.xml").chmod(0o644)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            for path in self._folder.parents:
                if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o077 == 0:
                    path.chmod(0o711)  # a temporary folder, which nobody else may enter
        self._process = subprocess.Popen(
            ["icecast2", "-c", str(self._folder / "icecast.xml")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.1)
            else:
                return self
        raise RuntimeError(f"Icecast did not start: {self._folder / 'error.log'}")

    def __exit__(self, *_why: object) -> None:
        for end in self._ends:
            end.shutdown(socket.SHUT_RDWR)
        if self._source is not None:
            self._source.join(5)
        for end in self._ends:
            end.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where its stream is."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def feed(self, port: int, path: str, media_type: str = "audio/ogg") -> None:
        """Be the source: pass on what a player of the hub's stream gets, from now on."""
        ear = socket.create_connection(("127.0.0.1", port))
        ear.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        mouth = socket.create_connection(("127.0.0.1", self.port))
        mouth.sendall(
            f"PUT {self.path} HTTP/1.0\r\nHost: 127.0.0.1\r\n"
            "Authorization: Basic c291cmNlOnNvdXJjZQ==\r\n"
            f"Content-Type: {media_type}\r\n\r\n".encode()
        )
        self._ends = [ear, mouth]
        self._source = threading.Thread(target=self._pass_on, args=(ear, mouth), daemon=True)
        self._source.start()

    def _pass_on(self, ear: socket.socket, mouth: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += ear.recv(4_096)
        data = data.partition(b"\r\n\r\n")[2]
        try:
            while True:
                mouth.sendall(data)
                data = ear.recv(65_536)
                if not data:
                    return
        except OSError:
            return
