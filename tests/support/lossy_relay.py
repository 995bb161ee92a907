"""A bad network between two WebRTC peers on one machine.

    async with LossyRelay(loss=0.05, jitter_ms=30, seed=1) as relay:
        answer = await b.answer(relay.rewrite(await a.offer()))
        await a.accept(relay.rewrite(answer))

``rewrite`` opens one loopback socket for each host candidate and puts its port into
the SDP, so all datagrams of the two peers pass through here: checks, handshake and
media. Order within a direction is kept, as a radio link keeps it, unless ``reorder``
lets packets fall behind. All settings may be changed while it runs.
"""

import asyncio
import random
import re
import socket
from dataclasses import dataclass
from types import TracebackType
from typing import Self

Address = tuple[str, int]

# How far a reordered datagram falls behind: a little more than two 20 ms frames.
REORDER_DELAY_S = 0.045

_CANDIDATE = re.compile(
    r"^(a=candidate:\S+ 1 udp \d+ )(127\.\d+\.\d+\.\d+|::1) (\d+)( typ host)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(slots=True)
class RelayCounters:
    """What happened to datagrams so far."""

    forwarded: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0


class LossyRelay:
    """Forward datagrams between two peers, losing and delaying some of them."""

    def __init__(
        self,
        *,
        loss: float = 0.0,
        delay_ms: float = 0.0,
        jitter_ms: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        media_only: bool = False,
        seed: int = 0,
    ) -> None:
        """Set the damage; ``loss``, ``duplicate`` and ``reorder`` are shares from 0 to 1.

        Each datagram takes ``delay_ms`` plus up to ``jitter_ms``. With ``media_only``
        checks and handshake pass untouched, so that set-up takes no luck.
        """
        self.loss = loss
        self.delay_ms = delay_ms
        self.jitter_ms = jitter_ms
        self.duplicate = duplicate
        self.reorder = reorder
        self.media_only = media_only
        self.blackout = False
        self.counters = RelayCounters()
        self._random = random.Random(seed)
        self._doors: dict[Address, socket.socket] = {}
        self._released: dict[tuple[Address, Address], float] = {}
        self._pending: set[asyncio.TimerHandle] = set()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._pending:
            handle.cancel()
        for door in self._doors.values():
            self._loop.remove_reader(door)
            door.close()
        self._pending.clear()
        self._doors.clear()

    def rewrite(self, sdp: str) -> str:
        """Return the SDP with its loopback host candidates led through this relay."""
        rewritten, count = _CANDIDATE.subn(self._redirect, sdp)
        if count == 0:
            raise ValueError("the SDP has no loopback host candidate to relay")
        return rewritten

    def _redirect(self, match: re.Match[str]) -> str:
        head, host, port, tail = match.groups()
        door = self._door((host, int(port)))
        return f"{head}{host} {door.getsockname()[1]}{tail}"

    def _door(self, real: Address) -> socket.socket:
        """The socket that stands for the peer at ``real``, in front of the other peer."""
        if real not in self._doors:
            family = socket.AF_INET6 if ":" in real[0] else socket.AF_INET
            door = socket.socket(family, socket.SOCK_DGRAM)
            door.setblocking(False)
            door.bind((real[0], 0))
            self._doors[real] = door
            self._loop.add_reader(door, self._read, real, door)
        return self._doors[real]

    def _read(self, receiver: Address, door: socket.socket) -> None:
        try:
            data, sender = door.recvfrom(65_536)
        except OSError:
            return  # a refused datagram of before: the peer has closed
        self._damage(data, (sender[0], sender[1]), receiver)

    def _damage(self, data: bytes, sender: Address, receiver: Address) -> None:
        if self.media_only and data and not 127 < data[0] < 192:
            self._forward(data, sender, receiver)
        elif self.blackout or self._random.random() < self.loss:
            self.counters.lost += 1
        else:
            self._delay(data, sender, receiver)
            if self._random.random() < self.duplicate:
                self.counters.duplicated += 1
                self._delay(data, sender, receiver)

    def _delay(self, data: bytes, sender: Address, receiver: Address) -> None:
        now = self._loop.time()
        due = now + (self.delay_ms + self._random.random() * self.jitter_ms) / 1000
        if self._random.random() < self.reorder:
            self.counters.reordered += 1
            due += REORDER_DELAY_S
        else:
            # Strictly later: timers that are due at the same moment fire in any order.
            due = max(due, self._released.get((sender, receiver), 0.0) + 1e-6)
            self._released[sender, receiver] = due
        if due <= now:
            self._forward(data, sender, receiver)
            return
        handle: asyncio.TimerHandle = self._loop.call_at(
            due, lambda: self._fire(handle, data, sender, receiver)
        )
        self._pending.add(handle)

    def _fire(
        self, handle: asyncio.TimerHandle, data: bytes, sender: Address, receiver: Address
    ) -> None:
        self._pending.discard(handle)
        self._forward(data, sender, receiver)

    def _forward(self, data: bytes, sender: Address, receiver: Address) -> None:
        try:
            self._door(sender).sendto(data, receiver)
        except OSError:
            self.counters.lost += 1
        else:
            self.counters.forwarded += 1
