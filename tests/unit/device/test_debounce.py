"""A key is down with the first edge; what opens for less than the settling time is no finger."""

from hypothesis import given
from hypothesis import strategies as st

from device.buttons.debounce import HUNG, SETTLE_S, Debounce
from device.buttons.ports import Key, KeyEvent

TALK = Key.TALK


class Contact:
    """Contacts and their debounced fingers, with a clock."""

    def __init__(self) -> None:
        self.now = 10.0
        self.debounce = Debounce()
        self.made: list[KeyEvent] = []

    def edge(self, down: bool, key: Key = TALK) -> "Contact":
        self.made += self.debounce.edge(KeyEvent(key, down, self.now))
        return self

    def wait(self, seconds: float) -> "Contact":
        end = self.now + seconds
        while (due := self.debounce.deadline) is not None and due <= end:
            assert due >= self.now
            made = self.debounce.tick(due)
            assert made, "a tick at the deadline did nothing"
            self.made += made
            self.now = due
        self.now = end
        return self

    @property
    def edges(self) -> list[tuple[bool, float]]:
        return [(event.down, round(event.at - 10.0, 6)) for event in self.made]


def test_the_first_edge_down_counts_at_once() -> None:
    assert Contact().edge(True).edges == [(True, 0.0)]


def test_a_key_is_up_when_its_contact_opened_though_it_is_known_later() -> None:
    contact = Contact().edge(True).wait(1.0).edge(False).wait(SETTLE_S - 0.001)
    assert contact.edges == [(True, 0.0)]
    assert contact.wait(0.002).edges == [(True, 0.0), (False, 1.0)]


def test_bounce_of_a_press_is_one_press() -> None:
    contact = Contact()
    for _ in range(5):
        contact.edge(True).wait(0.001).edge(False).wait(0.002)
    assert contact.edge(True).wait(5).edges == [(True, 0.0)]


def test_a_contact_that_chatters_while_it_is_held_lets_nobody_go() -> None:
    contact = Contact().edge(True).wait(1).edge(False).wait(0.019).edge(True).wait(3)
    assert contact.edges == [(True, 0.0)]


def test_two_presses_are_two() -> None:
    contact = Contact().edge(True).wait(0.1).edge(False).wait(0.021).edge(True)
    assert [down for down, _ in contact.edges] == [True, False, True]


def test_an_edge_after_the_time_ends_the_wait_by_itself() -> None:
    contact = Contact().edge(True).edge(False)
    contact.now += 1.0
    assert [down for down, _ in contact.edge(True).edges] == [True, False, True]


def test_edges_that_are_repeated_or_came_before_any_press_say_nothing() -> None:
    contact = Contact().edge(False).edge(False).wait(1)
    assert contact.edges == []
    contact.edge(True).edge(True).wait(1).edge(False).wait(0.01).edge(False).wait(0.011)
    assert contact.edges == [(True, 1.0), (False, 2.0)]


def test_what_was_read_besides_is_believed() -> None:
    contact = Contact().edge(True)
    contact.debounce.correct(frozenset())
    # The edge up was lost: the next press is one.
    assert contact.wait(3).edge(True).edges == [(True, 0.0), (True, 3.0)]
    contact.edge(False)
    contact.debounce.correct(frozenset())
    assert contact.debounce.deadline is None
    contact.debounce.correct(frozenset({Key.HAND}))
    assert contact.edge(False, Key.HAND).wait(1).made[-1] == KeyEvent(Key.HAND, False, 13.0)


def test_what_was_down_before_there_were_edges_is_nothing_missed() -> None:
    contact = Contact()
    contact.debounce.begin(frozenset({Key.MUTE}))
    for _ in range(2 * HUNG):
        contact.debounce.correct(frozenset({Key.MUTE}))
    assert not contact.debounce.hangs


def test_contacts_that_move_without_edges_are_a_thread_that_hangs() -> None:
    contact = Contact()
    for turn in range(HUNG):
        assert not contact.debounce.hangs
        contact.debounce.correct(frozenset() if turn % 2 else frozenset({TALK}))
        contact.debounce.correct(frozenset() if turn % 2 else frozenset({TALK}))
    assert contact.debounce.hangs
    contact.edge(False)
    assert not contact.debounce.hangs


MOVES = st.lists(
    st.tuples(
        st.sampled_from([Key.TALK, Key.HAND]),
        st.booleans(),
        st.sampled_from([0.0, 0.001, 0.005, 0.019, 0.0199, 0.0201, 0.03, 0.5]),
    ),
    max_size=60,
)


def naive(raw: list[tuple[float, bool]], end: float) -> list[tuple[bool, float]]:
    """Look at one whole contact afterwards: which fingers must have been there."""
    changes = [each for i, each in enumerate(raw) if i == 0 or each[1] != raw[i - 1][1]]
    made: list[tuple[bool, float]] = []
    for i, (at, down) in enumerate(changes):
        is_down = bool(made) and made[-1][0]
        until = changes[i + 1][0] if i + 1 < len(changes) else end
        if down and not is_down:
            made.append((True, at))
        elif not down and is_down and until - at >= SETTLE_S - 1e-9:
            made.append((False, at))
    return made


@given(MOVES)
def test_whatever_contacts_do_it_is_what_one_would_say_who_saw_all_of_it(
    moves: list[tuple[Key, bool, float]],
) -> None:
    contact = Contact()
    raw: dict[Key, list[tuple[float, bool]]] = {Key.TALK: [], Key.HAND: []}
    for key, down, seconds in moves:
        raw[key].append((contact.now, down))
        contact.edge(down, key).wait(seconds)
    contact.wait(1.0)
    for key, edges in raw.items():
        made = [(event.down, event.at) for event in contact.made if event.key is key]
        assert made == naive(edges, contact.now)
        # The last level is never lost.
        assert (made[-1][0] if made else False) == (edges[-1][1] if edges else False)
    assert contact.debounce.deadline is None
