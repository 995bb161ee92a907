"""Random sequences of events, in every mode: what ``Room`` asserts holds after each.

That is, among others: no more than the allowed microphones, no slot given away while
its old lease may run, nothing due in the past, and a snapshot that equals the events.
Here besides: every request is answered, a queue keeps its order, and the only
things that open a gate are a press and, for a press that broke in, the end of a lease.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.floor.events import Answer, Ask, Depart, Enter, Event, Next, Release, SetMuted, Vanish
from hub.floor.machine import FloorMachine
from hub.floor.rules import FloorRules
from hub.floor.seat import REMEMBERED, Seat
from hub.floor.table import TABLE, State, Trigger
from hub.spaces.space import Space
from stagebox.wire.messages import FloorGranted, FloorOffered, FloorQueued, FloorReleased
from stagebox.wire.terms import Kind, Mode, Place, Role, Via
from tests.unit.hub.floor_kit import CHAIR, Room, mid, name_of

MODES = [Mode.WALKIE, Mode.OPEN, Mode.FIFO, Mode.MODERATED]
MEMBERS = [mid(number) for number in range(1, 6)]

members = st.sampled_from(MEMBERS)
# Up to 4: a member by number; above: one of those on the floor, if there are any.
whos = st.integers(0, 9)
# Few names, so that requests are repeated and overtaken a lot.
reqs = st.sampled_from(["r1", "r2", "r3", "r4"])
places = st.sampled_from([*[Place.SPEAKER] * 5, Place.HOST, Place.COHOST, Place.LISTENER])
rule_sets = st.builds(
    FloorRules.for_mode,
    st.sampled_from(MODES),
    open_limit=st.integers(1, 3),
    queue_limit=st.integers(1, 4),
    talk_limit_s=st.one_of(st.none(), st.floats(1, 20)),
    grace_s=st.sampled_from([0.0, 3.0]),
    penalty_s=st.sampled_from([0.0, 5.0]),
    offer_s=st.floats(1, 20),
    keep_place_s=st.sampled_from([3.0, 10.0]),
    member_limit=st.just(len(MEMBERS)),
    override=st.booleans(),
    chair_always=st.booleans(),
)


class FloorSequences(RuleBasedStateMachine):
    """Members do what they like; so do the network and the clock."""

    @initialize(rules=rule_sets, start=st.tuples(*[places] * len(MEMBERS)))
    def open(self, rules: FloorRules, start: tuple[Place, ...]) -> None:
        self.room = Room(rules)
        self.queue: tuple[str, ...] = ()
        for who, place in enumerate(start):
            self.enter(who, place, Role.GUEST)

    @rule(who=whos, place=places, role=st.sampled_from(Role))
    def enter(self, who: int, place: Place, role: Role) -> None:
        member = self.pick(who)
        self.do(Enter(member, name_of(member), Kind.BROWSER, role, place))
        assert self.room.space.grant_of(member) is None

    @rule()
    def all_come_back(self) -> None:
        for who, member in enumerate(MEMBERS):
            found = self.room.space.members.get(member)
            if found is None or not found.connected:
                self.enter(who, Place.SPEAKER, Role.GUEST)

    @rule(who=whos)
    def depart(self, who: int) -> None:
        member = self.pick(who)
        self.do(Depart(member))
        assert member not in self.room.space.members

    @rule(who=whos, ago=st.sampled_from([0.0, 0.5, 2.0, 3.0, 9.0]))
    def vanish(self, who: int, ago: float) -> None:
        member = self.pick(who)
        self.do(Vanish(member, self.room.now - ago))
        assert self.room.space.grant_of(member) is None

    @rule()
    def all_press(self) -> None:
        for who in range(len(MEMBERS)):
            self.ask(who, self.room.new_req(), Via.TALK)

    @rule(who=whos, via=st.sampled_from(Via))
    def ask_anew(self, who: int, via: Via) -> None:
        self.ask(who, self.room.new_req(), via)

    @rule(who=whos, req=reqs, via=st.sampled_from(Via))
    def ask(self, who: int, req: str, via: Via) -> None:
        member = self.pick(who)
        before = self.on_time().grant_of(member)
        answers = self.do(Ask(member, req, via))
        assert any(answer.req == req for answer in answers)
        after = self.room.space.grant_of(member)
        assert after in (before, req)
        if via is Via.HAND:
            assert after == before

    @precondition(lambda self: self.room.floor().offered)
    @rule()
    def take_up(self) -> None:
        self.on_time()
        for member in self.room.floor().offered:
            req = self.room.new_req()
            assert isinstance(self.do(Ask(member, req))[-1], FloorGranted)
            assert self.room.space.grant_of(member) == req

    @precondition(lambda self: self.room.gates)
    @rule()
    def lift(self) -> None:
        member = min(self.room.gates)
        self.let_go(member, self.room.space.grant_of(member) or "")

    @rule(who=whos, req=reqs)
    def release(self, who: int, req: str) -> None:
        self.let_go(self.pick(who), req)

    @rule(callee=st.one_of(st.none(), members))
    def next(self, callee: str | None) -> None:
        chairs = [each.id for each in self.room.space.members.values() if each.place in CHAIR]
        req = self.room.new_req()
        answers = self.do(Next(chairs[0] if chairs else MEMBERS[0], req, callee))
        assert req in [answer.req for answer in answers]

    @rule(who=whos, muted=st.booleans())
    def mute(self, who: int, muted: bool) -> None:
        member = self.pick(who)
        before = self.on_time().grant_of(member)
        self.do(SetMuted(member, self.room.new_req(), muted))
        after = self.room.space.grant_of(member)
        assert after is None if muted else after == before

    @rule(speaking=st.sets(members))
    def speak(self, speaking: set[str]) -> None:
        self.room.spoke(*sorted(speaking))

    @rule(seconds=st.floats(0.01, 6), speaking=st.sets(members))
    def wait(self, seconds: float, speaking: set[str]) -> None:
        self.room.wait(seconds, sorted(speaking))
        self.look()

    @rule(seconds=st.floats(0.01, 60))
    def jump(self, seconds: float) -> None:
        self.room.jump(seconds)
        self.look()

    @rule(seconds=st.floats(0.01, 6))
    def stall(self, seconds: float) -> None:
        """The next event comes before a tick that is overdue."""
        self.room.now += seconds

    # --------------------------------------------------------------------------------

    def do(self, event: Event) -> list[Answer]:
        gates = set(self.room.gates)
        answers = self.room.do(event)
        opened = self.room.gates - gates
        assert opened <= {event.member_id} or self.room.rules.override
        self.look()
        return answers

    def on_time(self) -> Space:
        """Do what is overdue, so that what happens next has one cause."""
        self.room.jump(0)
        self.look()
        return self.room.space

    def pick(self, who: int) -> str:
        floor = self.room.floor()
        active = (*floor.talkers, *floor.offered, *floor.queue[:1])
        if who < len(MEMBERS) or not active:
            return MEMBERS[who % len(MEMBERS)]
        return active[who % len(active)]

    def let_go(self, member: str, req: str) -> None:
        assert self.do(Release(member, req))[-1] == FloorReleased(req=req)
        assert self.room.space.grant_of(member) != req
        again = self.do(Ask(member, req, Via.TALK))
        assert not isinstance(again[-1], FloorGranted | FloorQueued | FloorOffered)

    def look(self) -> None:
        """Those who keep waiting keep their order, and nothing grows without bound."""
        queue = self.room.floor().queue
        stayed = [each for each in queue if each in self.queue]
        for first, second in combinations(stayed, 2):
            assert self.queue.index(first) < self.queue.index(second)
        self.queue = queue
        for seat in self.room.space._arbiter._seats.values():
            assert len(seat.ended) <= REMEMBERED


FloorSequences.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, derandomize=True
)
TestFloorSequences = FloorSequences.TestCase


class Walk:
    """A long random walk over the same rules; unlike hypothesis it does not stop early."""

    def __init__(self, seed: int, mode: Mode) -> None:
        self.random = rng = random.Random(seed)
        self.floor = FloorSequences()
        rules = FloorRules.for_mode(
            mode,
            open_limit=rng.randint(1, 2),
            queue_limit=rng.randint(2, 4),
            talk_limit_s=rng.choice([None, 1, 3]),
            offer_s=rng.choice([4, 10]),
            keep_place_s=rng.choice([3.0, 10.0]),
            member_limit=len(MEMBERS),
            override=rng.random() < 0.6,
            chair_always=rng.random() < 0.6,
        )
        chair = rng.choice([Place.SPEAKER, Place.HOST])
        self.floor.open(rules, (chair, *[Place.SPEAKER] * (len(MEMBERS) - 1)))

    def step(self) -> None:
        rng, floor = self.random, self.floor
        who, req = rng.randint(0, 9), rng.choice(["r1", "r2", "r3", "r4"])
        place = rng.choice([Place.SPEAKER] * 4 + [Place.HOST, Place.LISTENER])
        acts: list[tuple[int, Callable[[], None]]] = [
            (6, lambda: floor.ask_anew(who, rng.choice([*Via]))),
            (3, lambda: floor.ask(who, req, rng.choice([*Via]))),
            (2, self.ask_again),
            (1, floor.all_press),
            (2, lambda: floor.take_up() if floor.room.floor().offered else None),
            (2, lambda: floor.lift() if floor.room.gates else None),
            (1, lambda: floor.release(who, req)),
            (2, self.withdraw),
            (4, lambda: floor.next(rng.choice([None, *MEMBERS]))),
            (2, lambda: floor.mute(who, True)),
            (2, self.unmute),
            (2, lambda: floor.enter(who, place, Role.GUEST)),
            (1, lambda: floor.depart(who)),
            (2, lambda: floor.vanish(who, rng.choice([0.0, 0.5, 2.9, 5.0]))),
            (3, floor.all_come_back),
            (6, lambda: floor.wait(rng.uniform(0.1, 3), {*MEMBERS})),
            (1, lambda: floor.wait(rng.uniform(0.1, 3), set())),
            (1, lambda: floor.jump(rng.uniform(0.1, 15))),
            (1, lambda: floor.stall(rng.uniform(0.1, 6))),
        ]
        weights, choices = zip(*acts, strict=True)
        rng.choices(choices, weights)[0]()

    def ask_again(self) -> None:
        for seat in list(self.seats()):
            if seat.req:
                self.floor.do(Ask(seat.member.id, seat.req))

    def withdraw(self) -> None:
        open_requests = [seat for seat in self.seats() if seat.req]
        if open_requests:
            seat = self.random.choice(open_requests)
            self.floor.let_go(seat.member.id, seat.req)

    def unmute(self) -> None:
        for who in range(len(MEMBERS)):
            self.floor.mute(who, False)

    def seats(self) -> Iterable[Seat]:
        return self.floor.room.space._arbiter._seats.values()


def test_long_walks_hold_and_go_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: Counter[tuple[State, Trigger]] = Counter()
    fire = FloorMachine.fire

    def note(machine: FloorMachine, seat: Seat, trigger: Trigger, now: float) -> None:
        gone[seat.state, trigger] += 1
        fire(machine, seat, trigger, now)

    monkeypatch.setattr(FloorMachine, "fire", note)
    for seed in range(120):
        walk = Walk(seed, MODES[seed % len(MODES)])
        for _ in range(150):
            walk.step()
    assert [row for row in TABLE if not gone[row]] == []
