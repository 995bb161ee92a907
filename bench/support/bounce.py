"""The least that a hub in another process can add: each datagram is sent back at once."""

import asyncio
from typing import Any, Final

from bench.support.workers import Worker
from stagebox.media.frames import FRAME_S

_HOST: Final = "127.0.0.1"
# As long as a packet of speech, header and SRTP included.
_BYTES: Final = 100
_LAST_S: Final = 0.2


class Wall:
    """For a worker: sends each datagram back."""

    async def open(self) -> int:
        """Return the port."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(_Back, local_addr=(_HOST, 0))
        port: int = transport.get_extra_info("sockname")[1]
        return port


class _Back(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as asyncio's
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._transport.sendto(data, addr)


class _Clock(asyncio.DatagramProtocol):
    """Notes how long each datagram was away."""

    def __init__(self, sent: dict[int, float], away: list[float]) -> None:
        self._sent, self._away = sent, away

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:  # noqa: ARG002
        number = int.from_bytes(data[:4], "big")
        self._away.append(asyncio.get_running_loop().time() - self._sent[number])


def bounces(seconds: float) -> list[float]:
    """Return how long datagrams were away that were sent at the pace of speech."""
    with Worker(Wall) as wall:
        return asyncio.run(_throw(wall.ask("open"), round(seconds / FRAME_S)))


async def _throw(port: int, count: int) -> list[float]:
    loop, sent, away = asyncio.get_running_loop(), dict[int, float](), list[float]()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Clock(sent, away), remote_addr=(_HOST, port)
    )
    due = loop.time()
    for number in range(count):
        await asyncio.sleep(due - loop.time())
        sent[number] = loop.time()
        transport.sendto(number.to_bytes(4, "big") + bytes(_BYTES))
        due += FRAME_S
    await asyncio.sleep(_LAST_S)
    transport.close()
    return away
