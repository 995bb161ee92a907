"""One caller at work: a call, a seat in a space, keys and what the caller is told."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.bridges.seat import Hall, Seat
from hub.bridges.terms import FarError
from hub.spaces.admission import Arrival
from hub.telephone.call import Call
from hub.telephone.caller import Caller, Do, Stage, Tell, TryCode, Wish
from hub.telephone.door import Coming
from hub.telephone.leg_terms import Over
from hub.telephone.phrases import Say, sentence
from hub.telephone.speaker import Speaker
from stagebox.media.rtp import AudioPacket
from stagebox.phrases import Language
from stagebox.wire.messages import FloorReply
from stagebox.wire.terms import Kind, Role

# Sentences that wait to be said; who presses keys quicker hears the last ones.
_MOST_WAITING: Final = 4
# How often it is looked whether a sentence has been said.
_LOOK_S: Final = 0.1
# A call whose sound is never agreed upon (no ACK with an answer) has nothing to say either.
_MOST_TELLING_S: Final = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What all callers share. ``find``: the space and the token of a code, or None."""

    hall: Hall
    speaker: Speaker
    language: Language
    find: Callable[[str], tuple[str, str] | None]
    over: Callable[[str], None]


class Visit:
    """One caller, from the answered call to the last goodbye."""

    def __init__(self, desk: Desk, coming: Coming) -> None:
        self.space = ""
        self._desk = desk
        self._coming = coming
        self._loop = asyncio.get_running_loop()
        self._caller = Caller(self._loop.time())
        self._seat: Seat | None = None
        self._call: Call | None = None
        self._waiting: asyncio.Queue[Tell | None] = asyncio.Queue(_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def member_id(self) -> str:
        """By which the space knows the caller."""
        return self._coming.member_id

    @property
    def call_id(self) -> str:
        """By which its messages are known."""
        return self._call.leg.call_id if self._call is not None else ""

    def begin(self, call: Call) -> None:
        """Begin, with a call that is answered."""
        self._call = call
        self._task = asyncio.create_task(self._talk())
        if self._coming.space:
            self._enter(self._coming.space, "")
        else:
            self._do(self._caller.greet())
            self._arm()

    def heard(self, packet: AudioPacket, now: float) -> None:
        """Take in what the caller says."""
        if self._seat is not None and not self._caller.is_muted:
            self._seat.heard(packet, now)

    def key(self, key: str) -> None:
        """Take in a key that the caller pressed."""
        self._do(self._caller.key(key, self._loop.time()))

    def recording(self, *, on: bool) -> None:
        """Note that the space is recorded from now on, or no longer."""
        if self._caller.stage is Stage.INSIDE:
            self._do(self._caller.recording(on=on))

    def agreed(self) -> None:
        """Note that there is sound both ways; what waits for that is told by itself."""

    def over(self, over: Over) -> None:
        """Note that the call is over."""
        if over.detail:
            log.info("telephone: %s: %s", self._coming.name, over.detail)
        self._leave()
        self._desk.over(self.call_id)

    async def aclose(self) -> None:
        """Hang up and be gone."""
        self._leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._call is not None:
            await self._call.goodbye()

    # --- private --------------------------------------------------------------

    def _enter(self, space_id: str, token: str) -> None:
        coming, call = self._coming, self._call
        seat = Seat(self._desk.hall, space_id, self._put_out, self._replied)
        arrival = Arrival(
            member_id=coming.member_id,
            name=coming.name,
            kind=Kind.BRIDGE,
            role=Role.GUEST,
            invite=token or None,
        )
        try:
            seat.enter(arrival)
        except FarError as error:
            log.info("telephone: %s: %s", coming.name, error.detail)
            self._do(self._caller.ended(Say.FULL))
            return
        self._seat, self.space = seat, space_id
        if call is not None:
            seat.plug(call.sound.send)
        self._do(self._caller.inside(recorded=seat.is_recorded))

    def _leave(self) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.leave()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _put_out(self, _error: FarError) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            seat.leave()
        self._do(self._caller.ended())

    def _replied(self, reply: FloorReply) -> None:
        self._do(self._caller.floor(reply, self._loop.time()))

    def _do(self, wishes: list[Wish]) -> None:
        for wish in wishes:
            match wish:
                case Tell():
                    self._tell(wish)
                case TryCode(code):
                    self._try(code)
                case Do.HANG_UP:
                    self._tell(None)
                case _:
                    self._act(wish)

    def _act(self, wish: Do) -> None:
        seat = self._seat
        if seat is None:
            return
        match wish:
            case Do.RAISE:
                seat.raise_hand()
            case Do.LOWER:
                seat.lower_hand()
            case Do.AGREE:
                seat.agree()
            case _:
                pass  # a microphone is muted where packets come in

    def _try(self, code: str) -> None:
        found = self._desk.find(code)
        if found is None:
            self._do(self._caller.refused(self._loop.time()))
        else:
            self._enter(*found)

    def _tell(self, tell: Tell | None) -> None:
        if self._waiting.full():
            with contextlib.suppress(asyncio.QueueEmpty):
                self._waiting.get_nowait()
        self._waiting.put_nowait(tell)

    async def _talk(self) -> None:
        """Say what waits, one after the other; None: hang up."""
        while (tell := await self._waiting.get()) is not None:
            name = self._name()
            desk = self._desk
            words = sentence(tell.say, desk.language, name=name, number=tell.number)
            pcm = await desk.speaker.pcm(words)
            if self._call is not None:
                self._call.sound.say(pcm)
            await self._said()
        if self._call is not None:
            self._call.hang_up()

    async def _said(self) -> None:
        until = self._loop.time() + _MOST_TELLING_S
        while self._call is not None and self._call.sound.is_telling:
            if self._loop.time() >= until:
                return
            await asyncio.sleep(_LOOK_S)

    def _name(self) -> str:
        space = self._desk.hall.spaces.get(self.space) if self.space else None
        return space.info.name if space is not None else ""

    def _arm(self) -> None:
        deadline = self._caller.deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._do(self._caller.tick(self._loop.time()))
        self._arm()
