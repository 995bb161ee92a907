"""Who was in a space: times, turns and hands, over restarts."""

import msgspec
import pytest

from hub.spaces import attendance
from hub.spaces.attendance import Attendance, AttendanceBook, Attendee

A, B, C = (f"{n:032x}" for n in (1, 2, 3))


def test_presence_and_turns_add_up_over_visits() -> None:
    account = Attendance()
    account.came(A, "Anna", 10.0, "t1")
    account.counted(1)
    account.began(A, 12.0)
    account.began(A, 13.0)  # the same burst
    account.stopped(A, 15.0)
    account.went(A, 20.0, "t2")
    account.came(A, "Anna B", 50.0, "t3")
    account.came(A, "Anna B", 55.0, "t3")  # on another session: she was there all the time
    account.began(A, 58.0)
    anna = account.book(60.0).attendees[0]
    assert (anna.name, anna.joined_at, anna.left_at) == ("Anna B", "t1", None)
    assert (anna.present_s, anna.turns, anna.talked_s) == (20.0, 2, 5.0)
    account.went(A, 61.0, "t4")
    anna = account.book(99.0).attendees[0]
    assert (anna.present_s, anna.talked_s, anna.left_at) == (21.0, 6.0, "t4")


def test_hands_are_counted_when_they_go_up_and_when_they_are_served() -> None:
    account = Attendance()
    account.came(A, "Anna", 0.0, "t1")
    for _ in range(3):
        account.raised(A)
    account.served(A)
    assert [(a.hands, a.served) for a in account.book(1.0).attendees] == [(3, 1)]


def test_who_is_not_named_leaves_nothing_but_a_number() -> None:
    account = Attendance()
    account.counted(5)
    account.counted(2)
    for step in (account.raised, account.served):
        step(B)
    account.began(B, 1.0)
    account.stopped(B, 2.0)
    account.went(B, 3.0, "t1")
    assert account.book(9.0) == AttendanceBook(peak=5)


def test_the_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance, "MAX_ATTENDEES", 1)
    account = Attendance()
    account.came(A, "Anna", 0.0, "t1")
    account.came(B, "Berta", 0.0, "t1")
    account.went(B, 1.0, "t2")
    account.came(A, "Anna", 2.0, "t3")
    book = account.book(3.0)
    assert ([a.id for a in book.attendees], book.unnamed) == ([A], 1)


def test_it_goes_on_after_a_restart_and_who_was_there_has_left() -> None:
    account = Attendance()
    account.came(A, "Anna", 0.0, "t1")
    account.came(B, "Berta", 0.0, "t1")
    account.went(B, 4.0, "t2")
    json = msgspec.json.encode(account.book(5.0))
    again = Attendance(msgspec.json.decode(json, type=AttendanceBook), "t9")
    again.came(C, "Clara", 1_000.0, "t9")
    again.came(B, "Berta", 1_000.0, "t9")
    assert again.book(1_001.0).attendees == [
        Attendee(id=A, name="Anna", joined_at="t1", left_at="t9", present_s=5.0),
        Attendee(id=B, name="Berta", joined_at="t1", present_s=5.0),
        Attendee(id=C, name="Clara", joined_at="t9", present_s=1.0),
    ]


def test_who_left_long_ago_is_forgotten_by_name() -> None:
    account = Attendance()
    for member_id, name in ((A, "Anna"), (B, "Berta"), (C, "Clara")):
        account.came(member_id, name, 0.0, "2026-01-01")
    account.went(A, 1.0, "2026-01-01")
    account.went(B, 1.0, "2026-01-03")
    account.forget("2026-01-02")
    book = account.book(2.0)
    assert ([each.name for each in book.attendees], book.unnamed) == (["Berta", "Clara"], 1)
