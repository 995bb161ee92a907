"""Sound devices that fail as a test wants them to, and a recorder of what a thread says."""

import asyncio
import threading
import time
from collections.abc import Callable

from device.audio.health import DeviceState, DeviceStatus
from device.audio.ports import BLOCK_BYTES, DeviceLostError, NoDeviceError

PATIENCE_S = 20.0  # for a loaded machine


class FakeDevice:
    """A microphone and a loudspeaker, driven by the world it lives in."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._is_open = False
        self.xruns = 0
        self.label = "fake"

    def open(self) -> None:
        assert not self._is_open
        self._world.opens += 1
        self._world.hang_here("open")
        if not self._world.plugged:
            raise NoDeviceError("There is no fake.")
        self._is_open = True
        self._world.users.add(threading.get_ident())

    def read(self) -> bytes:
        self._step("read")
        self.xruns += self._world.xrun
        self._world.read += 1
        return self._world.read.to_bytes(4, "little") * (BLOCK_BYTES // 4)

    def wait(self) -> None:
        assert self._is_open
        self._world.waits += 1

    def write(self, block: bytes) -> None:
        assert len(block) == BLOCK_BYTES
        self._step("write")
        self.xruns += self._world.xrun
        self._world.written.append(block)

    def close(self) -> None:
        self._world.hang_here("close")
        if self._is_open:
            self._world.closes += 1
        self._is_open = False

    def _step(self, what: str) -> None:
        assert self._is_open
        time.sleep(self._world.block_s)
        self._world.hang_here(what)
        if self._world.crash:
            self._world.crash = False
            raise ZeroDivisionError("a bug")
        if not self._world.plugged:
            raise DeviceLostError("The fake was pulled out.")


class World:
    """What happens to every device made here."""

    def __init__(self) -> None:
        self.plugged = True
        self.crash = False
        self.xrun = False
        self.block_s = 0.002  # five times as fast as a card
        self.hang_in = ""
        self.released = threading.Event()
        self.opens = self.closes = self.read = self.hanging = self.waits = 0
        self.written: list[bytes] = []
        self.users: set[int] = set()

    def make(self) -> FakeDevice:
        return FakeDevice(self)

    def hang_here(self, where: str) -> None:
        if where == self.hang_in:
            self.hanging += 1
            self.released.wait(PATIENCE_S)


class States:
    """What was reported, on which thread."""

    def __init__(self) -> None:
        self.all: list[DeviceState] = []
        self.threads: set[int] = set()

    def __call__(self, state: DeviceState) -> None:
        self.threads.add(threading.get_ident())
        self.all.append(state)

    @property
    def statuses(self) -> list[DeviceStatus]:
        return [state.status for state in self.all]


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.005)


def sound_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name in {"capture", "playback"}]
