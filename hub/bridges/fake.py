"""A far system that is none: rooms in this process, for tests and for trying things out."""

import asyncio
from dataclasses import dataclass, field

from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError, Person
from stagebox.media.rtp import AudioPacket
from stagebox.wire.terms import Mark


@dataclass(eq=False)
class FakeRoom:
    """A room: who is in it, what was said to it, and what it says."""

    secret: str = ""
    is_open: bool = True
    people: tuple[Person, ...] = ()
    heard: list[bytes] = field(default_factory=list)
    here: "list[FakeFar]" = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    permitted: list[tuple[str, bool]] = field(default_factory=list)

    def say(self, packet: AudioPacket, now: float) -> None:
        """Let every bridge hear a packet."""
        for far in self.here:
            if far.ear is not None:
                far.ear.heard(packet, now)

    def show(self, *people: Person) -> None:
        """Let other people be there."""
        self.people = people
        for far in self.here:
            if far.ear is not None:
                far.ear.people(people)

    def end(self, cause: Cause = Cause.ROOM_ENDED) -> None:
        """Put every bridge out."""
        for far in list(self.here):
            far.end(FarError(cause, "The room does not want it any more."))


class FakeFar:
    """Implements ``Far`` by a ``FakeRoom``."""

    can = Abilities(roster=True, mute=True, talker=True, recording=True)

    def __init__(self, room: FakeRoom, secret: str = "") -> None:
        self.ear: Ear | None = None
        self.shown = ""
        self._room = room
        self._secret = secret
        self._over: asyncio.Future[FarError] = asyncio.get_running_loop().create_future()

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        await asyncio.sleep(0)
        if not self._room.is_open:
            raise FarError(Cause.NOTHING_THERE, "The room is closed.")
        if self._room.secret != self._secret:
            raise FarError(Cause.WRONG_SECRET, "The room wants another secret.")
        self.ear = ear
        self._room.here.append(self)
        ear.people(self._room.people)

    async def stay(self) -> None:
        """See ``Far``."""
        raise await asyncio.shield(self._over)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:  # noqa: ARG002 - the port's
        """See ``Far``."""
        if self not in self._room.here:
            return False
        self._room.heard.append(payload)
        return True

    def show(self, name: str) -> None:
        """See ``Far``."""
        self.shown = name

    def react(self, mark: Mark) -> None:
        """See ``Reacts``."""
        self._room.marks.append(mark)

    def permit(self, identity: str, *, speaks: bool) -> None:
        """See ``Moderates``."""
        self._room.permitted.append((identity, speaks))

    async def leave(self) -> None:
        """See ``Far``."""
        self.ear = None
        if self in self._room.here:
            self._room.here.remove(self)

    def end(self, error: FarError) -> None:
        """Be over, for a reason."""
        if not self._over.done():
            self._over.set_result(error)
