"""A bridge's seat in a space: a member without a box, whose button is the far side's voice.

The space treats it like any member: it has a place, asks for the floor, can be held, made
quieter, put out and blocked. Here its voice core is run, on one timer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import Cause, FarError
from hub.bridges.voice import AskFloor, Effect, FarVoice, GiveBack, Say
from hub.floor.events import Ask, Release
from hub.media.fan import Send
from hub.ports import MediaPlane
from hub.spaces.admission import Arrival
from hub.spaces.registry import NoSuchSpaceError, Spaces
from hub.spaces.rights import Actor
from hub.spaces.running import RunningSpace
from stagebox.media.rtp import AudioPacket
from stagebox.wire.acts import Agree, React
from stagebox.wire.codec import decode_hub
from stagebox.wire.messages import FloorReply, Reaction, SpaceLeft
from stagebox.wire.terms import Gone, Mark

# How the messages begin that are meant for this member alone: others need not be read.
_OWN: Final = (b'{"t":"floor.', b'{"t":"space.left"', b'{"t":"reaction"')
_JOIN: Final = "bridge"
_WHY: Final = {
    Gone.REMOVED: "A host put the bridge out of the space. Switch it on again to bring it back.",
    Gone.BLOCKED: "A host blocked the bridge. Unblock it, then switch it on again.",
}


@dataclass(frozen=True, slots=True)
class Hall:
    """What all seats of one hub share."""

    spaces: Spaces
    media: MediaPlane


class Seat:
    """One seat. ``on_out`` is called if the space has it no longer, with the reason.

    ``on_reply``: with what the floor says to it, after it was acted upon.
    """

    def __init__(
        self,
        hall: Hall,
        space_id: str,
        on_out: Callable[[FarError], None],
        on_reply: Callable[[FloorReply], None] | None = None,
    ) -> None:
        self._hall = hall
        self._space_id = space_id
        self._on_out = on_out
        self._on_reply = on_reply
        self._loop = asyncio.get_running_loop()
        self._voice = FarVoice(self._loop.time())
        self._space: RunningSpace | None = None
        self._left: RunningSpace | None = None  # where it was when it was lost
        self._member_id = ""
        # Called with each mark that somebody else in the space shows.
        self.on_reaction: Callable[[Mark], None] = lambda _mark: None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def voice(self) -> FarVoice:
        """What the far side's voice is doing here; look, do not touch."""
        return self._voice

    @property
    def hears(self) -> bool:
        """Whether the space may be heard from here now: it has begun, and this seat is in it."""
        return self._space is not None and self._space.hears(self._member_id)

    @property
    def is_recorded(self) -> bool:
        """Whether the space in which this seat is is recorded now."""
        return self._space is not None and self._space.info.recording is not None

    def enter(self, arrival: Arrival) -> None:
        """Sit down.

        Raises:
            FarError: the space does not want this member, or there is no such space.
        """
        try:
            space = self._hall.spaces.find(self._space_id)
        except NoSuchSpaceError as error:
            raise FarError(Cause.NOT_LET_IN_HERE, str(error)) from None
        self._member_id = arrival.member_id
        refused = self._hall.spaces.enter(space, arrival, _JOIN, self)
        if refused is not None:
            raise FarError(Cause.NOT_LET_IN_HERE, refused.detail)
        self._space = self._left = space

    def plug(self, send: Send) -> None:
        """Let the far side hear the space by ``send``, without its own voices."""
        self._hall.media.plug(self._space_id, self._member_id, send)

    def heard(self, packet: AudioPacket, now: float) -> None:
        """Take in what the far side says."""
        self._do(self._voice.packet(packet, now))

    def raise_hand(self) -> None:
        """Ask for the floor without a word."""
        self._do(self._voice.raise_hand(self._loop.time()))

    def lower_hand(self) -> None:
        """Ask for it no more."""
        self._do(self._voice.lower_hand())

    def agree(self) -> bool:
        """Agree, for everybody over there, to the recording that runs; say whether one does."""
        space = self._space
        recording = space.info.recording if space is not None else None
        if space is None or recording is None:
            return False
        actor = Actor(self._member_id, "bridge")
        space.act(actor, Agree(req="agree", recording=recording.version))
        return True

    def react(self, mark: Mark) -> None:
        """Show a mark, for somebody over there."""
        if self._space is not None:
            self._space.act(Actor(self._member_id, "bridge"), React(req="react", mark=mark))

    def leave(self) -> None:
        """Get up for good."""
        if self._space is not None:
            self._quiet()
        space, self._space, self._left = self._left, None, None
        if space is not None:
            self._hall.spaces.leave(space, self._member_id)

    def lose(self) -> None:
        """Be away for a while: the way to the far side is broken. The seat is kept as a box's."""
        if self._space is not None:
            self._quiet()
        space, self._space = self._space, None
        if space is not None:
            self._hall.spaces.lose(space, self._member_id, self._loop.time())

    # --- Occupant -------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """See ``Occupant``."""
        if data.startswith(_OWN):
            # In a turn of its own: the gate is to be open before the first word goes through.
            self._loop.call_soon(self._told, data)

    def put_out(self) -> None:
        """See ``Occupant``."""
        self._space = self._left = None
        self._stop()

    # --- private --------------------------------------------------------------

    def _told(self, data: bytes) -> None:
        message = decode_hub(data)
        if isinstance(message, SpaceLeft):
            ended = message.cause is Gone.ENDED
            why = "The space is over." if ended else _WHY[message.cause]
            self._on_out(FarError(Cause.NOT_LET_IN_HERE if ended else Cause.PUT_OUT_HERE, why))
        elif isinstance(message, Reaction):
            if message.member != self._member_id:
                self.on_reaction(message.mark)
        elif isinstance(message, FloorReply):
            self._do(self._voice.reply(message, self._loop.time()))
            if self._on_reply is not None:
                self._on_reply(message)

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(packet):
                    now = self._loop.time()
                    self._hall.media.say(self._space_id, self._member_id, packet, now)
                case AskFloor(req) if self._space is not None:
                    self._space.handle(Ask(self._member_id, req))
                case GiveBack(req) if self._space is not None:
                    self._space.handle(Release(self._member_id, req))
                case _:
                    pass  # it sits nowhere, so nobody is asked
        self._arm()

    def _arm(self) -> None:
        deadline = self._voice.deadline
        if self._timer is None and deadline is not None:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self._voice.tick(self._loop.time()))

    def _quiet(self) -> None:
        self._do(self._voice.hush())
        self._stop()

    def _stop(self) -> None:
        self._hall.media.unplug(self._space_id, self._member_id)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
