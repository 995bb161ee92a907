"""The hub's memory of members, as the control plane uses it: never in the way, never fatal.

A slow or broken disk costs what is remembered, not conversations: reading has a
deadline, writing happens behind the session's back, and every failure is counted
by the store.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.store.database import Store, StoredMember, StoreError
from stagebox.wire.messages import Hello
from stagebox.wire.terms import Kind

# A member waits for this at its hello, inside the hello deadline.
RECALL_S: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the hub remembers of one member."""

    last_space: str | None = None
    given: str | None = None
    known: bool | None = None

    def having_entered(self, space_id: str) -> "Memory":
        """Return the memory of a member that has entered this space since."""
        return replace(self, last_space=space_id)

    def is_known(self, kind: Kind) -> bool:
        """Tell whether this is somebody known; a box is, unless an admin says otherwise."""
        return kind is not Kind.BROWSER if self.known is None else self.known


class Records:
    """Reads and writes the store for sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    async def recall(self, member_id: str) -> Memory:
        """Return what is remembered of a member; nothing if the store does not answer."""
        try:
            async with asyncio.timeout(RECALL_S):
                met = await self._store.member(member_id)
        except (StoreError, TimeoutError):
            return Memory()
        if met is None:
            return Memory()
        return Memory(met.last_space, met.given, met.known)

    def saw(self, hello: Hello) -> None:
        """Note that a member is here."""
        who = StoredMember(hello.id, hello.key, hello.name, hello.kind, hello.role)
        self._behind(self._store.saw(who))

    def entered(self, member_id: str, space_id: str) -> None:
        """Note which space a member is in."""
        self._behind(self._store.set_last_space(member_id, space_id))

    async def aclose(self) -> None:
        """Wait until everything noted so far is kept."""
        await asyncio.gather(*self._tasks)

    def _behind(self, write: Coroutine[Any, Any, None]) -> None:
        # Bounded by the store, which refuses calls when too many are waiting.
        task = asyncio.create_task(_quietly(write))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(write: Coroutine[Any, Any, None]) -> None:
    try:
        await write
    except StoreError as error:
        log.debug("not kept: %s", error)
