"""The life of a space as data: for each state, what may happen to it.

A pair that is not in the table does not apply; ``refusal`` says why.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import SpaceState


class Step(StrEnum):
    """What happens to a space."""

    SCHEDULE = "gets a day, or another one"
    OPEN = "a chair comes before the audience"
    START = "started"
    HOST_LOST = "host lost"
    HOST_FOUND = "host found"
    END = "ended"
    CANCEL = "cancelled"
    ARCHIVE = "everything is kept"
    PURGE = "nothing is kept"


def _table() -> dict[tuple[SpaceState, Step], SpaceState]:
    s, t = SpaceState, Step
    return {
        (s.DRAFT, t.SCHEDULE): s.SCHEDULED,
        (s.DRAFT, t.OPEN): s.BACKSTAGE,
        (s.DRAFT, t.START): s.LIVE,
        (s.DRAFT, t.CANCEL): s.CANCELLED,
        (s.SCHEDULED, t.SCHEDULE): s.SCHEDULED,
        (s.SCHEDULED, t.OPEN): s.BACKSTAGE,
        (s.SCHEDULED, t.START): s.LIVE,
        (s.SCHEDULED, t.CANCEL): s.CANCELLED,
        (s.BACKSTAGE, t.SCHEDULE): s.BACKSTAGE,
        (s.BACKSTAGE, t.START): s.LIVE,
        (s.BACKSTAGE, t.END): s.ENDED,
        (s.BACKSTAGE, t.CANCEL): s.CANCELLED,
        (s.LIVE, t.HOST_LOST): s.FROZEN,
        (s.LIVE, t.END): s.ENDED,
        (s.FROZEN, t.HOST_FOUND): s.LIVE,
        (s.FROZEN, t.END): s.ENDED,
        (s.ENDED, t.ARCHIVE): s.ARCHIVED,
        (s.ENDED, t.PURGE): s.PURGED,
        (s.CANCELLED, t.PURGE): s.PURGED,
        (s.ARCHIVED, t.PURGE): s.PURGED,
    }


LIFE: Final[Mapping[tuple[SpaceState, Step], SpaceState]] = _table()

# Nobody comes in and nothing changes any more.
OVER: Final = frozenset(
    {SpaceState.CANCELLED, SpaceState.ENDED, SpaceState.ARCHIVED, SpaceState.PURGED}
)
# Not begun: whoever comes waits, and nobody talks.
AHEAD: Final = frozenset({SpaceState.DRAFT, SpaceState.SCHEDULED})
# Who is in it hears it.
ON_AIR: Final = frozenset({SpaceState.LIVE, SpaceState.FROZEN})
# Requests for the floor are served.
OPEN_FLOOR: Final = frozenset({SpaceState.LIVE, SpaceState.BACKSTAGE})

_ENDED: Final = (ErrorCode.SPACE_ENDED, "This space is over. Make a new one.")
_LIVE: Final = (ErrorCode.ALREADY_LIVE, "This space is live already. End it instead.")
_REFUSED: Final[Mapping[Step, tuple[ErrorCode, str]]] = {
    Step.SCHEDULE: (ErrorCode.ALREADY_LIVE, "This space is live already: it needs no day."),
    Step.START: (ErrorCode.ALREADY_LIVE, "This space is live already. Just talk."),
    Step.CANCEL: _LIVE,
    Step.END: (ErrorCode.NOT_LIVE, "This space has not begun. Cancel it instead."),
}


def after(state: SpaceState, step: Step) -> SpaceState | None:
    """Return the state after ``step``; None if it does not apply."""
    return LIFE.get((state, step))


def refusal(state: SpaceState, step: Step) -> tuple[ErrorCode, str]:
    """Return what to answer to a ``step`` that does not apply in ``state``."""
    return _ENDED if state in OVER else _REFUSED[step]
