"""A whole space under test: what everybody was told and did, and what must always hold."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from msgspec.structs import replace

from hub.floor.events import (
    Announce,
    Ask,
    CloseGate,
    Depart,
    Enter,
    Event,
    OpenGate,
    Release,
    SetMuted,
    Spoke,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from hub.spaces.admission import Arrival
from hub.spaces.dates import moment
from hub.spaces.effects import (
    Broadcast,
    Captions,
    Effect,
    Expel,
    Happened,
    Happening,
    Louder,
    Record,
    Reply,
    Save,
    Silence,
)
from hub.spaces.kept import Kept
from hub.spaces.lifecycle import OVER
from hub.spaces.rights import Actor
from hub.spaces.settings import SpaceSettings
from hub.spaces.space import Space
from stagebox.wire.acts import Act
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.messages import Done, Error, MediaLost, Snapshot, SpaceLeft
from stagebox.wire.space import Floor, Recording, SpaceInfo
from stagebox.wire.terms import Kind, Mode, Place, Role, SpaceState, Via
from stagebox.wire.view import SpaceView
from tests.unit.hub.floor_kit import A, B, C, D, mid, name_of

HOST = mid(0xF)
ADMIN = Actor(None, "Admin", admin=True)
START = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
INFO = SpaceInfo(id="hall", name="Hall")

__all__ = ["ADMIN", "HOST", "INFO", "START", "A", "B", "C", "CountedNames", "D", "Hall", "mid"]


class CountedNames:
    """Implements ``Names`` without any randomness."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new_token(self) -> str:
        return f"token-{next(self._numbers):010d}"

    def new_code(self) -> str:
        return f"{next(self._numbers):06d}"


def fresh(mode: Mode = Mode.MODERATED, state: SpaceState = SpaceState.LIVE, **info: object) -> Kept:
    """Return a new space, not a standing one."""
    return Kept(info=replace(INFO, state=state, **info), rules=FloorRules.for_mode(mode))


