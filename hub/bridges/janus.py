"""A room of Janus's AudioBridge: the hub joins as one participant, and hears its mix.

The AudioBridge mixes without the hub's own voice, so nobody hears an echo; who is there,
who is muted and who talks comes as events. It has no hands and no word about recordings:
the name that the hub is shown by says that the space is recorded.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hub.bridges.janus_terms import PLUGIN, Body, Roster, answer_of, check, data_of, shown_in
from hub.bridges.janus_wire import Wire
from hub.bridges.line import Line, way_to
from hub.bridges.mark import Marks
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError

# Packets that Janus holds before it begins to decode ours. Its own six are 120 ms of delay;
# two bear 40 ms of jitter, more than there is on the way from one server to another.
PREBUFFER: Final = 2
# Janus counts this much in bytes.
MAX_DISPLAY: Final = 200

PORTS: Final = {"ws": 80, "wss": 443, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Room:
    """Where to. ``secret`` and ``token`` are for Janus itself, ``pin`` for the room."""

    url: str
    room: int | str
    space: str
    name: str
    pin: str = ""
    secret: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps a space from hearing itself. ``spaces``: all of this hub's by now."""

    marks: Marks
    spaces: frozenset[str]


class JanusFar:
    """Implements ``Far`` by a room of the AudioBridge."""

    can = Abilities(roster=True, mute=True, talker=True, recording=True)

    def __init__(self, room: Room, guard: Guard) -> None:
        self._room = room
        self._guard = guard
        self._roster = Roster()
        self._wire: Wire | None = None
        self._line: Line | None = None
        self._handle: object = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ear: Ear | None = None
        self._name = room.name

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        room, self._ear = self._room, ear
        parts = urlsplit(room.url)
        address = await way_to(parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0))
        self._wire = wire = Wire(room.url, secret=room.secret, token=room.token)
        self._line = line = Line("sendrecv", address, ear)
        await wire.open()
        self._handle = await wire.attach(PLUGIN)
        there = await self._ask({"request": "listparticipants", "room": room.room})
        self._refuse_loop(data_of(there))
        join = {"request": "join", "room": room.room, "display": self._display(self._name)}
        join |= {"muted": False, "prebuffer": PREBUFFER} | ({"pin": room.pin} if room.pin else {})
        jsep = {"type": "offer", "sdp": await line.offer(), "trickle": False}
        joined = await self._ask(join, jsep=jsep)
        self._refuse_loop(data_of(joined))
        self._roster.joined(data_of(joined))
        await line.accept(answer_of(joined))
        ear.people(self._roster.people)

    async def stay(self) -> None:
        """See ``Far``."""
        if self._line is None or self._wire is None:
            raise FarError(Cause.FAILED, "It was never joined.")
        ways = [asyncio.ensure_future(self._line.stay()), asyncio.ensure_future(self._listen())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            results = await asyncio.gather(*ways, return_exceptions=True)
        # What Janus says is the better reason; the sound ends for every reason.
        errors = [each for each in reversed(results) if isinstance(each, FarError)]
        raise errors[0] if errors else FarError(Cause.FAILED, "It ended without a reason.")

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """See ``Far``."""
        return self._line is not None and self._line.send(payload, sequence, timestamp, marker)

    def show(self, name: str) -> None:
        """See ``Far``."""
        self._name = name
        if self._wire is None or self._handle is None:
            return
        body = {"request": "configure", "display": self._display(name)}
        task = asyncio.create_task(self._wire.tell("message", handle_id=self._handle, body=body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        """See ``Far``."""
        line, self._line = self._line, None
        wire, self._wire = self._wire, None
        for task in self._tasks:
            task.cancel()
        if wire is not None:
            await wire.aclose()
        if line is not None:
            await line.aclose()

    # --- private --------------------------------------------------------------

    async def _ask(self, body: Body, **more: object) -> Body:
        if self._wire is None:
            raise FarError(Cause.FAILED, "It was left meanwhile.")
        return await self._wire.request("message", handle_id=self._handle, body=body, **more)

    async def _listen(self) -> None:
        wire, ear = self._wire, self._ear
        while wire is not None and ear is not None:
            message = await wire.next()
            if not self._is_ours(message):
                continue
            if message.get("janus") in {"hangup", "detached"}:
                # Of a room that was closed, the plugin tells next.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        self._take(await wire.next(), ear)
                raise FarError(Cause.LOST, "Janus hung up.")
            self._take(message, ear)

    def _is_ours(self, message: Body) -> bool:  # noqa: ARG002 - other rooms look at it
        """Whether it is of the room, and not of somebody's sound alone."""
        return True

    def _take(self, message: Body, ear: Ear) -> None:
        data = data_of(message)
        if "error" not in data and self._roster.take(check(message)):
            ear.people(self._roster.people)

    def _display(self, name: str) -> str:
        marked = self._guard.marks.put_on(name, self._room.space, self._place)
        return marked if len(marked.encode()) <= MAX_DISPLAY else marked[-48:].strip()

    @property
    def _place(self) -> str:
        return str(self._room.room)

    def _refuse_loop(self, data: Body) -> None:
        """Refuse a room in which another space of ours is: both would hear themselves."""
        others = self._guard.spaces - {self._room.space}
        if any(self._guard.marks.is_ours(name, others, self._place) for name in shown_in(data)):
            why = "Another space of this hub is bridged to this room: they would hear themselves."
            raise FarError(Cause.ALREADY_BRIDGED, why)
