"""All bridges of a hub: those of its settings, and those made while it ran, which are kept."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from hub.bridges import livekit
from hub.bridges.bridge import Bridge, Status
from hub.bridges.discord_stage import StageFar
from hub.bridges.discord_terms import Stage, stage_of
from hub.bridges.guests import Guests
from hub.bridges.janus import Guard, JanusFar, Room
from hub.bridges.janus_streaming import JanusStream
from hub.bridges.janus_video import JanusVideo
from hub.bridges.mark import Marks, hub_of
from hub.bridges.mumble import Channel, MumbleFar
from hub.bridges.mumble_trust import MumbleTrust
from hub.bridges.plan import Plan, PlanError, check
from hub.bridges.port import Far
from hub.bridges.seat import Hall
from hub.bridges.terms import FarError, Part, System
from hub.bridges.trunk import Trunk
from hub.bridges.whip import Endpoint, WhipFar
from hub.bridges.x_host import XHost
from hub.bridges.x_settings import REFUSED, XConfig
from hub.bridges.x_space import Memory, Visit, XSpace
from hub.telephone.far import Number, SipFar
from stagebox.statefile import write_atomic

FILE: Final = "bridges.json"
# Each is a connection and a microphone of its own; more is another hub's job.
MOST: Final = 32

_JANUS: Final[Mapping[System, type[JanusFar]]] = {
    System.JANUS: JanusFar,
    System.JANUS_STREAM: JanusStream,
    System.JANUS_VIDEO: JanusVideo,
}
_plans: Final = msgspec.json.Decoder(tuple[Plan, ...])
log = logging.getLogger(__name__)


class Bridges:
    """All of them. ``folder``: where those are kept that were made while the hub ran.

    ``guests``: who has come here by itself, other hubs among them. ``x``: whether this hub may
    go to X, and as whom.
    """

    def __init__(self, hall: Hall, marks: Marks, folder: Path, guests: Guests, x: XConfig) -> None:
        self.marks = marks
        self._guests = guests
        self._x = x
        self._hall = hall
        self._path = folder / FILE
        self._mumble = MumbleTrust(folder)
        self._bridges: dict[str, Bridge] = {}
        self._standing: set[str] = set()

    def start(self, settings: Iterable[Plan]) -> None:
        """Begin those of the settings and those that were kept."""
        for plan in settings:
            self._standing.add(plan.id)
            self._begin(plan)
        for plan in self._kept():
            if plan.id not in self._bridges and len(self._bridges) < MOST:
                self._begin(plan)

    async def aclose(self) -> None:
        """Leave everything."""
        await asyncio.gather(*(bridge.stop() for bridge in self._bridges.values()))

    def statuses(self, space_id: str | None = None) -> list[Status]:
        """Return what people are shown of all bridges, or of those of one space."""
        every = [bridge.status() for bridge in self._bridges.values()]
        return [each for each in every if space_id in (None, each.plan.space)]

    def get(self, bridge_id: str) -> Bridge | None:
        """Return one of them."""
        return self._bridges.get(bridge_id)

    def is_standing(self, bridge_id: str) -> bool:
        """Say whether it is one of the settings, which only the settings can take away."""
        return bridge_id in self._standing

    def add(self, plan: Plan) -> Bridge:
        """Make a new one, and keep it.

        Raises:
            PlanError: it could never work, is there already, or is one too many.
            OSError: it cannot be kept; then it is not made.
        """
        check(plan)
        if plan.system is System.X and not self._x.is_on:
            raise PlanError("system", REFUSED)
        if plan.id in self._bridges:
            raise PlanError("url", "This space is bridged to this room already.")
        if len(self._bridges) >= MOST:
            raise PlanError("name", f"The hub has {MOST} bridges, which is all it may.")
        self._keep((*self._made(), plan))
        return self._begin(plan)

    async def remove(self, bridge_id: str) -> None:
        """Take one away for good.

        Raises:
            OSError: that cannot be kept; then nothing has changed.
        """
        self._keep(tuple(plan for plan in self._made() if plan.id != bridge_id))
        bridge = self._bridges.pop(bridge_id)
        await bridge.stop()
        with contextlib.suppress(FarError):
            self._mumble.forget(bridge_id)

    async def switch(self, bridge_id: str, *, on: bool) -> None:
        """Switch one on or off; one that is on tries again at once.

        One that was made while the hub ran stays so when the hub starts anew; of one of the
        settings the settings say what it is then.

        Raises:
            OSError: that cannot be kept; then nothing has changed.
        """
        bridge = self._bridges[bridge_id]
        plan = replace(bridge.plan, on=on)
        if bridge_id not in self._standing and plan != bridge.plan:
            others = (each for each in self._made() if each.id != bridge_id)
            self._keep((*others, plan))
        bridge.plan = plan
        if on:
            bridge.start()
        else:
            await bridge.stop()

    def recording(self, space_id: str, *, on: bool) -> None:
        """Show over there that the space is recorded, or no longer."""
        for bridge in self._bridges.values():
            if bridge.plan.space == space_id:
                bridge.tell_recording(on=on)

    def states(self) -> Mapping[str, float]:
        """Return how many bridges are in which state, for /metrics."""
        found: dict[str, float] = {}
        for status in self.statuses():
            found[status.condition.state.value] = found.get(status.condition.state.value, 0) + 1
        return found

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        every = self.statuses()
        return {
            "joins": sum(each.joins for each in every),
            "said": sum(each.counts.said for each in every),
            "undecodable": sum(each.counts.undecodable for each in every),
            "flooded": sum(each.counts.flooded for each in every),
        }

    # --- private --------------------------------------------------------------

    def _begin(self, plan: Plan) -> Bridge:
        spread = hashlib.sha256(f"{self.marks.hub_id} {plan.id}".encode()).digest()[0] / 255
        bridge = Bridge(plan, self._hall, self._maker(plan), spread)
        self._bridges[plan.id] = bridge
        if plan.on and plan.part is not Part.HOST:  # which a person begins, each time
            bridge.start()
        return bridge

    def _maker(self, plan: Plan) -> Callable[[], Far]:
        if plan.system in _JANUS:
            room = Room(
                url=plan.url,
                room=plan.room_number,
                space=plan.space,
                name=plan.name,
                pin=plan.pin,
                secret=plan.secret,
                token=plan.token,
            )
            far = _JANUS[plan.system]
            return lambda: far(room, self._guard())
        makers = {
            System.LIVEKIT: self._livekit,
            System.MUMBLE: self._channel,
            System.DISCORD: self._stage,
            System.X: self._space,
        }
        if plan.system in makers:
            return makers[plan.system](plan)
        mark = self.marks.bare(plan.space)
        if plan.system is System.SIP:
            number = Number(plan.url, plan.name, plan.key, plan.secret, plan.pin, mark)
            return lambda: SipFar(number)

        def is_here(theirs: str) -> bool:
            hub = hub_of(theirs)
            # Of two that come to each other at once, the same one goes on both sides.
            goes = self.marks.hub_id > hub
            return bool(hub) and goes and self._guests.has_hub(plan.space, hub)

        endpoint = Endpoint(plan.system, plan.url, plan.token, mark, is_here)
        if plan.system is not System.HUB:
            return lambda: WhipFar(endpoint)
        trunks = self._guests.trunks
        return lambda: WhipFar(endpoint, Trunk(trunks, plan.space, plan.name, plan.id))

    def _channel(self, plan: Plan) -> Callable[[], Far]:
        channel = Channel(
            url=plan.url,
            space=plan.space,
            name=plan.name,
            bridge=plan.id,
            password=plan.pin,
            tokens=tuple(plan.token.split()),
            known=plan.secret,
        )
        return lambda: MumbleFar(channel, self._guard(), self._mumble)

    def _stage(self, plan: Plan) -> Callable[[], Far]:
        stage = stage_of(plan.url) or Stage(0, 0)  # every plan was checked
        return lambda: StageFar(stage, plan.token)

    def _livekit(self, plan: Plan) -> Callable[[], Far]:
        memory = livekit.Memory()
        room = livekit.Room(
            url=plan.url,
            room=plan.room,
            space=plan.space,
            name=plan.name,
            key=plan.key,
            secret=plan.secret,
            token=plan.token,
        )
        return lambda: livekit.LiveKitFar(room, self._guard(), memory)

    def _space(self, plan: Plan) -> Callable[[], Far]:
        if plan.part is Part.HOST:
            return lambda: XHost(plan.name, self._x)
        memory = Memory()
        visit = Visit(plan.url, plan.part is Part.SPEAK, self._x)
        return lambda: XSpace(visit, memory)

    def _guard(self) -> Guard:
        return Guard(self.marks, frozenset(space.info.id for space in self._hall.spaces))

    def _made(self) -> tuple[Plan, ...]:
        return tuple(
            bridge.plan for key, bridge in self._bridges.items() if key not in self._standing
        )

    def _kept(self) -> tuple[Plan, ...]:
        try:
            return _plans.decode(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            log.error("%s cannot be read (%s): bridges made on the console are off", FILE, error)
            return ()

    def _keep(self, plans: tuple[Plan, ...]) -> None:
        write_atomic(self._path, msgspec.json.encode(plans))
