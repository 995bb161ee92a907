"""Random sequences of events, in every mode: what ``Room`` asserts holds after each.

That is, among others: no more than the allowed microphones, no slot given away while
its old lease may run, nothing due in the past, and a snapshot that equals the events.
Here besides: every request is answered, a queue keeps its order, and the only
things that open a gate are a press and, for a press that broke in, the end of a lease.
"""

from itertools import combinations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.floor_events import Answer, Ask, Depart, Enter, Event, Next, Release, SetMuted, Vanish
from hub.floor_rules import FloorRules
from hub.seat import REMEMBERED
from hub.space import Space
from stagebox.wire.messages import (
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    Kind,
    Mode,
    Place,
    Role,
    Via,
)
from tests.unit.hub.floor_kit import CHAIR, Room, mid, name_of

MEMBERS = [mid(number) for number in range(1, 6)]

members = st.sampled_from(MEMBERS)
# Few names, so that requests are repeated and overtaken a lot.
reqs = st.sampled_from(["r1", "r2", "r3", "r4"])
places = st.sampled_from([*[Place.SPEAKER] * 5, Place.HOST, Place.COHOST, Place.LISTENER])
rule_sets = st.builds(
    FloorRules.for_mode,
    st.sampled_from([Mode.WALKIE, Mode.OPEN, Mode.FIFO, Mode.MODERATED]),
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
        for member_id, place in zip(MEMBERS, start, strict=True):
            self.enter(member_id, place, Role.GUEST)

    @rule(member=members, place=places, role=st.sampled_from(Role))
    def enter(self, member: str, place: Place, role: Role) -> None:
        self.do(Enter(member, name_of(member), Kind.BROWSER, role, place))
        assert self.room.space.grant_of(member) is None

    @rule(member=members)
    def come_back(self, member: str) -> None:
        if not self.is_here(member):
            self.enter(member, Place.SPEAKER, Role.GUEST)

    @rule(member=members)
    def depart(self, member: str) -> None:
        self.do(Depart(member))
        assert member not in self.room.space.members

    @rule(member=members, ago=st.sampled_from([0.0, 0.5, 2.0, 3.0, 9.0]))
    def vanish(self, member: str, ago: float) -> None:
        self.do(Vanish(member, self.room.now - ago))
        assert self.room.space.grant_of(member) is None

    @rule(member=members)
    def press(self, member: str) -> None:
        self.ask(member, self.room.new_req(), Via.TALK)

    @rule(member=members)
    def press_too(self, member: str) -> None:
        self.press(member)

    @rule(member=members, via=st.sampled_from(Via))
    def raise_hand(self, member: str, via: Via) -> None:
        self.ask(member, self.room.new_req(), via)

    @rule(member=members, req=reqs, via=st.sampled_from(Via))
    def ask(self, member: str, req: str, via: Via) -> None:
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
    @rule(index=st.integers(0, 9))
    def lift(self, index: int) -> None:
        gates = sorted(self.room.gates)
        member = gates[index % len(gates)]
        req = self.room.space.grant_of(member)
        assert req is not None
        self.release(member, req)

    @rule(member=members, req=reqs)
    def release(self, member: str, req: str) -> None:
        answers = self.do(Release(member, req))
        assert answers[-1] == FloorReleased(req=req)
        assert self.room.space.grant_of(member) != req
        again = self.do(Ask(member, req, Via.TALK))
        assert not isinstance(again[-1], FloorGranted | FloorQueued | FloorOffered)

    @rule(member=members, callee=st.one_of(st.none(), members))
    def next(self, member: str, callee: str | None) -> None:
        chairs = [each.id for each in self.room.space.members.values() if each.place in CHAIR]
        req = self.room.new_req()
        answers = self.do(Next(chairs[0] if chairs else member, req, callee))
        assert req in [answer.req for answer in answers]

    @rule(member=members, muted=st.booleans())
    def mute(self, member: str, muted: bool) -> None:
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

    def is_here(self, member: str) -> bool:
        found = self.room.space.members.get(member)
        return found is not None and found.connected

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
    max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
)
TestFloorSequences = FloorSequences.TestCase
