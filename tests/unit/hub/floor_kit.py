"""A space under test: keeps what each member was told and checks what must always hold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from hub.floor.events import (
    Announce,
    Answer,
    Ask,
    CloseGate,
    Depart,
    Effect,
    Enter,
    Event,
    Next,
    OpenGate,
    Release,
    SetMuted,
    Spoke,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from hub.spaces.space import Space
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.space import Floor, Member, SpaceInfo
from stagebox.wire.terms import LOST_AFTER_MS, Kind, Mode, Place, Role, Via
from stagebox.wire.view import SpaceView

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


class Room:
    """A ``Space`` with a clock. ``told`` holds what each member heard since ``forget``."""

    def __init__(self, rules: FloorRules | Mode, members: Iterable[str] = ()) -> None:
        self.rules = rules if isinstance(rules, FloorRules) else FloorRules.for_mode(rules)
        self.space = Space(INFO, self.rules)
        self.now = 1000.0
        self.told: defaultdict[str, list[Answer]] = defaultdict(list)
        self.gates: set[str] = set()
        # When the lease of each talker may last have been renewed.
        self.lease_from: dict[str, float] = {}
        self.effects: list[Effect] = []
        self._reqs = 0
        self.view = SpaceView.of(self.space.snapshot(STRANGER, None))
        for member_id in members:
            self.enter(member_id)

    # --- what happens ---------------------------------------------------------------

    def enter(
        self, member_id: str, place: Place | None = None, role: Role = Role.GUEST
    ) -> list[Answer]:
        default = Place.HOST if member_id == HOST else Place.SPEAKER
        event = Enter(member_id, name_of(member_id), Kind.BOX, role, place or default)
        return self.do(event)

    def depart(self, member_id: str) -> list[Answer]:
        return self.do(Depart(member_id))

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

    def mute(self, member_id: str, muted: bool = True, req: str | None = None) -> list[Answer]:
        return self.do(SetMuted(member_id, req or self.new_req(), muted))

    def spoke(self, *members: str) -> None:
        for member_id in members:
            assert self.space.handle(Spoke(member_id), self.now) == []

    def do(self, event: Event) -> list[Answer]:
        """Apply the event; return what its member was told."""
        before = len(self.told[event.member_id])
        self._renew()
        own = event.member_id if isinstance(event, Enter | Depart | Release) else None
        if isinstance(event, Vanish) and event.member_id in self.lease_from:
            renewed = self.lease_from[event.member_id]
            self.lease_from[event.member_id] = min(renewed, event.heard_at)
        self._take(self.space.handle(event, self.now), own)
        return self.told[event.member_id][before:]

    def wait(self, seconds: float, speaking: Sequence[str] = ()) -> None:
        """Let time pass; ticks are on time, and ``speaking`` send audio all along."""
        end = self.now + seconds
        while True:
            due = self.space.deadline
            step = min(end, self.now + 0.5 if speaking else end, end if due is None else due)
            self.now = max(self.now, step)
            self.spoke(*speaking)
            self._renew()
            self._take(self.space.tick(self.now))
            if self.now >= end:
                return

    def jump(self, seconds: float) -> None:
        """Let time pass at once; the tick comes late."""
        self.now += seconds
        self._renew()
        self._take(self.space.tick(self.now))

    def new_req(self) -> str:
        """Return a name that no request had."""
        self._reqs += 1
        return f"req-{self._reqs}"

    # --- what is seen ---------------------------------------------------------------

    def forget(self) -> None:
        self.told.clear()
        self.effects.clear()

    def floor(self) -> Floor:
        return self.space.snapshot(STRANGER, None).floor

    def member(self, member_id: str) -> Member:
        return self.space.members[member_id]

    def last(self, member_id: str, kind: type[_A]) -> _A:
        """Return the last message a member heard, which must be of this kind."""
        answer = self.told[member_id][-1]
        assert isinstance(answer, kind), answer
        return answer

    def _renew(self) -> None:
        """A pong may have renewed any open grant just now."""
        for member_id in self.gates:
            self.lease_from[member_id] = self.now

    def _take(self, effects: list[Effect], own: str | None = None) -> None:
        """Take note of the effects; ``own`` is the member whose own word these came from."""
        before = self.view.floor.talkers
        self.effects += effects
        for effect in effects:
            match effect:
                case Tell(member_id, message):
                    assert decode_hub(encode(message)) == message
                    self.told[member_id].append(message)
                case Announce(message):
                    view = self.view.apply(message)
                    assert view is not None, "a gap in rev"
                    assert view.rev == message.rev, "an old rev"
                    self.view = view
                case OpenGate(member_id):
                    assert member_id not in self.gates
                    self.gates.add(member_id)
                case CloseGate(member_id):
                    self.gates.remove(member_id)
        for talker in set(before) - set(self.view.floor.talkers) - {own}:
            assert self.now >= self.lease_from[talker] + LOST_AFTER_S - EPSILON
        self.check()

    def check(self) -> None:
        """Assert what holds at every moment."""
        snapshot = self.space.snapshot(STRANGER, None)
        assert SpaceView.of(snapshot) == self.view
        assert decode_hub(encode(snapshot)) == snapshot
        assert self.space.rev == snapshot.rev
        floor, members = snapshot.floor, self.space.members
        rows = (*floor.talkers, *floor.offered, *floor.queue)
        assert len(set(rows)) == len(rows)
        assert set(rows) <= set(members)
        assert self.gates <= set(floor.talkers)
        assert self.gates == {each for each in members if self.space.grant_of(each)}
        counted = [each for each in (*floor.talkers, *floor.offered) if not self.is_exempt(each)]
        assert len(counted) <= floor.open_limit
        for each in map(self.member, floor.offered):
            assert each.connected
            assert not each.muted
            assert each.place is not Place.LISTENER
        deadline = self.space.deadline
        assert deadline is None or deadline > self.now

    def is_exempt(self, member_id: str) -> bool:
        """Whether this member needs no slot."""
        return self.rules.chair_always and self.member(member_id).place in CHAIR
