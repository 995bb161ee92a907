"""The hub's telephone and the hub's spaces: who tells whom what."""

import contextlib
from collections.abc import AsyncIterator

from hub.bridges.mark import Marks
from hub.bridges.seat import Hall
from hub.metrics import Metrics
from hub.telephone.settings import TelephoneConfig
from hub.telephone.telephone import Telephone


@contextlib.asynccontextmanager
async def telephone(
    config: TelephoneConfig, hall: Hall, marks: Marks, metrics: Metrics
) -> AsyncIterator[Telephone | None]:
    """Let the hub be called for as long as this lasts, if the settings say so.

    Raises:
        TelephoneError: it cannot be, and why.
    """
    if not config.on:
        yield None
        return
    found = Telephone(config, hall, marks)
    await found.start()
    hall.spaces.on_record(
        lambda space_id, recording: found.recording(space_id, on=recording is not None)
    )
    metrics.add_source("telephone", found.counts)
    try:
        yield found
    finally:
        await found.aclose()
