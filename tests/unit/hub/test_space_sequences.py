"""Random histories of a whole space: events, acts, time and restarts, mixed.

``Hall`` asserts after each step, among others: a late joiner's snapshot equals what an
early joiner was told; at most one host, as many co-hosts as may be; nobody who is blocked
is inside, nobody hidden is listed; nobody talks without having agreed while a recording
runs; what is over stays over; whatever changed of what lasts was saved.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hub.floor.events import Enter
from hub.spaces.kept import Kept
from hub.spaces.lifecycle import OVER
from hub.spaces.rights import Actor
from hub.spaces.settings import Facilities
from stagebox.wire.acts import (
    Act,
    Agree,
    FloorClear,
    FloorHold,
    FloorMove,
    FloorNext,
    FloorPriority,
    Invite,
    InviteNew,
    InviteRevoke,
    MemberPlace,
    MemberRemove,
    MemberUnblock,
    MemberVolume,
    PinAdd,
    PinRemove,
    React,
    RecordSet,
    SpaceCancel,
    SpaceConfirm,
    SpaceEdit,
    SpaceEnd,
    SpaceStart,
)
from stagebox.wire.messages import Done
from stagebox.wire.space import Member, SpaceInfo
from stagebox.wire.terms import Kind, Mark, Mode, Place, Role, SpaceState, Speak
from tests.unit.hub.floor_kit import name_of
from tests.unit.hub.spaces_kit import ADMIN, Hall, ahead, fresh, mid

MEMBERS = [mid(number) for number in range(1, 8)]
ROLES = [Role.STUDIO, Role.STUDIO, *[Role.GUEST] * 4, Role.SPEAKER]
KINDS = [Kind.BOX, Kind.BOX, Kind.BOX, *[Kind.BROWSER] * 3, Kind.BOX]

who = st.sampled_from(MEMBERS)
places = st.sampled_from(Place)
hours = st.sampled_from([-1.0, 0.5, 5.0, 1000.0])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


ACTS: dict[Any, st.SearchStrategy[dict[str, Any]]] = {
    FloorNext: st.fixed_dictionaries({"member": maybe(who)}),
    FloorHold: st.fixed_dictionaries({"on": st.booleans(), "member": maybe(who)}),
    FloorPriority: st.fixed_dictionaries({"on": st.booleans()}),
    FloorClear: st.fixed_dictionaries({"member": maybe(who)}),
    FloorMove: st.fixed_dictionaries({"member": who, "position": st.integers(1, 4)}),
    MemberPlace: st.fixed_dictionaries({"member": who, "place": places}),
    MemberVolume: st.fixed_dictionaries({"member": who, "volume": st.sampled_from([0, 100, 200])}),
    MemberRemove: st.fixed_dictionaries({"member": who, "block": st.booleans()}),
    MemberUnblock: st.fixed_dictionaries({"member": who}),
    InviteNew: st.fixed_dictionaries({"place": places, "uses": st.integers(1, 2)}),
    PinAdd: st.fixed_dictionaries({"text": st.sampled_from(["a", "b"])}),
    PinRemove: st.fixed_dictionaries({"id": st.integers(1, 5)}),
    React: st.fixed_dictionaries({"mark": st.sampled_from(Mark)}),
    RecordSet: st.fixed_dictionaries({"on": st.booleans()}),
    Agree: st.fixed_dictionaries(
        {"recording": maybe(st.integers(0, 3)), "captions": maybe(st.booleans())}
    ),
    SpaceStart: st.just({}),
    SpaceCancel: st.just({}),
}
edits = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Hall", "Yard"]),
        "mode": st.sampled_from(Mode),
        "speak": st.sampled_from(Speak),
        "locked": st.booleans(),
        "hidden_allowed": st.booleans(),
        "captions": st.booleans(),
        "stage_limit": st.integers(1, 5),
        "open_limit": st.integers(1, 3),
        "talk_limit_s": st.sampled_from([0.0, 3.0, 30.0]),
        "keep_days": st.sampled_from([0, 7, 365]),
        "starts_at": hours.map(ahead),
    },
)
spaces = st.one_of(
    st.builds(
        fresh,
        st.sampled_from(Mode),
        st.sampled_from([SpaceState.LIVE, SpaceState.BACKSTAGE, SpaceState.DRAFT]),
        speak=st.sampled_from(Speak),
        host=st.sampled_from([None, MEMBERS[0]]),
    ),
    st.sampled_from(Mode).map(
        lambda mode: Kept.standing_space(fresh(mode).info, fresh(mode).rules)
    ),
)


class SpaceSequences(RuleBasedStateMachine):
    """Members, hosts and admins do what they like; so do the network, the clock and the hub."""

    @initialize(kept=spaces, crowd=st.sets(who))
    def open(self, kept: Kept, crowd: set[str]) -> None:
        self.hall = Hall(kept, people_limit=4, pin_limit=3, invite_limit=3, blocked_limit=2)
        self.standing = kept.standing
        self.tokens = ["token-of-nobody-"]
        self.ends: dict[str, str] = {}
        for member in sorted(crowd):
            self.arrive(member, hidden=False, invite=False)

    @rule(member=who, hidden=st.sampled_from([False, False, False, True]), invite=st.booleans())
    def arrive(self, member: str, hidden: bool, invite: bool) -> None:
        number = MEMBERS.index(member)
        token = self.tokens[-1] if invite else None
        was_over = self.hall.state in OVER
        was_blocked = member in self.hall.space.blocked
        answer = self.hall.arrive(
            member,
            KINDS[number],
            ROLES[number],
            admin=number == 6,
            known=number == 4,
            hidden=hidden,
            invite=token,
        )
        if was_over or was_blocked:
            assert not isinstance(answer, Enter)

    @rule()
    def all_come(self) -> None:
        for member in MEMBERS:
            if member not in self.hall.inside:
                self.arrive(member, hidden=False, invite=False)

    @rule(member=who)
    def leave(self, member: str) -> None:
        self.hall.leave(member)
        assert member not in self.hall.space.members

    @rule(member=who)
    def lose(self, member: str) -> None:
        self.hall.lose(member)
        assert self.hall.space.grant_of(member) is None

    @rule(member=who)
    def talk(self, member: str) -> None:
        self.hall.talk(member)

    @rule(member=who)
    def hand(self, member: str) -> None:
        before = self.hall.gates.copy()
        self.hall.hand(member)
        assert self.hall.gates <= before

    @rule(member=who)
    def stop(self, member: str) -> None:
        self.hall.stop(member)

    @rule(member=who, muted=st.booleans())
    def mute(self, member: str, muted: bool) -> None:
        self.hall.mute(member, muted)

    @rule(data=st.data(), kind=st.sampled_from(sorted(ACTS, key=str)), actor=st.integers(-3, 8))
    def act(self, data: st.DataObject, kind: type[Act], actor: int) -> None:
        self.carry_out(actor, kind, data.draw(ACTS[kind]))

    @rule(fields=edits, actor=st.integers(-3, 8))
    def edit(self, fields: dict[str, Any], actor: int) -> None:
        self.carry_out(actor, SpaceEdit, fields)

    @precondition(lambda self: self.hall.info.recording is not None)
    @rule()
    def all_agree(self) -> None:
        for member in MEMBERS:
            recording = self.hall.info.recording
            version = 0 if recording is None else recording.version
            self.hall.act(member, Agree, recording=version)

    @rule(data=st.data(), actor=st.integers(-3, 8))
    def revoke(self, data: st.DataObject, actor: int) -> None:
        token = data.draw(st.sampled_from(self.tokens))
        held = self.hall.space.invitation(self.hall.utc, token=token) is not None
        reply = self.hall.act(self.actor(actor), InviteRevoke, token=token)
        holds = self.hall.space.invitation(self.hall.utc, token=token) is not None
        assert holds is (held and not isinstance(reply, Done))

    @rule(away=st.booleans())
    def captions_away(self, away: bool) -> None:
        self.hall.space.facilities(Facilities(captions_away=away))
        self.hall.wait(0.0)
        shown = self.hall.snapshot().space
        assert shown.captions_away is (away and shown.captions)

    @rule(names=st.lists(st.sampled_from(["Kitchen", "Salon"]), max_size=2))
    def played(self, names: list[str]) -> None:
        space = self.hall.space
        space.facilities(
            Facilities(played_on={"other": ("Hall",), self.hall.snapshot().space.id: tuple(names)})
        )
        self.hall.wait(0.0)
        shown = () if self.hall.state in OVER else tuple(names)
        assert self.hall.snapshot().space.played_on == shown

    @rule(actor=st.integers(-3, 8), confirm=st.sampled_from([True, False, False]))
    def end(self, actor: int, confirm: bool) -> None:
        chosen = self.actor(actor)
        token = self.ends.get(chosen.key) if confirm else None
        was_over = self.hall.state in OVER
        reply = self.hall.act(chosen, SpaceEnd, token=token)
        if isinstance(reply, SpaceConfirm):
            self.ends[chosen.key] = reply.token
        assert token is not None or was_over or self.hall.state not in OVER

    @rule(seconds=st.sampled_from([0.1, 2.0, 3.0, 9.0, 31.0, 61.0]), speaking=st.sets(who))
    def wait(self, seconds: float, speaking: set[str]) -> None:
        self.hall.wait(seconds, sorted(speaking) if seconds < 10 else ())

    @rule(seconds=st.sampled_from([1.0, 40.0, 70.0, 1000.0]))
    def jump(self, seconds: float) -> None:
        self.hall.jump(seconds)

    @rule()
    def look_after_a_restart(self) -> None:
        """What is kept gives the same space, apart from who is connected and who talks."""
        before, hall = self.hall, self.hall.restart()
        then, now = before.snapshot(), hall.snapshot()
        there = {each.id: calm(each) for each in then.members}
        assert {each.id: each for each in now.members} == there
        assert now.pins == then.pins
        calm_info = {"hidden": 0, "frozen_until": None, "captions_away": False, "played_on": ()}
        assert_equal_but(now.space, then.space, calm_info)
        hands = (*then.floor.offered, *then.floor.queue)
        assert set(now.floor.queue) <= set(hands)
        if then.floor.mode in (Mode.FIFO, Mode.MODERATED):
            assert now.floor.queue == tuple(each for each in hands if each in now.floor.queue)
        assert now.floor.held == then.floor.held
        assert hall.space.kept().people == before.space.kept().people
        assert hall.space.blocked == before.space.blocked
        assert hall.recording == before.recording

    @rule()
    def restart(self) -> None:
        settings = self.hall.settings
        self.hall = self.hall.restart()
        object.__setattr__(self.hall.space._machine, "settings", settings)
        self.hall.settings = settings
        self.ends.clear()

    def actor(self, number: int) -> Actor:
        """Below 0: an admin at a console; past the members: the host."""
        if number < 0:
            return ADMIN
        if number < len(MEMBERS):
            return Actor(MEMBERS[number], name_of(MEMBERS[number]), admin=number == 6)
        host = self.hall.info.host or MEMBERS[0]
        return Actor(host, name_of(host))

    def carry_out(self, number: int, kind: type[Act], fields: dict[str, Any]) -> None:
        was = self.hall.state
        gates = self.hall.gates.copy()
        act = kind(req=self.hall.new_req(), **fields)
        actor = self.actor(number)  # the act may make another one host
        reply = self.hall.repeat(actor, act)
        assert self.hall.gates <= gates, "an act opened a microphone"
        if isinstance(reply, Invite):
            self.tokens.append(reply.token)
        if self.standing:
            assert self.hall.state is SpaceState.LIVE
        elif was in OVER:
            assert self.hall.state is was
        before = self.hall.snapshot()
        self.hall.forget()
        assert self.hall.repeat(actor, act) == reply
        assert self.hall.snapshot() == before
        assert not self.hall.effects


def calm(member: Member) -> Member:
    """Return a member as it is known after a restart."""
    data = {each: getattr(member, each) for each in member.__struct_fields__}
    return Member(**{**data, "connected": False, "muted": False})


def assert_equal_but(one: SpaceInfo, other: SpaceInfo, changes: dict[str, Any]) -> None:
    fields = [each for each in one.__struct_fields__ if each not in changes]
    assert [getattr(one, each) for each in fields] == [getattr(other, each) for each in fields]


TestSpaceSequences = SpaceSequences.TestCase
TestSpaceSequences.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
