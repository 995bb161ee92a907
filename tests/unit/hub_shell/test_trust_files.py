"""What the hub keeps of trust: its certificates for boxes, and the boxes it knows."""

import ssl
from pathlib import Path

import pytest

from hub.store.database import Store
from hub.trust import book as books
from hub.trust.book import BookFullError, TrustBook
from hub.trust.certificates import (
    NEXT_FILE,
    NOW_FILE,
    BoxCertificateError,
    BoxCertificates,
)
from hub.trust.gate import Standing
from stagebox.wire.enrolment import PENDING_S, EnrolledBox
from stagebox.wire.sni import ENROL_NAME, server_name
from stagebox.wire.terms import Role


def test_the_certificate_lasts_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    first = BoxCertificates(tmp_path)
    assert BoxCertificates(tmp_path).pins == first.pins
    assert (tmp_path / NOW_FILE).stat().st_mode & 0o777 == 0o600
    context = first.context_for(server_name(first.pins[0]))
    assert context is not None
    assert context is first.context_for(ENROL_NAME.upper())
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    for name in (None, "", "localhost", server_name("0" * 64)):
        assert first.context_for(name) is None
    assert first.seen_on(None) is None


def test_a_change_survives_a_start_at_any_moment(tmp_path: Path) -> None:
    first = BoxCertificates(tmp_path)
    (old,) = first.pins
    with pytest.raises(BoxCertificateError, match="no next"):
        first.finish()
    first.make_next()
    first.make_next()
    now, following = BoxCertificates(tmp_path).pins
    assert (now, following) == first.pins
    assert now == old
    # The power goes between the two steps of the end.
    (tmp_path / NOW_FILE).write_bytes((tmp_path / NEXT_FILE).read_bytes())
    assert BoxCertificates(tmp_path).pins == (following,)
    assert not (tmp_path / NEXT_FILE).exists()


def test_the_end_of_a_change_leaves_the_new_one_alone(tmp_path: Path) -> None:
    certificates = BoxCertificates(tmp_path)
    certificates.make_next()
    old, new = certificates.pins
    certificates.finish()
    assert certificates.pins == BoxCertificates(tmp_path).pins == (new,)
    assert certificates.context_for(server_name(old)) is None


@pytest.mark.parametrize("name", [NOW_FILE, NEXT_FILE])
def test_a_damaged_file_is_an_error_and_never_replaced(tmp_path: Path, name: str) -> None:
    BoxCertificates(tmp_path)
    (tmp_path / name).write_bytes(b"torn")
    with pytest.raises(BoxCertificateError, match=str(tmp_path)):
        BoxCertificates(tmp_path)
    assert (tmp_path / name).read_bytes() == b"torn"


def a_box(number: int) -> EnrolledBox:
    return EnrolledBox(f"{number:032x}", f"{number:043}=", f"Box {number}", Role.GUEST)


async def test_what_is_pending_is_dropped_after_a_day_and_what_is_active_is_not(
    tmp_path: Path,
) -> None:
    now = [0.0]
    store = await Store.open(tmp_path / "hub.sqlite3")
    book = TrustBook(store, lambda: now[0])
    await book.pend(a_box(1))
    await book.activate(a_box(2), "code")
    assert book.standing(a_box(1).id) is Standing.PENDING
    await book.pend(a_box(2))
    assert book.standing(a_box(2).id) is Standing.ACTIVE
    now[0] = PENDING_S + 1
    assert book.standing(a_box(1).id) is None
    assert book.standing(a_box(2).id) is Standing.ACTIVE
    await book.pend(a_box(3))  # sweeps
    again = TrustBook(store, lambda: now[0])
    await again.load()
    assert again.standing(a_box(1).id) is None
    assert again.get(a_box(1).id) is None
    assert [box.id for box in again.enrolled()] == [a_box(2).id]
    assert again.standing(a_box(3).id) is Standing.PENDING
    await store.aclose()


async def test_a_book_is_bounded_and_forgets_the_oldest_it_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "MOST_BOXES", 2)
    monkeypatch.setattr(books, "MOST_REFUSED", 2)
    store = await Store.open(tmp_path / "hub.sqlite3")
    book = TrustBook(store, lambda: 0.0)
    for number in (1, 2):
        await book.activate(a_box(number), "code")
    with pytest.raises(BookFullError):
        await book.pend(a_box(3))
    for number in (4, 5, 6):
        await book.remove(a_box(number), "removed")
    assert [book.standing(a_box(n).id) for n in (4, 5, 6)] == [
        None,
        Standing.REFUSED,
        Standing.REFUSED,
    ]
    assert [row.kind for row in await book.history(9)] == ["removed"] * 3 + ["enrolled"] * 2
    await store.aclose()
