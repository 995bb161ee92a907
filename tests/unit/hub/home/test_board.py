"""What is sent to a broker, and what is not: held against a broker that keeps what it is told."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.home.board import AGAIN_S, MOST_AT_ONCE, MOST_FOUND, Board
from hub.home.entities import BoxView, HubView, Places, SpaceView, View, messages
from hub.home.trying import FIRST_S, MOST_S, PROVEN_S, REFUSED_S, Tries
from stagebox.wire.terms import SpaceState

PLACES = Places("0123456789abcdef", "homeassistant", commands=True)
HUB = HubView("House", "0.1", 1, 0)
MAIN = SpaceView("main", "Main", SpaceState.LIVE)
TALK = SpaceView("talk", "Talk", SpaceState.LIVE)


class Broker:
    """Keeps what it is sent, as brokers do with retained messages."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.got: list[str] = []

    def take(self, board: Board, now: float = 0.0) -> int:
        """Take what is due, until nothing is; return how much that was."""
        count = 0
        while due := board.due(now):
            assert len(due) <= MOST_AT_ONCE
            count += len(due)
            for topic, payload in due:
                self.got.append(topic)
                if payload:
                    self.kept[topic] = payload
                else:
                    self.kept.pop(topic, None)
        return count


def right(*views: View) -> dict[str, bytes]:
    """Return what a broker has to keep."""
    kept = {PLACES.status: b"online"}
    for view in views:
        kept |= messages(PLACES, view)
    return kept


def connected(*views: View) -> tuple[Board, Broker]:
    board, broker = Board(PLACES), Broker()
    board.show(views)
    board.connected()
    broker.take(board)
    return board, broker


def test_everything_is_told_and_at_last_that_the_hub_is_there() -> None:
    _, broker = connected(HUB, MAIN)
    assert broker.kept == right(HUB, MAIN)
    assert broker.got[-1] == PLACES.status
    assert len(broker.got) == len(set(broker.got))


def test_only_what_changed_is_told() -> None:
    board, broker = connected(HUB, MAIN, TALK)
    board.show([HUB, MAIN, TALK])
    assert broker.take(board) == 0
    board.show([HUB, replace(MAIN, hands=3), TALK])
    assert board.due(0) == [
        (
            PLACES.state("space", "main"),
            messages(PLACES, replace(MAIN, hands=3))[PLACES.state("space", "main")],
        )
    ]


def test_of_many_changes_the_last_is_told() -> None:
    board, broker = connected(HUB, MAIN)
    for hands in range(50):
        board.show([HUB, replace(MAIN, hands=hands)])
    assert broker.take(board) == 1
    assert broker.kept == right(HUB, replace(MAIN, hands=49))


def test_what_is_over_is_cleared() -> None:
    board, broker = connected(HUB, MAIN, TALK)
    board.show([HUB, MAIN])
    assert broker.take(board) == len(messages(PLACES, TALK))
    assert broker.kept == right(HUB, MAIN)
    board.show([HUB, MAIN, TALK])
    broker.take(board)
    assert broker.kept == right(HUB, MAIN, TALK)


def test_what_is_over_and_back_before_it_was_cleared_stays() -> None:
    board, broker = connected(HUB, MAIN, TALK)
    board.show([HUB, MAIN])
    board.show([HUB, MAIN, TALK])
    broker.take(board)
    assert broker.kept == right(HUB, MAIN, TALK)


def test_what_is_left_of_former_times_is_cleared() -> None:
    board, broker = Board(PLACES), Broker()
    broker.kept = {**messages(PLACES, TALK), "homeassistant/switch/other/one/config": b"{}"}
    board.show([HUB, MAIN])
    board.connected()
    for topic in messages(PLACES, TALK) | messages(PLACES, MAIN):
        board.found(topic)
    broker.take(board)
    other = {"homeassistant/switch/other/one/config": b"{}"}
    assert broker.kept == right(HUB, MAIN) | other


def test_what_is_kept_rightly_is_not_sent_again() -> None:
    board, broker = connected(HUB, MAIN)
    for topic in right(HUB, MAIN):
        board.found(topic)
    assert broker.take(board) == 0


def test_of_two_connections_in_a_row_the_last_word_is_still_that_the_hub_is_there() -> None:
    board, broker = Board(PLACES), Broker()
    board.connected()  # and lost, before anything was sent
    board.show([HUB, MAIN])
    board.connected()
    broker.take(board)
    assert broker.got[-1] == PLACES.status
    assert broker.kept == right(HUB, MAIN)


def test_what_is_cleared_in_one_connection_is_bounded() -> None:
    board, broker = connected(HUB)
    for number in range(MOST_FOUND + 100):
        board.found(f"{PLACES.base}/space/x{number}/state")
    assert broker.take(board) == MOST_FOUND
    board.connected()
    board.found(f"{PLACES.base}/space/x/state")
    assert broker.take(board) == len(right(HUB)) + 1


def test_home_assistant_is_told_everything_when_it_comes_up() -> None:
    board, broker = connected(HUB, MAIN)
    board.born()
    assert broker.take(board, 10.0) == len(right(HUB, MAIN))
    for _ in range(100):
        board.born()
        assert broker.take(board, 10.0 + AGAIN_S / 2) == 0
    assert broker.take(board, 10.0 + AGAIN_S) == len(right(HUB, MAIN))
    assert broker.take(board, 20.0) == 0


def test_much_is_told_in_portions() -> None:
    board = Board(PLACES)
    board.show([BoxView(f"{number:032x}", "Box", online=False) for number in range(100)])
    board.connected()
    first = board.due(0)
    assert len(first) == MOST_AT_ONCE
    assert not {topic for topic, _ in first} & {topic for topic, _ in board.due(0)}


_spaces = st.builds(
    SpaceView,
    st.sampled_from(["main", "talk", "den"]),
    st.sampled_from(["Main", "Other"]),
    st.sampled_from(SpaceState),
    hands=st.integers(0, 2),
)
_looks = st.lists(_spaces, unique_by=lambda each: each.id, max_size=3)


@given(st.lists(st.tuples(_looks, st.integers(0, 3), st.booleans()), min_size=1, max_size=12))
def test_the_broker_is_right_in_the_end_whatever_happens(
    steps: list[tuple[list[SpaceView], int, bool]],
) -> None:
    """Changes, a connection that breaks before all was sent, a broker that forgot: any order."""
    board, broker = Board(PLACES), Broker()
    looks: list[SpaceView] = []
    for looks, sent, forgets in steps:
        board.show(looks)
        for topic, payload in board.due(0)[: sent * 4]:
            broker.kept[topic] = payload
        if forgets:
            broker.kept.clear()
        # What was on its way is lost with the connection.
        board.connected()
        for topic in broker.kept:
            board.found(topic)
    broker.take(board)
    assert broker.kept == right(*looks)


def test_a_broker_that_is_away_is_tried_often_and_one_that_refuses_seldom() -> None:
    tries = Tries()
    waits = [tries.lost(0) for _ in range(10)]
    assert waits[0] == FIRST_S
    assert waits == sorted(waits)
    assert waits[-1] == MOST_S
    assert tries.lost(PROVEN_S) == FIRST_S
    assert tries.refused() == REFUSED_S
