"""The boxes that the hub knows, in memory and in its database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.store.database import Store, StoredMember, Value
from hub.store.shelf import AuditRow, Shelf
from hub.trust.gate import Standing
from stagebox.calendar import utc_stamp
from stagebox.wire.enrolment import PENDING_S, EnrolledBox
from stagebox.wire.terms import Key, Kind, MemberId, Name, Role

# Enrolled, and refused: more than a hub has members. Of the refused the oldest are forgotten.
MOST_BOXES: Final = 1_000
MOST_REFUSED: Final = 1_000
# What happened to boxes belongs to no space.
HISTORY: Final = ""


class BookFullError(Exception):
    """The hub knows as many boxes as it may."""


@dataclass(frozen=True, slots=True)
class KnownBox:
    """A box as it was when it was added; ``at`` is UTC, ``pin`` of the certificate it used last.

    ``since``: when this hub began to count, for a pending one (monotonic seconds).
    """

    id: MemberId
    key: Key
    name: Name
    role: Role
    standing: Standing
    at: str
    pin: str = ""
    since: float = 0.0


class TrustBook:
    """Known boxes by id. Every change is in the database when its call returns."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._shelf = Shelf(store)
        self._now = now
        self._boxes: dict[MemberId, KnownBox] = {}

    async def load(self) -> None:
        """Read what was known.

        Raises:
            StoreError: the database cannot be read.
        """
        for box in await self._store.fetch(_ALL, (), _known):
            self._boxes[box.id] = replace(box, since=self._now())

    def standing(self, member_id: MemberId) -> Standing | None:
        """Return what is known of a box."""
        box = self._boxes.get(member_id)
        if box is None or (box.standing is Standing.PENDING and self._is_over(box)):
            return None
        return box.standing

    def get(self, member_id: MemberId) -> KnownBox | None:
        """Return a box that is enrolled, or is about to be."""
        box = self._boxes.get(member_id)
        return box if box and box.standing is not Standing.REFUSED else None

    def enrolled(self) -> tuple[KnownBox, ...]:
        """Return the enrolled boxes."""
        return tuple(box for box in self._boxes.values() if box.standing is Standing.ACTIVE)

    async def pend(self, box: EnrolledBox) -> None:
        """Keep a box that confirmed the code; one that is enrolled stays so, whatever comes.

        Raises:
            BookFullError: there are too many.
            StoreError: it cannot be kept.
        """
        if self.standing(box.id) is Standing.ACTIVE:
            return
        if len(self._boxes) >= MOST_BOXES + MOST_REFUSED or (
            box.id not in self._boxes and len(self.enrolled()) >= MOST_BOXES
        ):
            raise BookFullError
        for each in [box for box in self._boxes.values() if self._is_over(box)]:
            await self._forget(each.id)
        await self._keep(_of(box, Standing.PENDING))

    async def activate(self, box: EnrolledBox, how: str) -> None:
        """Keep a box as enrolled; from now on it is among those that the hub has met."""
        await self._store.saw(StoredMember(box.id, box.key, box.name, Kind.BOX, box.role))
        await self._keep(_of(box, Standing.ACTIVE), "enrolled", how)

    async def remove(self, box: EnrolledBox, what: str) -> None:
        """Refuse a box from now on."""
        await self._keep(_of(box, Standing.REFUSED), what)
        refused = [each for each in self._boxes.values() if each.standing is Standing.REFUSED]
        for each in refused[:-MOST_REFUSED]:
            await self._forget(each.id)

    async def came_with(self, member_id: MemberId, pin: str) -> None:
        """Note with which certificate a box came; a pending one is enrolled by that."""
        box = self._boxes[member_id]
        if box.standing is Standing.PENDING:
            await self.activate(EnrolledBox(box.id, box.key, box.name, box.role), "login")
            box = self._boxes[member_id]
        if box.pin != pin:
            await self._keep(replace(box, pin=pin))

    async def note(
        self, kind: str, *, member: MemberId = "", name: str = "", detail: str = ""
    ) -> None:
        """Keep that something happened."""
        stamp = utc_stamp()
        row = AuditRow(stamp, HISTORY, kind, member or None, name, detail)
        await self._shelf.save(None, [row], stamp)

    async def history(self, limit: int) -> list[AuditRow]:
        """Return what happened, the latest first."""
        return await self._shelf.audit(HISTORY, limit)

    async def _keep(self, box: KnownBox, kind: str = "", detail: str = "") -> None:
        box = replace(box, since=self._now())
        values: tuple[Value, ...] = (
            box.id,
            box.key,
            box.name,
            box.role.value,
            box.standing.value,
            box.at,
            box.pin,
        )
        await self._store.execute(_SAVE, values)
        self._boxes.pop(box.id, None)  # the newest are the last
        self._boxes[box.id] = box
        if kind:
            await self.note(kind, member=box.id, name=box.name, detail=detail)

    async def _forget(self, member_id: MemberId) -> None:
        await self._store.execute("DELETE FROM boxes WHERE id = ?", (member_id,))
        self._boxes.pop(member_id, None)

    def _is_over(self, box: KnownBox) -> bool:
        return box.standing is Standing.PENDING and self._now() - box.since > PENDING_S


def _of(box: EnrolledBox, standing: Standing) -> KnownBox:
    return KnownBox(box.id, box.key, box.name, box.role, standing, utc_stamp())


def _known(row: tuple[Any, ...]) -> KnownBox:
    member_id, key, name, role, standing, at, pin = row
    return KnownBox(member_id, key, name, Role(role), Standing(standing), at, pin)


_ALL: Final = "SELECT id, key, name, role, standing, at, pin FROM boxes ORDER BY at"
_SAVE: Final = "INSERT OR REPLACE INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?)"
