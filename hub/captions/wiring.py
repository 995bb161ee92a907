"""Captions and the hub's spaces: who tells whom what."""

import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

from hub.captions.engines import engines, why_none
from hub.captions.scribe import Scribe, Tapes
from hub.config import CaptionEngine, CaptionsConfig
from hub.recording.recorder import Recorder
from hub.spaces.registry import Spaces

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def captions(
    config: CaptionsConfig, spaces: Spaces, media: Tapes, recorder: Recorder | None
) -> AsyncIterator[Scribe | None]:
    """Write captions where spaces want them, for as long as this lasts; to begin before they do.

    Where there is no engine it gives None, and spaces know that.
    """
    why = why_none(config)
    spaces.set_facilities(replace(spaces.facilities, captions=not why))
    if why:
        if config.engine is not CaptionEngine.OFF:
            log.warning("There are no captions: %s", why)
        yield None
        return
    scribe = Scribe(
        media,
        spaces.caption,
        engines(config),
        backlog_s=config.backlog_s,
        answer_s=config.answer_s,
    )
    scribe.desk.on_away = lambda away: spaces.set_facilities(
        replace(spaces.facilities, captions_away=away)
    )
    spaces.on_captions(scribe.allow)
    if recorder is not None:
        scribe.on_line(recorder.said)
    try:
        yield scribe
    finally:
        await scribe.aclose()
