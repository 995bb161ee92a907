"""A line into a machine: programs are run in it, files fetched and put there."""

import base64
import json
import socket
import time
from pathlib import Path
from typing import Any, Final, Self

# The guest's agent begins when its services are up; the processor is emulated.
_PATIENCE_S: Final = 480.0


class RemoteError(Exception):
    """The machine did not do what it was asked; the text says what it answered."""


class Remote:
    """The host's end of ``tests.appliance.guest.agent``, at a socket of qemu's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(_PATIENCE_S)
        self._buffer = b""

    @staticmethod
    def arguments(path: Path) -> tuple[str, ...]:
        """Return what qemu is told."""
        return (
            *("-chardev", f"socket,id=agent,path={path},server=on,wait=off"),
            *("-device", "virtio-serial-pci"),
            *("-device", "virtserialport,chardev=agent,name=stagebox"),
        )

    def __enter__(self) -> Self:
        """Connect, as soon as qemu is there."""
        ends = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._line.connect(str(self._path))
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)
            else:
                return self

    def __exit__(self, *_what: object) -> None:
        """Hang up."""
        self._line.close()

    def _ask(self, **what: object) -> dict[str, Any]:
        self._line.sendall(json.dumps(what).encode() + b"\n")
        while b"\n" not in self._buffer:
            data = self._line.recv(1 << 20)
            if not data:
                raise RemoteError("the machine went off")
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\n")
        said: dict[str, Any] = json.loads(text)
        if "trouble" in said:
            raise RemoteError(said["trouble"])
        return said

    def run(self, *command: str, check: bool = True) -> str:
        """Run a program to its end; return what it printed.

        Raises:
            RemoteError: it failed, unless ``check`` is false.
        """
        said = self._ask(run=command)
        if check and said["status"]:
            raise RemoteError(f"{' '.join(command)}: {said['out']}{said['error']}")
        return str(said["out"]).strip()

    def shell(self, text: str) -> str:
        """Run a line of a shell."""
        return self.run("sh", "-c", text)

    def get(self, path: str) -> bytes:
        """Return a file."""
        return base64.b64decode(self._ask(get=path)["data"])

    def put(self, path: str, data: bytes) -> None:
        """Write a file."""
        self._ask(put=path, data=base64.b64encode(data).decode())

    def bye(self) -> None:
        """Let the machine switch itself off."""
        self._line.sendall(b'{"bye": true}\n')

    def wait_for(self, command: str, words: str, seconds: float) -> float:
        """Run a line of a shell again and again until it prints ``words``; return the seconds.

        Raises:
            RemoteError: it did not within ``seconds``; what it printed last.
        """
        began = time.monotonic()
        while True:
            said = self.run("sh", "-c", command, check=False)
            if words in said:
                return time.monotonic() - began
            if time.monotonic() - began > seconds:
                raise RemoteError(f"not within {seconds:g} s: {words!r}; last: {said[-2_000:]}")
            time.sleep(0.5)
