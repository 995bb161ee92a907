"""A card's levels: set by ALSA's own tool at each open, and one sentence where they are not."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.audio import mixer as module
from device.audio.mixer import Mixer, contents
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone
from device.audio.system import PortAudioSystem
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.unit.audio.test_portaudio import FakePortAudio

LEVELS = {"Speaker": "90% on", "Mic": "on"}
# A program that notes how it was called, and answers as the real one does.
FAKE = """#!/bin/sh
echo "$@" >> "{calls}"
{body}
"""
OBEYS = """while IFS= read -r line; do
  name=${line#sset \\"}; name=${name%%\\"*}
  echo "Simple mixer control '$name',0"; echo "  Mono: Playback 114 [90%] [on]"
done"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return what puts a fake amixer on the PATH and tells where its calls are noted."""

    def make(body: str) -> Path:
        calls, program = tmp_path / "calls", tmp_path / "bin" / "amixer"
        program.parent.mkdir(exist_ok=True)
        program.write_text(FAKE.replace("{calls}", str(calls)).replace("{body}", body))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        return calls

    return make


def made(levels: dict[str, str] | None = None) -> tuple[Mixer, list[str]]:
    told: list[str] = []
    return Mixer(LEVELS if levels is None else levels, told.append), told


def test_levels_that_are_taken_need_no_word(fake: Callable[[str], Path]) -> None:
    calls = fake(OBEYS)
    mixer, told = made()
    mixer.set("Zero")
    assert told == []
    assert calls.read_text() == "-D hw:CARD=Zero -s\n"


def test_a_box_without_levels_asks_nothing(fake: Callable[[str], Path]) -> None:
    calls = fake(OBEYS)
    mixer, told = made({})
    mixer.set("Zero")
    mixer.set(None)
    assert (told, calls.exists()) == ([], False)


def test_a_control_that_is_not_there_is_said_once(fake: Callable[[str], Path]) -> None:
    fake("cat > /dev/null; echo \"Simple mixer control 'Mic',0\"; echo '  Mono: Capture [on]'")
    mixer, told = made()
    for _ in range(3):
        mixer.set("Zero")
    assert told == [
        (
            "Of the levels for the card Zero some could not be set: 'Speaker' is not on it,"
            " or knows no 90% on."
        )
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'amixer: Mixer attach error' >&2; exit 1", "amixer: Mixer attach error."),
        ("exit 1", "could not be set: no reason given."),
        ("sleep 5", "could not be set (TimeoutExpired)."),
        ("printf '\\377\\376'", "'Speaker' is not on it"),
    ],
)
def test_a_tool_that_fails_stops_nothing(
    fake: Callable[[str], Path], body: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sleep" in body:
        monkeypatch.setattr(module, "_PATIENCE_S", 0.3)
    fake(body)
    mixer, told = made()
    mixer.set("Zero")
    assert len(told) == 1
    assert said in told[0]
    assert isinstance(contents("Zero"), str)


def test_without_the_tool_the_box_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    mixer, told = made()
    mixer.set("Zero")
    mixer.set("Zero")
    assert len(told) == 1
    assert "sudo apt install alsa-utils" in told[0]
    assert contents("Zero") == ""


def test_what_is_no_card_of_its_own_has_no_levels(fake: Callable[[str], Path]) -> None:
    calls = fake(OBEYS)
    mixer, told = made()
    mixer.set(None)
    assert "no card of its own" in told[0]
    assert not calls.exists()


def test_a_card_that_was_plugged_in_again_gets_its_levels_again(
    fake: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fake(OBEYS)
    (tmp_path / "card1").mkdir()
    (tmp_path / "card1" / "id").write_text("Device\n")
    monkeypatch.setattr("device.audio.system.card_id", lambda _name: "Device")
    pa: Any = FakePortAudio()
    mixer, told = made()
    one = PortAudioSystem(pa.start)
    for kind in (PortAudioMicrophone, PortAudioLoudspeaker, PortAudioMicrophone):
        device = kind("Mic", one, mixer.set)
        device.open()
        device.close()
    assert calls.read_text() == "-D hw:CARD=Device -s\n" * 3
    assert told == []


def test_the_real_tool_and_a_card_that_is_not_there() -> None:
    if module.shutil.which(module.PROGRAM) is None:
        pytest.skip("not installed: amixer (apt-get install alsa-utils)")
    mixer, told = made()
    mixer.set("NoSuchCard")
    assert told[0].startswith("The levels for the card NoSuchCard could not be set: amixer: ")


@pytest.mark.sound
def test_the_real_tool_on_a_card_of_a_sound_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every card is one of the server's here, so its two controls are really set and read."""
    absent = [*missing(), *([] if module.shutil.which(module.PROGRAM) else ["amixer"])]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    with pulse_server() as server:
        server.add_card("ana")
        _cards_of(server)
        for key, value in server.env.items():
            monkeypatch.setenv(key, value)
        mixer, told = made({"Master": "30% on", "Capture": "40%"})
        mixer.set("ana")
        assert told == []
        assert "[30%]" in contents("ana")
        assert "[40%]" in contents("ana")
        mixer, told = made({"Master": "60%", "Nothing": "on", "Capture": "banana"})
        mixer.set("ana")
        assert "'Nothing' is not on it" in told[0]
        assert "'Capture' is not on it, or knows no banana" in told[0]
        assert "[60%]" in contents("ana")


def _cards_of(server: PulseServer) -> None:
    config = server.folder / "asound.conf"
    config.write_text(
        f"{config.read_text()}\nctl.hw {{ @args [ CARD ] @args.CARD {{ type string }}\n"
        " type pulse device ana_speaker source ana_speaker.monitor }\n"
    )
