"""An update that did not work is told once, by a box that can be heard."""

import asyncio
import itertools
import stat
from pathlib import Path

import pytest

from device.floor.model import Say
from device.floor.prompts import Prompt
from device.setback import FILE_NAME, Setback
from provisioning.update.store import Releases

OLD, NEW, NEWER = 7, 8, 9


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    found = Releases(tmp_path / "releases")
    found.prepare()
    return found


def box(releases: Releases, tmp_path: Path, build: int) -> Setback:
    return Setback(tmp_path / "state", build, releases.folder / "failed")


def heard(setback: Setback, sound: list[bool] | None = None) -> list[Prompt]:
    said: list[Say] = []
    looks = itertools.chain(sound or [], itertools.repeat(True))
    asyncio.run(setback.run(lambda: next(looks), said.extend))
    return [each.prompt for each in said]


def test_each_release_that_failed_is_told_once(releases: Releases, tmp_path: Path) -> None:
    assert heard(box(releases, tmp_path, OLD)) == []
    releases.note_failed(NEW)
    assert heard(box(releases, tmp_path, OLD)) == [Prompt.WENT_BACK]
    assert heard(box(releases, tmp_path, OLD)) == []
    releases.note_failed(NEW)  # it was tried again
    assert heard(box(releases, tmp_path, OLD)) == [Prompt.WENT_BACK]
    releases.note_failed(NEWER)
    assert heard(box(releases, tmp_path, OLD)) == [Prompt.WENT_BACK]
    assert heard(box(releases, tmp_path, OLD)) == []


def test_the_release_that_fails_says_nothing_of_itself(releases: Releases, tmp_path: Path) -> None:
    releases.note_failed(NEW)
    assert heard(box(releases, tmp_path, NEW)) == []
    assert heard(box(releases, tmp_path, OLD)) == [Prompt.WENT_BACK]


def test_it_waits_until_it_can_be_heard(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.setback.LOOK_S", 0.001)
    releases.note_failed(NEW)
    looks = [False, False, False]
    assert heard(box(releases, tmp_path, OLD), looks) == [Prompt.WENT_BACK]


def test_a_user_of_its_own_may_read_what_root_wrote(releases: Releases) -> None:
    releases.note_failed(NEW)
    assert stat.S_IMODE((releases.folder / "failed").stat().st_mode) == 0o644


def test_a_memory_that_cannot_be_kept_is_told_in_the_log(
    releases: Releases, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    releases.note_failed(NEW)
    (tmp_path / "state" / FILE_NAME).mkdir(parents=True)
    assert heard(box(releases, tmp_path, OLD)) == [Prompt.WENT_BACK]
    assert "cannot be kept" in caplog.text
