"""Adapters whose speakers are all found by announcements: what is announced is what there is."""

import asyncio
from collections.abc import Callable

from hub.speakers.port import Ear
from hub.speakers.terms import MAX_SPEAKERS, Announced, Found


class AnnouncedHouse:
    """The half of an ``Adapter`` that finds. ``read``: the speaker that an announcement means."""

    def __init__(self, read: Callable[[Announced], Found | None]) -> None:
        self._read = read
        self._known: dict[str, Found] = {}
        self._ear: Ear | None = None

    async def run(self, ear: Ear) -> None:
        """See ``Adapter``."""
        self._ear = ear
        try:
            for speaker in tuple(self._known.values()):
                ear.found(speaker)
            await asyncio.Event().wait()
        finally:
            self._ear = None

    def announced(self, service: Announced) -> None:
        """See ``Adapter``."""
        speaker, is_new = self._read(service), service.name not in self._known
        if speaker is None or (is_new and len(self._known) >= MAX_SPEAKERS):
            return
        self._known[service.name] = speaker
        if self._ear is not None:
            self._ear.found(speaker)

    def withdrawn(self, service: str, name: str) -> None:  # noqa: ARG002 - the port's
        """See ``Adapter``."""
        speaker = self._known.pop(name, None)
        if speaker is not None and self._ear is not None:
            self._ear.gone(speaker.id)
