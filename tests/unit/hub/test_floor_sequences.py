"""Random sequences of events and orders, in every mode: what ``Room`` asserts holds after each.

That is, among others: no more than the allowed microphones, none without a finger, none of
a member that is held, paused, frozen, not agreed or a listener, no slot given away while
its old lease may run, positions that add up, and nothing due in the past. Here besides:
every request is answered, a queue keeps its order, and a penalty is not escaped.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.floor.arbiter import FloorArbiter
from hub.floor.events import (
    Agreed,
    Amend,
    Answer,
    Ask,
    Clear,
    Depart,
    Enter,
    Freeze,
    Hold,
    HoldAll,
    Move,
    Next,
    Order,
    Priority,
    Release,
    Request,
    RequireConsent,
    Restore,
    SetMuted,
    SetPlace,
    SetRules,
    Vanish,
)
from hub.floor.machine import FloorMachine
from hub.floor.rules import FloorRules
from hub.floor.seat import REMEMBERED, Seat
from hub.floor.table import TABLE, State, Trigger
from stagebox.wire.messages import (
    Done,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
)
from stagebox.wire.space import Member
from stagebox.wire.terms import Kind, Mode, Place, Role, Via
from tests.unit.hub.floor_kit import CHAIR, Room, mid, name_of

MODES = [*Mode]
# Where there is a queue there is more that can happen.
WALKS_IN = [*Mode, Mode.FIFO, Mode.FIFO, Mode.MODERATED]
MEMBERS = [mid(number) for number in range(1, 6)]

# All rows of the table are gone through within some seventy walks.
FEWEST_WALKS, MOST_WALKS = 80, 300

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
    override=st.booleans(),
    chair_always=st.booleans(),
    listeners_ask=st.booleans(),
    stage_limit=st.sampled_from([1, 3, 13]),
)
versions = st.integers(0, 2)
orders = st.one_of(
    st.builds(Hold, members, st.booleans()),
    st.builds(HoldAll, st.booleans()),
    st.builds(Priority, members, st.booleans()),
    st.builds(Clear, st.one_of(st.none(), members)),
    st.builds(SetPlace, members, places),
    st.builds(SetRules, rule_sets),
    st.builds(Freeze, st.booleans()),
    st.builds(RequireConsent, versions),
    st.builds(Agreed, members, versions),
    st.builds(Amend, members, captioned=st.booleans(), volume=st.integers(0, 200)),
)


class FloorSequences(RuleBasedStateMachine):
    """Members do what they like; so do the network and the clock."""

    @initialize(rules=rule_sets, start=st.tuples(*[places] * len(MEMBERS)))
    def open(self, rules: FloorRules, start: tuple[Place, ...]) -> None:
        self.room = Room(rules)
        self.queue: tuple[str, ...] = ()
        self.moved: set[str] = set()
        for who, place in enumerate(start):
            self.enter(who, place, Role.GUEST)

    @rule(who=whos, place=places, role=st.sampled_from(Role))
    def enter(self, who: int, place: Place, role: Role) -> None:
        self.on_time()  # or a penalty may go with a seat that is lost and taken in one moment
        member = self.pick(who)
        self.do(Enter(member, name_of(member), Kind.BROWSER, role, place))
        assert self.room.arbiter.grant_of(member) is None

    @rule(order=orders)
    def order(self, order: Order) -> None:
        self.room.order(order)
        self.look()

    @rule(who=whos, position=st.integers(1, 6))
    def move(self, who: int, position: int) -> None:
        member, before = self.pick(who), self.on_time().floor().queue
        self.room.order(Move(member, position))
        after = self.room.floor().queue
        assert [each for each in after if each != member] == [
            each for each in before if each != member
        ]
        if member in before:
            assert after.index(member) == min(position, len(after)) - 1
        self.queue = after
        self.look()

    @rule(req=reqs, place=places)
    def restore(self, req: str, place: Place) -> None:
        """Only somebody who is not there can be one of before."""
        self.on_time()
        away = [each for each in MEMBERS if each not in self.room.members]
        if not away:
            return
        queue = self.room.floor().queue
        member = Member(id=away[0], name=name_of(away[0]), kind=Kind.BOX, place=place)
        self.room.order(Restore(member, req))
        assert not self.room.member(away[0]).connected
        assert self.room.floor().queue in (queue, (*queue, away[0]))
        self.look()

    @rule()
    def lift_all(self) -> None:
        """Nothing keeps anybody silent any more."""
        model, priority = self.room.model, self.room.floor().priority
        stops: list[tuple[object, Order]] = [
            (model.frozen, Freeze(False)),
            (model.held, HoldAll(False)),
            (model.consent, RequireConsent(0)),
            (priority, Priority(priority or "", False)),
            *((each.held, Hold(each.id, False)) for each in self.room.members.values()),
        ]
        self.room.order(*(order for is_on, order in stops if is_on))
        assert self.room.floor().priority is None
        self.look()

    @rule(callee=st.one_of(st.none(), members))
    def call(self, callee: str | None) -> None:
        waiting = self.on_time().floor().queue
        answer = self.room.call(callee)
        offered = set(self.room.floor().offered)
        if isinstance(answer, Done) and self.room.rules.mode is Mode.MODERATED:
            assert offered & set(waiting) >= ({callee} if callee else set())
        self.look()

    @rule()
    def all_come_back(self) -> None:
        for who, member in enumerate(MEMBERS):
            found = self.room.members.get(member)
            if found is None or not found.connected:
                self.enter(who, Place.SPEAKER, Role.GUEST)

    @rule(who=whos, put_out=st.booleans())
    def depart(self, who: int, put_out: bool) -> None:
        member = self.pick(who)
        self.do(Depart(member, put_out))
        assert member not in self.room.members

    @rule(who=whos, ago=st.sampled_from([0.0, 0.5, 2.0, 3.0, 9.0]))
    def vanish(self, who: int, ago: float) -> None:
        member = self.pick(who)
        self.do(Vanish(member, self.room.now - ago))
        assert self.room.arbiter.grant_of(member) is None

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
        after = self.room.arbiter.grant_of(member)
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
            assert self.room.arbiter.grant_of(member) == req

    @precondition(lambda self: self.room.gates)
    @rule()
    def lift(self) -> None:
        member = min(self.room.gates)
        self.let_go(member, self.room.arbiter.grant_of(member) or "")

    @rule(who=whos, req=reqs)
    def release(self, who: int, req: str) -> None:
        self.let_go(self.pick(who), req)

    @rule(callee=st.one_of(st.none(), members))
    def next(self, callee: str | None) -> None:
        chairs = [each.id for each in self.room.members.values() if each.place in CHAIR]
        req = self.room.new_req()
        answers = self.do(Next(chairs[0] if chairs else MEMBERS[0], req, callee))
        assert req in [answer.req for answer in answers]

    @rule(who=whos, muted=st.booleans())
    def mute(self, who: int, muted: bool) -> None:
        member = self.pick(who)
        before = self.on_time().grant_of(member)
        self.do(SetMuted(member, self.room.new_req(), muted))
        after = self.room.arbiter.grant_of(member)
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

    def do(self, event: Enter | Depart | Vanish | Request) -> list[Answer]:
        answers = self.room.do(event)
        self.look()
        return answers

    def on_time(self) -> FloorArbiter:
        """Do what is overdue, so that what happens next has one cause."""
        self.room.jump(0)
        self.look()
        return self.room.arbiter

    def pick(self, who: int) -> str:
        floor = self.room.floor()
        active = (*floor.talkers, *floor.offered, *floor.queue[:1])
        if who < len(MEMBERS) or not active:
            return MEMBERS[who % len(MEMBERS)]
        return active[who % len(active)]

    def let_go(self, member: str, req: str) -> None:
        assert self.do(Release(member, req))[-1] == FloorReleased(req=req)
        assert self.room.arbiter.grant_of(member) != req
        again = self.do(Ask(member, req, Via.TALK))
        assert not isinstance(again[-1], FloorGranted | FloorQueued | FloorOffered)

    def look(self) -> None:
        """Those who keep waiting keep their order, and nothing grows without bound."""
        queue = self.room.floor().queue
        stayed = [each for each in queue if each in self.queue]
        for first, second in combinations(stayed, 2):
            assert self.queue.index(first) < self.queue.index(second)
        self.queue = queue
        for seat in self.room.arbiter._seats.values():
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
        chair = rng.choice([Place.SPEAKER, Place.HOST])
        self.floor.open(self.any_rules(mode), (chair, *[Place.SPEAKER] * (len(MEMBERS) - 1)))

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
            (1, lambda: floor.depart(who, rng.random() < 0.5)),
            (2, lambda: floor.vanish(who, rng.choice([0.0, 0.5, 2.9, 5.0]))),
            (3, floor.all_come_back),
            (6, lambda: floor.wait(rng.uniform(0.1, 3), {*MEMBERS})),
            (1, lambda: floor.wait(rng.uniform(0.1, 3), set())),
            (1, lambda: floor.jump(rng.uniform(0.1, 15))),
            (1, lambda: floor.stall(rng.uniform(0.1, 6))),
            (5, lambda: floor.order(self.any_order())),
            (9, floor.lift_all),
            (5, self.interrupt),
            (3, self.overrun),
            (4, self.ask_all_and_order),
            (1, lambda: floor.move(who, rng.randint(1, 6))),
            (1, lambda: floor.restore(req, place)),
            (1, lambda: floor.call(rng.choice([None, *MEMBERS]))),
        ]
        weights, choices = zip(*acts, strict=True)
        rng.choices(choices, weights)[0]()

    def any_order(self) -> Order:
        """Mostly about somebody whose request is in a state that does not last."""
        rng, on = self.random, self.random.random() < 0.6
        brief = (State.PRESSED, State.OFFERED, State.GRACE)
        short = [seat.member.id for seat in self.seats() if seat.state in brief]
        member = rng.choice(short or [self.floor.pick(rng.randint(3, 9))])
        chairs = [each.id for each in self.floor.room.members.values() if each.place in CHAIR]
        return rng.choice(
            [
                Hold(member, on),
                HoldAll(on),
                *[Priority(rng.choice(chairs or [member]), on)] * 3,
                Clear(rng.choice([None, member])),
                *[SetPlace(member, rng.choice([*Place]))] * 3,
                *[SetRules(self.any_rules(rng.choice(WALKS_IN)))] * 2,
                Freeze(on),
                RequireConsent(rng.randint(0, 1)),
                Agreed(member, rng.randint(0, 1)),
                Amend(member, volume=rng.randint(0, 200), name="Anna"),
            ]
        )

    def any_rules(self, mode: Mode) -> FloorRules:
        rng = self.random
        return FloorRules.for_mode(
            mode,
            open_limit=rng.randint(1, 2),
            queue_limit=rng.randint(2, 4),
            talk_limit_s=rng.choice([None, 1, 3]),
            offer_s=rng.choice([4, 10]),
            keep_place_s=rng.choice([3.0, 10.0]),
            override=rng.random() < 0.6,
            chair_always=rng.random() < 0.6,
            listeners_ask=rng.random() < 0.6,
            stage_limit=rng.choice([3, 13]),
        )

    def interrupt(self) -> None:
        """A chair silences the others and presses at once, with or without a hand up."""
        rng, room = self.random, self.floor.room
        chairs = [each.id for each in room.members.values() if each.place in CHAIR]
        if chairs:
            chair = rng.choice(chairs)
            self.floor.ask_anew(rng.randint(0, 4), Via.TALK)
            for via in rng.choice([[Via.TALK], [Via.HAND, Via.TALK], [Via.TALK, Via.HAND]]):
                self.floor.do(Ask(chair, room.new_req(), via))
                room.priority(chair)
            self.floor.do(Ask(chair, room.new_req(), rng.choice([*Via])))

    def ask_all_and_order(self) -> None:
        self.floor.lift_all()
        self.floor.all_come_back()
        via = self.random.choice([*Via])
        for who in range(len(MEMBERS)):
            self.floor.ask_anew(who, via)
        self.floor.order(self.any_order())

    def overrun(self) -> None:
        """Who talks goes on until it is told to stop; then somebody orders something."""
        if any(seat.state is State.LIVE for seat in self.seats()):
            self.floor.wait((self.floor.room.rules.talk_limit_s or 0) + 0.1, {*MEMBERS})
            self.floor.order(self.any_order())

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
        return self.floor.room.arbiter._seats.values()


@pytest.mark.timeout(240)
def test_long_walks_hold_and_go_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: Counter[tuple[State, Trigger]] = Counter()
    fire = FloorMachine.fire

    def note(machine: FloorMachine, seat: Seat, trigger: Trigger, now: float) -> None:
        gone[seat.state, trigger] += 1
        fire(machine, seat, trigger, now)

    monkeypatch.setattr(FloorMachine, "fire", note)
    for seed in range(MOST_WALKS):
        walk = Walk(seed, WALKS_IN[seed % len(WALKS_IN)])
        for _ in range(130):
            walk.step()
        if seed >= FEWEST_WALKS and all(gone[row] for row in TABLE):
            return
    assert [row for row in TABLE if not gone[row]] == []
