"""The hub's memory of members, as the control plane uses it: never in the way, never fatal.

A slow or broken disk costs remembered places, not conversations: reading has a
deadline, writing happens behind the session's back, and every failure is counted
by the store.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.store.database import Store, StoredMember, StoreError
from stagebox.wire.messages import Hello
from stagebox.wire.terms import Place, Role

# A member waits for this at its hello, inside the hello deadline.
RECALL_S: Final = 1.0

PLACE_OF_ROLE: Final[Mapping[Role, Place]] = {
    Role.STUDIO: Place.HOST,
    Role.GUEST: Place.SPEAKER,
    Role.SPEAKER: Place.LISTENER,
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the hub remembers of one member."""

    last_space: str | None = None
    places: Mapping[str, Place] = field(default_factory=dict)

    def place(self, space_id: str, role: Role) -> Place:
        """Return the place in a space: the stored one, or what the role brings."""
        return self.places.get(space_id) or PLACE_OF_ROLE[role]


class Records:
    """Reads and writes the store for sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    async def recall(self, member_id: str) -> Memory:
        """Return what is remembered of a member; nothing if the store does not answer."""
        try:
            async with asyncio.timeout(RECALL_S):
                known = await self._store.member(member_id)
                places = await self._store.places(member_id)
        except (StoreError, TimeoutError):
            return Memory()
        return Memory(known.last_space if known else None, places)

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
