"""Who is connected: one session for each member, and who gives way when there are two."""

from collections.abc import Iterator
from typing import Protocol

from hub.control.limits import takeover_wait_s
from stagebox.wire.messages import Notice
from stagebox.wire.terms import CertificatePin, MemberId


class Replaceable(Protocol):
    """A session, as the book sees it. Times are monotonic seconds."""

    took_over_at: float | None

    @property
    def heard_at(self) -> float:
        """When the member's last good message came."""

    def replaced(self) -> None:
        """Give way at once to a newer session of the same member."""

    def go_away(self) -> None:
        """Close, since the hub stops."""

    def dismiss(self) -> None:
        """Close, since this box was removed."""

    def tell_pins(self, pins: tuple[CertificatePin, ...]) -> None:
        """Tell a box by which certificates it knows this hub from now on."""

    def notify(self, notice: Notice) -> None:
        """Pass on news of a space, if they are for this member."""


class BookError(Exception):
    """A session cannot be opened now."""

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class HubFullError(BookError):
    """There are too many sessions."""


class TakeoverError(BookError):
    """Another session of the same member took over just now."""


class SessionBook:
    """All open sessions by member."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sessions: dict[MemberId, Replaceable] = {}

    def __len__(self) -> int:
        """Return how many sessions are open."""
        return len(self._sessions)

    def __iter__(self) -> Iterator[Replaceable]:
        """Go through the sessions; the book may change meanwhile."""
        return iter(list(self._sessions.values()))

    def get(self, member_id: MemberId) -> Replaceable | None:
        """Return the session of a member."""
        return self._sessions.get(member_id)

    def admit(self, member_id: MemberId, session: Replaceable, now: float) -> None:
        """Note a new session; an older one of the same member is replaced.

        Raises:
            HubFullError: there is no place.
            TakeoverError: the older one came less than ``TAKEOVER_S`` ago in the same way.
        """
        older = self._sessions.get(member_id)
        if older is None:
            if len(self._sessions) >= self._limit:
                raise HubFullError("The hub has as many members as it may take.", 10.0)
        else:
            wait_s = takeover_wait_s(now, older.heard_at, older.took_over_at)
            if wait_s > 0:
                detail = "Another session of this member took over just now: is its key copied?"
                raise TakeoverError(detail, wait_s)
            session.took_over_at = now
            older.replaced()
        self._sessions[member_id] = session

    def drop(self, member_id: MemberId, session: Replaceable) -> bool:
        """Forget a session that is over; False: a newer one has its place already."""
        if self._sessions.get(member_id) is not session:
            return False
        del self._sessions[member_id]
        return True
