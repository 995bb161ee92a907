"""Half duplex, full duplex, headset: what plays while the box talks, and what is missing."""

import sys
from pathlib import Path

import pytest

from device import checks, hardware
from device.audio.echo import ClearMicrophone, KnownLoudspeaker
from device.audio.wav import WavLoudspeaker, WavMicrophone
from device.config import BoxConfig, Duplex, SoundConfig
from stagebox.config import parse_config
from stagebox.wire.terms import Role

SIMULATION = hardware.Simulation(Path("mic.wav"), Path("speaker.wav"), None)


def config(duplex: Duplex, role: Role = Role.GUEST) -> BoxConfig:
    return BoxConfig(sound=SoundConfig(duplex=duplex), role=role)


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "livekit"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "livekit", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


@pytest.mark.parametrize(("duplex", "full"), [(Duplex.HALF, False), (Duplex.HEADSET, True)])
@pytest.mark.usefixtures("no_library")
def test_without_an_echo_there_is_nothing_to_cancel(duplex: Duplex, full: bool) -> None:
    sound = hardware.sound(config(duplex), SIMULATION)
    assert sound.full_duplex is full
    assert sound.lacks == ""
    assert type(sound.microphone()) is WavMicrophone
    assert type(sound.loudspeaker()) is WavLoudspeaker


def test_full_duplex_puts_the_canceller_between() -> None:
    pytest.importorskip("livekit.rtc")
    sound = hardware.sound(config(Duplex.FULL), SIMULATION)
    assert sound.full_duplex
    assert sound.lacks == ""
    assert type(sound.microphone()) is ClearMicrophone
    assert type(sound.loudspeaker()) is KnownLoudspeaker
    assert sound.microphone().label == "file mic.wav"


@pytest.mark.usefixtures("no_library")
def test_full_duplex_without_a_canceller_stays_half_and_says_so() -> None:
    sound = hardware.sound(config(Duplex.FULL), SIMULATION)
    assert not sound.full_duplex
    assert "stays half duplex" in sound.lacks
    assert "pip install 'stagebox[echo]'" in sound.lacks
    assert type(sound.microphone()) is WavMicrophone
    assert type(sound.loudspeaker()) is WavLoudspeaker


@pytest.mark.usefixtures("no_library")
def test_a_box_without_a_microphone_needs_no_canceller() -> None:
    assert hardware.sound(config(Duplex.FULL, Role.SPEAKER), SIMULATION).lacks == ""
    assert checks.echo_canceller(config(Duplex.FULL, Role.SPEAKER)).ok


def test_the_doctor_finds_it() -> None:
    pytest.importorskip("livekit.rtc")
    for duplex in Duplex:
        finding = checks.echo_canceller(config(duplex))
        assert (finding.ok, finding.sentence) == (True, "livekit works.")


@pytest.mark.usefixtures("no_library")
def test_the_doctor_misses_it_only_where_it_was_asked_for() -> None:
    assert checks.echo_canceller(config(Duplex.HALF)).ok
    assert checks.echo_canceller(config(Duplex.HEADSET)).ok
    finding = checks.echo_canceller(config(Duplex.FULL))
    assert not finding.ok
    assert not finding.required  # the box works, half duplex
    assert "half duplex" in finding.sentence
    assert "stagebox[echo]" in finding.mend


@pytest.mark.parametrize("duplex", list(Duplex))
def test_each_can_be_set(duplex: Duplex) -> None:
    assert parse_config(f'[sound]\nduplex = "{duplex}"', BoxConfig).sound.duplex is duplex
