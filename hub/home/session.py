"""One connection to an MQTT broker, while it lasts: what is told, and what is heard.

Every 0.2 s it looks at the hub and tells the broker what has changed, so nothing changes
more often over there.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import aiomqtt
from paho.mqtt.subscribeoptions import SubscribeOptions

from hub.home.board import Board
from hub.home.entities import OFFLINE, ONLINE, Places, View
from hub.home.orders import Fault, Order, OrderError, read
from stagebox.bucket import TokenBucket

LOOK_S: Final = 0.2
# What was kept from former times comes at once after asking for it.
FOUND_S: Final = 3.0
# Fingers on a dashboard, and an automation that holds ten spaces at once.
ORDERS_PER_S: Final = 10.0
ORDER_BURST: Final = 40
# Whoever sends more than this is not listened to for a while: even what is thrown away
# costs time that sound needs.
FLOOD: Final = 80
FLOOD_S: Final = 5.0
# Of each fault so many are told; all are counted.
MOST_SAID: Final = 20
_NO_OLD: Final = SubscribeOptions.RETAIN_DO_NOT_SEND

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Desk:
    """What outlasts a connection. ``obey(order)`` raises ``OrderError``; neither call waits."""

    places: Places
    commands: bool
    look: Callable[[], Iterable[View]]
    obey: Callable[[Order], None]
    board: Board
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[Fault] = field(default_factory=Counter)


class Session:
    """One connection; ``client`` is connected."""

    def __init__(self, client: aiomqtt.Client, desk: Desk) -> None:
        self._client = client
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._bucket = TokenBucket(ORDERS_PER_S, ORDER_BURST, now)
        self._overflow = TokenBucket(ORDERS_PER_S, FLOOD, now)
        self._flooded = asyncio.Event()
        self._deaf_until: float | None = None
        self._found_until: float | None = now + FOUND_S

    async def run(self, closing: asyncio.Event) -> None:
        """Keep the broker informed until the connection breaks, or the hub ends.

        Raises:
            MqttError: it broke.
        """
        await self._begin()
        tasks = [
            asyncio.create_task(self._hear()),
            asyncio.create_task(self._tell()),
            asyncio.create_task(closing.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._send(self._desk.places.status, OFFLINE)

    async def _begin(self) -> None:
        for pattern in self._desk.places.own:
            options = SubscribeOptions(qos=1, noLocal=True)
            await self._client.subscribe(pattern, options=options)
        await self._open_ears()
        self._desk.board.show(self._desk.look())
        self._desk.board.connected()

    # --- what is told ---------------------------------------------------------

    async def _tell(self) -> None:
        while True:
            board, now = self._desk.board, self._loop.time()
            board.show(self._desk.look())
            for topic, payload in board.due(now):
                await self._send(topic, payload)
            await self._mind(now)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._flooded.wait()

    async def _send(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, qos=1, retain=True)
        self._desk.counts["sent"] += 1

    async def _mind(self, now: float) -> None:
        """Listen to what is to be listened to now, and to nothing else."""
        if self._found_until is not None and now > self._found_until:
            self._found_until = None
            await self._client.unsubscribe(list(self._desk.places.own))
        if self._flooded.is_set() and self._deaf_until is None:
            self._flooded.clear()
            self._deaf_until = now + FLOOD_S
            log.warning("a flood of MQTT messages: no commands for %.0f s", FLOOD_S)
            await self._client.unsubscribe(list(self._heard()))
        elif self._deaf_until is not None and now > self._deaf_until:
            self._deaf_until = None
            await self._open_ears()

    async def _open_ears(self) -> None:
        for pattern in self._heard():
            options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=_NO_OLD)
            await self._client.subscribe(pattern, options=options)

    def _heard(self) -> Iterable[str]:
        yield self._desk.places.birth
        if self._desk.commands:
            yield self._desk.places.orders

    # --- what is heard --------------------------------------------------------

    async def _hear(self) -> None:
        async for message in self._client.messages:
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if any(message.topic.matches(pattern) for pattern in self._desk.places.own):
                if message.retain and payload:
                    self._desk.board.found(topic)
            elif not self._overflow.take(self._loop.time()):
                if self._deaf_until is None:
                    self._flooded.set()
                self._desk.faults[Fault.FLOOD] += 1
            elif topic == self._desk.places.birth:
                if payload == ONLINE:
                    self._desk.board.born()
            else:
                self._order(topic, payload, retained=message.retain)

    def _order(self, topic: str, payload: bytes, *, retained: bool) -> None:
        try:
            if not self._bucket.take(self._loop.time()):
                raise OrderError(Fault.TOO_MANY, f"at most {ORDERS_PER_S:g} commands a second.")
            self._desk.obey(read(self._desk.places, topic, payload, retained=retained))
        except OrderError as error:
            self._desk.faults[error.fault] += 1
            if self._desk.faults[error.fault] <= MOST_SAID:
                log.warning("a command by MQTT at %.100r: %s", topic, error)
        else:
            self._desk.counts["obeyed"] += 1
