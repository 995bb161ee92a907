"""A scheduled space as a calendar entry (RFC 5545). Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stagebox.wire.space import SpaceInfo

MEDIA_TYPE: Final = "text/calendar"
# Nobody says how long it will be; calendars show an hour where nothing is said.
_LENGTH: Final = timedelta(hours=1)
_REMIND: Final = "-PT5M"
_FOLD_BYTES: Final = 75
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_SPECIAL: Final = re.compile(r"[\\;,]")


def entry(info: SpaceInfo, link: str, hub_id: str, now: datetime) -> bytes:
    """Return the calendar file of a space that has a ``starts_at``; ``link`` leads to it."""
    starts = datetime.fromisoformat(info.starts_at or "").astimezone(UTC)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Stagebox//Stagebox hub//EN",
        "BEGIN:VEVENT",
        f"UID:{info.id}@{hub_id}",
        f"DTSTAMP:{now.astimezone(UTC).strftime(_STAMP)}",
        f"DTSTART:{starts.strftime(_STAMP)}",
        f"DTEND:{(starts + _LENGTH).strftime(_STAMP)}",
        f"SUMMARY:{_escaped(info.name)}",
        f"DESCRIPTION:{_escaped(info.topic)}",
        f"URL:{link}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(info.name)}",
        f"TRIGGER:{_REMIND}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text).replace("\n", "\\n")


def _folded(line: str) -> Iterator[bytes]:
    """Yield a line in parts of at most 75 bytes, none of which cuts a character."""
    part = b""
    for character in line:
        data = character.encode()
        if len(part) + len(data) > _FOLD_BYTES:
            yield part
            part = b" "
        part += data
    yield part
