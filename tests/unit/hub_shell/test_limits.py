"""Token buckets, offences, the socket book, takeovers and origins."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.control.limits import (
    SILENT_S,
    TAKEOVER_S,
    Offences,
    Refusal,
    SocketBook,
    takeover_wait_s,
)


def test_offences_count_only_inside_their_window() -> None:
    offences = Offences(limit=3, window_s=10)
    assert [offences.add(now) for now in (0, 5, 11, 14, 15)] == [False, False, False, True, True]


def test_the_book_caps_addresses_and_strangers() -> None:
    book = SocketBook(per_address=2, strangers=3)
    assert book.admit("a") is None
    assert book.admit("a") is None
    assert book.admit("a") is Refusal.ADDRESS_CAP
    assert book.admit("b") is None
    assert book.admit("c") is Refusal.STRANGER_CAP
    book.introduce()
    assert book.admit("c") is None
    assert book.strangers == 3
    book.drop("a", stranger=False)
    book.drop("a", stranger=True)
    assert book.admit("a") is None


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=60))
def test_a_book_is_empty_when_all_are_gone(steps: list[tuple[str, int]]) -> None:
    book = SocketBook(per_address=4, strangers=6)
    open_sockets: list[tuple[str, bool]] = []
    for address, step in steps:
        if step == 0 and book.admit(address) is None:
            open_sockets.append((address, True))
        elif step == 1 and (address, True) in open_sockets:
            open_sockets[open_sockets.index((address, True))] = (address, False)
            book.introduce()
        elif step == 2 and open_sockets:
            gone, stranger = open_sockets.pop()
            book.drop(gone, stranger=stranger)
        assert book.strangers == sum(stranger for _, stranger in open_sockets) <= 6
        assert all(sum(a == each for a, _ in open_sockets) <= 4 for each in "abc")
    for gone, stranger in open_sockets:
        book.drop(gone, stranger=stranger)
    assert book.strangers == 0
    assert [book.admit("a") for _ in range(4)] == [None] * 4


def test_the_first_takeover_is_free_and_the_next_has_to_wait() -> None:
    assert takeover_wait_s(10.0, heard_at=10.0, took_over_at=None) == 0
    assert takeover_wait_s(11.0, heard_at=10.9, took_over_at=10.0) == TAKEOVER_S - 1
    assert takeover_wait_s(10.0 + TAKEOVER_S, heard_at=12.9, took_over_at=10.0) == 0


def test_a_silent_session_is_replaced_at_once() -> None:
    now = 10.0 + SILENT_S + 0.1
    assert takeover_wait_s(now, heard_at=10.0, took_over_at=10.0) == 0
