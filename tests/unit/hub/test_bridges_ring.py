"""Rings of hubs: refused, or ended where they are newest; never anything that closes no ring."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.bridges.behind import (
    MAX_BIRTH,
    MAX_TEXT,
    MOST,
    Behind,
    BehindError,
    Hop,
    read_behind,
    write_behind,
)
from hub.bridges.mark import Marks, node_of
from hub.bridges.ring import Closed, Ring, why
from hub.bridges.wish import GuestError, Part, Wish

MARKS = Marks(b"secret", "0123456789abcdef" * 2)


def node(number: int) -> str:
    return f"{number:08x}:{number:016x}"


def trunk(number: int) -> str:
    return f"{number:012x}"


def joined(caller: Ring, callee: Ring, way: str) -> list[Closed]:
    """Join two spaces, if nobody minds."""
    closed = callee.refusal(way, caller.tell(way))
    if closed is not None:
        return [closed]
    callee.admit(way, f"from {way}", caller.tell(way))
    return caller.join(way, f"to {way}", callee.tell(way))


# --- what is told ---------------------------------------------------------------


def test_a_mark_is_a_node_and_a_way_is_known_to_its_own_hub_alone() -> None:
    assert MARKS.node("main") == node_of(MARKS.put_on("Main", "main", ""))
    assert node_of("Zoe") == ""
    assert MARKS.way("0" * 12) != Marks(b"another", MARKS.hub_id).way("0" * 12)
    assert len(MARKS.way("0" * 12)) == 16
    read_behind(write_behind(Ring(MARKS.node("main")).tell()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 5_000,
        "x" * (MAX_TEXT + 1),
        "\ud800",
        '{"node":"zoe","clock":1}',
        f'{{"node":"{node(1)}","clock":-1}}',
        f'{{"node":"{node(1)}","clock":{MAX_BIRTH + 1}}}',
        f'{{"node":"{node(1)}","clock":1,"more":1}}',
        f'{{"node":"{node(1)}","clock":1,"hops":[["{node(2)}",0,1,"{trunk(1)}"]]}}',
        f'{{"node":"{node(1)}","clock":1,"hops":[["{node(2)}",-1,1,"{trunk(1)}",7]]}}',
    ],
)
def test_what_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(BehindError):
        read_behind(text)


@given(st.text(max_size=300))
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BehindError):
        read_behind(text)


def test_a_list_that_is_too_long_is_refused() -> None:
    hops = tuple(Hop(node(n), -1, 1, trunk(n)) for n in range(MOST + 1))
    longest = write_behind(Behind(node(999), MAX_BIRTH, hops[:MOST]))
    assert len(read_behind(longest).hops) == MOST
    with pytest.raises(BehindError):
        read_behind(write_behind(Behind(node(999), 1, hops)))


def test_the_longest_list_fits_into_a_header() -> None:
    hops = tuple(Hop(node(n), MOST - 1, MAX_BIRTH, trunk(n)) for n in range(MOST))
    assert len(write_behind(Behind(node(999), MAX_BIRTH, hops))) < MAX_TEXT


# --- one ring -------------------------------------------------------------------


def test_a_line_is_no_ring_and_its_ends_are_told_all_of_it() -> None:
    a, b, c = (Ring(node(n)) for n in range(3))
    assert joined(a, b, "ab") == []
    assert joined(b, c, "bc") == []
    assert c.tell().nodes == {node(0), node(1), node(2)}
    assert c.tell("bc").nodes == {node(2)}
    assert a.learn("ab", b.tell("ab")) == []
    assert [hop.above for hop in a.tell().hops] == [-1, 0]
    assert a.ways == {"ab"}


def test_the_trunk_that_would_close_a_ring_is_refused_by_name() -> None:
    a, b, c = (Ring(node(n)) for n in range(3))
    joined(a, b, "ab")
    joined(b, c, "bc")
    a.learn("ab", b.tell("ab"))
    assert joined(c, a, "ca") == [Closed("ca", "to ab")]
    assert "to ab" in why("to ab")
    assert why("")
    # As soon as one of the other two is gone, nothing speaks against it.
    b.leave("bc")
    c.leave("bc")
    a.learn("ab", b.tell("ab"))
    assert joined(c, a, "ca") == []


def test_two_that_come_to_each_other_keep_one_trunk() -> None:
    a, b = Ring(node(0)), Ring(node(1))
    assert joined(a, b, "ab") == []
    assert joined(b, a, "ba") == [Closed("ba", "to ab")]
    assert a.refusal("x", b.tell("ab")) == Closed("x", "to ab")
    assert a.refusal("x", a.tell()) is not None


def test_an_old_session_of_the_same_trunk_is_no_reason() -> None:
    a, b = Ring(node(0)), Ring(node(1))
    joined(a, b, "ab")
    reborn = Ring(node(0))
    assert joined(reborn, b, "ab") == []
    assert joined(Ring(node(0)), b, "another") == [Closed("another", "from ab")]


def test_whoever_says_that_we_are_behind_them_is_refused_without_a_name() -> None:
    liar = Behind(node(1), 0, (Hop(node(0), -1, 0, trunk(1)),))
    assert Ring(node(0)).refusal("x", liar) == Closed("x", "")


def test_of_a_ring_that_closed_at_once_the_newest_goes_at_either_end() -> None:
    a, b, c = rings = [Ring(node(n)) for n in range(3)]
    # Nobody knew of the others when they asked.
    empty = [ring.tell() for ring in rings]
    b.admit("ab", "A", empty[0])
    c.admit("bc", "B", empty[1])
    a.admit("ca", "C", empty[2])
    a.join("ab", "B", Behind(node(1), 1))
    b.join("bc", "C", Behind(node(2), 1))
    c.join("ca", "A", Behind(node(0), 1))
    ends = {"ab": (a, b), "bc": (b, c), "ca": (c, a)}
    closed: list[tuple[Ring, Closed]] = []
    for _ in range(3):
        for way, (near, far) in ends.items():
            if way in near.ways and way in far.ways:
                closed += [(far, each) for each in far.learn(way, near.tell(way))]
                closed += [(near, each) for each in near.learn(way, far.tell(way))]
    assert len({each.way for _, each in closed}) == 1
    assert all(each.by for _, each in closed)


def test_what_is_told_of_no_trunk_or_of_ourselves_changes_nothing() -> None:
    ring = Ring(node(0))
    assert ring.learn("nothing", Behind(node(1), 5)) == []
    ring.leave("nothing")
    # Ourselves, and what is only behind ourselves, and a circle of its own.
    hops = (
        Hop(node(0), -1, 1, trunk(1)),
        Hop(node(3), 0, 1, trunk(2)),
        Hop(node(2), -1, 1, trunk(3)),
        Hop(node(1), 2, 1, trunk(4)),
    )
    ring.join("way", "W", Behind(node(1), 1, hops))
    assert ring.tell().nodes == {node(0), node(1), node(2)}


def test_no_more_is_told_than_may_be_and_the_nearest_first() -> None:
    ring = Ring(node(0))
    chain = tuple(Hop(node(100 + n), n - 1, 1, trunk(n)) for n in range(MOST))
    ring.join("far", "F", Behind(node(1), MAX_BIRTH, chain))
    ring.admit("near", "N", Behind(node(2), MAX_BIRTH))
    told = ring.tell()
    assert len(told.hops) == MOST
    assert told.clock == MAX_BIRTH
    assert [hop.node for hop in told.hops[:3]] == [node(1), node(2), node(100)]
    assert read_behind(write_behind(told)) == told


# --- any number of them, in any order ---------------------------------------------


@dataclass(eq=False)
class Session:
    """One try of one trunk. ``near``: whether who calls holds it; ``far``: who is called."""

    way: str
    caller: int
    callee: int
    near: bool = False
    far: bool = False
    given_up: bool = False  # by who called, or because that hub started anew


@dataclass
class World:
    """Hubs, what they want, and messages that take as long as they like."""

    hubs: list[Ring]
    wanted: dict[str, tuple[int, int]] = field(default_factory=dict)
    tries: dict[str, Session] = field(default_factory=dict)
    held: list[dict[str, Session]] = field(default_factory=list)
    post: list[tuple[str, Session, Behind | None]] = field(default_factory=list)

    # What happens.

    def want(self, caller: int, callee: int, number: int) -> None:
        if caller != callee:
            self.wanted[f"{caller}{callee}{number}".zfill(16)] = (caller, callee)

    def no_more(self, index: int) -> None:
        if self.wanted:
            way = sorted(self.wanted)[index % len(self.wanted)]
            caller, _ = self.wanted.pop(way)
            session = self.tries.pop(way, None)
            if session is not None:
                session.given_up = True
                self._let_go(caller, session)

    def try_again(self) -> None:
        for way, (caller, callee) in self.wanted.items():
            session = self.tries.get(way)
            if session is None:
                session = self.tries[way] = Session(way, caller, callee)
                self._send("offer", session, self.hubs[caller].tell(way))

    def start_anew(self, hub: int) -> None:
        for session in list(self.tries.values()):
            if session.caller == hub:
                session.given_up = True
                del self.tries[session.way]
        for session in list(self.held[hub].values()):
            self._let_go(hub, session)
        self.hubs[hub] = Ring(node(hub))

    def exchange(self) -> None:
        for session in list(self.tries.values()):
            if session.near:
                self._send("tell", session, self.hubs[session.caller].tell(session.way))

    def deliver(self, index: int) -> None:
        if self.post:
            kind, session, behind = self.post.pop(index % len(self.post))
            getattr(self, f"_{kind}")(session, behind)

    # Messages.

    def _offer(self, session: Session, behind: Behind) -> None:
        ring = self.hubs[session.callee]
        if session.given_up:
            return
        if ring.refusal(session.way, behind) is not None:
            self._send("refused", session, None)
            return
        old = self.held[session.callee].get(session.way)
        if old is not None:
            self._let_go(session.callee, old)
        ring.admit(session.way, session.way, behind)
        self.held[session.callee][session.way] = session
        session.far = True
        self._send("answer", session, ring.tell(session.way))

    def _refused(self, session: Session, _: Behind | None) -> None:
        if self.tries.get(session.way) is session:
            del self.tries[session.way]

    def _answer(self, session: Session, behind: Behind) -> None:
        if session.given_up:
            self._send("gone_there", session, None)
            return
        session.near = True
        self.held[session.caller][session.way] = session
        self._closed(
            session.caller, self.hubs[session.caller].join(session.way, session.way, behind)
        )

    def _tell(self, session: Session, behind: Behind) -> None:
        ring = self.hubs[session.callee]
        if session.far:
            self._closed(session.callee, ring.learn(session.way, behind))
        if session.far:
            self._send("told", session, ring.tell(session.way))
        else:
            self._send("gone_here", session, None)

    def _told(self, session: Session, behind: Behind) -> None:
        if session.near:
            self._closed(session.caller, self.hubs[session.caller].learn(session.way, behind))

    def _gone_here(self, session: Session, _: Behind | None) -> None:
        session.given_up = True
        if self.tries.get(session.way) is session:
            del self.tries[session.way]
        if session.near:
            self._let_go(session.caller, session)

    def _gone_there(self, session: Session, _: Behind | None) -> None:
        session.given_up = True
        if session.far:
            self._let_go(session.callee, session)

    # Both.

    def _closed(self, hub: int, closed: Iterable[Closed]) -> None:
        for each in closed:
            self._let_go(hub, self.held[hub][each.way])

    def _let_go(self, hub: int, session: Session) -> None:
        """Hold it no longer; the other side hears of that."""
        if self.held[hub].get(session.way) is session:
            del self.held[hub][session.way]
            self.hubs[hub].leave(session.way)
        if hub == session.caller:
            session.near, session.given_up = False, True
            if self.tries.get(session.way) is session:
                del self.tries[session.way]
            self._send("gone_there", session, None)
        else:
            session.far = False
            self._send("gone_here", session, None)

    def _send(self, kind: str, session: Session, behind: Behind | None) -> None:
        if behind is not None:
            behind = read_behind(write_behind(behind))
        self.post.append((kind, session, behind))

    # In the end.

    def settle(self) -> None:
        """Let everything come, and be told, and be tried again, until nothing changes."""
        same, before = 0, None
        for _ in range(100):
            for act in (self.exchange, self.try_again, lambda: None):
                act()
                while self.post:
                    self.deliver(0)
            now = {way: (each.near, each.far) for way, each in self.tries.items()}
            same, before = (same + 1 if now == before else 0), now
            if same == len(self.hubs) + 1:
                return
        raise AssertionError("it never comes to rest")

    def check(self) -> None:
        """The trunks that are left are a forest that spans all that was wanted."""
        group = list(range(len(self.hubs)))
        for session in self.tries.values():
            assert session.near
            assert session.far
            here, there = group[session.caller], group[session.callee]
            assert here != there, "a ring"
            group = [there if each == here else each for each in group]
        for caller, callee in self.wanted.values():
            assert group[caller] == group[callee], "refused without a ring"
        for one, ring in enumerate(self.hubs):
            for two, other in enumerate(self.hubs):
                refused = ring.refusal("new", other.tell()) is not None
                assert refused == (group[one] == group[two])


HUBS: Final = 5
_hub = st.integers(0, HUBS - 1)
_step = st.one_of(
    st.tuples(st.just("want"), _hub, _hub, st.integers(0, 1)),
    st.tuples(st.just("no_more"), st.integers(0, 9)),
    st.tuples(st.just("try_again")),
    st.tuples(st.just("exchange")),
    st.tuples(st.just("start_anew"), _hub),
    *(st.tuples(st.just("deliver"), st.integers(0, 30)) for _ in range(4)),
)
_ALL: Final = [("want", a, b, 0) for a in range(HUBS) for b in range(HUBS)]


@given(st.lists(_step, max_size=60))
@example([*_ALL, ("try_again",)])
@example([("want", 0, 1, 0), ("want", 1, 0, 0), ("want", 0, 1, 1), ("try_again",)])
@example([("want", 0, 1, 0), ("want", 1, 2, 0), ("want", 2, 0, 0), ("try_again",)])
def test_whatever_happens_no_ring_stays_and_nothing_else_is_refused(steps: list[tuple]) -> None:
    world = World([Ring(node(n)) for n in range(HUBS)], held=[{} for _ in range(HUBS)])
    for name, *given_ in steps:
        getattr(world, name)(*given_)
    world.settle()
    world.check()


# --- what a caller wants ------------------------------------------------------------


def test_a_trunk_is_a_publisher_with_a_mark_who_listens_too() -> None:
    both, mark = "v=0\r\na=sendrecv\r\n", MARKS.bare("main")
    for part, offer, worn, is_trunk in (
        (Part.PUBLISHES, both, mark, True),
        (Part.PUBLISHES, both, "Zoe", False),
        (Part.PUBLISHES, "v=0\r\na=sendonly\r\n", mark, False),
        (Part.PLAYS, both, mark, False),
    ):
        assert Wish(part, "main", "t" * 20, "Zoe", offer, None, worn).is_trunk is is_trunk
    assert GuestError(508, "A ring.", behind="{}").behind == "{}"


def test_behind_is_a_message_like_others() -> None:
    told = Behind(node(1), 3, (Hop(node(2), -1, 3, trunk(4)),))
    assert msgspec.json.decode(write_behind(told)) == {
        "node": node(1),
        "clock": 3,
        "hops": [[node(2), -1, 3, trunk(4)]],
    }
