"""What all sessions of one hub share."""

import asyncio
from dataclasses import dataclass, field

from hub.config import HubLimits
from hub.control.health import HealthBook
from hub.control.sessions import SessionBook
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.registry import Spaces


@dataclass(frozen=True, slots=True)
class House:
    """One hub, as a session sees it. ``boot`` is new at every start."""

    name: str
    key: str
    boot: str
    limits: HubLimits
    spaces: Spaces
    book: SessionBook
    media: MediaPlane
    media_slots: asyncio.Semaphore
    metrics: Metrics
    health: HealthBook = field(default_factory=HealthBook)
