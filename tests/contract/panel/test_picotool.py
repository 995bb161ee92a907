"""``stagebox panel``: which Pico is meant, and what is said when it cannot be done."""

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from device.buttons.pico import link
from device.buttons.ports import PanelError
from device.picotool import copying, hearing, program
from tests.contract.panel.test_usb import Cable, body


def test_the_only_pico_is_meant_and_the_named_one_always() -> None:
    assert program.choose(None, ["a"], "") == "a"
    assert program.choose("b", ["a", "c"], "") == "b"


@pytest.mark.parametrize(
    ("ports", "disk", "says"),
    [
        (["a", "b"], "", "several Picos. Name one:\n  a\n  b"),
        ([], "RPI-RP2", "waits for MicroPython .its disk is RPI-RP2.. Copy the file"),
        ([], "", "hold BOOTSEL"),
    ],
)
def test_otherwise_it_says_what_to_do(ports: list[str], disk: str, says: str) -> None:
    with pytest.raises(PanelError, match=says):
        program.choose(None, ports, disk)


def test_a_pico_that_waits_for_micropython_is_known_by_its_disk(tmp_path: Path) -> None:
    assert copying.waiting_disk(tmp_path) == ""
    (tmp_path / "RP2350").touch()
    assert copying.waiting_disk(tmp_path) == "RP2350"


def test_what_talks_on_a_line_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LISTEN_S", 0.2)
    found: list[str] = []
    ready = hearing.select.select
    for version in (link.FIRMWARE, "0.9"):
        cable = Cable(tmp_path, version)

        def wait(*_arguments: object, cable: Cable = cable, version: str = version) -> object:
            cable.say("S1 noise", body(0, "0", version=version))
            return ready(*_arguments)

        with monkeypatch.context() as patch:
            patch.setattr(hearing.select, "select", wait)
            found.append(program.describe(str(cable.path)))
        cable.pull()
    assert found[0] == f"a panel with firmware {link.FIRMWARE}"
    assert found[1].startswith("a panel with firmware 0.9, not ")
    assert "is not there" in program.describe("/nowhere")


def test_a_silent_line_is_no_panel_and_a_pulled_cable_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable = Cable(tmp_path)
    assert hearing.hear(str(cable.path), 0.05) is None
    ready = hearing.select.select

    def pull(*arguments: object) -> object:
        if cable.path.exists():
            cable.pull()
        return ready(*arguments)

    monkeypatch.setattr(hearing.select, "select", pull)
    with pytest.raises(PanelError, match="went away"):
        hearing.hear(str(cable.path), 1.0)


def test_a_pico_that_does_not_come_back_is_said(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match=r"is not there.* Unplug the Pico"):
        hearing.wait_for(str(tmp_path / "gone"), panel=True, seconds=0.0)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (subprocess.CompletedProcess([], 1, "", "mpremote: no device\n"), "mpremote: no device"),
        (subprocess.CompletedProcess([], 1, "", ""), "it did not say why"),
        (subprocess.TimeoutExpired([], 1.0), "hold its louder, softer and STATUS keys"),
    ],
)
def test_a_copy_that_fails_is_said(
    outcome: subprocess.CompletedProcess[str] | Exception,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(*_arguments: object, **_options: object) -> subprocess.CompletedProcess[str]:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(copying, "hear", lambda _port: None)
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(PanelError, match=says):
        copying.install("/dev/ttyACM0")


def test_without_mpremote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpremote", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(PanelError, match=r"pip install stagebox\[panel\]"):
        copying.install("/dev/ttyACM0")


def test_the_program_says_why_and_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    status = program.main(Namespace(act="install", port=os.devnull))
    assert status == 1
    assert "is no serial line" in capsys.readouterr().err
