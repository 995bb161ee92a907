"""What the calendar brings: news of the spaces that have a day, each told once.

Calendar time may jump (a Raspberry Pi learns it from the network), so the shell looks every
few seconds instead of waiting for a moment, and what it missed by far is not told any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
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
# Who is told on the day before that it is not, or that it has moved, has lost nothing.
NEAR_S: Final = 86_400.0

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
    """A space that has a day. ``planned``: it was seen before it began."""

    info: SpaceInfo
    planned: bool
    told: set[News] = field(default_factory=set)

    @property
    def start(self) -> datetime:
        return parse(self.info.starts_at or "")

    def word(self, utc: datetime) -> Word | None:
        """Return the news of a space that is there."""
        if self.info.state is SpaceState.LIVE and self.planned:
            return self._tell(News.LIVE)
        if self.info.state is SpaceState.CANCELLED:
            return self.farewell(utc)
        if self.info.state not in _WAITS:
            return None
        if self.start <= utc < self.start + timedelta(seconds=LATE_S):
            return self._tell(News.DUE)
        is_soon = self.start - timedelta(seconds=REMIND_S) <= utc < self.start
        return self._tell(News.SOON) if is_soon else None

    def farewell(self, utc: datetime) -> Word | None:
        """Return the news of a space that is there no more, if people may be on their way."""
        is_near = abs(self.start - utc) <= timedelta(seconds=NEAR_S)
        awaited = self.planned and is_near and News.LIVE not in self.told
        return self._tell(News.CANCELLED) if awaited else None

    def _tell(self, news: News) -> Word | None:
        if news in self.told:
            return None
        self.told.add(news)
        return Word(news, self.info.id, self.info.name, self.info.starts_at or "")


class Agenda:
    """The spaces that have a day, and what was told of each."""

    def __init__(self) -> None:
        self._entries: dict[SpaceId, _Entry] = {}

    def look(self, spaces: Iterable[SpaceInfo], utc: datetime) -> list[Word]:
        """Return what is to be told now. ``spaces`` are all that run."""
        entries = {info.id: self._entry(info) for info in spaces if info.starts_at is not None}
        words = [word for entry in entries.values() if (word := entry.word(utc)) is not None]
        gone = [entry for each, entry in self._entries.items() if each not in entries]
        words += [word for entry in gone if (word := entry.farewell(utc)) is not None]
        self._entries = entries
        return words

    def _entry(self, info: SpaceInfo) -> _Entry:
        known = self._entries.get(info.id)
        if known is None or known.info.starts_at != info.starts_at:
            return _Entry(info, info.state in _WAITS)
        known.info = info
        return known


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
