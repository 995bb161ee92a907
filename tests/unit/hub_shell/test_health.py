"""The last facts of each member."""

from dataclasses import replace

from hub.control.health import Facts, HealthBook
from stagebox.wire.messages import Health
from stagebox.wire.terms import Kind, Role

A, B, C = (f"{n:032x}" for n in (1, 2, 3))


def facts(member_id: str, since: float = 0.0) -> Facts:
    return Facts(member_id, "Box", Kind.BOX, Role.GUEST, "1.0", "10.0.0.7", since)


def test_what_a_member_tells_and_where_it_is() -> None:
    book = HealthBook()
    book.opened(facts(A))
    book.moved(A, "main")
    book.renamed(A, "Kitchen")
    book.told(A, Health(loss=0.25), 7.0)
    known = book.get(A)
    assert known == replace(
        facts(A), name="Kitchen", space="main", health=Health(loss=0.25), told_at=7.0
    )
    book.closed(A, 9.0)
    gone = book.get(A)
    assert gone is not None
    assert (gone.connected, gone.space, gone.since, gone.told_at) == (False, None, 9.0, 7.0)
    book.forget(A)
    assert (len(book), list(book)) == (0, [])


def test_a_stranger_is_not_made_up() -> None:
    book = HealthBook()
    book.told(A, Health(), 1.0)
    book.moved(A, "main")
    book.closed(A, 2.0)
    book.forget(A)
    assert list(book) == []


def test_a_full_book_drops_who_is_longest_gone_and_else_the_oldest() -> None:
    book = HealthBook(limit=2)
    book.opened(facts(A))
    book.opened(facts(B))
    book.closed(B, 1.0)
    book.opened(facts(C))
    assert [each.id for each in book] == [A, C]
    book.opened(facts(B))
    assert [each.id for each in book] == [C, B]
