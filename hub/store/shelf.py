"""Where the spaces are kept: those that run, those that ended, and what happened in them.

What a space is made of comes and goes as JSON; only what is looked for has a column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.store.database import Store, Value
from stagebox.wire.terms import SpaceId, SpaceState

# The newest acts of each space that are kept: some evenings with a busy host.
MAX_AUDIT: Final = 2_000
# Ids of spaces that were; the oldest that have nothing else left go first.
MAX_ENDED: Final = 10_000


@dataclass(frozen=True, slots=True)
class KeptSpace:
    """A space that runs. ``kept`` is JSON, ``settings`` the part of it that a file said."""

    id: SpaceId
    kept: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class EndedSpace:
    """A space that is over; once purged ``kept`` is empty. ``ended_at`` is in UTC."""

    id: SpaceId
    state: SpaceState
    kept: str
    ended_at: str
    keep_days: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Something that happened to ``name``, or that it did, unless ``by`` says who did it.

    ``n`` counts up over all spaces; ``at`` is in UTC.
    """

    at: str
    space: SpaceId
    kind: str
    member: str | None
    name: str
    detail: str
    by: str = ""
    n: int = 0

    def values(self) -> tuple[Value, ...]:
        """Return what goes into the table; the number comes from there."""
        return self.at, self.space, self.kind, self.member, self.name, self.detail, self.by


class Shelf:
    """The spaces in the store; every call raises ``StoreError`` if it fails."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spaces(self) -> list[KeptSpace]:
        """Return the spaces that ran, by id."""
        sql = "SELECT id, kept, settings FROM spaces ORDER BY id"
        return await self._store.fetch(sql, (), lambda row: KeptSpace(*row))

    async def save(self, space: KeptSpace | None, rows: Sequence[AuditRow], stamp: str) -> None:
        """Keep a space and what happened in it, all or nothing."""
        statements: list[tuple[str, tuple[Value, ...]]] = []
        if space is not None:
            values = (space.id, space.kept, space.settings, stamp)
            statements.append(("INSERT OR REPLACE INTO spaces VALUES (?, ?, ?, ?)", values))
        statements += [(_ADD, row.values()) for row in rows]
        statements += [(_TRIM, (each, each, MAX_AUDIT)) for each in {row.space for row in rows}]
        if statements:
            await self._store.execute_all(statements)

    async def end(self, space: EndedSpace) -> None:
        """Move a space from those that run to those that ended."""
        values = (space.id, space.state.value, space.kept, space.ended_at, space.keep_days)
        await self._store.execute_all(
            [
                ("INSERT OR REPLACE INTO ended_spaces VALUES (?, ?, ?, ?, ?)", values),
                ("DELETE FROM spaces WHERE id = ?", (space.id,)),
                (_TRIM_ENDED, (SpaceState.PURGED.value, MAX_ENDED)),
            ]
        )

    async def ended(self) -> list[EndedSpace]:
        """Return the spaces that ended, the latest first."""
        sql = (
            "SELECT id, state, kept, ended_at, keep_days FROM ended_spaces"
            " ORDER BY ended_at DESC, id"
        )
        return await self._store.fetch(sql, (), _ended)

    async def purge(self, stamp: str) -> list[SpaceId]:
        """Purge what is over and was kept for its days by ``stamp``; return which spaces."""
        found = await self._store.fetch(_DUE, (stamp,), lambda row: str(row[0]))
        statements = [(sql, (each,)) for each in found for sql in _PURGE]
        if statements:
            await self._store.execute_all(statements)
            # What was deleted is overwritten in the file; the journal goes as well.
            await self._store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    async def forget(self, space_id: SpaceId, before: str) -> None:
        """Drop what happened in a space that runs on, as far as it is older than ``before``."""
        await self._store.execute(
            "DELETE FROM audit WHERE space = ? AND at < ?", (space_id, before)
        )

    async def forget_strangers(self, before: str) -> int:
        """Drop browsers that nobody knows and that were last here before this; return how many."""
        return await self._store.execute(
            "DELETE FROM members WHERE kind = 'browser' AND known IS NOT 1 AND last_seen < ?",
            (before,),
        )

    async def attendance(self, space_id: SpaceId) -> str | None:
        """Return who was in a space, as JSON."""
        sql = "SELECT book FROM attendance WHERE space = ?"
        found = await self._store.fetch(sql, (space_id,), lambda row: str(row[0]))
        return found[0] if found else None

    async def save_attendance(self, space_id: SpaceId, book: str) -> None:
        """Keep who was in a space."""
        await self._store.execute(
            "INSERT OR REPLACE INTO attendance VALUES (?, ?)", (space_id, book)
        )

    async def audit(
        self, space_id: SpaceId, limit: int = 100, before: int | None = None
    ) -> list[AuditRow]:
        """Return what happened in a space, the latest first; ``before``: older than that ``n``."""
        sql = (
            "SELECT at, space, kind, member, name, detail, by, n FROM audit"
            " WHERE space = ? AND n < ? ORDER BY n DESC LIMIT ?"
        )
        last = 2**62 if before is None else before
        return await self._store.fetch(sql, (space_id, last, limit), lambda row: AuditRow(*row))


_DUE: Final = (
    "SELECT id FROM ended_spaces WHERE state != 'purged'"
    " AND datetime(ended_at, '+' || keep_days || ' days') <= datetime(?)"
)
_PURGE: Final = (
    "UPDATE ended_spaces SET state = 'purged', kept = '' WHERE id = ?",
    "DELETE FROM audit WHERE space = ?",
    "DELETE FROM attendance WHERE space = ?",
)
_ADD: Final = (
    "INSERT INTO audit (at, space, kind, member, name, detail, by) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_TRIM: Final = (
    "DELETE FROM audit WHERE space = ? AND n <= (SELECT n FROM audit WHERE space = ?"
    " ORDER BY n DESC LIMIT 1 OFFSET ?)"
)
_TRIM_ENDED: Final = (
    "DELETE FROM ended_spaces WHERE state = ? AND id NOT IN (SELECT id FROM ended_spaces"
    " ORDER BY ended_at DESC LIMIT ?)"
)


def _ended(row: tuple[Any, ...]) -> EndedSpace:
    space_id, state, *rest = row
    return EndedSpace(space_id, SpaceState(state), *rest)
