"""Where state is kept."""

import os
from pathlib import Path

import pytest

from stagebox.statefile import state_dir


def test_a_place_somebody_named_is_taken_as_it_is(tmp_path: Path) -> None:
    assert state_dir(tmp_path / "here", system=Path("/var/lib")) == tmp_path / "here"
    assert state_dir(Path("~/box")) == Path.home() / "box"


def test_the_systems_place_is_used_by_who_may(tmp_path: Path) -> None:
    assert state_dir(tmp_path / "stagebox", system=tmp_path) == tmp_path / "stagebox"


@pytest.mark.parametrize("exists", [True, False])
def test_others_get_the_same_name_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    wanted = tmp_path / "stagebox"
    if exists:
        wanted.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_dir(wanted, system=tmp_path) == Path.home() / ".local/state/stagebox"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_dir(wanted, system=tmp_path) == tmp_path / "xdg/stagebox"
