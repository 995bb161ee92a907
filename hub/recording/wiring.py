"""Recordings and the hub's spaces: who tells whom what."""

import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from hub.config import RecordingConfig
from hub.recording.library import Library
from hub.recording.recorder import Recorder, Subject, Tapes
from hub.spaces.registry import Spaces
from hub.spaces.rights import Actor
from hub.store.database import Store
from stagebox.wire.acts import RecordSet
from stagebox.wire.terms import Place, SpaceId

_CHAIRS: Final = (Place.HOST, Place.COHOST)
# The name that stands where people read who stopped a recording.
_NAME: Final = "Hub"

log = logging.getLogger(__name__)


class RecordedSpaces:
    """Implements ``hub.recording.recorder.House`` with the hub's spaces."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces

    def subject(self, space_id: SpaceId) -> Subject | None:
        """See ``House``."""
        space = self._spaces.get(space_id)
        if space is None:
            return None
        seen = space.snapshot("", None)
        return Subject(
            title=seen.space.name,
            chairs=tuple(each.id for each in seen.members if each.place in _CHAIRS),
            agreed=tuple((each.id, each.name, each.agreed) for each in seen.members if each.agreed),
        )

    def stop_recording(self, space_id: SpaceId) -> None:
        """See ``House``."""
        req = secrets.token_hex(8)
        self._spaces.act(space_id, Actor(None, _NAME, admin=True), RecordSet(req=req, on=False))

    def set_room(self, is_there: bool) -> None:
        """See ``House``."""
        self._spaces.set_facilities(replace(self._spaces.facilities, disk=is_there))


@contextlib.asynccontextmanager
async def recordings(
    config: RecordingConfig, data: Path, spaces: Spaces, media: Tapes, store: Store
) -> AsyncIterator[Recorder | None]:
    """Record what spaces want recorded, for as long as this lasts; to begin before they do.

    Where nothing can be kept it gives None, and spaces know that there is no room.
    """
    root = config.folder_in(data)
    house = RecordedSpaces(spaces)
    try:
        library = await Library.open(root, store)
    except OSError as error:
        log.error("Nothing can be recorded: %s", error)
        house.set_room(False)
        yield None
        return
    try:
        recorder = Recorder(root, config, media, house, library)
        spaces.on_record(recorder.record)
        spaces.on_happening(recorder.happened)
        try:
            yield recorder
        finally:
            await recorder.aclose()
    finally:
        await library.aclose()
