"""Bridges and the hub's spaces: who tells whom what."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from hub.bridges.bridges import Bridges
from hub.bridges.guests import Guests
from hub.bridges.house import Ways
from hub.bridges.mark import Marks
from hub.bridges.plan import Plan
from hub.bridges.seat import Hall
from hub.bridges.trunks import Trunks
from hub.bridges.x_settings import XConfig
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.registry import Spaces
from hub.web.secretfile import secret_in


@contextlib.asynccontextmanager
async def ways(
    plans: Iterable[Plan],
    spaces: Spaces,
    media: MediaPlane,
    metrics: Metrics,
    place: tuple[Path, str],
    x: XConfig,
) -> AsyncIterator[Ways]:
    """Bridge spaces for as long as this lasts. The spaces must run.

    ``place``: the folder where the hub keeps what must last, and the hub's id. ``x``: whether it
    may go to X Spaces.
    """
    folder, hub_id = place
    hall = Hall(spaces, media)
    marks = Marks(secret_in(folder), hub_id)
    guests = Guests(hall, Trunks(marks))
    bridges = Bridges(hall, marks, folder, guests, x)
    spaces.on_record(
        lambda space_id, recording: bridges.recording(space_id, on=recording is not None)
    )
    metrics.add_source("bridges", bridges.counts)
    metrics.add_source("guests", guests.counts)
    metrics.add_gauge("bridge_states", "state", bridges.states)
    bridges.start(plans)
    try:
        yield Ways(bridges, guests)
    finally:
        await guests.aclose()
        await bridges.aclose()
