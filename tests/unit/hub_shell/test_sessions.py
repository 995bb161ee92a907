"""One session for each member."""

import pytest

from hub.control.limits import TAKEOVER_S
from hub.control.sessions import HubFullError, SessionBook, TakeoverError

ANNA, BERTA = "a" * 32, "b" * 32


class FakeSession:
    def __init__(self, heard_at: float = 0.0) -> None:
        self.heard_at = heard_at
        self.took_over_at: float | None = None
        self.events: list[str] = []

    def replaced(self) -> None:
        self.events.append("replaced")

    def go_away(self) -> None:
        self.events.append("go away")


def test_a_full_book_takes_nobody_new_but_lets_a_member_replace_itself() -> None:
    book, first, second = SessionBook(1), FakeSession(), FakeSession()
    book.admit(ANNA, first, 0.0)
    with pytest.raises(HubFullError) as full:
        book.admit(BERTA, FakeSession(), 0.0)
    assert full.value.retry_after_s > 0
    book.admit(ANNA, second, 0.0)
    assert (first.events, second.events, len(book)) == (["replaced"], [], 1)
    assert list(book) == [second]


def test_two_copies_of_a_member_take_turns_at_most_every_three_seconds() -> None:
    book, takeovers, now = SessionBook(10), 0, 0.0
    book.admit(ANNA, FakeSession(now), now)
    while now < 30:
        now += 0.1
        for session in book:
            session.heard_at = now  # type: ignore[misc] - the fake's is plain data
        try:
            book.admit(ANNA, FakeSession(now), now)
        except TakeoverError as error:
            assert 0 < error.retry_after_s <= TAKEOVER_S
        else:
            takeovers += 1
    assert takeovers <= 1 + 30 / TAKEOVER_S


def test_a_replaced_session_that_ends_does_not_remove_the_newer_one() -> None:
    book, first, second = SessionBook(10), FakeSession(), FakeSession()
    book.admit(ANNA, first, 0.0)
    book.admit(ANNA, second, 0.0)
    book.drop(ANNA, first)
    assert list(book) == [second]
    assert book.get(ANNA) is second
    book.drop(ANNA, second)
    book.drop(ANNA, second)
    assert len(book) == 0
