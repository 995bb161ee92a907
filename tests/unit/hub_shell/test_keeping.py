"""Writing down behind everybody's back: the newest state wins, and a disk may fail."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from hub.spaces import keeping
from hub.spaces.keeping import Keeper
from hub.store.database import StoreError
from hub.store.shelf import AuditRow, KeptSpace, Shelf
from tests.loopback.hub.crew import until


class FakeShelf:
    """A disk that is as slow as it is told, and fails as often."""

    def __init__(self) -> None:
        self.saved: list[str] = []
        self.rows: list[str] = []
        self.books = 0
        self.failures = 0
        self.at_once = 0
        self.most_at_once = 0

    async def save(self, space: KeptSpace | None, rows: Sequence[AuditRow], stamp: str) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise StoreError("no space left on the device")
        if space is not None:
            self.saved.append(space.kept)
        self.rows += [row.detail for row in rows]

    async def save_attendance(self, space_id: str, book: str) -> None:
        self.books += 1


class Rig:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, attendance_s: float = 0.05) -> None:
        monkeypatch.setattr(keeping, "PAUSE_S", 0.02)
        monkeypatch.setattr(keeping, "RETRY_S", 0.03)
        monkeypatch.setattr(keeping, "ATTENDANCE_S", attendance_s)
        self.shelf, self.state = FakeShelf(), 0
        self.keeper = Keeper(cast(Shelf, self.shelf), "main", "", lambda: str(self.state))

    def change(self, times: int) -> None:
        for _ in range(times):
            self.state += 1
            self.keeper.changed()


def row(detail: str) -> AuditRow:
    return AuditRow("now", "main", "pinned", None, "Anna", detail)


async def test_a_burst_of_changes_is_two_writes_and_the_last_state_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig(monkeypatch)
    rig.change(1)
    await asyncio.sleep(0.005)
    rig.change(100)
    await until(lambda: rig.shelf.saved == ["1", "101"])
    rig.change(1)
    await until(lambda: rig.shelf.saved[-1] == "102")
    assert rig.shelf.most_at_once == 1


async def test_what_is_left_is_written_when_the_hub_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, attendance_s=1_000)
    rig.keeper.attended()
    rig.change(1)
    rig.keeper.happened(row("a"))
    await rig.keeper.aclose()
    assert (rig.shelf.saved[-1], rig.shelf.rows, rig.shelf.books) == ("1", ["a"], 1)
    rig.change(1)
    await asyncio.sleep(0.05)
    assert rig.shelf.saved[-1] == "1"


async def test_a_disk_that_fails_gets_the_newest_state_and_all_acts_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig(monkeypatch)
    rig.shelf.failures = 1_000_000
    rig.change(1)
    rig.keeper.happened(row("a"))
    await until(lambda: rig.shelf.failures < 1_000_000)
    rig.change(1)
    rig.keeper.happened(row("b"))
    rig.shelf.failures = 0
    await until(lambda: rig.shelf.saved != [])
    assert (rig.shelf.saved, rig.shelf.rows) == (["2"], ["a", "b"])


async def test_acts_that_wait_for_a_disk_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_ROWS", 3)
    rig = Rig(monkeypatch)
    rig.shelf.failures = 1
    for detail in "abcde":
        rig.keeper.happened(row(detail))
    await until(lambda: rig.shelf.rows != [])
    assert rig.shelf.rows == ["c", "d", "e"]


async def test_who_was_there_is_written_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch)
    rig.keeper.attended()
    await until(lambda: rig.shelf.books == 1)
    rig.keeper.attended()
    await until(lambda: rig.shelf.books == 2)
    await rig.keeper.aclose()
    assert rig.shelf.books == 2
