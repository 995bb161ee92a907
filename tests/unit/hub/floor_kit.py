"""A floor under test: keeps what each member was told and checks what must always hold.

The checks go by a model of their own: which fingers are down, which leases may still run,
who is held, what is frozen and what must be agreed to.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from hub.floor.arbiter import FloorArbiter
from hub.floor.events import (
    Announce,
    Answer,
    Ask,
    CloseGate,
    Depart,
    Effect,
    Enter,
    Event,
    Freeze,
    Hold,
    HoldAll,
    Next,
    OpenGate,
    Order,
    Priority,
    Release,
    Request,
    RequireConsent,
    Restore,
    SetMuted,
    SetPlace,
    SetRules,
    Spoke,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from stagebox.wire.causes import RevokeCause
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.messages import Done, Error, FloorQueued, FloorRevoked
from stagebox.wire.space import Floor, FloorChanged, Member, MemberChanged, SpaceInfo
from stagebox.wire.terms import LOST_AFTER_MS, Kind, Mode, Place, Role, Via

INFO = SpaceInfo(id="hall", name="Hall")
LOST_AFTER_S = LOST_AFTER_MS / 1000
EPSILON = 1e-6  # sums of floats: 1000.1 + 3 - 1000.1 is not 3
CHAIR = (Place.HOST, Place.COHOST)
_A = TypeVar("_A", bound=Answer)


def mid(number: int) -> str:
    """Return the id of member ``number``."""
    return f"{number:032x}"


A, B, C, D, HOST = (mid(number) for number in (0xA, 0xB, 0xC, 0xD, 0xF))
STRANGER = mid(0x5)


def name_of(member_id: str) -> str:
    return f"Member {int(member_id, 16):x}"


@dataclass(frozen=True)
class Before:
    """How it stood before what happened."""

    floor: Floor
    members: dict[str, Member]


@dataclass
class Model:
    """What a floor must go by, kept apart from it."""

    rules: FloorRules
    frozen: bool = False
    held: bool = False
    consent: int = 0
    # The presses that have not been let go, by member.
    fingers: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    # When the lease of each talker may last have been renewed.
    lease_from: dict[str, float] = field(default_factory=dict)
    # Until when the microphones of those who were put out may be open.
    ghosts: list[float] = field(default_factory=list)
    granted_at: dict[str, float] = field(default_factory=dict)
    # Until when each member may not talk because it talked too long.
    barred: dict[tuple[str, str], float] = field(default_factory=dict)
    # The position that each member heard last.
    places: dict[str, int] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        match event:
            case Ask(member_id, req, Via.TALK):
                self.fingers[member_id].add(req)
            case Release(member_id, req):
                self.fingers[member_id].discard(req)
            case Enter(member_id) | Depart(member_id):
                self.fingers[member_id].clear()
            case Freeze(on):
                self.frozen = on
            case HoldAll(on):
                self.held = on
            case RequireConsent(version):
                self.consent = version
            case SetRules(rules):
                self.rules = rules

    def hear(self, member_id: str, message: Answer, now: float) -> None:
        if isinstance(message, FloorQueued):
            self.places[member_id] = message.position
        elif isinstance(message, FloorRevoked) and message.cause is RevokeCause.TOO_LONG:
            # It may be said again, in the same words.
            self.barred.setdefault((member_id, message.req), now + message.retry_after_s)

    def barred_until(self, member_id: str) -> float:
        return max((at for (who, _), at in self.barred.items() if who == member_id), default=0)

    def forget_penalties(self, gone: AbstractSet[str]) -> None:
        """They go with the seat."""
        self.barred = {key: at for key, at in self.barred.items() if key[0] not in gone}

    def miss_chairs(self, before: Iterable[Member], after: Iterable[Member]) -> None:
        """Hold nobody once the last chair is gone."""
        had, has = (any(each.place in CHAIR for each in those) for those in (before, after))
        self.held = self.held and (has or not had)

    def put_out(self, member_id: str, before: Before) -> None:
        """Its microphone may be open as long as its lease runs, and keeps its slot."""
        if member_id in before.floor.talkers and not self.is_exempt(before.members[member_id]):
            self.ghosts.append(self.lease_from[member_id] + LOST_AFTER_S - EPSILON)

    def is_exempt(self, member: Member) -> bool:
        """Whether this member needs no slot."""
        return self.rules.chair_always and member.place in CHAIR

    def may_talk(self, member: Member, floor: Floor) -> bool:
        """Whether the microphone of this member may be open at all."""
        is_chair = member.place in CHAIR
        return (
            not self.frozen
            and not member.held
            and (is_chair or not self.held)
            and self.consent in (0, member.agreed)
            and (floor.priority in (None, member.id) or member.place is Place.HOST)
            and member.place is not Place.LISTENER
            and member.connected
            and not member.muted
        )


class Room:
    """A ``FloorArbiter`` with a clock. ``told`` holds what each member heard since ``forget``."""

    def __init__(self, rules: FloorRules | Mode, members: Iterable[str] = ()) -> None:
        rules = rules if isinstance(rules, FloorRules) else FloorRules.for_mode(rules)
        self.arbiter = FloorArbiter(rules)
        self.model = Model(rules)
        self.now = 1000.0
        self.told: defaultdict[str, list[Answer]] = defaultdict(list)
        self.gates: set[str] = set()
        self.effects: list[Effect] = []
        self.had_excess = False
        self._reqs = 0
        self._sendable: set[FloorChanged | MemberChanged] = set()
        for member_id in members:
            self.enter(member_id)

    @property
    def rules(self) -> FloorRules:
        return self.model.rules

    @property
    def members(self) -> dict[str, Member]:
        return {member.id: member for member in self.arbiter.members()}

    # --- what happens ---------------------------------------------------------------

    def enter(
        self, member_id: str, place: Place | None = None, role: Role = Role.GUEST
    ) -> list[Answer]:
        default = Place.HOST if member_id == HOST else Place.SPEAKER
        event = Enter(member_id, name_of(member_id), Kind.BOX, role, place or default)
        return self.do(event)

    def depart(self, member_id: str, put_out: bool = False) -> list[Answer]:
        return self.do(Depart(member_id, put_out))

    def vanish(self, member_id: str, ago: float = 0.0) -> list[Answer]:
        return self.do(Vanish(member_id, self.now - ago))

    def talk(self, member_id: str, req: str = "t1") -> list[Answer]:
        return self.do(Ask(member_id, req, Via.TALK))

    def hand(self, member_id: str, req: str = "h1") -> list[Answer]:
        return self.do(Ask(member_id, req, Via.HAND))

    def release(self, member_id: str, req: str = "t1") -> list[Answer]:
        return self.do(Release(member_id, req))

    def next(
        self, target: str | None = None, by: str = HOST, req: str | None = None
    ) -> list[Answer]:
        return self.do(Next(by, req or self.new_req(), target))

    def call(self, target: str | None = None, req: str = "c1") -> Done | Error:
        """Offer the floor for somebody who has no seat."""
        before = self._before()
        answer = self.arbiter.call(req, target, self.now)
        self._take(before, self.arbiter.tick(self.now))
        return answer

    def mute(self, member_id: str, muted: bool = True, req: str | None = None) -> list[Answer]:
        return self.do(SetMuted(member_id, req or self.new_req(), muted))

    def spoke(self, *members: str) -> None:
        for member_id in members:
            assert self.arbiter.handle(Spoke(member_id), self.now) == []

    def do(self, event: Enter | Depart | Vanish | Request) -> list[Answer]:
        """Apply what happened to a member; return what it was told."""
        told = len(self.told[event.member_id])
        self._apply(event)
        return self.told[event.member_id][told:]

    def order(self, *orders: Order) -> None:
        """Have these orders carried out."""
        for order in orders:
            self._apply(order)

    def hold(self, member_id: str, on: bool = True) -> None:
        self.order(Hold(member_id, on))

    def priority(self, member_id: str = HOST, on: bool = True) -> None:
        self.order(Priority(member_id, on))

    def place(self, member_id: str, place: Place) -> None:
        self.order(SetPlace(member_id, place))

    def wait(self, seconds: float, speaking: Sequence[str] = ()) -> None:
        """Let time pass; ticks are on time, and ``speaking`` send audio all along."""
        end = self.now + seconds
        while True:
            due = self.arbiter.deadline
            step = min(end, self.now + 0.5 if speaking else end, end if due is None else due)
            self.now = max(self.now, step)
            self.spoke(*speaking)
            self.tick()
            if self.now >= end:
                return

    def jump(self, seconds: float) -> None:
        """Let time pass at once; the tick comes late."""
        self.now += seconds
        self.tick()

    def tick(self) -> None:
        self._take(self._before(), self.arbiter.tick(self.now))

    def new_req(self) -> str:
        """Return a name that no request had."""
        self._reqs += 1
        return f"req-{self._reqs}"

    # --- what is seen ---------------------------------------------------------------

    def forget(self) -> None:
        self.told.clear()
        self.effects.clear()

    def floor(self) -> Floor:
        return self.arbiter.floor()

    def member(self, member_id: str) -> Member:
        return self.members[member_id]

    def last(self, member_id: str, kind: type[_A]) -> _A:
        """Return the last message a member heard, which must be of this kind."""
        answer = self.told[member_id][-1]
        assert isinstance(answer, kind), answer
        return answer

    # --- what must hold -------------------------------------------------------------

    def _apply(self, event: Event) -> None:
        before = self._before()
        if isinstance(event, Vanish) and event.member_id in self.model.lease_from:
            renewed = self.model.lease_from[event.member_id]
            self.model.lease_from[event.member_id] = min(renewed, event.heard_at)
        if isinstance(event, Depart) and event.put_out:
            self.model.put_out(event.member_id, before)
        self.model.note(event)
        self._take(before, self.arbiter.handle(event, self.now), event)

    def _before(self) -> Before:
        """Return how it stands; a pong may have renewed any open grant just now."""
        for member_id in self.gates:
            self.model.lease_from[member_id] = self.now
        return Before(self.floor(), self.members)

    def _take(self, before: Before, effects: list[Effect], event: Event | None = None) -> None:
        """Take note of the effects of ``event``, or of time."""
        self.effects += effects
        opened = set()
        for effect in effects:
            match effect:
                case Tell(member_id, message):
                    assert decode_hub(encode(message)) == message
                    self.told[member_id].append(message)
                    self.model.hear(member_id, message, self.now)
                case OpenGate(member_id):
                    assert member_id not in self.gates
                    self.gates.add(member_id)
                    opened.add(member_id)
                    self.model.granted_at[member_id] = self.now
                case CloseGate(member_id):
                    self.gates.remove(member_id)
                case Announce():
                    raise AssertionError("the floor announces nothing")
        for each in opened & self.gates:
            assert self.arbiter.grant_of(each) in self.model.fingers[each], "nobody pressed"
            assert self.now >= self.model.barred_until(each) - EPSILON
        own = event.member_id if isinstance(event, Enter | Depart | Release) else None
        for talker in set(before.floor.talkers) - set(self.floor().talkers) - {own}:
            assert self.now >= self.model.lease_from[talker] + LOST_AFTER_S - EPSILON
        self.model.forget_penalties(before.members.keys() - self.members.keys())
        self.model.miss_chairs(before.members.values(), self.members.values())
        self.check()
        self._check_slots(before.floor, may_exceed=isinstance(event, SetRules | SetPlace))
        if not isinstance(event, Enter | SetPlace | Restore):
            self._check_stage(before.members)

    def check(self) -> None:
        """Assert what holds at every moment."""
        floor, members = self.floor(), self.members
        self._check_wire(FloorChanged(rev=1, floor=floor))
        for each in members.values():
            self._check_wire(MemberChanged(rev=1, member=each))
        rows = (*floor.talkers, *floor.offered, *floor.queue)
        assert len(set(rows)) == len(rows)
        assert set(rows) <= set(members)
        assert self.gates <= set(floor.talkers)
        assert self.gates == {each for each in members if self.arbiter.grant_of(each)}
        for each in (*self.gates, *floor.offered):
            assert self.model.may_talk(members[each], floor), each
        for each in (*floor.offered, *floor.queue):
            assert members[each].role is not Role.SPEAKER
        self._check_floor(floor)
        for position, each in enumerate(floor.queue, start=1):
            assert not members[each].connected or self.model.places[each] == position
        deadline = self.arbiter.deadline
        assert deadline is None or deadline > self.now

    def _check_wire(self, message: FloorChanged | MemberChanged) -> None:
        """What everybody is to be told can be."""
        if message not in self._sendable:
            assert decode_hub(encode(message)) == message
            self._sendable.add(message)

    def _check_floor(self, floor: Floor) -> None:
        rules = self.model.rules
        assert (floor.mode, floor.open_limit) == (rules.mode, rules.open_limit)
        assert (floor.talk_limit_s, floor.held) == (rules.talk_limit_s, self.model.held)
        assert floor.since == tuple(self.model.granted_at[each] for each in floor.talkers)
        assert all(first <= second for first, second in pairwise(floor.since))
        if floor.priority is not None:
            chair = self.member(floor.priority)
            assert chair.connected
            assert chair.place in CHAIR

    def _check_slots(self, before: Floor, may_exceed: bool) -> None:
        """At most ``open_limit`` slots are in use.

        The one exception: a limit was lowered, or a chair that needed no slot is a chair no
        longer, while more talked than now may. Then nobody new may until the old are done.
        """
        floor, members = self.floor(), self.members
        self.model.ghosts = [until for until in self.model.ghosts if until > self.now]
        rows = (*floor.talkers, *floor.offered)
        counted = [each for each in rows if not self.model.is_exempt(members[each])]
        if len(counted) + len(self.model.ghosts) <= floor.open_limit:
            self.had_excess = False
            return
        assert self.had_excess or may_exceed
        assert set(counted) <= set(before.talkers)
        self.had_excess = True

    def _check_stage(self, before: dict[str, Member]) -> None:
        """Nobody comes on a stage that is full."""
        stage = {each.id for each in self.members.values() if each.place is not Place.LISTENER}
        came = stage - {each.id for each in before.values() if each.place is not Place.LISTENER}
        assert not came or len(stage) <= self.model.rules.stage_limit
