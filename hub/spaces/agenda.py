"""What the calendar brings: news of the spaces that have a day, each told once.

Calendar time may jump (a Raspberry Pi learns it from the network), so the shell looks every
few seconds instead of waiting for a moment, and what it missed by far is not told any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.spaces.dates import parse
from hub.spaces.lifecycle import AHEAD
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Moment, Name, News, SpaceId, SpaceState

# How often the shell looks: a reminder is to the minute.
LOOK_EVERY_S: Final = 5.0
# The time to find a chair.
REMIND_S: Final = 300.0
# A hub that was off at the hour still calls the host after it; later the host has given up.
LATE_S: Final = 900.0
# A space that nobody opened within a day of its hour is not coming.
LAPSE_S: Final = 86_400.0

_WAITS: Final = AHEAD | {SpaceState.BACKSTAGE}


@dataclass(frozen=True, slots=True)
class Word:
    """News of a space, for all who may want to come."""

    news: News
    space: SpaceId
    name: Name
    starts_at: Moment


@dataclass(slots=True)
class _Entry:
    """A space that has a day, and what was told of it."""

    info: SpaceInfo
    told: set[News]


class Agenda:
    """The spaces that have a day, as far as somebody was told of them."""

    def __init__(self) -> None:
        self._entries: dict[SpaceId, _Entry] = {}

    def look(self, spaces: Iterable[SpaceInfo], utc: datetime) -> list[Word]:
        """Return what is to be told now. ``spaces`` are all that run, those just over, too."""
        entries: dict[SpaceId, _Entry] = {}
        words: list[Word] = []
        for info in spaces:
            if info.starts_at is None:
                continue
            entry = self._entry(info)
            entries[info.id] = entry
            news = _news(info, parse(info.starts_at), utc)
            if news is not None and self._is_new(entry, news):
                entry.told.add(news)
                words.append(Word(news, info.id, info.name, info.starts_at))
        self._entries = entries
        return words

    def _entry(self, info: SpaceInfo) -> _Entry:
        known = self._entries.get(info.id)
        if known is None or known.info.starts_at != info.starts_at:
            return _Entry(info, set())
        return known

    def _is_new(self, entry: _Entry, news: News) -> bool:
        """A beginning or a cancellation is news of what was announced or seen to be planned."""
        was_planned = entry.info.state in _WAITS
        return news not in entry.told and (was_planned or news in (News.SOON, News.DUE))


def lapsed(spaces: Iterable[SpaceInfo], utc: datetime) -> list[SpaceId]:
    """Return the spaces whose hour is so long past that they are to be cancelled."""
    late = timedelta(seconds=LAPSE_S)
    return [
        info.id
        for info in spaces
        if info.state is SpaceState.SCHEDULED
        and info.starts_at is not None
        and parse(info.starts_at) + late <= utc
    ]


def _news(info: SpaceInfo, start: datetime, utc: datetime) -> News | None:
    if info.state is SpaceState.LIVE:
        return News.LIVE
    if info.state is SpaceState.CANCELLED:
        return News.CANCELLED
    if info.state not in _WAITS:
        return None
    if start <= utc < start + timedelta(seconds=LATE_S):
        return News.DUE
    return News.SOON if start - timedelta(seconds=REMIND_S) <= utc < start else None
