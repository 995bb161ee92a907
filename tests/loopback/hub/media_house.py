"""A media plane over real processes, and members with real connections to it."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from hub.media.processes import MediaProcesses
from hub.ports import MediaPlane
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.opus import Encoder
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer
from tests.loopback.hub.crew import PATIENCE_S, until

SPACE = "main"
_SILENCE = Encoder().encode(np.zeros(FRAME_SAMPLES, np.int16))


@dataclass(eq=False)
class Ear:
    """A member with a connection; keeps the packets that it got, by connection."""

    name: str
    media: MediaPlane
    direction: Direction = "sendrecv"
    heard: list[AudioPacket] = field(default_factory=list)
    sent: int = 0

    async def join(self) -> "Ear":
        """Connect, or connect anew."""
        self.heard = []
        heard = self.heard
        self.peer = Peer(
            local_address="127.0.0.1",
            direction=self.direction,
            on_packet=lambda packet, _now: heard.append(packet),
            on_state=lambda _state: None,
        )
        try:
            offer = await self.peer.offer()
            answer = await self.media.connect(self.name, SPACE, offer, "127.0.0.1")
            await self.peer.accept(answer)
            await self.peer.wait_connected(PATIENCE_S)
        except BaseException:
            await self.peer.aclose()
            raise
        return self

    def say(self, marker: bool) -> None:
        self.sent += 1
        self.peer.send(_SILENCE, self.sent, self.sent * FRAME_SAMPLES, marker)

    def gaps(self) -> list[int]:
        """Return the steps of the sequence numbers that are not 1, all in one connection."""
        numbers = [packet.sequence for packet in self.heard]
        steps = [(b - a) & 0xFFFF for a, b in pairwise(numbers)]
        return [step for step in steps if step != 1]


class MediaHouse:
    """Some processes, and ears. ``lost`` is who was told that its session is lost."""

    def __init__(self, media: MediaProcesses) -> None:
        self.media = media
        self.ears: dict[str, Ear] = {}
        self.lost: list[str] = []
        self.talking = False
        media.on_lost(lambda member_id, _spread_s: self.lost.append(member_id))

    async def join(self, *names: str, direction: Direction = "sendrecv") -> list[Ear]:
        """Connect members one after the other, so that it is known which process has whom."""
        for name in names:
            self.ears[name] = await Ear(name, self.media, direction).join()
        return [self.ears[name] for name in names]

    def where(self, name: str) -> int:
        process = self.media._placing.where(name)
        assert process is not None
        return process

    def home(self) -> int:
        home = self.media._placing.home(SPACE)
        assert home is not None
        return home

    def kill(self, process: int) -> None:
        self.media._processes[process].child.kill()

    def pid(self, process: int) -> int:
        descriptor = self.media._processes[process].child.descriptor
        text = Path(f"/proc/self/fdinfo/{descriptor}").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:"))

    @contextlib.asynccontextmanager
    async def talk(self, *names: str) -> AsyncIterator[None]:
        """Let these members talk meanwhile, each a packet every 20 ms."""
        for name in names:
            self.media.open_gate(SPACE, name)
        task = asyncio.create_task(self._talk(names))
        try:
            yield
        finally:
            task.cancel()
            for name in names:
                self.media.close_gate(SPACE, name)

    async def _talk(self, names: tuple[str, ...]) -> None:
        marker = True
        while True:
            for name in names:
                self.ears[name].say(marker)
            marker = False
            await asyncio.sleep(FRAME_S)

    async def until_heard(self, more: int, *names: str) -> None:
        """Wait until each of these got so many packets more."""
        wanted = {name: len(self.ears[name].heard) + more for name in names}
        await until(lambda: all(len(self.ears[n].heard) >= many for n, many in wanted.items()))

    async def offer_again(self) -> list[str]:
        """Let all who were told so connect anew, at the same moment."""
        lost, self.lost = self.lost, []
        old = [self.ears[name].peer for name in lost]
        await asyncio.gather(*(self.ears[name].join() for name in lost))
        await asyncio.gather(*(peer.aclose() for peer in old))
        return sorted(lost)


@contextlib.asynccontextmanager
async def media_house(processes: int) -> AsyncIterator[MediaHouse]:
    """Run media processes; at the end none is left."""
    media = MediaProcesses(processes)
    await media.start()
    house = MediaHouse(media)
    pids = [house.pid(number) for number in media._processes]
    try:
        yield house
        pids += [house.pid(number) for number in media._processes]
    finally:
        await media.aclose()
        await asyncio.gather(*(ear.peer.aclose() for ear in house.ears.values()))
    await until(lambda: not any(map(is_alive, pids)))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
