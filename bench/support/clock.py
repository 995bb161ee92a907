"""Media processes under load: how late sound leaves them, and what CPU time they take.

The connections are real, and their other ends drop what comes in the kernel and are
stopped while it is measured, so the cores are the hub's. For more listeners than can be
connected in a short time, frames are said several times over: ``times`` frames to ``n``
connections cost little more than one frame to ``times * n``, as nearly all of it is spent
for each copy. ``times`` need not be whole: then some frames are said once more than others.

A frame's age counts from the moment it was handed to the home's inbox, so what waits
there is late, too.
"""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support.receivers import LOOPBACK, Receivers
from bench.support.voice import packets, speech
from bench.support.workers import Worker, unshared
from hub.media.lateness import percentile
from hub.media.mail import Voice, encode
from hub.media.processes import MediaProcesses
from hub.media.report import LatenessReport, MediaReport
from hub.media.worker import BEAT_S
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.rtc.peer import Peer

SPACE = "main"
TALKER = "talker"
AT_ONCE = 16
# In which listeners who stood still answer the hub's checks, which come every 0.25 s.
ANSWERS_S = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """Some seconds under one load. Lateness in seconds, of which each is an upper bound.

    ``clock`` is that of a timer every 20 ms, ``sound`` that of the last copy of a frame.
    """

    listeners: int
    delivered: int
    wanted: int
    cpu_s: float
    wall_s: float
    clock: LatenessReport
    sound: LatenessReport

    @property
    def us_per_packet(self) -> float:
        """CPU time of all media processes for each packet that left."""
        return self.cpu_s / max(1, self.delivered) * 1e6

    def late(self, what: str, share: float) -> float:
        """Return a percentile of ``clock`` or ``sound`` in milliseconds."""
        report: LatenessReport = getattr(self, what)
        return percentile(report.counts, share) * 1e3


class Listeners(Receivers):
    """Members that offer, connect, and from then on cost nothing."""

    async def offers(self, count: int) -> list[str]:
        """Make so many members; return their offers."""
        self._fresh = [
            Peer(
                local_address=LOOPBACK,
                direction="recvonly",
                on_packet=lambda _packet, _arrival: None,
                on_state=lambda _state: None,
            )
            for _ in range(count)
        ]
        return [await peer.offer() for peer in self._fresh]

    async def accept(self, answers: list[str]) -> None:
        """Take the answers to the last offers, and wait until all are connected."""
        for peer, answer in zip(self._fresh, answers, strict=True):
            await peer.accept(answer)
        self._peers += self._fresh
        await self.drain()
        await self.listen(awake=False)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process stand still; a listener that does is given up after 8 s."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Stage:
    """Media processes with ``connections`` listeners of one space, who are ``ears``."""

    def __init__(self, processes: int, connections: int, ears: Worker) -> None:
        self._ears = ears
        self.processes = processes
        self.connections = connections
        self._media = MediaProcesses(processes)
        self._payloads = packets(speech(1.0))
        self._frame = 0

    async def open(self) -> None:
        """Start the processes and connect all listeners."""
        await self._media.start()
        names = [f"{secrets.token_hex(4)}-{n}" for n in range(self.connections)]
        loop, ears = asyncio.get_running_loop(), self._ears
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            offers = await loop.run_in_executor(None, ears.ask, "offers", len(some))
            answers = await asyncio.gather(
                *(self._media.connect(*each) for each in self._calls(some, offers))
            )
            await loop.run_in_executor(None, ears.ask, "accept", list(answers))
        self._media.open_gate(SPACE, TALKER)

    async def aclose(self) -> None:
        """End it all."""
        await self._media.aclose()

    def memory(self) -> list[int]:
        """Return the bytes of memory that only each process has."""
        return [unshared(pid) for pid in self._pids()]

    async def step(self, listeners: int, seconds: float) -> Step:
        """Say frames to so many listeners for so long."""
        await asyncio.sleep(ANSWERS_S)
        with stopped(self._ears.pid):
            await self._fresh()
            before, cpu, began = self._media.report(), self._cpu(), time.monotonic()
            said = await self._talk(listeners / self.connections, round(seconds / FRAME_S))
            wall_s, spent = time.monotonic() - began, self._cpu() - cpu
            await self._fresh()
            after = self._media.report()
        return Step(
            listeners=listeners,
            delivered=after.audio["delivered"] - before.audio["delivered"],
            wanted=said * self.connections,
            cpu_s=spent,
            wall_s=wall_s,
            clock=_since(before.clock, after.clock),
            sound=_since(before.forwarding, after.forwarding),
        )

    # --- private ----------------------------------------------------------------

    def _calls(self, names: list[str], offers: list[str]) -> list[tuple[str, str, str, str]]:
        return [(name, SPACE, sdp, LOOPBACK) for name, sdp in zip(names, offers, strict=True)]

    async def _talk(self, times: float, frames: int) -> int:
        """Say each of so many frames ``times`` times; return how often anything was said."""
        due, said = time.monotonic(), 0
        for number in range(1, frames + 1):
            while said < round(number * times):
                said += 1
                self._say()
            due += FRAME_S
            await asyncio.sleep(due - time.monotonic())
        return said

    def _say(self) -> None:
        self._frame += 1
        number = self._frame
        voice = Voice(
            SPACE,
            TALKER,
            1,
            number & 0xFFFF,
            number * FRAME_SAMPLES & 0xFFFFFFFF,
            number == 1,
            self._payloads[number % len(self._payloads)],
            time.monotonic(),
        )
        home = self._media._placing.home(SPACE)
        assert home is not None
        self._media._processes[home].inbox.offer(encode(voice))

    async def _fresh(self) -> None:
        """Wait until each process has said what it counted up to now."""
        await asyncio.sleep(2 * BEAT_S)

    def _pids(self) -> list[int]:
        found = []
        for process in self._media._processes.values():
            text = Path(f"/proc/self/fdinfo/{process.child.descriptor}").read_text()
            lines = [line.split() for line in text.splitlines()]
            found += [int(words[1]) for words in lines if words[0] == "Pid:"]
        return found

    def _cpu(self) -> float:
        """Return the CPU seconds of all media processes, the kernel's for them included."""
        texts = [Path(f"/proc/{pid}/schedstat").read_text() for pid in self._pids()]
        return sum(int(text.split()[0]) for text in texts) / 1e9


def _since(before: LatenessReport, after: LatenessReport) -> LatenessReport:
    counts = tuple(b - a for a, b in zip(before.counts, after.counts, strict=True))
    return LatenessReport(counts, after.total_s - before.total_s)


def dropped(report: MediaReport) -> int:
    """Return how much mail found no room."""
    return report.channel_drops.get("dropped", 0)
