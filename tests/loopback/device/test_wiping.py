"""A box that is to forget everything does, by its key and by the program."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from device.floor.prompts import Prompt
from device.trust import reset, wiping
from device.trust.errand import Tell
from device.trust.hold import FIRST_S, SECOND_S, ResetHold
from device.trust.wiping import FAREWELL_S, OWN_FILES, Wiper, wipe
from stagebox.identity import Identity


@pytest.fixture
def place(tmp_path: Path) -> Path:
    state = tmp_path / "state"
    Identity.load_or_create(state)
    for name in OWN_FILES:
        (state / name).touch()
    (state / "somebody-elses").write_text("stays")
    return state


def left(place: Path) -> list[str]:
    return [path.name for path in place.iterdir()]


class Told:
    """A wiper, and all that came of it."""

    def __init__(self, place: Path) -> None:
        self.prompts: list[Prompt] = []
        self.lamp: list[bool] = []
        self.over: list[float] = []
        self.forgotten: list[int] = []  # what was left of the box when its networks went
        self.wiper = Wiper(
            place,
            self._tell,
            self.lamp.append,
            lambda: self.forgotten.append(len(left(place))),
            self.over.append,
            ResetHold(),
        )
        self.now = 0.0

    def _tell(self, what: Tell) -> None:
        self.prompts.append(what.prompt)

    def be(self, down: bool, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.wiper.look(down=down, now=self.now)
            self.now += 0.15


def test_two_holds_wipe_everything_that_is_the_boxs_own(place: Path) -> None:
    told = Told(place)
    told.be(True, FIRST_S + 1)
    assert (told.prompts, told.lamp) == ([Prompt.RESET_AGAIN], [True])
    assert len(left(place)) == len(OWN_FILES) + 1
    told.be(False, 1)
    told.be(True, SECOND_S + 1)
    assert told.prompts == [Prompt.RESET_AGAIN, Prompt.RESET_DONE]
    assert told.over == [FAREWELL_S]
    assert left(place) == ["somebody-elses"]
    assert told.forgotten == [1]


def test_a_stuck_key_wipes_nothing(place: Path) -> None:
    told = Told(place)
    told.be(True, 600)
    assert (told.prompts, told.lamp, told.over) == ([Prompt.RESET_AGAIN], [True, False], [])
    assert len(left(place)) == len(OWN_FILES) + 1
    assert told.forgotten == []


def test_a_disk_that_keeps_it_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_path: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(wiping, "remove", broken)
    told = Told(place)
    told.be(True, FIRST_S + 1)
    told.be(False, 1)
    told.be(True, SECOND_S + 1)
    assert told.prompts[-1] is Prompt.ENROL_NOT_KEPT
    assert (told.lamp, told.over) == ([True, False], [])


def test_a_wipe_may_be_done_again(place: Path) -> None:
    assert [path.name for path in wipe(place)] == list(OWN_FILES)
    assert wipe(place) == []
    assert wipe(place / "not-there") == []


def run(place: Path, **more: Any) -> int:  # noqa: ANN401
    return reset.main(Namespace(**({"config": None, "state": place, "all": False} | more)))


def test_the_program_asks_and_says_what_is_gone(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    assert run(place, yes=False) == 1
    assert "Nothing was changed." in capsys.readouterr().out
    assert len(left(place)) == len(OWN_FILES) + 1
    monkeypatch.setattr("builtins.input", lambda _question: "yes")
    assert run(place, yes=False) == 0
    said = capsys.readouterr().out
    assert all(f"removed {place / name}" in said for name in OWN_FILES)
    assert left(place) == ["somebody-elses"]


def test_with_all_its_networks_go_and_nobody_elses(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = tmp_path / "connections"
    networks.mkdir()
    for name in ("stagebox.nmconnection", "stagebox-cable.nmconnection", "home.nmconnection"):
        (networks / name).touch()
    monkeypatch.setattr(reset, "NETWORKS", networks)
    assert run(place, yes=True) == 0
    assert len(left(networks)) == 3
    assert run(place, yes=True, all=True) == 0
    assert left(networks) == ["home.nmconnection"]


def test_the_program_says_what_is_in_its_way(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(wiping, "remove", refused)
    assert run(place, yes=True) == 2
    assert "permission denied; use sudo." in capsys.readouterr().err
    assert run(place, yes=True, config=place / "no-such.toml") == 2
