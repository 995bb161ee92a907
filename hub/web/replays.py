"""Requests that may be sent again: the same key from the same person is carried out once.

The answer is kept for a day, and given again. A request that failed changed nothing and is
not kept, so it may be tried again under its key.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hub.store.database import Store
from hub.web.problems import Refused, WebCode
from stagebox.calendar import utc_stamp

# Answers kept, over all people; an answer has some hundred bytes.
MAX_KEPT: Final = 2_000
_KEEP: Final = "-1 day"


@dataclass(frozen=True, slots=True)
class Kept:
    """A JSON answer."""

    status: int
    body: bytes


class Replays:
    """The answers given to requests with a key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def once(
        self, who: str, key: str, request: bytes, carry_out: Callable[[], Awaitable[Kept]]
    ) -> Kept:
        """Return what ``carry_out`` answers, now or when this very request came before.

        ``request`` is all that makes it what it is.

        Raises:
            Refused: the key was used for another request.
            StoreError: the answers cannot be read or kept.
        """
        name = (who, key)
        while (running := self._running.get(name)) is not None:
            await running.wait()
        self._running[name] = done = asyncio.Event()
        try:
            digest = hashlib.sha256(request).hexdigest()
            kept = await self._find(name, digest)
            if kept is None:
                kept = await carry_out()
                await self._keep(name, digest, kept)
            return kept
        finally:
            del self._running[name]
            done.set()

    async def _find(self, name: tuple[str, str], digest: str) -> Kept | None:
        sql = "SELECT digest, status, body FROM replays WHERE who = ? AND key = ?"
        found = await self._store.fetch(sql, name, tuple)
        if not found:
            return None
        made_of, status, body = found[0]
        if made_of != digest:
            detail = "This Idempotency-Key was used for another request: take a new one."
            raise Refused(WebCode.KEY_REUSED, detail, field="Idempotency-Key")
        return Kept(status, body)

    async def _keep(self, name: tuple[str, str], digest: str, kept: Kept) -> None:
        stamp = utc_stamp()
        await self._store.execute_all(
            [
                (_ADD, (*name, digest, kept.status, kept.body, stamp)),
                ("DELETE FROM replays WHERE datetime(at) < datetime(?, ?)", (stamp, _KEEP)),
                (_TRIM, (MAX_KEPT,)),
            ]
        )


_ADD: Final = "INSERT INTO replays (who, key, digest, status, body, at) VALUES (?, ?, ?, ?, ?, ?)"
_TRIM: Final = "DELETE FROM replays WHERE n <= (SELECT max(n) FROM replays) - ?"
