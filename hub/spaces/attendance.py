"""Who was in a space, for how long, and what they did there: what is told afterwards. Pure.

Whoever listens hidden counts for the peak and leaves no name. Times that go in are
monotonic seconds and UTC stamps; what comes out is added up, so a restart of the hub
between two calls of ``book`` costs what happened since the first of them, and no more.
"""

from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from stagebox.wire.terms import MemberId

# What an evening's list is good for; whoever comes after that many is only counted.
MAX_ATTENDEES: Final = 2_000


class Attendee(Struct, kw_only=True):
    """One person. ``left_at`` None: still there. Served: a raised hand that got its turn."""

    id: MemberId
    name: str
    joined_at: str
    left_at: str | None = None
    present_s: float = 0.0
    turns: int = 0
    talked_s: float = 0.0
    hands: int = 0
    served: int = 0


class AttendanceBook(Struct, kw_only=True):
    """All of it, as it is kept. ``unnamed``: how many came who are not listed."""

    peak: int = 0
    unnamed: int = 0
    attendees: list[Attendee] = field(default_factory=list)


class Attendance:
    """The running account of one space; ``stamp``: when it goes on with an earlier ``book``."""

    def __init__(self, book: AttendanceBook | None = None, stamp: str = "") -> None:
        book = book or AttendanceBook()
        for each in book.attendees:
            each.left_at = each.left_at or stamp  # the hub was away: so were they
        self._peak, self._unnamed = book.peak, book.unnamed
        self._attendees = {each.id: each for each in book.attendees}
        self._present: dict[MemberId, float] = {}
        self._talking: dict[MemberId, float] = {}

    def counted(self, listeners: int) -> None:
        """Note how many have a session now, hidden ones included."""
        self._peak = max(self._peak, listeners)

    def came(self, member_id: MemberId, name: str, now: float, stamp: str) -> None:
        """Note that somebody is there, or there again."""
        known = self._attendees.get(member_id)
        if known is not None:
            known.name, known.left_at = name, None
        elif len(self._attendees) < MAX_ATTENDEES:
            self._attendees[member_id] = Attendee(id=member_id, name=name, joined_at=stamp)
        else:
            self._unnamed += 1
            return
        self._present.setdefault(member_id, now)

    def went(self, member_id: MemberId, now: float, stamp: str) -> None:
        """Note that somebody is gone, for now or for good."""
        self.stopped(member_id, now)
        since = self._present.pop(member_id, None)
        if since is not None:
            attendee = self._attendees[member_id]
            attendee.present_s += now - since
            attendee.left_at = stamp

    def began(self, member_id: MemberId, now: float) -> None:
        """Note the beginning of a talk burst."""
        attendee = self._attendees.get(member_id)
        if attendee is not None and member_id not in self._talking:
            attendee.turns += 1
            self._talking[member_id] = now

    def stopped(self, member_id: MemberId, now: float) -> None:
        """Note the end of a talk burst."""
        since = self._talking.pop(member_id, None)
        if since is not None:
            self._attendees[member_id].talked_s += now - since

    def raised(self, member_id: MemberId) -> None:
        """Note a raised hand."""
        if member_id in self._attendees:
            self._attendees[member_id].hands += 1

    def served(self, member_id: MemberId) -> None:
        """Note that a raised hand got its turn."""
        if member_id in self._attendees:
            self._attendees[member_id].served += 1

    def forget(self, before: str) -> None:
        """Drop who has left before this stamp; they are still counted."""
        gone = [each.id for each in self._attendees.values() if (each.left_at or before) < before]
        for member_id in gone:
            del self._attendees[member_id]
        self._unnamed += len(gone)

    def book(self, now: float) -> AttendanceBook:
        """Return the account as it stands."""
        return AttendanceBook(
            peak=self._peak,
            unnamed=self._unnamed,
            attendees=[self._as_of(each, now) for each in self._attendees.values()],
        )

    def _as_of(self, attendee: Attendee, now: float) -> Attendee:
        here_s = now - self._present.get(attendee.id, now)
        talking_s = now - self._talking.get(attendee.id, now)
        present_s, talked_s = attendee.present_s + here_s, attendee.talked_s + talking_s
        return replace(attendee, present_s=present_s, talked_s=talked_s)
