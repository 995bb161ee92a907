"""Members of a space who act at random over real WebSockets, and notice what must not be.

Each behaves as a box: a grant opens its microphone only while its finger is down on the very
press that was granted, and only as long as the hub renews the lease.
"""

import asyncio
import base64
import contextlib
import itertools
import random
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from msgspec.structs import replace

from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    MemberPlace,
    PinAdd,
    PinRemove,
    React,
    SpaceEdit,
)
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.handshake import MemberHandshake, member_id
from stagebox.wire.messages import (
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorRelease,
    FloorRequest,
    FloorRevoked,
    HubMessage,
    Join,
    Leave,
    MemberMessage,
    Ping,
    Pong,
    Snapshot,
    SnapshotRequest,
    SpaceLeft,
    StatusUpdate,
)
from stagebox.wire.space import StateEvent
from stagebox.wire.terms import LEASE_MS, MEMBER_PATH, Kind, Mark, Place, Role, Via
from stagebox.wire.view import SpaceView

LEASE_S: Final = LEASE_MS / 1000
PING_S: Final = 0.5  # as a box that talks
PAUSE_S: Final = 0.4  # for which a host holds everybody
# What honest members may be answered in the bustle.
FAIR: Final = {
    ErrorCode.QUEUE_EMPTY,
    ErrorCode.NO_SUCH_MEMBER,
    ErrorCode.NO_SUCH_PIN,
    ErrorCode.NOT_IN_SPACE,
    ErrorCode.BAD_VALUE,
    ErrorCode.CHAIR_PROTECTED,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.TOO_MANY,
    ErrorCode.REPLACED,
    ErrorCode.STAGE_FULL,
    ErrorCode.COHOST_LIMIT,
}


@dataclass
class Arena:
    """What all members share. ``faults`` must stay empty; ``seen`` counts what they got."""

    url: str
    space: str
    open_limit: int
    members: "list[Person]" = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    # While this is not set nobody begins anything.
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    # While this is set the patient ones and the host begin nothing.
    settling: bool = False

    def fault(self, text: str) -> None:
        self.faults.append(text)

    def check_microphones(self) -> None:
        """No more guests' microphones are open than the space allows."""
        now = time.monotonic()
        live = [each.name for each in self.members if each.counts and each.microphone(now)]
        if len(live) > self.open_limit:
            self.fault(f"open at once: {', '.join(live)}")


