"""Which media process does what, over every order of comings and goings."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.media.mail import Disconnect, Ear, Gate, Home, Order, Part
from hub.media.placing import SPREAD_EACH_S, SPREAD_MOST_S, Letter, NoProcessError, Placing


@dataclass
class Knowledge:
    """What one process knows, from its mail alone."""

    home: dict[str, tuple[int, int]] = field(default_factory=dict)
    ears: dict[tuple[str, str], int] = field(default_factory=dict)
    gates: set[tuple[str, str]] = field(default_factory=set)

    def take(self, mail: Order) -> None:
        match mail:
            case Home(space, process, epoch):
                assert epoch > self.home.get(space, (0, 0))[1], "each move has a new epoch"
                self.home[space] = process, epoch
            case Ear(space, member, None):
                self.ears.pop((space, member), None)
            case Ear(space, member, process):
                assert process is not None
                self.ears[space, member] = process
            case Gate(space, member, is_open):
                (self.gates.add if is_open else self.gates.discard)((space, member))


class House:
    """The processes as they would be; a dead one's mail goes nowhere."""

    def __init__(self) -> None:
        self.placing = Placing()
        self.alive: dict[int, Knowledge] = {}
        self.born = 0
        self.connected: dict[str, tuple[str, int]] = {}
        self.open: set[tuple[str, str]] = set()

    def post(self, letters: list[Letter]) -> None:
        for letter in letters:
            if not isinstance(letter.mail, Part):
                assert letter.to in self.alive
            self.alive[letter.to].take(letter.mail)

    def bear(self) -> int:
        self.born += 1
        self.alive[self.born] = Knowledge()
        self.post(self.placing.add(self.born))
        return self.born

    def kill(self, process: int) -> tuple[str, ...]:
        del self.alive[process]
        loss = self.placing.remove(process)
        self.post(loss.letters)
        assert loss.members == tuple(
            sorted(name for name, (_space, where) in self.connected.items() if where == process)
        )
        for name in loss.members:
            del self.connected[name]
        return loss.members

    def connect(self, member: str, space: str = "main") -> int:
        self.drop(member)
        process, letters = self.placing.connect(member, space)
        self.post(letters)
        self.post(self.placing.hears(process, space, member, on=True))
        self.connected[member] = space, process
        return process

    def drop(self, member: str) -> None:
        letters = self.placing.disconnect(member)
        self.post(letters)
        if member in self.connected:
            space, process = self.connected.pop(member)
            assert letters == [Letter(process, Disconnect(member))]
            self.post(self.placing.hears(process, space, member, on=False))

    def gate(self, member: str, is_open: bool, space: str = "main") -> None:
        self.post(self.placing.gate(space, member, is_open=is_open))
        (self.open.add if is_open else self.open.discard)((space, member))

    def check(self) -> None:
        """Each process knows what it must, and nothing that is wrong."""
        for space in {space for space, _ in self.connected.values()} | {s for s, _ in self.open}:
            home = self.placing.home(space)
            assert (home in self.alive) == bool(self.alive)
            for number, knows in self.alive.items():
                assert knows.home[space][0] == home, number
            if home is None:
                continue
            knows = self.alive[home]
            assert {gate for gate in knows.gates if gate[0] == space} == {
                gate for gate in self.open if gate[0] == space
            }
            far = {m: p for m, (s, p) in self.connected.items() if s == space and p != home}
            assert {m: p for (s, m), p in knows.ears.items() if s == space} == far
        for member, (space, process) in self.connected.items():
            assert self.placing.where(member) == process
            knows_open = (space, member) in self.alive[process].gates
            assert knows_open == ((space, member) in self.open)


def house(processes: int) -> House:
    made = House()
    for _ in range(processes):
        made.bear()
    return made


def test_members_go_where_the_fewest_are() -> None:
    hub = house(2)
    assert [hub.connect(name) for name in "abcd"] == [1, 2, 1, 2]
    hub.drop("a")
    assert hub.connect("e") == 1
    assert hub.placing.processes == (1, 2)


