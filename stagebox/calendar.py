"""The one home of wall-clock time: dates for people and records, never for timers.

A Raspberry Pi has no battery-backed clock: after a power cut this may be years off
until the network sets it, and may jump at any moment.
"""

from datetime import UTC, datetime
from typing import Final

# Text that sorts as the moments it names do.
STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"


def utc_now() -> datetime:
    """Return the calendar time in UTC."""
    return datetime.now(UTC)


def utc_stamp() -> str:
    """Return the calendar time as text that sorts: ``2026-01-31T12:00:00Z``."""
    return utc_now().strftime(STAMP)


def minutes_of_day() -> float:
    """Return the minutes since midnight on the clock on the wall, in this machine's time zone."""
    now = utc_now().astimezone()
    return 60 * now.hour + now.minute + now.second / 60
