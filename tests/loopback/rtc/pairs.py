"""Two peers in one process, and strangers who write to their ports."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer, PeerState
from tests.support.lossy_relay import LossyRelay

# Connecting takes 40 ms here; a loaded machine may need a hundred times that.
CONNECT_S = 10.0
WAIT_S = 20.0


@dataclass
class End:
    """One peer and what happened to it."""

    packets: list[AudioPacket] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    states: list[PeerState] = field(default_factory=list)
    peer: Peer = field(init=False)

    def make(self, direction: Direction = "sendrecv", address: str | None = "127.0.0.1") -> Peer:
        self.peer = Peer(
            local_address=address,
            direction=direction,
            on_packet=self._packet,
            on_state=self.states.append,
        )
        return self.peer

    def _packet(self, packet: AudioPacket, arrival: float) -> None:
        self.packets.append(packet)
        self.arrivals.append(arrival)


async def negotiate(a: Peer, b: Peer, relay: LossyRelay | None = None) -> None:
    rewrite = relay.rewrite if relay else lambda sdp: sdp
    await a.accept(rewrite(await b.answer(rewrite(await a.offer()))))
    await asyncio.gather(a.wait_connected(CONNECT_S), b.wait_connected(CONNECT_S))


@asynccontextmanager
async def connected(
    relay: LossyRelay | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[tuple[End, End]]:
    a, b = End(), End()
    a.make(address=address)
    b.make(address=address)
    try:
        await negotiate(a.peer, b.peer, relay)
        yield a, b
    finally:
        await asyncio.gather(a.peer.aclose(), b.peer.aclose())


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition; generous, because only its coming true matters."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited {WAIT_S} s in vain: {what}") from None


def port_of(sdp: str) -> int:
    match = re.search(r"a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host", sdp)
    assert match
    return int(match[1])


async def pour(data: bytes, count: int, port: int) -> None:
    """Write datagrams to a loopback port, leaving the loop time to read them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.setblocking(False)
        for _ in range(count):
            stranger.sendto(data, ("127.0.0.1", port))
            await asyncio.sleep(0)  # the loop reads one datagram a turn
        for _ in range(5):
            await asyncio.sleep(0.01)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def open_sockets() -> int:
    return sum(1 for fd in Path("/proc/self/fd").iterdir() if _is_socket(fd))


def _is_socket(fd: Path) -> bool:
    try:
        return str(fd.readlink()).startswith("socket:")
    except OSError:
        return False
