"""How long a recording is kept. Pure, on calendar time."""

from datetime import datetime, timedelta
from typing import Final

from hub.recording.index import Index

# What is to be gone with its space is deleted then. A space of the hub's settings never
# ends, and a hub may be off when one does: a day is long enough for both.
_WITH_ITS_SPACE: Final = timedelta(days=1)


def deleted_on(recording: Index) -> datetime | None:
    """Return when a recording is to be deleted; None if it is not known when it ended."""
    try:
        ended = datetime.fromisoformat(recording.ended_at)
    except ValueError:
        return None
    kept = timedelta(days=recording.keep_days) if recording.keep_days else _WITH_ITS_SPACE
    return ended + kept


def is_due(recording: Index, now: datetime) -> bool:
    """Say whether it is to be deleted by now."""
    due = deleted_on(recording)
    return due is not None and due <= now
