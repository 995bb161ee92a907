"""A conversation that is not to notice what is done to its hub, and the measure of that.

Ana talks to Ben through a hub: 50 packets a second, each with its number and the instant
it left. Both ends live in a process of their own (``python -m tests.security.conversation``),
so that neither the hub nor the attacker takes its time. ``Conversation`` starts it and asks
it for figures.
"""

import asyncio
import json
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from bench.support.member import Member
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import PeerState

FRAME_S: Final = 0.020
_STAMP: Final = struct.Struct("!BQQ")
# Opus, 20 ms, one frame in the packet; the hub reads no further.
_TOC: Final = 0x78
_PAYLOAD: Final = 80  # bytes, as speech at 32 kbit/s
_START_S: Final = 60.0


@dataclass(slots=True)
class Heard:
    """What Ben got since the last mark."""

    last: int = 0
    got: int = 0
    lost: int = 0
    repeated: int = 0
    foreign: int = 0
    arrived_at: float = 0.0
    gap_ms: float = 0.0
    delays_ms: list[float] = field(default_factory=list)

    def take(self, packet: AudioPacket, now: float) -> None:
        """Note a packet."""
        if len(packet.payload) != _PAYLOAD or packet.payload[0] != _TOC:
            self.foreign += 1
            return
        _, number, sent_ns = _STAMP.unpack_from(packet.payload)
        if number <= self.last:
            self.repeated += 1
            return
        if self.last:
            self.lost += number - self.last - 1
            self.gap_ms = max(self.gap_ms, (now - self.arrived_at) * 1000)
        self.last, self.arrived_at = number, now
        self.got += 1
        self.delays_ms.append((now * 1e9 - sent_ns) / 1e6)

    def mark(self) -> dict[str, Any]:
        """Return the figures and begin anew."""
        delays = sorted(self.delays_ms) or [0.0]
        figures = {
            "got": self.got,
            "lost": self.lost,
            "repeated": self.repeated,
            "foreign": self.foreign,
            "gap_ms": self.gap_ms,
            "median_ms": delays[len(delays) // 2],
            "p99_ms": delays[int(0.99 * (len(delays) - 1))],
            "silent_ms": (time.monotonic() - self.arrived_at) * 1000,
        }
        self.got = self.lost = self.repeated = self.foreign = 0
        self.gap_ms = 0.0
        self.delays_ms.clear()
        return figures


async def _talk(ana: Member) -> None:
    loop = asyncio.get_running_loop()
    begin, number = loop.time(), 0
    while True:
        number += 1
        payload = _STAMP.pack(_TOC, number, time.monotonic_ns()).ljust(_PAYLOAD, b"\0")
        ana.peer.send(payload, number, number * 960, number == 1)
        await asyncio.sleep(max(0.0, begin + number * FRAME_S - loop.time()))


async def _converse(url: str) -> None:
    heard = Heard()
    async with (
        Member(url, "Ana", "sendrecv", lambda _packet, _now: None) as ana,
        Member(url, "Ben", "sendrecv", heard.take) as ben,
    ):
        await ana.take_floor()
        talking = asyncio.create_task(_talk(ana))
        while not heard.got:  # noqa: ASYNC110 - a packet is no event
            await asyncio.sleep(FRAME_S)
        print(json.dumps(heard.mark()), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            up = all(
                not member._line.closed and member.peer.state is PeerState.CONNECTED
                for member in (ana, ben)
            )
            print(json.dumps({**heard.mark(), "up": up}), flush=True)
        talking.cancel()


@dataclass(frozen=True, slots=True)
class Mark:
    """Figures of the time since the last mark; delays are one way through the hub."""

    got: int
    lost: int
    repeated: int
    foreign: int
    gap_ms: float
    median_ms: float
    p99_ms: float
    silent_ms: float
    up: bool = True


class Conversation:
    """The process in which Ana and Ben are."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.security.conversation", url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self._read()  # the first packet got through
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def mark(self) -> Mark:
        """Return the figures since the last mark."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> Mark:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the conversation broke off with {self._process.wait(_START_S)}"
        return Mark(**json.loads(line))


if __name__ == "__main__":
    asyncio.run(_converse(sys.argv[1]))