def test_without_a_process_nobody_can_be_placed() -> None:
    hub = house(0)
    with pytest.raises(NoProcessError):
        hub.placing.connect("a", "main")
    assert hub.placing.where("a") is None
    assert hub.placing.home("main") is None


def test_the_home_hears_of_a_gate_before_the_talkers_own_process() -> None:
    hub = house(2)
    hub.connect("a")
    hub.connect("b")
    for is_open in (True, False):
        letters = hub.placing.gate("main", "b", is_open=is_open)
        assert [letter.to for letter in letters] == [1, 2]
    assert [letter.to for letter in hub.placing.gate("main", "a", is_open=True)] == [1]


def test_a_home_that_dies_is_replaced_and_the_new_one_told_everything() -> None:
    hub = house(3)
    for name in "abc":
        hub.connect(name)
    hub.gate("b", is_open=True)
    lost = hub.kill(1)
    assert lost == ("a",)
    hub.check()
    assert hub.placing.home("main") == 2
    assert hub.connect("a") in {2, 3}
    hub.check()


def test_a_gate_that_is_open_is_known_wherever_the_member_comes_back() -> None:
    hub = house(2)
    hub.connect("a")
    hub.connect("b")
    hub.gate("b", is_open=True)
    hub.kill(2)
    hub.check()
    hub.bear()
    hub.connect("b")
    hub.check()


def test_when_all_are_gone_the_next_one_is_the_home_of_all() -> None:
    hub = house(1)
    hub.connect("a")
    hub.gate("a", is_open=True)
    hub.kill(1)
    hub.gate("z", is_open=True)
    assert hub.placing.home("main") is None
    assert hub.placing.hears(1, "main", "a", on=True) == []  # what a dead one still said
    hub.bear()
    hub.check()
    assert hub.placing.home("main") == 2


def test_the_last_word_of_an_older_session_does_not_make_deaf() -> None:
    hub = house(2)
    hub.connect("x")
    hub.connect("a")
    assert hub.placing.hears(1, "main", "a", on=False) == []
    hub.check()


def test_a_space_whose_home_nobody_asked_for_tells_nobody() -> None:
    hub = house(1)
    assert hub.placing.hears(1, "main", "a", on=True) == []
    assert hub.placing.remove(1).letters == []


def test_members_who_lost_their_sessions_come_back_spread_out_but_soon() -> None:
    hub = house(1)
    assert hub.placing.remove(1).spread_s == 0
    hub = house(1)
    hub.connect("a")
    assert hub.placing.remove(1).spread_s == 0
    hub = house(1)
    for number in range(11):
        hub.connect(str(number))
    assert hub.placing.remove(1).spread_s == pytest.approx(10 * SPREAD_EACH_S)
    hub = house(1)
    for number in range(500):
        hub.connect(str(number))
    assert hub.placing.remove(1).spread_s == SPREAD_MOST_S


MEMBERS = st.sampled_from(["a", "b", "c", "d"])
SPACES = st.sampled_from(["main", "side"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("bear")),
        st.tuples(st.just("kill"), st.integers(0, 3)),
        st.tuples(st.just("connect"), MEMBERS, SPACES),
        st.tuples(st.just("drop"), MEMBERS),
        st.tuples(st.just("gate"), MEMBERS, SPACES, st.booleans()),
    ),
    max_size=40,
)


@given(EVENTS)
def test_whatever_happens_each_process_knows_what_it_must(events: list[tuple[object, ...]]) -> None:
    hub = house(1)
    for event in events:
        match event:
            case ("bear",) if len(hub.alive) < 4:
                hub.bear()
            case ("kill", int(which)) if hub.alive:
                hub.kill(sorted(hub.alive)[which % len(hub.alive)])
            case ("connect", str(member), str(space)) if hub.alive:
                hub.connect(member, space)
            case ("drop", str(member)):
                hub.drop(member)
            case ("gate", str(member), str(space), bool(is_open)):
                hub.gate(member, is_open, space)
        hub.check()
