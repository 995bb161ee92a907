"""Renderers: Debian's gmediarender, which plays into a file, and one of ours that misbehaves."""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, Self

import numpy as np
from aiohttp import web

from stagebox import measure as m
from tests.support.cable import Cable

_START_S: Final = 15.0
_FRAME: Final = 2  # bytes
# What comes out of a pipeline that has no sound card: samples, at the pace of the clock.
_PIPE: Final = (
    "audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=1"
    " ! filesink sync=true buffer-mode=2 location={path}"
)
_NO_DESKTOP: Final = {"LANG": "C.UTF-8", "GIO_MODULE_DIR": "/nonexistent"}
_PORT: Final = 49_494  # nobody else is there to have it


def is_here() -> bool:
    """Tell whether this machine has one, and may give it a network of its own."""
    programs = shutil.which("gmediarender"), shutil.which("ip")
    return None not in programs and os.geteuid() == 0


class Gmediarender:
    """One renderer, always at the same port and with the same UDN, at the end of a cable.

    ``address``: this computer's, as the renderer sees it.
    """

    def __init__(self, folder: Path, name: str = "Kitchen") -> None:
        self.name = name
        self.udn = str(uuid.uuid4())
        self.path = folder / "renderer.raw"
        self._cable = Cable()
        self.address = self._cable.near
        self._log = folder / "renderer.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def location(self) -> str:
        """Where its description is."""
        return f"http://{self._cable.far}:{_PORT}/description.xml"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._cable.close()

    def start(self) -> None:
        """Let it run, anew if it did; return when it answers."""
        self.kill()
        self.path.write_bytes(b"")
        pipe = _PIPE.format(path=self.path)
        place = ["-I", "eth0", "-p", str(_PORT), "-u", self.udn, "-f", self.name]
        with self._log.open("ab") as log:
            program = [*self._cable.prefix, "gmediarender"]
            command = [*program, *place, "-o", "gst", "--gstout-audiopipe", pipe]
            self._process = subprocess.Popen(
                [*command, "--logfile", "stdout"],
                # It is nobody's: no proxies of a desktop, no settings of whoever runs the tests.
                env={"PATH": os.environ["PATH"], "HOME": str(self.path.parent), **_NO_DESKTOP},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self.answers():
                return
            time.sleep(0.02)
        self.kill()
        raise AssertionError(self._log.read_text()[-2_000:])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def answers(self) -> bool:
        """Tell whether it does. It is killed by tests, and at times falls over by itself."""
        with contextlib.suppress(OSError), urllib.request.urlopen(self.location, timeout=5):
            return True
        return False

    def played(self, seconds: float = 0.0) -> np.ndarray:
        """Return what it played so far, or in the last seconds: -1 to 1."""
        data = self.path.read_bytes()
        data = data[: len(data) // _FRAME * _FRAME]
        if seconds:
            data = data[-int(seconds * m.RATE) * _FRAME :]
        samples: np.ndarray = np.frombuffer(data, "<i2").astype(np.float32) / 32_768
        return samples


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """Run what answers every request as it likes; yield where its description would be."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/description.xml"
    finally:
        await runner.cleanup()
