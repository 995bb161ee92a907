"""What the hub remembers: SQLite in WAL mode, owned by one worker thread.

SQLite waits for the disk, the event loop must not (docs/decisions/0002-store-thread.md).
Every call is queued to one thread, so statements never overlap and need no locks.
``synchronous=FULL`` keeps each committed change over a power cut; the changes are few.

A file that is no database is moved aside and replaced: a hub without memory still
lets people talk, a hub that does not start does not.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from hub.store.schema import MIGRATIONS, NEWEST
from stagebox.calendar import utc_stamp
from stagebox.wire.terms import Kind, Role

# More calls than this waiting means the disk hangs; a call is refused rather than kept.
MAX_WAITING: Final = 1_000
# A worn memory card takes seconds to write; a disk that takes this long is gone.
HANGS_S: Final = 15.0
# Broken files kept for a person to look at; the last one is overwritten after that.
MAX_ASIDE: Final = 5

log = logging.getLogger(__name__)
_T = TypeVar("_T")

# What a column can hold.
Value = str | int | float | bytes | None


class Trouble(StrEnum):
    """What went wrong (the ``kind`` label of the metric)."""

    CORRUPT = "corrupt"
    NOT_KEPT = "not_kept"
    FAILED = "failed"
    BUSY = "busy"


class StoreError(Exception):
    """The database cannot do this; the text says what to do."""


@dataclass(frozen=True, slots=True)
class StoredMember:
    """A member the hub has met. The dates are calendar time in UTC.

    ``given``: the name that an admin gave it. ``known``: whether an admin said who it is;
    None: nobody said anything.
    """

    id: str
    key: str
    name: str
    kind: Kind
    role: Role
    first_seen: str = ""
    last_seen: str = ""
    last_space: str | None = None
    given: str | None = None
    known: bool | None = None


class Store:
    """The database. Make it with ``open``; every call raises ``StoreError`` if it fails."""

    def __init__(self, path: Path, on_trouble: Callable[[Trouble], None]) -> None:
        self._path = path
        self._on_trouble = on_trouble
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting = 0
        self._moved_at = 0.0
        self._db: sqlite3.Connection | None = None

    @classmethod
    async def open(
        cls, path: Path, on_trouble: Callable[[Trouble], None] = lambda _kind: None
    ) -> "Store":
        """Open the database, made anew if there is none or if it is broken.

        A place that cannot be written gives a database in memory, and ``NOT_KEPT``.

        Raises:
            StoreError: the file was written by a newer version.
        """
        store = cls(path, on_trouble)
        try:
            store._db, troubles = await store._run(_open, path)
        except BaseException:
            store._worker.shutdown(wait=False)
            raise
        for trouble in troubles:
            on_trouble(trouble)
        return store

    async def aclose(self) -> None:
        """Finish what is waiting and close the file."""
        if self._db is not None:
            db, self._db = self._db, None
            await self._run(sqlite3.Connection.close, db)
        self._worker.shutdown(wait=False)

    def answers(self) -> bool:
        """Whether the thread of the database gets on with what it was given."""
        stood_s = asyncio.get_running_loop().time() - self._moved_at
        return not self._waiting or stood_s < HANGS_S

    async def member(self, member_id: str) -> StoredMember | None:
        """Return what is known of a member."""
        sql = (
            "SELECT id, key, name, kind, role, first_seen, last_seen, last_space, given, known"
            " FROM members WHERE id = ?"
        )
        found = await self._run(_fetch, self._database(), sql, (member_id,), _member)
        return found[0] if found else None

    async def saw(self, member: StoredMember) -> None:
        """Keep who a member is and that it is here now; its dates are the store's."""
        now = utc_stamp()
        await self.execute(
            "INSERT INTO members (id, key, name, kind, role, first_seen, last_seen)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET key = excluded.key,"
            " name = excluded.name, kind = excluded.kind, role = excluded.role,"
            " last_seen = excluded.last_seen",
            (member.id, member.key, member.name, member.kind.value, member.role.value, now, now),
        )

    async def set_last_space(self, member_id: str, space_id: str) -> None:
        """Keep the space a member entered last; an unknown member is no error."""
        await self.execute("UPDATE members SET last_space = ? WHERE id = ?", (space_id, member_id))

    async def describe(self, member_id: str, *, given: str | None, known: bool | None) -> bool:
        """Keep what an admin says of a member; return whether it is known here at all."""
        sql = "UPDATE members SET given = ?, known = ? WHERE id = ?"
        return await self.execute(sql, (given, known, member_id)) > 0

    async def fetch(
        self, sql: str, values: tuple[Value, ...], make: Callable[[tuple[Any, ...]], _T]
    ) -> list[_T]:
        """Return what ``make`` makes of each row that ``sql`` finds."""
        return await self._run(_fetch, self._database(), sql, values, make)

    async def execute(self, sql: str, values: tuple[Value, ...] = ()) -> int:
        """Carry out one statement, kept when this returns; return how many rows it changed."""
        return await self._run(_execute, self._database(), sql, values)

    async def execute_all(self, statements: Sequence[tuple[str, tuple[Value, ...]]]) -> None:
        """Carry out all statements, or none of them."""
        await self._run(_execute_all, self._database(), statements)

    def _database(self) -> sqlite3.Connection:
        if self._db is None:
            raise StoreError("the database is closed")
        return self._db

    async def _run(self, work: Callable[..., _T], *args: object) -> _T:
        if self._waiting >= MAX_WAITING:
            self._on_trouble(Trouble.BUSY)
            raise StoreError("the disk does not keep up")
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._moved_at = loop.time()
        self._waiting += 1
        try:
            return await loop.run_in_executor(self._worker, work, *args)
        except (sqlite3.Error, ValueError) as error:
            self._on_trouble(Trouble.FAILED)
            raise StoreError(f"{self._path}: {error}") from None
        finally:
            self._waiting -= 1
            self._moved_at = loop.time()


