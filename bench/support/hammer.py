"""A whole hub in a process of its own, and another process that hammers its HTTP side."""

import asyncio
import base64
import contextlib
import itertools
import os
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bench.support.clock import SPACE, TALKER
from bench.support.receivers import LOOPBACK
from hub.config import Boxes, HubConfig, TrustConfig
from hub.control.server import HubServer
from hub.media.plane import HubMedia
from hub.media.processes import MediaProcesses
from hub.metrics import Metrics
from hub.spaces.registry import Spaces
from hub.store.database import Store
from hub.trust.house import Trust
from hub.web.desk import Home
from stagebox.identity import Identity
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.rtc.peer import Peer
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.handshake import MemberHandshake
from stagebox.wire.messages import Ping
from stagebox.wire.terms import MEMBER_PATH, Kind, Role

PATHS = ("/metrics", "/api/v1/spaces", "/healthz", "/metrics")
# Well inside the 20 messages a second that a member may send.
PING_EVERY_S = 0.1


class HubHouse:
    """A hub with ``processes`` media processes; members of sound come without a control line."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    async def start(self) -> str:
        """Start it; return its address."""
        self._folder = tempfile.TemporaryDirectory()
        metrics = Metrics()
        if self._processes:
            self._media: Any = MediaProcesses(self._processes)
            await self._media.start()
        else:
            self._media = HubMedia()
        metrics.add_media(self._media.report)
        store = await Store.open(Path(self._folder.name) / "hub.sqlite3", lambda _kind: None)
        anyone = TrustConfig(boxes=Boxes.ANYONE)
        config = HubConfig(bind=(LOOPBACK,), port=0, trust=anyone)
        identity, folder = Identity.generate(), Path(self._folder.name)
        trust = await Trust.open(identity, config.name, store, folder, anyone=True)
        home = Home(store, folder, trust)
        spaces = Spaces(config.space, media=self._media, store=store, metrics=metrics)
        server = HubServer(config, identity, spaces, metrics, self._media, home)
        await server.start()
        self._ends = (server, spaces, self._media, store)
        return f"http://{LOOPBACK}:{server.port}"

    async def connect(self, name: str, offer: str) -> str:
        """Connect one member's sound."""
        return str(await self._media.connect(name, SPACE, offer, LOOPBACK))

    async def gate(self) -> None:
        """Give the talker the floor."""
        self._media.open_gate(SPACE, TALKER)

    async def counted(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the histograms of the clock and of forwarding."""
        report = self._media.report()
        return report.clock.counts, report.forwarding.counts

    async def aclose(self) -> None:
        """Stop it."""
        for end in self._ends:
            await end.aclose()
        self._folder.cleanup()


class Mouth:
    """A member that talks without end, at the real pace."""

    async def offer(self) -> str:
        """Make its connection."""
        self._peer = Peer(
            local_address=LOOPBACK,
            direction="sendrecv",
            on_packet=lambda _packet, _arrival: None,
            on_state=lambda _state: None,
        )
        return await self._peer.offer()

    async def accept(self, answer: str) -> None:
        """Connect, and begin to talk."""
        await self._peer.accept(answer)
        await self._peer.wait_connected(30)
        self._task = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in itertools.count(1):
            self._peer.send(bytes(80), number, number * FRAME_SAMPLES, number == 1)
            due += FRAME_S
            await asyncio.sleep(due - loop.time())


class Hammer:
    """Keeps ``connections`` HTTP connections busy, and pings by way of some members."""

    async def strike(self, address: str, connections: int, members: int, seconds: float) -> int:
        """Ask as fast as answers come, for so long; return how many came."""
        self._answers = 0
        connector = aiohttp.TCPConnector(limit=connections + members)
        async with aiohttp.ClientSession(connector=connector) as http:
            work = [self._ask(http, address) for _ in range(connections)]
            work += [self._ping(http, address) for _ in range(members)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await asyncio.gather(*work)
        return self._answers

    async def _ask(self, http: aiohttp.ClientSession, address: str) -> None:
        for path in itertools.cycle(PATHS):
            async with http.get(address + path) as answer:
                await answer.read()
                self._answers += answer.status == 200

    async def _ping(self, http: aiohttp.ClientSession, address: str) -> None:
        async with http.ws_connect(address + MEMBER_PATH) as line:
            shake = MemberHandshake(
                key=base64.b64encode(os.urandom(32)).decode(),
                nonce="0" * 64,
                name="Hammer",
                kind=Kind.BOX,
                role=Role.GUEST,
                software="bench",
            )
            while shake.welcome is None:
                answer = shake.receive(decode_hub((await line.receive()).data))
                if answer is not None:
                    await line.send_str(encode(answer))
            for number in itertools.count(1):
                await line.send_str(encode(Ping(n=number)))
                msgspec.json.decode((await line.receive()).data)
                self._answers += 1
                await asyncio.sleep(PING_EVERY_S)
