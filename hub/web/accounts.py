"""The hub's administrator: one password, and the sessions it opened.

A session is a random token in a cookie; the store has its hash. Sessions end by
logging out, after their hours, and all of them when the password changes.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from hub.store.database import Store, StoreError
from hub.web.passwords import Passwords
from hub.web.tickets import hashed
from stagebox.calendar import utc_now

# Browsers that one house has; the session that would end first makes room.
MAX_SESSIONS: Final = 64
_TOKEN_BYTES: Final = 32
_CODE_DIGITS: Final = 8
_STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"

log = logging.getLogger(__name__)


class Accounts:
    """Who administers the hub. Make it with ``open``; what writes raises ``StoreError``.

    ``code``: what the first administrator has to know who is not at the hub itself.
    """

    def __init__(self, store: Store, hours: float) -> None:
        self._store = store
        self._hours = hours
        self._passwords = Passwords()
        self._kept: str | None = None
        self._sessions: dict[str, datetime] = {}
        self.code = "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS))
        self.on_end: Callable[[str], None] = lambda _session: None

    @classmethod
    async def open(cls, store: Store, hours: float) -> "Accounts":
        """Return the accounts in the store.

        Raises:
            StoreError: it cannot be read.
        """
        accounts = cls(store, hours)
        now = utc_now().strftime(_STAMP)
        await store.execute("DELETE FROM admin_sessions WHERE ends <= ?", (now,))
        kept = await store.fetch("SELECT kept FROM admins", (), lambda row: str(row[0]))
        accounts._kept = kept[0] if kept else None
        found = await store.fetch("SELECT hash, ends FROM admin_sessions", (), tuple)
        accounts._sessions = {
            each: datetime.strptime(ends, _STAMP).replace(tzinfo=UTC) for each, ends in found
        }
        return accounts

    @property
    def set_up(self) -> bool:
        """Whether there is an administrator."""
        return self._kept is not None

    async def appoint(self, password: str) -> bool:
        """Keep the first administrator's password; return False if somebody was faster.

        Raises:
            BusyError: too many passwords are waiting to be checked.
        """
        kept = await self._passwords.make(password)
        if self._kept is not None:
            return False
        self._kept = kept
        try:
            await self._store.execute("INSERT OR REPLACE INTO admins VALUES (1, ?)", (kept,))
        except StoreError:
            self._kept = None
            raise
        return True

    async def change(self, password: str) -> None:
        """Replace the password; all sessions end.

        Raises:
            BusyError: too many passwords are waiting to be checked.
        """
        kept = await self._passwords.make(password)
        await self._store.execute("INSERT OR REPLACE INTO admins VALUES (1, ?)", (kept,))
        self._kept = kept
        await self.end_all()

    async def check(self, password: str) -> bool:
        """Tell whether this is the administrator's password.

        Raises:
            BusyError: too many passwords are waiting to be checked.
        """
        return self._kept is not None and await self._passwords.check(password, self._kept)

    async def begin(self) -> str:
        """Open a session; return its token."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        session, ends = hashed(token), utc_now() + timedelta(hours=self._hours)
        if len(self._sessions) >= MAX_SESSIONS:
            await self.end(min(self._sessions, key=self._sessions.__getitem__))
        await self._store.execute(
            "INSERT INTO admin_sessions VALUES (?, ?)", (session, ends.strftime(_STAMP))
        )
        self._sessions[session] = ends
        return token

    def session(self, token: str) -> str | None:
        """Return the session that a token opens, or None."""
        session = hashed(token)
        ends = self._sessions.get(session)
        return session if ends is not None and utc_now() < ends else None

    def left_s(self, session: str) -> float:
        """Return how long a session goes on; 0: it is over."""
        ends = self._sessions.get(session)
        return max(0.0, (ends - utc_now()).total_seconds()) if ends else 0.0

    async def end(self, session: str) -> None:
        """End a session; one that is over is no error."""
        self._sessions.pop(session, None)
        self.on_end(session)
        await self._store.execute("DELETE FROM admin_sessions WHERE hash = ?", (session,))

    async def end_all(self) -> None:
        """End all sessions."""
        for session in list(self._sessions):
            await self.end(session)
