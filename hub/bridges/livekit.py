"""A room of LiveKit: the hub joins as one participant, and hears everybody else as one voice.

What is in the room is a program of its own (``hub.bridges.livekit_program``): a failure of
LiveKit's library ends that program, and nobody in the hub hears it load or work.
"""

import asyncio
import contextlib
import hashlib
import subprocess
import sys
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hub.bridges.janus import Guard
from hub.bridges.livekit_mail import (
    Entry,
    Heard,
    Join,
    Joined,
    Leave,
    MailError,
    May,
    News,
    Order,
    Over,
    People,
    Permit,
    React,
    Say,
    Show,
    encode,
    read_news,
)
from hub.bridges.livekit_terms import MAX_SHOWN, room_of, shown
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError, reason
from hub.media.channel import ChannelFullError, Reader, Writer, line
from stagebox.media.rtp import AudioPacket
from stagebox.wire.terms import Mark

# Loading the library takes half a second on a PC and several on a Pi; to join, 5 s more.
JOIN_S: Final = 30.0
# A connection is made within one round trip; what is lost is sent again after a second.
KNOCK_S: Final = 3.0
# The program beats every half second; a machine that is overloaded is late by a beat or two.
HANG_S: Final = 3.0
# What it takes to say goodbye; then it is ended.
GOODBYE_S: Final = 1.5
_PORTS: Final = {"ws": 80, "wss": 443}
LISTENS: Final = "Over there this hub may listen, but not speak: somebody there has to let it."


@dataclass(frozen=True, slots=True)
class Room:
    """Where to. Either ``token``, or ``key`` and ``secret``, by which the hub makes its own."""

    url: str
    room: str
    space: str
    name: str
    key: str = ""
    secret: str = ""
    token: str = ""

    @property
    def place(self) -> str:
        """The room that it leads to."""
        return room_of(self.token) if self.token else self.room


@dataclass(slots=True)
class Memory:
    """What one try knows of the one before. ``ended``: the room was closed over there."""

    ended: bool = False


