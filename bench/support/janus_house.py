"""Janus as a contender of the fan-out: one room of either kind, in a worker.

The talker and the listeners are in other processes; what counts is the CPU time and
the memory of the process of Janus (``pid``).
"""

import asyncio

from bench.support.janus import Server
from bench.support.janus_client import Bridge, Client, Handle, Room


class _Janus:
    """A server of its own and a session with it, started by ``start``."""

    def __init__(self) -> None:
        self._server = Server()
        self._handles: list[Handle] = []
        self._client: Client

    async def start(self) -> int:
        """Start; return the process's number."""
        await self._server.__aenter__()
        self._client = await Client(self._server).__aenter__()
        return self._server.pid

    async def aclose(self) -> None:
        """Stop the server."""
        await self._client.__aexit__()
        await self._server.__aexit__()

    def _fresh(self, count: int) -> list[Handle]:
        return self._handles[-count:]


class BridgeHouse(_Janus):
    """An AudioBridge room: everybody's sound is mixed, and encoded for each member."""

    async def talker(self, offer: str) -> str:
        """Let the one in who talks; return the answer."""
        self._bridge = await Bridge.create(self._client)
        _, answer = await self._bridge.join(offer)
        return answer

    async def offers(self, count: int) -> list[str]:
        """Let so many muted members in; return Janus's offers."""
        joined = [await self._bridge.offer(muted=True) for _ in range(count)]
        self._handles += [handle for handle, _ in joined]
        return [offer for _, offer in joined]

    async def accepts(self, answers: list[str]) -> None:
        """Take the answers to the last offers."""
        fresh = zip(self._fresh(len(answers)), answers, strict=True)
        await asyncio.gather(*(self._bridge.accept(*each) for each in fresh))


class RoomHouse(_Janus):
    """A VideoRoom with audio only: packets are passed on."""

    async def talker(self, offer: str) -> str:
        """Let the one in who talks; return the answer."""
        self._room = await Room.create(self._client)
        self._feed, answer = await self._room.publish(offer)
        return answer

    async def offers(self, count: int) -> list[str]:
        """Let so many listeners in; return Janus's offers."""
        joined = [await self._room.subscribe(self._feed) for _ in range(count)]
        self._handles += [handle for handle, _ in joined]
        return [offer for _, offer in joined]

    async def accepts(self, answers: list[str]) -> None:
        """Take the answers to the last offers."""
        fresh = zip(self._fresh(len(answers)), answers, strict=True)
        await asyncio.gather(*(self._room.start(*each) for each in fresh))