class Person:
    """One member: connects, joins, acts at random, comes back after whatever happens.

    ``counts``: takes one of the space's slots; chairs, and those who may become one, do not.
    """

    def __init__(self, arena: Arena, number: int, *, role: Role = Role.GUEST) -> None:
        self.key = base64.b64encode(number.to_bytes(32, "big")).decode()
        self.id = member_id(self.key)
        self.name = f"{role.value.title()} {number}"
        self.role = role
        self.counts = role is Role.GUEST
        self.arena = arena
        self.rng = random.Random(number)
        self.view: SpaceView | None = None
        self.patient = number % 2 == 0
        self.leaves = False
        self.refused: ErrorCode | None = None
        self._reqs = itertools.count(1)
        self._transport: asyncio.WriteTransport | None = None
        self._acts: Callable[[], None] = self._as_guest
        self._forget()

    def _forget(self) -> None:
        """Start anew, as after any loss of the connection: fingers are lifted, too."""
        self.view = None
        self.pressed: str | None = None
        self.offered: str | None = None
        self._hand: str | None = None
        self._granted: str | None = None
        self._lease_at = 0.0
        self._presses: dict[str, float] = {}
        self._pings: deque[float] = deque(maxlen=64)
        self._first_ping = 1
        self._out: asyncio.Queue[MemberMessage] = asyncio.Queue()

    @property
    def is_in(self) -> bool:
        """Whether it has joined."""
        return self.view is not None

    def microphone(self, now: float) -> bool:
        """Tell whether its microphone is open."""
        is_leased = now - self._lease_at < LEASE_S
        return self.pressed is not None and self._granted == self.pressed and is_leased

    # --- coming and going -----------------------------------------------------

    async def live(self) -> None:
        """Be a member until cancelled, or blocked."""
        while self.refused is not ErrorCode.BLOCKED:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._session()
            self._forget()
            await asyncio.sleep(self.rng.uniform(0.1, 0.6))

    async def _session(self) -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self.arena.url + MEMBER_PATH, max_msg_size=0) as line,
        ):
            self._transport = _transport(line)
            await self._open(line)
            self._join()
            jobs = {asyncio.create_task(job) for job in (self._read(line), self._write(line))}
            jobs |= {asyncio.create_task(job) for job in (self._ping(), self._act())}
            try:
                done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for job in jobs:
                    job.cancel()
                await asyncio.wait(jobs)
            for job in done:
                if not job.cancelled() and not isinstance(job.exception(), OSError | None):
                    self.arena.fault(f"{self.name}: {job.exception()!r}")

    async def _open(self, line: aiohttp.ClientWebSocketResponse) -> None:
        handshake = MemberHandshake(
            key=self.key,
            nonce=secrets.token_hex(32),
            name=self.name,
            kind=Kind.BOX,
            role=self.role,
            software="test",
        )
        while handshake.welcome is None:
            frame = await line.receive(timeout=20)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionResetError
            answer = handshake.receive(decode_hub(frame.data))
            if answer is not None:
                await line.send_str(encode(answer))

    async def _read(self, line: aiohttp.ClientWebSocketResponse) -> None:
        while (frame := await line.receive()).type is aiohttp.WSMsgType.TEXT:
            message = decode_hub(frame.data)
            self.arena.seen[type(message).__name__] += 1
            self._hear(message)

    async def _write(self, line: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await line.send_str(encode(await self._out.get()))

    async def _ping(self) -> None:
        for n in itertools.count(1):
            self._pings.append(time.monotonic())
            self._first_ping = n - len(self._pings) + 1
            self._out.put_nowait(Ping(n=n))
            await asyncio.sleep(PING_S)

    # --- hearing --------------------------------------------------------------

    def _hear(self, message: HubMessage) -> None:
        match message:
            case Snapshot():
                self._compare(SpaceView.of(message))
            case FloorGranted(req=req):
                self._on_granted(req)
            case FloorOffered(req=req):
                self.offered = req
            case FloorRevoked(req=req):
                self._lift(req)
            case FloorDenied(req=req) | FloorCancelled(req=req):
                self._over(req)
            case Pong(n=n, grant=grant) if grant is not None and grant == self._granted:
                if n >= self._first_ping:
                    self._lease_at = self._pings[n - self._first_ping]
            case SpaceLeft():
                self._quit()
                self._join()
            case Error(code=code):
                self._on_error(code, message.detail)
            case _ if isinstance(message, StateEvent):
                self._apply(message)

    def _compare(self, fresh: SpaceView) -> None:
        """Take a snapshot; it must say what the events before it said."""
        if self.view is not None and self.view.rev == fresh.rev and self.view != fresh:
            self.arena.fault(f"{self.name}: the snapshot differs from the events")
        self.view = fresh
        self._check_floor()

    def _apply(self, event: StateEvent) -> None:
        if self.view is None:
            return
        after = self.view.apply(event)
        if after is None:
            self.arena.fault(f"{self.name}: a gap before {event}")
            return
        self.view = after
        self._check_floor()

    def _check_floor(self) -> None:
        view = self.view
        if view is None:
            return
        floor = view.floor
        rows = [*floor.talkers, *floor.offered, *floor.queue]
        if len(set(rows)) != len(rows):
            self.arena.fault(f"{self.name}: twice on the floor: {floor}")
        counting = {each.id for each in self.arena.members if each.counts}
        if len(counting & set(floor.talkers)) > floor.open_limit:
            self.arena.fault(f"{self.name}: too many talkers: {floor}")
        hosts = [each for each in view.members.values() if each.place is Place.HOST]
        cohosts = [each for each in view.members.values() if each.place is Place.COHOST]
        if len(hosts) > 1 or len(cohosts) > 2:
            self.arena.fault(f"{self.name}: {len(hosts)} hosts, {len(cohosts)} co-hosts")

    def _on_granted(self, req: str) -> None:
        if req not in self._presses:
            self.arena.fault(f"{self.name}: granted without a finger: {req}")
        self._check_permitted()
        if req == self.pressed:
            if self._granted != req:
                self._lease_at = self._presses[req]
            self._granted = req
            self.offered = None
            self.arena.check_microphones()

    def _check_permitted(self) -> None:
        view = self.view
        me = view.members.get(self.id) if view is not None else None
        if view is None or me is None:
            return
        recording = view.space.recording
        if recording is not None and me.agreed != recording.version:
            self.arena.fault(f"{self.name}: granted without having agreed")
        if me.held or (view.floor.held and me.place in (Place.LISTENER, Place.SPEAKER)):
            self.arena.fault(f"{self.name}: granted while held")

    def _on_error(self, code: ErrorCode, detail: str) -> None:
        self.refused = code
        self.arena.seen[code.value] += 1
        if code not in FAIR and code is not ErrorCode.BLOCKED:
            self.arena.fault(f"{self.name}: {code}: {detail}")
        if code is ErrorCode.BLOCKED:
            self.leaves = True

    # --- acting ---------------------------------------------------------------

    async def _act(self) -> None:
        while not self.leaves:
            await asyncio.sleep(self.rng.uniform(0.4, 1.6))
            await self.arena.busy.wait()
            if self.is_in and not (self.patient and self.arena.settling):
                self._acts()
        self.leaves = False

    def _as_guest(self) -> None:
        """Press, let go, raise a hand, take it down, agree, mute, leave or break off."""
        if self.pressed is not None:
            self.let_go()
        elif self.offered is not None:
            self._press()
        elif self._is_asked_to_agree() and self.rng.random() < 0.5:
            self._agree()
        else:
            deeds, weights = zip(*self._deeds_of_guests(), strict=True)
            self.rng.choices(deeds, weights)[0]()

    def _deeds_of_guests(self) -> list[tuple[Callable[[], None], int]]:
        rng = self.rng
        return [
            (self._raise_hand, 35),
            (self._lower_hand, 10),
            (self._press, 20),
            (self._agree, 10),
            (lambda: self._do(React(req=self._req(), mark=rng.choice(list(Mark)))), 10),
            (lambda: self._do(StatusUpdate(req=self._req(), muted=rng.random() < 0.3)), 5),
            (lambda: self._do(SnapshotRequest(req=self._req())), 5),
            (self._leave, 5),
        ]

    def _leave(self) -> None:
        """Go: with a word, by closing the connection, or as if the plug were pulled."""
        way = self.rng.randrange(3)
        if way == 0:
            self._do(Leave(req=self._req()))
            self._quit()
            asyncio.get_running_loop().call_later(PAUSE_S, self._join)
        elif way == 1:
            self.leaves = True
        elif self._transport is not None:
            self._transport.abort()

    def _quit(self) -> None:
        """Be in no space: nothing is open or waiting any more."""
        self.view = self.pressed = self.offered = self._hand = self._granted = None

    def _join(self) -> None:
        self._do(Join(req=self._req(), space=self.arena.space))

    def _press(self) -> None:
        self.pressed = self._req()
        self._presses[self.pressed] = time.monotonic()
        self._do(FloorRequest(req=self.pressed, via=Via.TALK))

    def let_go(self) -> None:
        """Lift the finger."""
        if self.pressed is not None:
            self._do(FloorRelease(req=self.pressed))
            self._lift(self.pressed)

    def _lift(self, req: str) -> None:
        if req == self.pressed:
            self.pressed = None
            self._do(FloorRelease(req=req))
        if req == self._granted:
            self._granted = None

    def _over(self, req: str) -> None:
        if req == self.offered:
            self.offered = None
        if req == self._hand:
            self._hand = None
        self._lift(req)

    def _raise_hand(self) -> None:
        view = self.view
        if view is not None and self.id not in view.floor.queue:
            self._hand = self._req()
            self._do(FloorRequest(req=self._hand, via=Via.HAND))

    def _lower_hand(self) -> None:
        if self._hand is not None:
            self._do(FloorRelease(req=self._hand))
            self._hand = None

    def _is_asked_to_agree(self) -> bool:
        view = self.view
        me = view.members.get(self.id) if view is not None else None
        if view is None or me is None or view.space.recording is None:
            return False
        return me.agreed != view.space.recording.version

    def _agree(self) -> None:
        """Agree to the recording, or take that back."""
        view = self.view
        if view is not None and view.space.recording is not None:
            version = view.space.recording.version if self._is_asked_to_agree() else 0
            self._do(Agree(req=self._req(), recording=version))

    def _do(self, message: MemberMessage) -> None:
        self._out.put_nowait(message)

    def _req(self) -> str:
        return f"{self.name.split()[-1]}-{next(self._reqs)}"


class Host(Person):
    """A studio box that runs the evening, as wildly as its acts allow."""

    def __init__(self, arena: Arena, number: int, deputies: list[Person]) -> None:
        super().__init__(arena, number, role=Role.STUDIO)
        self._deputies = deputies
        self._acts = self._as_host

    async def _act(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.1, 0.4))
            await self.arena.busy.wait()
            if self.is_in and not self.arena.settling:
                self._acts()

    def _as_host(self) -> None:
        if self.rng.random() < 0.6:
            self._do(FloorNext(req=self._req()))
            return
        deed = self.rng.choice(self._deeds())
        self._do(deed)
        if isinstance(deed, FloorHold | FloorPriority) and deed.on:
            # Or else nobody would ever talk for long.
            undo = replace(deed, req=self._req(), on=False)
            asyncio.get_running_loop().call_later(PAUSE_S, self._do, undo)

    def do(self, act: Act) -> None:
        """Have one thing done."""
        self._do(act)

    def _deeds(self) -> list[Act]:
        rng, someone, req = self.rng, self.rng.choice(self.arena.members).id, self._req()
        deputy = rng.choice(self._deputies).id
        place = rng.choice([Place.COHOST, Place.SPEAKER])
        return [
            FloorNext(req=req, member=someone),
            FloorMove(req=req, member=someone, position=rng.randint(1, 5)),
            FloorClear(req=req, member=someone),
            FloorHold(req=req, member=someone, on=True),
            FloorHold(req=req, on=True),
            FloorPriority(req=req, on=True),
            MemberPlace(req=req, member=deputy, place=place),
            PinAdd(req=req, text=f"Note {req}"),
            PinRemove(req=req, id=rng.randint(1, 20)),
            SpaceEdit(req=req, topic=f"Topic {req}"),
        ]


def _transport(line: aiohttp.ClientWebSocketResponse) -> asyncio.WriteTransport | None:
    connection = line._response.connection
    return None if connection is None else connection.transport
