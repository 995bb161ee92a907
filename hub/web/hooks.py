"""Webhooks: other programs are told what happens, each at its own pace and never in the way.

Each one has a short queue and a task. What it does not take after three tries is dropped
and counted; a full queue drops its oldest. The body is signed, so that the other side
can tell the hub from anybody else on the network.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import aiohttp
import msgspec
from msgspec import Struct

from hub.spaces.effects import Happened, Happening
from hub.store.database import Store
from stagebox import __version__
from stagebox.calendar import utc_stamp
from stagebox.wire.terms import MemberId, Name, SpaceId

MAX_HOOKS: Final = 20
# Some minutes of a busy evening.
MAX_WAITING: Final = 100
# A service on the LAN answers in milliseconds, one on the internet within a second.
TRY_S: Final = 5.0
# Waits before the second and the third try: a service that restarts is back by then.
BACKOFF_S: Final = (2.0, 10.0)
SIGNATURE_HEADER: Final = "Stagebox-Signature"
_SECRET_BYTES: Final = 32
_OK: Final = range(200, 300)

log = logging.getLogger(__name__)


class HookEvent(StrEnum):
    """What a webhook may be told."""

    SPACE_STARTED = "space_started"
    SPACE_ENDED = "space_ended"
    HAND_RAISED = "hand_raised"


_EVENTS: Final = {
    Happening.SPACE_STARTED: HookEvent.SPACE_STARTED,
    Happening.SPACE_ENDED: HookEvent.SPACE_ENDED,
    Happening.HAND_RAISED: HookEvent.HAND_RAISED,
}


class Delivery(Struct, frozen=True, kw_only=True):
    """What is sent. ``id`` is the same for every try."""

    id: str
    event: HookEvent
    at: str
    hub: MemberId
    space: SpaceId
    space_name: Name
    member: MemberId | None = None
    name: str = ""


class Outcome(StrEnum):
    """What became of a delivery (the label of the metric)."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook."""

    id: int
    url: str
    secret: str
    events: frozenset[HookEvent]
    made_at: str


@dataclass(slots=True)
class _Line:
    """A webhook's queue. ``last``: what became of the last delivery."""

    hook: Hook
    waiting: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    last: str = ""


class Hooks:
    """All webhooks. Make it with ``open``; what writes raises ``StoreError``."""

    def __init__(self, store: Store, hub_id: MemberId) -> None:
        self._store = store
        self._hub_id = hub_id
        self._lines: dict[int, _Line] = {}
        self._http: aiohttp.ClientSession | None = None
        self.backoff_s = BACKOFF_S
        self.counts = dict.fromkeys(Outcome, 0)

    @classmethod
    async def open(cls, store: Store, hub_id: MemberId) -> "Hooks":
        """Return the webhooks in the store.

        Raises:
            StoreError: it cannot be read.
        """
        hooks = cls(store, hub_id)
        sql = "SELECT id, url, secret, events, made_at FROM webhooks ORDER BY id"
        for number, url, secret, events, made_at in await store.fetch(sql, (), tuple):
            names = frozenset(HookEvent(each) for each in events.split())
            hooks._lines[number] = _Line(Hook(number, url, secret, names, made_at))
        return hooks

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._lines)

    def report(self) -> Mapping[str, float]:
        """Return what became of deliveries, for the metrics."""
        return {outcome.value: count for outcome, count in self.counts.items()}

    def listed(self) -> list[tuple[Hook, str]]:
        """Return the webhooks and what became of each one's last delivery."""
        return [(line.hook, line.last) for line in self._lines.values()]

    async def add(self, url: str, events: frozenset[HookEvent]) -> Hook:
        """Make a webhook with a secret of its own."""
        secret, stamp = secrets.token_hex(_SECRET_BYTES), utc_stamp()
        text = " ".join(sorted(events))
        await self._store.execute(
            "INSERT INTO webhooks (url, secret, events, made_at) VALUES (?, ?, ?, ?)",
            (url, secret, text, stamp),
        )
        found = await self._store.fetch("SELECT max(id) FROM webhooks", (), lambda row: int(row[0]))
        hook = Hook(found[0], url, secret, events, stamp)
        self._lines[hook.id] = _Line(hook)
        return hook

    async def remove(self, number: int) -> bool:
        """Drop a webhook and what waits for it; return whether there was one."""
        line = self._lines.pop(number, None)
        if line is None:
            return False
        if line.task is not None:
            line.task.cancel()
        await self._store.execute("DELETE FROM webhooks WHERE id = ?", (number,))
        return True

    def happened(self, space_id: SpaceId, space_name: Name, happened: Happened) -> None:
        """Tell whoever wants to know. Never waits."""
        event = _EVENTS.get(happened.kind)
        if event is None:
            return
        delivery = Delivery(
            id=secrets.token_hex(16),
            event=event,
            at=utc_stamp(),
            hub=self._hub_id,
            space=space_id,
            space_name=space_name,
            member=happened.member,
            name=happened.name,
        )
        body = msgspec.json.encode(delivery)
        for line in self._lines.values():
            if event in line.hook.events:
                self._queue(line, body)

    async def aclose(self) -> None:
        """Stop; what waits is dropped."""
        tasks = [line.task for line in self._lines.values() if line.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    def _queue(self, line: _Line, body: bytes) -> None:
        if len(line.waiting) == MAX_WAITING:
            self.counts[Outcome.DROPPED] += 1
        line.waiting.append(body)
        line.wake.set()
        if line.task is None:
            line.task = asyncio.create_task(self._deliver(line))

    async def _deliver(self, line: _Line) -> None:
        while True:
            while line.waiting:
                body = line.waiting.popleft()
                outcome = await self._try(line, body)
                self.counts[outcome] += 1
            line.wake.clear()
            await line.wake.wait()

    async def _try(self, line: _Line, body: bytes) -> Outcome:
        for wait_s in (0.0, *self.backoff_s):
            await asyncio.sleep(wait_s)
            line.last = await self._send(line.hook, body)
            if line.last == Outcome.DELIVERED:
                return Outcome.DELIVERED
        log.warning("webhook %d did not take an event: %s", line.hook.id, line.last)
        return Outcome.FAILED

    async def _send(self, hook: Hook, body: bytes) -> str:
        """Send once; return ``delivered`` or why not."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=TRY_S)
            self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Stagebox/{__version__}",
            SIGNATURE_HEADER: f"sha256={sign(hook.secret, body)}",
        }
        try:
            async with self._http.post(
                hook.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                ok = answer.status in _OK
                return Outcome.DELIVERED if ok else f"answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__


def sign(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a delivery in hex; ``secret`` as it was given."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
