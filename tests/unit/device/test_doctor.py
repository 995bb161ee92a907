"""The doctor: every lack is named with its remedy, on any machine."""

import argparse
import json
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from device import checks
from device.audio.cards import Direction, SoundDevice
from device.audio.ports import SoundError
from device.checkup import sounds
from device.checkup.finding import Finding
from device.checkup.machine import Machine
from device.config import BoxConfig, PanelConfig, SoundConfig, VoiceChoice
from device.doctor import bundle, exit_code, main, report, verdict
from device.profiles.shelf import profile
from stagebox.media.opus import OpusMissingError
from stagebox.wire.terms import Role

USB = SoundDevice(0, "USB Audio", "Device", 1, 2, 48_000)
HDMI = SoundDevice(1, "HDMI", "vc4", 0, 2, 48_000)


def visit(**given: object) -> argparse.Namespace:
    return argparse.Namespace(
        **{"config": None, "hub": None, "profile": None, "json": False} | given
    )


def test_good_and_bad_findings_read_well() -> None:
    findings = [
        Finding("a", ok=True, sentence="Is there.", mend="never shown"),
        Finding("b", ok=False, sentence="Is not there.", mend="Get it."),
        Finding("c", ok=False, sentence="Could be better.", mend="Improve it.", required=False),
    ]
    assert [line.split() for line in report(findings).splitlines()] == [
        ["ok", "a", "Is", "there."],
        ["LACKS", "b", "Is", "not", "there."],
        ["->", "Get", "it."],
        ["note", "c", "Could", "be", "better."],
        ["->", "Improve", "it."],
    ]
    assert exit_code(findings) == 1
    assert verdict(findings) == "This machine cannot be a box yet. It lacks: b."
    assert verdict(findings[:1] + findings[2:]) == "This machine can be a box."
    assert exit_code(findings[:1] + findings[2:]) == 0


def test_long_sentences_go_on_below_and_keep_their_addresses_whole() -> None:
    path = "/a" * 60
    text = report([Finding("a", ok=False, sentence=f"{'word ' * 30}{path}.", mend="do " * 60)])
    assert f"{path}." in text.split()
    assert all(len(line) <= 100 or path in line for line in text.splitlines())
    assert all(line.startswith(" " * 24) for line in text.splitlines()[1:])


def test_settings_that_are_wrong_end_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "box.toml"
    path.write_text("[pannel]")
    assert main(visit(config=path)) == 2
    assert "box.toml:1: pannel" in capsys.readouterr().err
    assert main(visit(hub="ftp://x")) == 2
    assert "command line: hub: the address must start with" in capsys.readouterr().err


def test_the_whole_round_ends_on_a_machine_with_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_sound() -> tuple[SoundDevice, ...]:
        raise SoundError("PyAudio is not installed.")

    monkeypatch.setattr(checks, "list_devices", no_sound)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    path = tmp_path / "box.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n')
    url = "http://127.0.0.1:9"  # nobody listens on the discard port here
    assert main(visit(config=path, hub=url)) == 1
    said = capsys.readouterr().out
    assert "LACKS  hub" in said
    assert said.count("PyAudio is not installed.") == 2
    assert "gpiozero is not installed" in said


def test_all_of_it_as_one_object_for_who_helps_from_afar(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        Finding("a", ok=True, sentence="Is there.", mend="never shown"),
        Finding("b", ok=False, sentence="Is not there.", mend="Get it."),
    ]
    monkeypatch.setattr("device.doctor.all_checks", lambda _: iter(found))
    assert main(visit(json=True, profile="codec-zero")) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["can_be_a_box"] is False
    assert said["board"] == "Raspberry Pi Codec Zero"
    assert said["settings"]["panel"]["talk"] == 27
    assert [each["mend"] for each in said["findings"]] == ["", "Get it."]
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    told = bundle(profile("bare"), found[:1], Machine(tmp_path))
    assert told["machine"]["model"] == "Raspberry Pi 4 Model B Rev 1.4"
    assert told["can_be_a_box"] is True


def test_half_of_a_library_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.util.find_spec", broken)
    assert checks.library("pin library", "lgpio").sentence == "lgpio is not installed."


def test_opus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.opus().ok

    def missing() -> str:
        raise OpusMissingError("no libopus.")

    monkeypatch.setattr(checks, "opus_version", missing)
    assert not checks.opus().ok


def test_python_and_clock() -> None:
    assert checks.python().ok
    assert checks.clock().ok


