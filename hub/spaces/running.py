"""One running space: the shell around the pure ``Space``.

It owns one core and one timer. It runs on the event loop and never waits: effects go
into bounded queues (members), into the media plane, or to an observer.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Protocol

from msgspec.structs import replace

from hub.floor.events import (
    Announce,
    CloseGate,
    Depart,
    Event,
    OpenGate,
    Tell,
    Vanish,
)
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.admission import Arrival
from hub.spaces.effects import (
    Broadcast,
    Captions,
    Effect,
    Expel,
    Happened,
    Louder,
    Record,
    Reply,
    Save,
    Silence,
)
from hub.spaces.looking import Looks
from hub.spaces.rights import Actor
from hub.spaces.settings import Facilities
from hub.spaces.space import Space
from stagebox.calendar import utc_now
from stagebox.wire.acts import Act
from stagebox.wire.codec import encode
from stagebox.wire.messages import Error, FloorReply, HubMessage, MediaLost, SpaceLeft
from stagebox.wire.terms import MemberId

# A deadline that has just passed is not handled more often than this.
_MIN_DELAY_S: Final = 0.005

log = logging.getLogger(__name__)


class Occupant(Protocol):
    """A session in a space. Never waits, never fails."""

    def send(self, data: bytes) -> None:
        """Queue one encoded message."""

    def put_out(self) -> None:
        """Be in no space any more; the member was told."""


class Observer(Protocol):
    """Who has to know what becomes of a space. Never waits, never fails."""

    def changed(self, space: "RunningSpace") -> None:
        """Keep what ``space.kept()`` returns from now on."""

    def happened(self, space: "RunningSpace", happened: Happened) -> None:
        """Tell or write down what happened."""

    def recording(self, space: "RunningSpace", record: Record) -> None:
        """Start or stop a recording."""

    def captions(self, space: "RunningSpace", captions: Captions) -> None:
        """Write down the words of these members, and of nobody else."""

    def expelled(self, space: "RunningSpace", member_id: MemberId) -> None:
        """End the media session of a member who is out."""

    def silenced(self, member_id: MemberId) -> None:
        """End a member's media session."""


class RunningSpace(Looks):
    """One space, its timer, and the sessions of the members in it."""

    def __init__(
        self, core: Space, media: MediaPlane, metrics: Metrics, observer: Observer
    ) -> None:
        super().__init__(core)
        self._media = media
        self._metrics = metrics
        self._observer = observer
        self._occupants: dict[MemberId, Occupant] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._todo: deque[Effect] = deque()
        self._delivering = False

    @property
    def members(self) -> int:
        """Members with a session."""
        return len(self._occupants)

    def has(self, member_id: MemberId) -> bool:
        """Tell whether the member has a session in this space."""
        return member_id in self._occupants

    def enter(self, arrival: Arrival, req: str, occupant: Occupant) -> Error | None:
        """Let a session in, or say why not; it gets a snapshot first, then whatever happens.

        Its own ``member.joined`` is in the snapshot already and is skipped as old.
        """
        now = asyncio.get_running_loop().time()
        enter = self._core.admit(arrival, now, utc_now())
        if isinstance(enter, Error):
            return replace(enter, req=req)
        effects = self._core.handle(enter, now)
        self._occupants[arrival.member_id] = occupant
        occupant.send(_data(self.snapshot(arrival.member_id, req, admin=arrival.admin)))
        self._deliver(effects)
        return None

    def depart(self, member_id: MemberId) -> None:
        """Let a member out that leaves by itself."""
        self._occupants.pop(member_id, None)
        self.handle(Depart(member_id))

    def vanish(self, member_id: MemberId, heard_at: float) -> None:
        """Note that the member's session is over or silent."""
        self._occupants.pop(member_id, None)
        self.handle(Vanish(member_id, heard_at))

    def handle(self, event: Event) -> None:
        """Let something happen to a member."""
        self._deliver(self._core.handle(event, asyncio.get_running_loop().time()))

    def act(self, actor: Actor, act: Act) -> Reply:
        """Carry out an act, or say why not."""
        now = asyncio.get_running_loop().time()
        outcome = self._core.act(actor, act, now, utc_now())
        self._deliver(outcome.effects)
        return outcome.reply

    def media_lost(self, member_id: MemberId, spread_s: float) -> None:
        """Tell a member that the hub lost its media session."""
        self._tell(member_id, MediaLost(spread_s=spread_s))

    def broadcast(self, message: HubMessage) -> None:
        """Send a message to everybody here."""
        data = _data(message)  # once, however many listen
        for occupant in self._occupants.values():
            occupant.send(data)

    def facilities(self, facilities: Facilities) -> None:
        """Say what the hub can do from now on, and let the members know."""
        super().facilities(facilities)
        self._tick()

    def wake(self) -> None:
        """Begin, or go on after the hub's restart: do what is due."""
        self._tick()

    def close(self) -> None:
        """Stop the timer."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _deliver(self, effects: Iterable[Effect]) -> None:
        """Carry out effects in their order, whatever fails; those that come of them come after."""
        self._todo.extend(effects)
        if self._delivering:
            return
        self._delivering = True
        while self._todo:
            effect = self._todo.popleft()
            try:
                self._DO[type(effect)](self, effect)
            except Exception:
                log.exception("the space %s could not do %s", self.info.id, type(effect).__name__)
        self._delivering = False
        self._arm()

    def _on_tell(self, tell: Tell) -> None:
        self._tell(tell.member_id, tell.message)

    def _on_announce(self, effect: Announce | Broadcast) -> None:
        self.broadcast(effect.message)

    def _on_open(self, effect: OpenGate) -> None:
        self._media.open_gate(self.info.id, effect.member_id)

    def _on_close(self, effect: CloseGate) -> None:
        self._media.close_gate(self.info.id, effect.member_id)

    def _on_louder(self, louder: Louder) -> None:
        self._media.set_volume(self.info.id, louder.member_id, louder.percent)

    def _on_silence(self, silence: Silence) -> None:
        self._observer.silenced(silence.member_id)

    def _on_expel(self, expel: Expel) -> None:
        self._tell(expel.member_id, SpaceLeft(space=self.info.id, cause=expel.cause))
        occupant = self._occupants.pop(expel.member_id, None)
        if occupant is not None:
            occupant.put_out()
        self._observer.expelled(self, expel.member_id)

    def _on_save(self, _save: Save) -> None:
        self._observer.changed(self)

    def _on_happened(self, happened: Happened) -> None:
        self._observer.happened(self, happened)

    def _on_record(self, record: Record) -> None:
        self._observer.recording(self, record)

    def _on_captions(self, captions: Captions) -> None:
        self._observer.captions(self, captions)

    _DO: ClassVar[Mapping[type[Effect], Callable[[Any, Any], None]]] = {
        Tell: _on_tell,
        Announce: _on_announce,
        Broadcast: _on_announce,
        OpenGate: _on_open,
        CloseGate: _on_close,
        Louder: _on_louder,
        Silence: _on_silence,
        Expel: _on_expel,
        Save: _on_save,
        Happened: _on_happened,
        Record: _on_record,
        Captions: _on_captions,
    }

    def _tell(self, member_id: MemberId, message: HubMessage) -> None:
        if isinstance(message, FloorReply):
            self._metrics.count_floor(message)
        occupant = self._occupants.get(member_id)
        if occupant is not None:
            occupant.send(_data(message))

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
