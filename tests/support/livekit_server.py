"""LiveKit's server: where it is, how it is installed, and one or two of it that run.

It is a Go module; ``python -m tests.support.livekit_server`` has the Go toolchain fetch and
compile it into the cache, which takes some minutes once.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, Self

from tests.support.cable import Cable
from tests.support.crew import free_port

PACKAGE: Final = "github.com/livekit/livekit-server/cmd/server@v1.13.5"
VARIABLE: Final = "STAGEBOX_LIVEKIT_SERVER"
CACHED: Final = Path(__file__).parents[2] / ".cache/livekit/server"
MISSING: Final = (
    "no livekit-server: python -m tests.support.livekit_server compiles it (needs Go 1.26),"
    f" or {VARIABLE} says where it is"
)
KEY: Final = "devkey"
SECRET: Final = "a secret that is long enough for LiveKit"
_START_S: Final = 60.0


def server() -> str | None:
    """Return where the server's program is, if it is anywhere."""
    named = os.environ.get(VARIABLE) or shutil.which("livekit-server")
    return named or (str(CACHED) if CACHED.exists() else None)


def install() -> int:
    """Compile it into the cache; return what the toolchain does."""
    go = shutil.which("go")
    if go is None:
        sys.stderr.write("There is no Go here: apt install golang-go (1.26), or go.dev/dl.\n")
        return 1
    CACHED.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GOBIN": str(CACHED.parent)}
    return subprocess.run([go, "install", PACKAGE], env=environment, check=False).returncode


class Program:
    """A server program with a port, to be killed and started again."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    async def _run(self, *command: str, log: Path) -> None:
        with log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )

    def kill(self) -> None:
        """Pull the plug."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def gone(self) -> None:
        """Wait until it has ended."""
        self.kill()
        if self._process is not None:
            await self._process.wait()

    async def _listens(self) -> None:
        async with asyncio.timeout(_START_S):
            while True:
                assert self._process is not None
                assert self._process.returncode is None, "the server ended at once: see its log"
                try:
                    _, writer = await asyncio.open_connection(self.address, self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return


class Redis(Program):
    """Debian's redis-server, with nothing on the disk."""

    def __init__(self) -> None:
        super().__init__(free_port("127.0.0.1"))
        self._folder = Path(tempfile.mkdtemp(prefix="stagebox-redis-"))

    @property
    def place(self) -> str:
        """Where LiveKit finds it."""
        return f"{self.address}:{self.port}"

    async def __aenter__(self) -> Self:
        options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        command = ("redis-server", "--port", str(self.port), *options, "--dir", str(self._folder))
        await self._run(*command, log=self._folder / "log")
        await self._listens()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.gone()
        shutil.rmtree(self._folder, ignore_errors=True)


class LiveKit(Program):
    """One server (one node, if there is a ``redis``), always at the same port."""

    def __init__(self, redis: str = "", cable: Cable | None = None) -> None:
        super().__init__(free_port("127.0.0.1"), "127.0.0.1" if cable is None else cable.far)
        self._prefix = () if cable is None else cable.prefix
        self._redis = redis
        self._folder = Path(tempfile.mkdtemp(prefix="stagebox-livekit-"))
        self._media = free_port("127.0.0.1")
        self._tcp = free_port("127.0.0.1")

    @property
    def url(self) -> str:
        return f"ws://{self.address}:{self.port}"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    @property
    def id(self) -> str:
        """Under which the other nodes know it."""
        return re.findall(r'"nodeID": "(\w+)"', self.log)[-1]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.gone()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def start(self) -> None:
        """Start it, or start it anew after ``kill``."""
        if self._process is not None:
            await self._process.wait()
        settings = self._folder / "livekit.yaml"
        settings.write_text(self._settings())
        program = server()
        assert program is not None
        await self._run(*self._prefix, program, "--config", str(settings), log=self._folder / "log")
        await self._listens()

    def _settings(self) -> str:
        redis = f"redis:\n  address: {self._redis}\n" if self._redis else ""
        card = "eth0" if self._prefix else "lo"
        return (
            f"port: {self.port}\nbind_addresses: ['{self.address}']\n{redis}"
            f"rtc:\n  udp_port: {self._media}\n  tcp_port: {self._tcp}\n  node_ip: {self.address}\n"
            f"  use_external_ip: false\n  enable_loopback_candidate: {str(card == 'lo').lower()}\n"
            f"  interfaces:\n    includes: ['{card}']\n"
            f"keys:\n  {KEY}: {SECRET}\n"
            "logging:\n  level: info\n"
        )


async def node_of(redis: Redis, room: str) -> str:
    """Return on which node a room is, as its id."""
    reader, writer = await asyncio.open_connection("127.0.0.1", redis.port)
    writer.write(f"HGET room_node_map {room}\r\n".encode())
    size = (await reader.readline()).decode().strip()
    found = (await reader.readline()).decode().strip() if size != "$-1" else ""
    writer.close()
    await writer.wait_closed()
    return found


if __name__ == "__main__":
    raise SystemExit(install())