@pytest.mark.parametrize(
    ("devices", "direction", "match", "ok", "said"),
    [
        ((USB, HDMI), Direction.INPUT, "", True, "Found: USB Audio."),
        ((USB, HDMI), Direction.OUTPUT, "hdmi", True, "Found: USB Audio, HDMI."),
        ((USB, HDMI), Direction.INPUT, "hdmi", False, "is called 'hdmi' (found: USB Audio)."),
        ((HDMI,), Direction.INPUT, "", False, "There is no microphone (found: none)."),
    ],
)
def test_sound_cards(
    devices: tuple[SoundDevice, ...],
    direction: Direction,
    match: str,
    ok: bool,
    said: str,
) -> None:
    found = checks.card(lambda: devices, direction, match)
    assert found.ok is ok
    assert said in found.sentence


def test_devices_are_listed_by_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(said: bytes) -> None:
        done = subprocess.CompletedProcess([], 0, said)
        monkeypatch.setattr(sounds.subprocess, "run", lambda *_, **__: done)

    monkeypatch.setattr(sounds, "list_here", lambda: (USB, HDMI))
    answers(sounds.answer())
    assert sounds.list_devices() == (USB, HDMI)

    def broken() -> tuple[SoundDevice, ...]:
        raise SoundError("It is broken.")

    monkeypatch.setattr(sounds, "list_here", broken)
    answers(sounds.answer())
    with pytest.raises(SoundError, match=r"^It is broken\.$"):
        sounds.list_devices()
    answers(b"Aborted")
    with pytest.raises(SoundError, match="The sound system fails"):
        sounds.list_devices()


def test_a_sound_system_that_hangs_is_asked_once() -> None:
    asked: list[int] = []

    def hangs() -> tuple[SoundDevice, ...]:
        asked.append(1)
        raise SoundError("It hangs.")

    once = sounds.Once(hangs)
    for _ in range(2):
        with pytest.raises(SoundError, match="It hangs"):
            once()
    assert asked == [1]
    works = sounds.Once(lambda: asked.append(2) or (USB,))
    assert works() == works() == (USB,)
    assert asked == [1, 2]


def test_a_speaker_needs_no_microphone_and_a_box_without_buttons_no_pins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks, "list_devices", lambda: (HDMI,))
    monkeypatch.setattr(checks, "hub", lambda _: Finding("hub", ok=True, sentence=""))
    config = structs.replace(
        profile("bare"),
        role=Role.SPEAKER,
        panel=PanelConfig(kind="none"),
        state_dir=str(tmp_path),
    )
    found = list(checks.all_checks(config, Machine(tmp_path)))
    assert len({each.name for each in found}) == len(found)
    required = {each.name for each in found if each.required}
    assert "loudspeaker" in required
    assert required.isdisjoint({"microphone", "pins", "button library", "pin library"})


def test_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no GPIO pins" in checks.pins(tmp_path).sentence
    (tmp_path / "gpiochip0").touch()
    assert checks.pins(tmp_path).ok
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "usermod -aG" in checks.pins(tmp_path).mend


def test_the_state_directory(tmp_path: Path) -> None:
    assert checks.state_dir(tmp_path / "not" / "yet").ok
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert not checks.state_dir(tmp_path / "file" / "x").ok


def test_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "own_addresses", lambda: frozenset({"127.0.0.1", "::1%0"}))
    assert not checks.network().ok
    addresses = frozenset({"127.0.0.1", "fd00::2%0", "10.0.0.2"})
    monkeypatch.setattr(checks, "own_addresses", lambda: addresses)
    assert checks.network().sentence == "Addresses: 10.0.0.2, fd00::2."


def test_wifi_that_sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.power_save(tmp_path).ok
    (tmp_path / "wlan0" / "wireless").mkdir(parents=True)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert "install iw" in checks.power_save(tmp_path).mend
    monkeypatch.setattr("shutil.which", lambda *_, **__: "/usr/sbin/iw")
    said = ""

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if not said:
            raise subprocess.TimeoutExpired(command, 1)
        return subprocess.CompletedProcess(command, 0, said)

    monkeypatch.setattr("subprocess.run", answer)
    assert checks.power_save(tmp_path).ok
    said = "Power save: on\n"
    assert "iw dev wlan0 set power_save off" in checks.power_save(tmp_path).mend
    said = "Power save: off\n"
    assert checks.power_save(tmp_path).ok


def test_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.shutil, "which", lambda _name: None)
    missing = checks.voice(BoxConfig())
    assert (missing.ok, missing.required) == (False, False)
    assert "apt install espeak-ng" in missing.mend
    assert checks.voice(BoxConfig(sound=SoundConfig(voice=VoiceChoice.OFF))).ok
    monkeypatch.setattr(checks.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert checks.voice(BoxConfig()).ok
