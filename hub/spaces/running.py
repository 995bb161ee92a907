"""One running space: the shell around the pure ``Space``.

It owns one core and one timer. It runs on the event loop and never waits: effects go
into bounded queues (members) or into the media plane.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from hub.floor.events import (
    Announce,
    CloseGate,
    Depart,
    Effect,
    Enter,
    Event,
    OpenGate,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.space import Space
from stagebox.wire.codec import encode
from stagebox.wire.messages import FloorReply, HubMessage, MediaLost, Snapshot
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import MemberId

# A deadline that has just passed is not handled more often than this.
_MIN_DELAY_S: Final = 0.005


class Outbox(Protocol):
    """Where messages for one session go. Never waits, never fails."""

    def send(self, data: bytes) -> None:
        """Queue one encoded message."""


class RunningSpace:
    """One space, its timer, and the sessions of the members in it."""

    def __init__(
        self, info: SpaceInfo, rules: FloorRules, media: MediaPlane, metrics: Metrics
    ) -> None:
        self.info = info
        self.rules = rules
        self._core = Space(info, rules)
        self._media = media
        self._metrics = metrics
        self._outboxes: dict[MemberId, Outbox] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def members(self) -> int:
        """Members with a session."""
        return len(self._outboxes)

    @property
    def talkers(self) -> int:
        """Members who have the floor."""
        return len(self._core.snapshot("", None).floor.talkers)

    def has(self, member_id: MemberId) -> bool:
        """Tell whether the member has a session in this space."""
        return member_id in self._outboxes

    def enter(self, enter: Enter, req: str, outbox: Outbox) -> None:
        """Let a session in; it gets a snapshot first, then whatever happens.

        Its own ``member.joined`` is in the snapshot already and is skipped as old.

        Raises:
            SpaceFullError: there is no place; nothing has changed.
        """
        effects = self._core.handle(enter, asyncio.get_running_loop().time())
        self._outboxes[enter.member_id] = outbox
        outbox.send(_data(self.snapshot(enter.member_id, req)))
        self._deliver(effects)

    def depart(self, member_id: MemberId) -> None:
        """Let a member out that leaves by itself."""
        self._outboxes.pop(member_id, None)
        self.handle(Depart(member_id))

    def vanish(self, member_id: MemberId, heard_at: float) -> None:
        """Note that the member's session is over or silent."""
        self._outboxes.pop(member_id, None)
        self.handle(Vanish(member_id, heard_at))

    def handle(self, event: Event) -> None:
        """Let something happen to a member."""
        self._deliver(self._core.handle(event, asyncio.get_running_loop().time()))

    def media_lost(self, member_id: MemberId, spread_s: float) -> None:
        """Tell a member that the hub lost its media session."""
        self._tell(member_id, MediaLost(spread_s=spread_s))

    def snapshot(self, member_id: MemberId, req: str | None) -> Snapshot:
        """Return the whole space as the member sees it."""
        return self._core.snapshot(member_id, req)

    def grant_of(self, member_id: MemberId) -> str | None:
        """Return the name of the grant whose lease a pong renews."""
        return self._core.grant_of(member_id)

    def close(self) -> None:
        """Stop the timer."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _deliver(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Tell(member_id, message):
                    self._tell(member_id, message)
                case Announce(message):
                    self._announce(message)
                case OpenGate(member_id):
                    self._media.open_gate(self.info.id, member_id)
                case CloseGate(member_id):
                    self._media.close_gate(self.info.id, member_id)
        self._arm()

    def _tell(self, member_id: MemberId, message: HubMessage) -> None:
        if isinstance(message, FloorReply):
            self._metrics.count_floor(message)
        outbox = self._outboxes.get(member_id)
        if outbox is not None:
            outbox.send(_data(message))

    def _announce(self, message: HubMessage) -> None:
        data = _data(message)  # once, however many listen
        for outbox in self._outboxes.values():
            outbox.send(data)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.deadline
        if deadline is not None and not self._closed:
            loop = asyncio.get_running_loop()
            at = max(deadline, loop.time() + _MIN_DELAY_S)
            self._timer = loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._deliver(self._core.tick(asyncio.get_running_loop().time()))


def _data(message: HubMessage) -> bytes:
    return encode(message).encode()