class LiveKitFar:
    """Implements ``Far`` by a room of LiveKit."""

    can = Abilities(roster=True, mute=True, talker=True, hands=True, recording=True)

    def __init__(self, room: Room, guard: Guard, memory: Memory) -> None:
        self._room = room
        self._guard = guard
        self._memory = memory
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[FarError] = self._loop.create_future()
        self._joined: asyncio.Future[Joined] = self._loop.create_future()
        self._program: subprocess.Popen[bytes] | None = None
        self._reader: Reader | None = None
        self._writer: Writer | None = None
        self._ear: Ear | None = None
        self._is_in = False
        self._moderates = False
        self._silent = asyncio.Event()  # the program has ended
        self._beat_at = self._loop.time()

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        if not self._room.place:
            raise FarError(Cause.WRONG_SECRET, "This is no join token of LiveKit, or for no room.")
        self._ear = ear
        await _knock(self._room.url)
        self._start()
        self._order(self._request())
        waits = (self._joined, self._over)
        await asyncio.wait(waits, timeout=JOIN_S, return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            raise self._over.result()
        if not self._joined.done():
            raise FarError(Cause.NO_ANSWER, "The program for LiveKit did not get there in time.")
        joined = self._joined.result()
        self._refuse_loop(joined.people)
        self._memory.ended = False
        self._is_in = True
        self._moderates = joined.moderates
        ear.people(shown(joined.people, moderates=joined.moderates))

    async def stay(self) -> None:
        """See ``Far``."""
        while not self._over.done():
            await asyncio.wait((self._over,), timeout=HANG_S / 2)
            if self._loop.time() > self._beat_at + HANG_S:
                self._end(FarError(Cause.FAILED, "The program for LiveKit hangs."))
        raise self._over.result()

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """See ``Far``."""
        if self._writer is None or not self._is_in:
            return False
        self._writer.offer(encode(Say(sequence, timestamp, marker, payload)))
        return True

    def show(self, name: str) -> None:
        """See ``Far``."""
        self._order(Show(self._display(name)))

    def react(self, mark: Mark) -> None:
        """See ``Reacts``."""
        self._order(React(mark))

    def permit(self, identity: str, *, speaks: bool) -> None:
        """See ``Moderates``; as far as our key may."""
        self._order(Permit(identity, speaks))

    async def leave(self) -> None:
        """See ``Far``."""
        self._ear, self._is_in = None, False
        program, self._program = self._program, None
        if program is not None:
            self._order(Leave())
            await self._ended(program)
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        if reader is not None:
            reader.close()

    # --- private --------------------------------------------------------------

    def _start(self) -> None:
        ours, its = line()
        try:
            with its:
                descriptor = its.fileno()
                # -P: whatever lies in the present folder is not imported.
                self._program = subprocess.Popen(  # noqa: S603 - this very program
                    [sys.executable, "-P", "-m", "hub.bridges.livekit_program", str(descriptor)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(descriptor,),
                )
        except OSError as error:
            ours.close()
            raise FarError(Cause.FAILED, f"No program could be started: {error}.") from None
        self._writer = Writer(ours)
        self._reader = Reader(ours, self._take, self._gone)

    async def _ended(self, program: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._silent.wait()
        with contextlib.suppress(ProcessLookupError):
            program.kill()
        program.wait()

    def _request(self) -> Join:
        room = self._room
        name = self._display(room.name)
        identity = hashlib.sha256(f"{self._guard.marks.hub_id} {room.space}".encode()).hexdigest()
        return Join(
            url=room.url,
            room=room.place,
            identity=f"stagebox-{identity[:16]}",
            name=name,
            key=room.key,
            secret=room.secret,
            token=room.token,
            must_be_there=self._memory.ended and not room.token,
        )

    def _order(self, order: Order) -> None:
        if self._writer is None:
            return
        try:
            self._writer.order(encode(order))
        except ChannelFullError:
            self._end(FarError(Cause.FAILED, "The program for LiveKit hangs."))

    def _take(self, data: memoryview, _descriptor: int | None) -> None:
        self._beat_at = self._loop.time()
        try:
            self._do(read_news(data))
        except MailError:
            self._end(FarError(Cause.FAILED, "The program for LiveKit says what it may not."))

    def _do(self, news: News) -> None:
        ear = self._ear
        match news:
            case Heard() if ear is not None and self._is_in:
                packet = AudioPacket(0, news.sequence, news.timestamp, news.payload, news.marker)
                ear.heard(packet, self._loop.time())
            case People(people) if ear is not None:
                ear.people(shown(people, moderates=self._moderates))
            case Joined() if not self._joined.done():
                self._joined.set_result(news)
            case React(mark) if ear is not None:
                ear.reacted(mark)
            case May(speaks) if ear is not None:
                ear.note("" if speaks else LISTENS)
            case Over(cause, detail):
                self._memory.ended |= cause is Cause.ROOM_ENDED
                self._end(FarError(cause, detail))
            case _:
                pass  # a beat, or of a room that is not joined yet or no longer

    def _gone(self) -> None:
        self._silent.set()
        self._end(FarError(Cause.FAILED, "The program for LiveKit ended: look at the hub's log."))

    def _end(self, error: FarError) -> None:
        if not self._over.done():
            self._over.set_result(error)

    def _display(self, name: str) -> str:
        return self._guard.marks.put_on(name, self._room.space, self._room.place)[-MAX_SHOWN:]

    def _refuse_loop(self, people: tuple[Entry, ...]) -> None:
        """Refuse a room in which another space of ours is: both would hear themselves."""
        guard, others = self._guard, self._guard.spaces - {self._room.space}
        if any(guard.marks.is_ours(each.name, others, self._room.place) for each in people):
            why = "Another space of this hub is bridged to this room: they would hear themselves."
            raise FarError(Cause.ALREADY_BRIDGED, why)


async def _knock(url: str) -> None:
    """Look whether somebody is there: cheaper than a program that finds out, and sooner.

    Raises:
        FarError: nobody is.
    """
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError) as error:
        why = f"LiveKit does not answer: {reason(error)}."
        raise FarError(Cause.UNREACHABLE, why) from None
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(KNOCK_S):
            await writer.wait_closed()