def _member(row: tuple[Any, ...]) -> StoredMember:
    member_id, key, name, kind, role, first_seen, last_seen, last_space, given, known = row
    return StoredMember(
        id=member_id,
        key=key,
        name=name,
        kind=Kind(kind),
        role=Role(role),
        first_seen=first_seen,
        last_seen=last_seen,
        last_space=last_space,
        given=given,
        known=None if known is None else bool(known),
    )


def _fetch(
    db: sqlite3.Connection,
    sql: str,
    values: tuple[Value, ...],
    make: Callable[[tuple[Any, ...]], _T],
) -> list[_T]:
    return [make(row) for row in db.execute(sql, values)]


def _execute(db: sqlite3.Connection, sql: str, values: tuple[Value, ...]) -> int:
    return db.execute(sql, values).rowcount


def _execute_all(
    db: sqlite3.Connection, statements: Sequence[tuple[str, tuple[Value, ...]]]
) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for sql, values in statements:
            db.execute(sql, values)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _open(path: Path) -> tuple[sqlite3.Connection, list[Trouble]]:
    """Return the opened database and what went wrong on the way there."""
    troubles: list[Trouble] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _keep_private(path)
        try:
            return _connect(str(path)), troubles
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            aside = _move_aside(path)
            troubles.append(Trouble.CORRUPT)
            log.error("The database is damaged (%s): moved to %s, starting anew.", error, aside)
            _keep_private(path)
            return _connect(str(path)), troubles
    except (OSError, sqlite3.OperationalError) as error:
        troubles.append(Trouble.NOT_KEPT)
        log.error("The database %s cannot be used (%s): nothing will be kept.", path, error)
        return _connect(":memory:"), troubles


def _keep_private(path: Path) -> None:
    """See to it that nobody else reads the database; what SQLite lays beside it is as it is."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with contextlib.suppress(OSError):
            part.chmod(0o600)


def _connect(name: str) -> sqlite3.Connection:
    # isolation_level=None: each statement commits by itself, transactions are explicit.
    db = sqlite3.connect(name, isolation_level=None, check_same_thread=True, timeout=2.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        # What is deleted is names: it is not left in the file's free pages.
        db.execute("PRAGMA secure_delete = ON")
        if db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its check failed")
        _migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, at TEXT)")
    (version,) = db.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    if version > NEWEST:
        detail = f"written by a newer version (schema {version}, this one knows {NEWEST}): update"
        raise StoreError(f"{detail} the hub, or move the file away to start anew.")
    for number, statements in MIGRATIONS:
        if number > version:
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO schema_version VALUES (?, ?)", (number, utc_stamp()))
    db.execute("COMMIT")


def _move_aside(path: Path) -> Path:
    """Rename the file, and drop its journal, which belongs to nothing any more."""
    names = [path.with_name(f"{path.name}.broken-{n}") for n in range(1, MAX_ASIDE + 1)]
    aside = next((name for name in names if not name.exists()), names[-1])
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            journal.replace(aside.with_name(aside.name + suffix))
    return aside
