"""Debian's Snapcast: a server to be killed and started again, and clients that play into files."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from stagebox import measure as m
from tests.support.crew import free_port

_SETTINGS: Final = """
[server]
datadir = {folder}
[http]
enabled = false
[tcp]
bind_to_address = 127.0.0.1
port = {control}
[stream]
bind_to_address = 127.0.0.1
port = {port}
source = pipe://{folder}/radio?name=Radio&sampleformat=48000:16:2
{lanes}
"""
_START_S: Final = 15.0
_FRAME: Final = 4  # bytes: two channels


def is_here() -> bool:
    """Tell whether this machine has both."""
    return None not in (shutil.which("snapserver"), shutil.which("snapclient"))


class Snapserver:
    """One server, always at the same ports, with a radio and ``lanes`` sources for a hub."""

    def __init__(self, folder: Path, lanes: int = 1) -> None:
        self.folder = folder
        self.port, self.control = free_port(), free_port()
        sources = [
            f"source = tcp://127.0.0.1:{free_port()}?name=Stagebox{number or ''}"
            "&sampleformat=48000:16:2"
            for number in range(lanes)
        ]
        self._path = folder / "snapserver.conf"
        self._path.write_text(
            _SETTINGS.format(
                folder=folder, control=self.control, port=self.port, lanes="\n".join(sources)
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is controlled."""
        return f"127.0.0.1:{self.control}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Let it run; return when it answers."""
        with (self.folder / "server.log").open("ab") as log:
            command = ["snapserver", "-c", str(self._path)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.ask("Server.GetRPCVersion")
                return
            time.sleep(0.02)
        self.kill()
        raise AssertionError((self.folder / "server.log").read_text()[-2_000:])

    def kill(self) -> None:
        """Kill it; what it remembers, it has on the disk."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON's
        """Ask it as a telephone's app does."""
        question = {"id": 1, "jsonrpc": "2.0", "method": method, "params": parameters}
        with socket.create_connection(("127.0.0.1", self.control), 5) as control:
            control.sendall(json.dumps(question).encode() + b"\r\n")
            with control.makefile("rb") as lines:
                said = (json.loads(line) for line in lines)  # news comes, too
                return next(each["result"] for each in said if each.get("id") == 1)

    def groups(self) -> list[Any]:
        groups: list[Any] = self.ask("Server.GetStatus")["server"]["groups"]
        return groups

    def client(self, id_: str) -> Any:  # noqa: ANN401 - JSON's
        """Return a client and its group, None while it is not connected."""
        for group in self.groups():
            for client in group["clients"]:
                if client["id"] == id_ and client["connected"]:
                    return client, group
        return None


class Snapclient:
    """One room. What it plays it writes into a file, at the pace of a sound card."""

    def __init__(self, server: Snapserver, id_: str) -> None:
        self.id = id_
        self.server = server
        self.path = server.folder / f"{id_}.raw"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Let it run; return when its server knows it."""
        self.path.write_bytes(b"")
        player = f"file:filename={self.path}"
        command = ["snapclient", "-h", "127.0.0.1", "-p", str(self.server.port)]
        with (self.server.folder / f"{self.id}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--hostID", self.id, "--player", player], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_S
        try:
            while self.server.client(self.id) is None:
                assert time.monotonic() < deadline, "the client does not connect"
                time.sleep(0.02)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def played(self, seconds: float = 0.0) -> np.ndarray:
        """Return what it played so far, or in the last seconds: -1 to 1."""
        data = self.path.read_bytes()
        data = data[: len(data) // _FRAME * _FRAME]
        if seconds:
            data = data[-int(seconds * m.RATE) * _FRAME :]
        samples: np.ndarray = np.frombuffer(data, "<i2")[::2].astype(np.float32) / 32_768
        return samples

    def is_loud(self) -> bool:
        """Tell whether something was to be heard just now."""
        last = self.played(0.3)
        return bool(last.size and np.abs(last).max() > 0.01)
