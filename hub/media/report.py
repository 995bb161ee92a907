"""What one media process, or all of them, counted. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import fields

import msgspec

from hub.media.counts import AudioCounts
from hub.media.lateness import Lateness


class LatenessReport(msgspec.Struct, frozen=True, array_like=True):
    """A ``Lateness`` as it stands."""

    counts: tuple[int, ...]
    total_s: float


class MediaReport(msgspec.Struct, frozen=True, array_like=True):
    """Counts since the start; ``sessions`` and the others by the name of the event."""

    audio: Mapping[str, int]
    sessions: Mapping[str, int]
    datagram_drops: Mapping[str, int]
    channel_drops: Mapping[str, int]
    clock: LatenessReport
    forwarding: LatenessReport


def nothing() -> MediaReport:
    """Return the report of a process that did nothing yet."""
    none = as_report(Lateness())
    audio = {each.name: 0 for each in fields(AudioCounts)}
    return MediaReport(audio, {}, {}, {}, none, none)


def as_report(lateness: Lateness) -> LatenessReport:
    """Return what was counted so far."""
    return LatenessReport(tuple(lateness.counts), lateness.total_s)


def total(reports: Iterable[MediaReport]) -> MediaReport:
    """Return the sum of all."""
    reports = [nothing(), *reports]
    return MediaReport(
        _sum(each.audio for each in reports),
        _sum(each.sessions for each in reports),
        _sum(each.datagram_drops for each in reports),
        _sum(each.channel_drops for each in reports),
        _merge(each.clock for each in reports),
        _merge(each.forwarding for each in reports),
    )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    summed: dict[str, int] = {}
    for each in counts:
        for name, count in each.items():
            summed[name] = summed.get(name, 0) + count
    return summed


def _merge(parts: Iterable[LatenessReport]) -> LatenessReport:
    lateness = Lateness()
    for part in parts:
        lateness.take(part.counts, part.total_s)
    return as_report(lateness)
