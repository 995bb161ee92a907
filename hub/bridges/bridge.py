"""One bridge at work: one machine, one seat, and one adapter at a time. A shell with one task."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from hub.bridges.machine import BridgeMachine, Condition, Event
from hub.bridges.plan import Plan
from hub.bridges.port import Ear, Far, Moderates, Reacts
from hub.bridges.seat import Hall, Seat
from hub.bridges.terms import ONLY_HEARD, ONLY_HEARS, Abilities, Cause, FarError, Person, System
from hub.bridges.voice import VoiceCounts
from hub.spaces.admission import Arrival
from stagebox.media.rtp import AudioPacket
from stagebox.wire.terms import Kind, Mark, Name, Role

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """What people are shown of a bridge. ``waits_for``: why its voice is not heard, if so.

    ``note``: what they should know while it is joined.
    """

    plan: Plan
    condition: Condition
    can: Abilities
    people: tuple[Person, ...]
    speaks: bool
    waits_for: str
    joins: int
    counts: VoiceCounts
    note: str = ""


class Bridge:
    """One bridge, from ``start`` to ``aclose``; in between it may be switched off and on.

    ``make`` returns a new adapter for each try. ``spread``: see ``BridgeMachine``.
    """

    def __init__(self, plan: Plan, hall: Hall, make: Callable[[], Far], spread: float) -> None:
        self.plan = plan
        self._hall = hall
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._machine = BridgeMachine(spread)
        self._out: asyncio.Future[FarError] = self._loop.create_future()
        self._seat = Seat(hall, plan.space, self._put_out)
        self._seat.on_reaction = self._reacted
        self._people: tuple[Person, ...] = ()
        self._note = ""
        self._can = Abilities()
        self._far: Far | None = None
        self._logged = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Switch it on; one that is on tries again at once, unless it is joined."""
        now = self._loop.time()
        if self._machine.handle(Event.ON, now):
            self._cancel()
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Switch it off: it leaves both sides."""
        self._machine.handle(Event.OFF, self._loop.time())
        task = self._task
        self._cancel()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        self._seat.leave()

    def status(self) -> Status:
        """Return what people are shown."""
        voice = self._seat.voice
        return Status(
            plan=self.plan,
            condition=self._machine.condition,
            can=self._can,
            people=self._people,
            speaks=voice.speaks,
            waits_for=voice.cause or (voice.stance.value if voice.speaks else ""),
            joins=self._machine.joins,
            counts=voice.counts,
            note=self._note,
        )

    def agree(self) -> bool:
        """Agree to the recording that runs, for everybody over there; say whether one runs."""
        return self._seat.agree()

    def permit(self, person: str, *, speaks: bool) -> bool:
        """Let somebody over there speak, or no longer; False: that is not to be had there."""
        known = any(each.id == person for each in self._people if each.id)
        far: object = self._far
        if not known or not isinstance(far, Moderates):
            return False
        far.permit(person, speaks=speaks)
        return True

    def tell_recording(self, *, on: bool) -> None:
        """Let people over there see whether they are recorded here, by the bridge's name."""
        if self._far is not None:
            self._far.show(f"{self.plan.name} (recording)" if on else self.plan.name)

    # --- private --------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            wait_s = await self._once()
            if wait_s is None:
                self._seat.leave()
                return
            await asyncio.sleep(wait_s)
            self._machine.handle(Event.DUE, self._loop.time())

    async def _once(self) -> float | None:
        """Be joined once, as long as it lasts; return how long to wait then."""
        far = self._far = self._make()
        self._can = far.can
        over = FarError(Cause.FAILED, "The bridge failed: look at the hub's log.")
        try:
            await self._join(far)
        except FarError as error:
            over = error
        except Exception:
            log.exception("the bridge %s failed", self.plan.name)
        finally:
            self._far, self._people, self._note = None, (), ""
            self._seat.lose()
            with contextlib.suppress(OSError):
                await asyncio.shield(far.leave())
        now = self._loop.time()
        wait_s = self._machine.over(over.cause, over.detail, now, over.retry_after_s)
        if over.detail != self._logged:  # a server that is away for a night is one line
            self._logged = over.detail
            log.warning("bridge %s: %s (%s)", self.plan.name, over.detail, over.cause)
        return wait_s

    async def _join(self, far: Far) -> None:
        self._out = self._loop.create_future()
        await far.join(Ear(self._heard, self._told, self._noted, self._seat.react))
        plan = self.plan
        self._seat.enter(arrival(plan.member_id, plan.name, plan.system))
        self._machine.handle(Event.JOINED, self._loop.time())
        if self._seat.is_recorded:  # since before it joined, or while it was away
            self.tell_recording(on=True)
        self._logged = ""
        log.info("bridge %s: joined", plan.name)
        if plan.system not in ONLY_HEARD:
            self._seat.plug(far.send)
        await self._last(far)

    async def _last(self, far: Far) -> None:
        """Wait until either side has enough of it.

        Raises:
            FarError: always, in the end.
        """
        stay = asyncio.ensure_future(far.stay())
        try:
            await asyncio.wait((stay, self._out), return_when=asyncio.FIRST_COMPLETED)
            if self._out.done():
                raise self._out.result()
            stay.result()
        finally:
            stay.cancel()
            await asyncio.gather(stay, return_exceptions=True)

    def _heard(self, packet: AudioPacket, now: float) -> None:
        if self.plan.system not in ONLY_HEARS:
            self._seat.heard(packet, now)

    def _told(self, people: tuple[Person, ...]) -> None:
        self._people = people

    def _noted(self, sentence: str) -> None:
        self._note = sentence

    def _reacted(self, mark: Mark) -> None:
        far: object = self._far
        if isinstance(far, Reacts):
            far.react(mark)

    def _put_out(self, error: FarError) -> None:
        if not self._out.done():
            self._out.set_result(error)

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


def arrival(member_id: str, name: Name, system: System) -> Arrival:
    """Return as what a bridge comes in: behind one that only listens nobody speaks."""
    role = Role.SPEAKER if system in ONLY_HEARS else Role.GUEST
    return Arrival(member_id=member_id, name=name, kind=Kind.BRIDGE, role=role)
