"""Debian's Mosquitto on a port of its own, to be killed and started again; and a dashboard."""

import asyncio
import contextlib
import getpass
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Self

import aiomqtt
import msgspec

from hub.home.entities import Places
from tests.support.crew import free_port

ADDRESS: Final = "127.0.0.1"
START_S: Final = 15.0
PATIENCE_S: Final = 20.0


def program() -> str | None:
    """Return where the broker is, if it is installed; administrators' folders included."""
    return shutil.which("mosquitto", path="/usr/sbin:/usr/bin")


def is_here() -> bool:
    return program() is not None


class Mosquitto:
    """One broker, always at the same port. ``keeps``: it remembers over a restart.

    ``user`` and ``password``: nobody else may come. ``tls``: with a certificate of its own, which
    ``folder / "ca.pem"`` signs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        user: str = "",
        password: str = "",
        tls: bool = False,
        keeps: bool = False,
    ) -> None:
        self.port = free_port(ADDRESS)
        self.folder = folder / "mosquitto"
        self.folder.mkdir()
        self._process: subprocess.Popen[bytes] | None = None
        lines = [f"listener {self.port} {ADDRESS}", f"user {getpass.getuser()}", "log_dest none"]
        if user:
            secrets = self.folder / "passwords"
            make = ("mosquitto_passwd", "-c", "-b", str(secrets), user, password)
            subprocess.run(make, check=True, capture_output=True)
            lines += ["allow_anonymous false", f"password_file {secrets}"]
        else:
            lines.append("allow_anonymous true")
        if tls:
            self._certify()
            lines += [f"certfile {self.folder}/server.pem", f"keyfile {self.folder}/server.key"]
        if keeps:
            lines += ["persistence true", f"persistence_location {self.folder}/"]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        path = program()
        assert path is not None
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            (path, "-c", str(self.folder / "mosquitto.conf")), stdout=quiet, stderr=quiet
        )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self._process.poll() is None, "the broker ended"
            with contextlib.suppress(OSError), socket.create_connection((ADDRESS, self.port)):
                return
            time.sleep(0.02)
        raise AssertionError("the broker does not listen")

    def kill(self) -> None:
        """Pull the plug."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(START_S)

    def stop(self) -> None:
        """End it as a service is ended, so that what it keeps is on its disk."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(START_S)

    def freeze(self, *, on: bool) -> None:
        """Let it stand still, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def _certify(self) -> None:
        folder = self.folder

        def openssl(*arguments: str) -> None:
            subprocess.run(("openssl", *arguments), check=True, capture_output=True, cwd=folder)

        new = ("req", "-newkey", "rsa:2048", "-nodes")
        openssl(*new, "-x509", "-subj", "/CN=house", "-keyout", "ca.key", "-out", "ca.pem")
        openssl(*new, "-subj", "/CN=broker", "-keyout", "server.key", "-out", "server.csr")
        (folder / "names").write_text(f"subjectAltName=IP:{ADDRESS}\n")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30")
        openssl(
            "x509", "-req", "-in", "server.csr", *signed, "-extfile", "names", "-out", "server.pem"
        )


class Dashboard:
    """What Home Assistant does with a broker: it keeps what it is told of a hub, and commands."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.kept: dict[str, bytes] = {}
        self.got: list[tuple[str, bytes]] = []

    async def follow(self) -> None:
        async for message in self.client.messages:
            topic, payload = message.topic.value, message.payload
            assert isinstance(payload, bytes)
            self.got.append((topic, payload))
            if payload:
                self.kept[topic] = payload
            else:
                self.kept.pop(topic, None)

    def entities(self) -> dict[str, dict[str, Any]]:
        """Return the configurations, by their unique ids."""
        found = (data for topic, data in self.kept.items() if topic.endswith("/config"))
        configs = [msgspec.json.decode(each) for each in found]
        return {each["unique_id"]: each for each in configs}

    def state(self, places: Places, kind: str, what: str) -> dict[str, Any]:
        """Return a device's state; an empty one if there is none."""
        found = self.kept.get(places.state(kind, what))
        return msgspec.json.decode(found) if found else {}

    async def command(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        await self.client.publish(topic, payload, qos=1, retain=retain)


@contextlib.asynccontextmanager
async def dashboard(broker: Mosquitto) -> AsyncIterator[Dashboard]:
    """Follow everything at a broker for as long as this lasts."""
    client = aiomqtt.Client(ADDRESS, broker.port, identifier="dashboard")
    client.pending_calls_threshold = 10_000
    async with client:
        board = Dashboard(client)
        await client.subscribe("#", qos=1)
        following = asyncio.create_task(board.follow())
        try:
            yield board
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