class Hall:
    """A ``Space`` with two clocks. ``told``: what each member heard since ``forget``."""

    def __init__(self, kept: Kept | Mode = Mode.MODERATED, **settings: object) -> None:
        kept = kept if isinstance(kept, Kept) else fresh(kept)
        self.settings = SpaceSettings(**settings)
        self.now = 1000.0
        self.utc = START
        self.names = CountedNames()
        self.space = Space(kept, self.now, self.names, self.settings)
        self.effects: list[Effect] = []
        self.gates: set[str] = set()
        self.recording: Recording | None = None
        self.writes: frozenset[str] = frozenset()
        self.ears: dict[str, bool] = {}  # whether the media of each is to be there
        self.hidden: set[str] = set()
        self.entering: str | None = None  # sets up its media without being asked
        self.saved = kept
        self._reqs = count(1)
        self._rev = -1  # whose snapshot was looked at last
        self.view = SpaceView.of(self.snapshot())
        self._take(self.space.tick(self.now))

    # --- what happens ---------------------------------------------------------------

    def arrive(
        self,
        member_id: str,
        kind: Kind = Kind.BOX,
        role: Role = Role.GUEST,
        **arrival: object,
    ) -> Enter | Error:
        """Let somebody come to the door, and in if it may."""
        given = Arrival(member_id, name_of(member_id), kind, role, **arrival)
        answer = self.space.admit(given, self.now, self.utc)
        if isinstance(answer, Enter):
            if given.hidden:
                self.hidden.add(member_id)
            else:
                self.hidden.discard(member_id)
            self.entering = member_id
            self._take(self.space.handle(answer, self.now))
            self.entering = None
            if member_id in self.inside:
                self.ears[member_id] = self.space.hears(member_id)
        else:
            assert decode_hub(encode(answer)) == answer
            self._take(self.space.tick(self.now))
        return answer

    def host(self) -> str:
        """Let the host come."""
        self.arrive(HOST, role=Role.STUDIO)
        return HOST

    def come(self, *members: str, kind: Kind = Kind.BOX) -> None:
        """Let guests come."""
        for member_id in members:
            assert isinstance(self.arrive(member_id, kind), Enter)

    def do(self, event: Event) -> list[Effect]:
        """Let something happen to a member; return the effects."""
        if isinstance(event, Depart | Vanish):
            self.hidden.discard(event.member_id)
            self.ears.pop(event.member_id, None)
        return self._take(self.space.handle(event, self.now))

    def leave(self, member_id: str) -> None:
        self.do(Depart(member_id))

    def lose(self, member_id: str) -> None:
        self.do(Vanish(member_id, self.now))

    def talk(self, member_id: str, req: str | None = None) -> list[Effect]:
        return self.do(Ask(member_id, req or self.new_req(), Via.TALK))

    def hand(self, member_id: str, req: str | None = None) -> list[Effect]:
        return self.do(Ask(member_id, req or self.new_req(), Via.HAND))

    def stop(self, member_id: str) -> list[Effect]:
        return self.do(Release(member_id, self.space.grant_of(member_id) or "none"))

    def mute(self, member_id: str, muted: bool = True) -> list[Effect]:
        return self.do(SetMuted(member_id, self.new_req(), muted))

    def act(self, who: str | Actor, act: type[Act], **fields: object) -> Reply:
        """Let somebody act, under a new request unless one is given; return the answer."""
        fields.setdefault("req", self.new_req())
        return self.repeat(who, act(**fields))

    def repeat(self, who: str | Actor, act: Act) -> Reply:
        actor = who if isinstance(who, Actor) else Actor(who, name_of(who))
        outcome = self.space.act(actor, act, self.now, self.utc)
        assert outcome.reply.req == act.req
        assert decode_hub(encode(outcome.reply)) == outcome.reply
        if isinstance(outcome.reply, Error):
            assert outcome.reply.detail.endswith(".")
        self._take(outcome.effects)
        return outcome.reply

    def done(self, who: str | Actor, act: type[Act], **fields: object) -> None:
        """Let somebody act who may."""
        reply = self.act(who, act, **fields)
        assert isinstance(reply, Done), reply

    def refused(self, who: str | Actor, act: type[Act], **fields: object) -> ErrorCode:
        """Let somebody act who may not: nothing happens. Return why."""
        before, kept = self.snapshot(), self.space.kept()
        self.forget()
        reply = self.act(who, act, **fields)
        assert isinstance(reply, Error), reply
        assert self.effects == []
        assert self.snapshot() == before
        assert self.space.kept() == kept
        return reply.code

    def wait(self, seconds: float, speaking: Sequence[str] = ()) -> None:
        """Let time pass; ticks are on time, and ``speaking`` send audio all along."""
        end = self.now + seconds
        while True:
            due = self.space.deadline
            step = min(end, self.now + 0.5 if speaking else end, end if due is None else due)
            self._pass(max(step - self.now, 0.0))
            for member_id in speaking:
                assert self.space.handle(Spoke(member_id), self.now) == []
            self._take(self.space.tick(self.now))
            if self.now >= end:
                return

    def jump(self, seconds: float) -> None:
        """Let time pass at once; the tick comes late."""
        self._pass(seconds)
        self._take(self.space.tick(self.now))

    def restart(self) -> "Hall":
        """Return the space as the hub finds it after a restart."""
        hall = Hall(Kept.decode(self.space.kept().encode()))
        hall.utc = self.utc
        return hall

    def new_req(self) -> str:
        return f"req-{next(self._reqs)}"

    # --- what is seen ---------------------------------------------------------------

    @property
    def info(self) -> SpaceInfo:
        return self.space.info

    @property
    def state(self) -> SpaceState:
        return self.space.info.state

    @property
    def floor(self) -> Floor:
        return self.snapshot().floor

    @property
    def inside(self) -> set[str]:
        """Who is connected, hidden or not."""
        connected = {each.id for each in self.space.members.values() if each.connected}
        return connected | self.hidden

    def place(self, member_id: str) -> Place:
        return self.space.members[member_id].place

    def snapshot(self) -> Snapshot:
        return self.space.snapshot(mid(0), None)

    def forget(self) -> None:
        self.effects.clear()

    def told(self, member_id: str) -> list[Any]:
        """Return what this member alone was told."""
        effects = self.effects
        tells = [each for each in effects if isinstance(each, Tell)]
        return [each.message for each in tells if each.member_id == member_id]

    def happened(self) -> list[Happening]:
        """Return what happened, coming and going apart."""
        kinds = [each.kind for each in self.effects if isinstance(each, Happened)]
        return [each for each in kinds if each not in (Happening.JOINED, Happening.LEFT)]

    def all_of(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.effects if isinstance(each, kind)]

    # --- what must hold -------------------------------------------------------------

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.utc += timedelta(seconds=seconds)

    def _take(self, effects: Sequence[Effect]) -> list[Effect]:
        self.effects += effects
        over = self.view.space.state in OVER
        for effect in effects:
            self._note(effect)
            if over:
                assert not isinstance(effect, OpenGate | Expel | Announce | Record)
        self.check()
        return list(effects)

    def _note(self, effect: Effect) -> None:
        match effect:
            case Tell(member_id, message):
                assert decode_hub(encode(message)) == message
                if isinstance(message, MediaLost):
                    assert member_id != self.entering
                    assert not self.ears[member_id]
                    self.ears[member_id] = True
            case Announce(message):
                assert decode_hub(encode(message)) == message
                view = self.view.apply(message)
                assert view is not None, "a gap in rev"
                assert view.rev == message.rev, "an old rev"
                self.view = view
            case OpenGate(member_id):
                assert member_id not in self.gates
                self.gates.add(member_id)
            case CloseGate(member_id):
                self.gates.remove(member_id)
            case Record(recording):
                assert recording != self.recording
                self.recording = recording
            case Captions(members):
                assert members != self.writes
                self.writes = members
            case _:
                self._note_rest(effect)

    def _note_rest(self, effect: Effect) -> None:
        match effect:
            case Silence(member_id):
                assert self.ears[member_id]
                self.ears[member_id] = False
            case Expel(member_id, cause):
                assert member_id not in self.gates
                self.hidden.discard(member_id)
                self.ears.pop(member_id, None)  # it may have been away
                message = SpaceLeft(space=self.info.id, cause=cause)
                assert decode_hub(encode(message)) == message
            case Broadcast(message):
                assert message.member in self.space.members
                assert decode_hub(encode(message)) == message
            case Save():
                self.saved = self.space.kept()
            case Louder(member_id, percent):
                assert self.space.members[member_id].volume == percent
            case Happened(Happening.JOINED, member_id):
                assert member_id not in self.hidden

    def check(self) -> None:
        """Assert what holds at every moment."""
        snapshot = self.snapshot()
        if snapshot.rev != self._rev:
            self._rev = snapshot.rev
            assert decode_hub(encode(snapshot)) == snapshot
        assert SpaceView.of(snapshot) == self.view, "a late joiner sees something else"
        assert self.space.rev == snapshot.rev
        members = self.space.members
        hosts = [each.id for each in members.values() if each.place is Place.HOST]
        assert len(hosts) <= 1
        assert not hosts or hosts == [self.info.host]
        cohosts = [each for each in members.values() if each.place is Place.COHOST]
        assert len(cohosts) <= self.settings.cohost_limit
        assert not members.keys() & self.space.blocked.keys()
        assert not members.keys() & self.hidden
        assert not self.hidden & self.space.blocked.keys()
        assert self.info.hidden == len(self.hidden)
        for member in members.values():
            assert member.place is Place.LISTENER or member.role is not Role.SPEAKER
        self._check_talk(snapshot)
        self._check_life(snapshot)
        assert replace(self.saved, rev=0) == replace(self.space.kept(), rev=0), "not saved"
        deadline = self.space.deadline
        assert deadline is None or deadline > self.now
        assert self.space.tick(self.now) == [], "something was left undone"

    def _check_talk(self, snapshot: Snapshot) -> None:
        members, recording = self.space.members, self.info.recording
        assert self.gates <= set(snapshot.floor.talkers)
        assert self.gates == {each for each in members if self.space.grant_of(each)}
        assert self.recording == recording
        for member_id in self.gates:
            member = members[member_id]
            assert recording is None or member.agreed == recording.version
            assert not member.held
            assert not member.muted
            assert member.place is not Place.LISTENER
            assert self.space.hears(member_id)
        captioned = {each.id for each in members.values() if each.captioned}
        written = self.info.captions and self.state in (SpaceState.LIVE, SpaceState.FROZEN)
        assert self.writes == (captioned if written else frozenset())

    def _check_life(self, snapshot: Snapshot) -> None:
        state = self.info.state
        assert (self.info.frozen_until is not None) == (state is SpaceState.FROZEN)
        if state not in (SpaceState.LIVE, SpaceState.BACKSTAGE):
            assert not self.gates
        if state in OVER:
            assert not snapshot.members
            assert not self.hidden
            assert self.recording is None
            assert self.space.deadline is None
        for member_id in self.inside:
            if member_id in self.ears and member_id != self.entering:
                assert self.ears[member_id] is self.space.hears(member_id)


def ahead(hours: float, utc: datetime = START) -> str:
    """Return a moment so many hours ahead."""
    return moment(utc + timedelta(hours=hours))
