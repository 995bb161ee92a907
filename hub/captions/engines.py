"""Which engines the settings ask for, and whether they can be had at all."""

from hub.captions.ports import Engine
from hub.captions.recogniser import MISSING
from hub.captions.service import Service
from hub.captions.sphinx import SphinxEngine, installed
from hub.captions.wyoming import WyomingEngine
from hub.config import CaptionEngine, CaptionsConfig


def engines(config: CaptionsConfig) -> tuple[Engine, ...]:
    """Return the engines, not started; none if there cannot be captions here."""
    if why_none(config):
        return ()
    if config.engine is CaptionEngine.WYOMING:
        service = Service.of(config.address, config.language, config.model)
        return tuple(WyomingEngine(service) for _ in range(config.at_once))
    return tuple(SphinxEngine() for _ in range(config.at_once))


def why_none(config: CaptionsConfig) -> str:
    """Return why there cannot be captions on this hub, and what to do; empty: there can."""
    if config.engine is CaptionEngine.OFF:
        return "captions are off in the hub's settings ([captions] engine)"
    if config.engine is CaptionEngine.POCKETSPHINX and not installed():
        return MISSING
    return ""
