"""What all sessions of one hub share."""

import asyncio
from dataclasses import dataclass, field

from hub.config import HubLimits
from hub.control.health import HealthBook
from hub.control.sessions import SessionBook
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.registry import Spaces
from hub.trust.house import Trust
from stagebox.wire.messages import Notice


@dataclass(frozen=True, slots=True)
class House:
    """One hub, as a session sees it. ``boot`` is new at every start."""

    name: str
    key: str
    boot: str
    limits: HubLimits
    spaces: Spaces
    book: SessionBook
    trust: Trust
    media: MediaPlane
    media_slots: asyncio.Semaphore
    metrics: Metrics
    health: HealthBook = field(default_factory=HealthBook)

    def __post_init__(self) -> None:
        """Pass news of spaces on to the sessions that care."""
        self.spaces.on_notice(self._notify)

    def _notify(self, notice: Notice) -> None:
        for session in self.book:
            session.notify(notice)
