"""A model of boxes, a bad network and a hub around one floor, in steps of 50 ms.

The network loses, delays, repeats and reorders messages, each on its own. The hub's
shell is what the protocol asks of one: sessions by number, an answer to every ping,
``Vanish`` 3 s after a member was last heard. The boxes are honest and simple: one
finger, one request at a time, and the lease rule.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from hub.floor.arbiter import FloorArbiter
from hub.floor.events import (
    Ask,
    CloseGate,
    Depart,
    Effect,
    Enter,
    Event,
    Next,
    OpenGate,
    Order,
    Release,
    SetMuted,
    SetPlace,
    SetRules,
    Spoke,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from stagebox.wire.acts import FloorNext
from stagebox.wire.messages import (
    Done,
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorRelease,
    FloorReleased,
    FloorReply,
    FloorRequest,
    FloorRevoked,
    HubMessage,
    Join,
    Leave,
    MemberMessage,
    Ping,
    Pong,
    Snapshot,
    StatusUpdate,
)
from stagebox.wire.terms import LEASE_MS, LOST_AFTER_MS, Kind, Place, Role, Via
from tests.unit.hub.floor_kit import CHAIR, INFO, mid

UP, DOWN, SOUND = "up", "down", "sound"
STEP_S = 0.05
PING_S = 0.5
RESEND_S = 1.0
LEASE_S = LEASE_MS / 1000
LOST_AFTER_S = LOST_AFTER_MS / 1000


@dataclass(frozen=True, slots=True)
class Weather:
    """What the network does to a message. ``late``: how many take up to ``delay_s`` longer."""

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    delay_s: float = 0.0
    # The longest time on the wire of a message that is not late.
    base_s: float = 0.02


class Net:
    """Carries calls to the other end, each on its own way.

    ``weather`` is everybody's; ``local`` is that of one direction of one box, if it differs.
    """

    def __init__(self, rng: random.Random, weather: Weather) -> None:
        self.weather = weather
        self.local: dict[tuple[str, str], Weather] = {}
        self.now = 0.0
        self._rng = rng
        self._order = count()
        self._way: list[tuple[float, int, Callable[[], None]]] = []

    def send(self, way: tuple[str, str], deliver: Callable[[], None]) -> None:
        rng, weather = self._rng, self.local.get(way, self.weather)
        for _ in range(2 if rng.random() < weather.twice else 1):
            if rng.random() >= weather.loss:
                delay = rng.uniform(0, weather.base_s)
                if rng.random() < weather.late:
                    delay += rng.uniform(0, weather.delay_s)
                heapq.heappush(self._way, (self.now + delay, next(self._order), deliver))

    def deliver(self) -> None:
        while self._way and self._way[0][0] <= self.now:
            heapq.heappop(self._way)[2]()


class Box:
    """One member: its finger, its sender and its half of the session."""

    def __init__(self, member_id: str, place: Place, world: "World") -> None:
        self.member_id = member_id
        self.place = place
        self.world = world
        self.is_dead = False
        self.is_muted = False
        self.asked: set[str] = set()
        self.answered: set[str] = set()
        self.bursts = 0
        self.req = ""
        self.is_pressed = self.is_granted = False
        self._reqs = count(1)
        self._queued = ""
        self.session = 0
        self._start_session()

    @property
    def is_sending(self) -> bool:
        """The lease rule: whether audio leaves this box now."""
        now = self.world.net.now
        is_open = self.is_pressed and self.is_granted and not self.is_dead
        return is_open and now < self.cut_at and now - self.lease_from < LEASE_S

    # --- the finger -----------------------------------------------------------------

    def press(self, via: Via = Via.TALK) -> None:
        if self.is_pressed or self.is_muted or not self.is_joined:
            return
        req = f"r{next(self._reqs)}"
        self.asked.add(req)
        if via is Via.TALK:
            self._drop_press()
            self.req = req
            self.is_pressed = True
            self.lease_from = self.world.net.now  # the first sending counts
        self._pending[req] = FloorRequest(req=req, via=via)
        self._send(self._pending[req])

    def lift(self) -> None:
        if self.is_pressed:
            self.is_pressed = False
            self._release(self.req)

    def lower_hand(self) -> None:
        if self._queued:
            self._end(self._queued)
            self._queued = ""

    def mute(self, muted: bool) -> None:
        self.is_muted = muted
        req = f"s{next(self._reqs)}"
        self._pending[req] = StatusUpdate(req=req, muted=muted)
        self._send(self._pending[req])
        if muted:
            self.lift()

    def call_next(self) -> None:
        req = f"n{next(self._reqs)}"
        self._pending[req] = FloorNext(req=req)
        self._send(self._pending[req])

    def leave(self) -> None:
        self._stop()
        self._send(Leave(req=f"l{next(self._reqs)}"))
        self._start_session()

    # --- the session ----------------------------------------------------------------

    def _start_session(self) -> None:
        """Anything of an older session is over before the join is sent."""
        self._stop()
        self.session = self.world.new_session()
        self.is_joined = False
        self._join = Join(req=f"j{self.session}")
        self._pending: dict[str, MemberMessage] = {self._join.req: self._join}
        self._pings: dict[int, float] = {}
        self._last_pong = self._resent_at = self._pinged_at = self.world.net.now
        self._send(self._join)

    def _stop(self) -> None:
        self.answered |= self.asked  # a new session asks anew; nobody waits for the old
        self._drop_press()
        self._queued = ""

    def _drop_press(self) -> None:
        self.is_pressed = self.is_granted = False
        self.req = ""
        self.lease_from = self.cut_at = float("inf")

    def tick(self) -> None:
        if self.is_dead:
            return
        now = self.world.net.now
        if now - self._last_pong > LEASE_S + RESEND_S:
            self._start_session()
        if now - self._pinged_at >= PING_S:
            self._pinged_at = now
            number = len(self._pings) + 1
            self._pings[number] = now
            self._send(Ping(n=number))
        if now - self._resent_at >= RESEND_S:
            self._resent_at = now
            for message in list(self._pending.values()):
                self._send(message)
        if self.is_sending:
            self.world.hear(self.member_id)

    def receive(self, session: int, message: HubMessage) -> None:
        if session != self.session or self.is_dead:
            return
        match message:
            case Pong(n=n, grant=grant):
                self._last_pong = self.world.net.now
                if self.is_granted and grant == self.req:
                    self.lease_from = max(self.lease_from, self._pings[n])
            case Snapshot():
                self.is_joined = True
                self._pending.pop(self._join.req, None)
            case Done() | Error():
                self._pending.pop(message.req or "", None)
            case _ if isinstance(message, FloorReply):
                self._floor(message)

    def _floor(self, message: FloorReply) -> None:
        req = message.req
        self.answered.add(req)
        if isinstance(message, FloorReleased) or isinstance(self._pending.get(req), FloorRequest):
            self._pending.pop(req, None)
        match message:
            case FloorGranted():
                self._granted(req)
            case FloorRevoked():
                self._revoked(req, message.grace_s)
            case FloorQueued() | FloorOffered():
                self._queued = req
                if req == self.req and self.world.rules.queues:
                    self._drop_press()  # the finger goes up and waits
            case FloorDenied() | FloorCancelled() | FloorReleased():
                self._queued = "" if req == self._queued else self._queued
                if req == self.req:
                    self._drop_press()

    def _granted(self, req: str) -> None:
        if req != self.req or not self.is_pressed:
            self._release(req)
        elif not self.is_granted:
            self.is_granted = True
            self.bursts += 1

    def _revoked(self, req: str, grace_s: float) -> None:
        if req == self.req and grace_s > 0:
            self.cut_at = min(self.cut_at, self.world.net.now + grace_s)
        else:
            self._end(req)

    def _end(self, req: str) -> None:
        if req == self.req:
            self._drop_press()
        self._release(req)

    def _release(self, req: str) -> None:
        self._pending[req] = FloorRelease(req=req)
        self._send(self._pending[req])

    def _send(self, message: MemberMessage) -> None:
        session = self.session
        if self.is_dead:
            return
        way = (UP, self.member_id)
        self.world.net.send(way, lambda: self.world.hub_receives(self, session, message))


class World:
    """Some boxes, the network and the hub."""

    def __init__(self, seed: int, rules: FloorRules, places: list[Place], weather: Weather) -> None:
        self.rng = random.Random(seed)
        self.rules = rules
        self.net = Net(self.rng, weather)
        self.arbiter = FloorArbiter(rules)
        self.gates: set[str] = set()
        self.most_sending = 0
        # When the hub granted each request, by member and name.
        self.granted: dict[tuple[str, str], float] = {}
        self.excess_from: float | None = None
        self._may_exceed = False
        self._places: dict[str, Place] = {}
        self._sessions = count(1)
        self._session: dict[str, int] = {}
        self._live: set[str] = set()
        self._heard: dict[str, float] = {}
        self.boxes: dict[str, Box] = {}
        for number, place in enumerate(places, start=1):
            self._places[mid(number)] = place
            self.boxes[mid(number)] = Box(mid(number), place, self)

    def new_session(self) -> int:
        return next(self._sessions)

    def run(self, seconds: float, act: Callable[["World"], None] | None = None) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.net.now += STEP_S
            self.net.deliver()
            self._watch()
            for box in self.boxes.values():
                box.tick()
            if act is not None:
                act(self)
            self.check()

    def check(self) -> None:
        floor = self.arbiter.floor()
        members = {member.id: member for member in self.arbiter.members()}
        self._places |= {member.id: member.place for member in members.values()}
        counted = {
            box.member_id: self.granted[box.member_id, box.req]
            for box in self.boxes.values()
            if box.is_sending and not self._is_exempt(box.member_id)
        }
        self.most_sending = max(self.most_sending, len(counted))
        rows = {each for each in (*floor.talkers, *floor.offered) if not self._is_exempt(each)}
        self._check_limit(rows | set(counted), counted)
        assert self.gates <= set(floor.talkers)

    def _check_limit(self, taken: set[str], counted: dict[str, float]) -> None:
        """More than allowed only for as long as those talk on who talked before it was less."""
        if len(taken) <= self.rules.open_limit:
            self.excess_from = None
        elif self.excess_from is None:
            assert self._may_exceed, counted
            self.excess_from = self.net.now
        if self.excess_from is not None:
            assert all(at <= self.excess_from for at in counted.values())
        self._may_exceed = False

    def _is_exempt(self, member_id: str) -> bool:
        return self.rules.chair_always and self._places[member_id] in CHAIR

    def hear(self, member_id: str) -> None:
        """Audio of this box leaves; some of it arrives."""
        if self.rng.random() < 0.3:
            spoke = Spoke(member_id)
            way = (SOUND, member_id)
            self.net.send(way, lambda: self._handle(spoke))

    # --- what chairs and the space decide ----------------------------------------------

    def order(self, order: Order) -> None:
        if isinstance(order, SetRules):
            self.rules = order.rules
        self._may_exceed |= isinstance(order, SetRules | SetPlace)
        self._handle(order)

    def put_out(self, me: str) -> None:
        """The worst case: the box is not told, and hears no more of its session."""
        if me in self._live:
            self._live.discard(me)
            self._handle(Depart(me, put_out=True))

    # --- the hub's shell --------------------------------------------------------------

    def hub_receives(self, box: Box, session: int, message: MemberMessage) -> None:
        me = box.member_id
        if session < self._session.get(me, 0):
            return
        if session > self._session.get(me, 0):
            self._lose(me)
            self._session[me] = session
            self._live.add(me)
        elif me not in self._live:
            return  # closed: the box has to make a new one
        self._heard[me] = self.net.now
        match message:
            case Ping(n=n):
                self._tell(me, Pong(n=n, grant=self.arbiter.grant_of(me)))
            case Join(req=req):
                self._join(me, req)
            case Leave():
                self._live.discard(me)
                self._handle(Depart(me))
            case FloorRequest(req=req, via=via):
                self._handle(Ask(me, req, via))
            case FloorRelease(req=req):
                self._handle(Release(me, req))
            case StatusUpdate(req=req, muted=muted):
                self._handle(SetMuted(me, req, muted))
            case FloorNext(req=req):
                self._handle(Next(me, req))

    def _join(self, me: str, req: str) -> None:
        member = next((each for each in self.arbiter.members() if each.id == me), None)
        effects: list[Effect] = []
        if member is None or not member.connected:  # a join that is repeated is no new one
            kept = (member.agreed, member.captioned, member.held) if member else ()
            enter = Enter(me, f"Box {me[-1]}", Kind.BOX, Role.GUEST, self._places[me], *kept)
            effects = self.arbiter.handle(enter, self.net.now)
        members, floor = tuple(self.arbiter.members()), self.arbiter.floor()
        self._tell(me, Snapshot(req=req, rev=0, you=me, space=INFO, members=members, floor=floor))
        self._do(effects)

    def _handle(self, event: Event) -> None:
        self._do(self.arbiter.handle(event, self.net.now))

    def _watch(self) -> None:
        for me in sorted(self._live):
            if self.net.now - self._heard[me] >= LOST_AFTER_S:
                self._lose(me)
        due = self.arbiter.deadline
        if due is not None and due <= self.net.now:
            self._do(self.arbiter.tick(self.net.now))

    def break_connection(self, me: str) -> None:
        """The hub sees the connection end; the box does not, yet."""
        self._lose(me)

    def _lose(self, me: str) -> None:
        if me in self._live:
            self._live.discard(me)
            self._handle(Vanish(me, self._heard[me]))

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Tell(member_id, message) if member_id in self._live:
                    self._tell(member_id, message)
                case OpenGate(member_id):
                    self.gates.add(member_id)
                    req = self.arbiter.grant_of(member_id) or ""
                    self.granted[member_id, req] = self.net.now
                case CloseGate(member_id):
                    self.gates.remove(member_id)

    def _tell(self, me: str, message: HubMessage) -> None:
        box, session = self.boxes[me], self._session[me]
        self.net.send((DOWN, me), lambda: box.receive(session, message))
