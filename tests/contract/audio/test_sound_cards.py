"""Real PortAudio over sound cards that can be pulled out, in processes of their own."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.hearing import listening
from tests.support.pulse import Pcm, PulseServer, pulse_server

pytestmark = pytest.mark.sound

PATIENCE_S = 30.0


class Box:
    """The program ``sound_box``, and what it said."""

    def __init__(self, env: dict[str, str], folder: Path, devices: tuple[str, str]) -> None:
        self.folder = folder
        self.said: list[dict[str, Any]] = []
        command = [sys.executable, "-m", "tests.contract.audio.sound_box", *devices, str(folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(command, env=env, stderr=err, **pipes)
        self._reader = threading.Thread(target=self._read, name="reader")
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append({"seen": time.monotonic(), **json.loads(line)})

    def states(self, kind: str) -> list[str]:
        return [s["status"] for s in self.said if s["event"] == "device" and s["kind"] == kind]

    def last(self) -> dict[str, Any]:
        """The last tick."""
        return next(
            (s for s in reversed(self.said) if s["event"] == "tick"),
            {"peak": 0, "blocks": 0, "played": 0, "discarded": 0},
        )

    def wait(self, condition: Callable[[], object], what: str) -> float:
        """Wait until something is so; return how long that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < PATIENCE_S, f"{what}; said: {self.said[-5:]}"
            assert self.process.poll() is None, (self.folder / "stderr").read_text()
            time.sleep(0.01)
        return time.monotonic() - began

    def wait_states(self, kind: str, *states: str) -> float:
        return self.wait(lambda: self.states(kind) == list(states), f"{kind} {states}")

    def wait_running(self) -> None:
        """Both devices give and take sound from now on."""
        now = self.last()
        self.wait(
            lambda: (
                self.last()["blocks"] > now["blocks"] + 10
                and self.last()["played"] > now["played"] + 10
            ),
            "sound does not flow",
        )

    def stop(self) -> dict[str, Any]:
        """End the program; return its last words."""
        assert self.process.stdin is not None
        self.process.stdin.write("stop\n")
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self._reader.join()
        return self.said[-1]


@contextlib.contextmanager
def box(
    env: dict[str, str], folder: Path, microphone: str, loudspeaker: str, play: Pcm | None = None
) -> Iterator[Box]:
    programme = np.zeros(48_000, np.int16) if play is None else play
    (folder / "play.raw").write_bytes(programme.tobytes())
    running = Box(env, folder, (microphone, loudspeaker))
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        running._reader.join()
        for pipe in (running.process.stdin, running.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def own_server() -> Iterator[PulseServer]:
    """A server that this test may break."""
    with pulse_server() as server:
        yield server


def noise(seconds: float, peak: int = 8_000) -> np.ndarray:
    samples = np.random.default_rng(7).uniform(-peak, peak, round(seconds * 48_000))
    return samples.astype(np.int16)


def find(needle: np.ndarray, heard: np.ndarray) -> tuple[int, float]:
    """Return where the needle is in what was heard, and how alike the two are there."""
    size = 1 << (len(heard) + len(needle)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(needle, size))
    at = int(np.argmax(np.fft.irfft(spectrum, size)[: len(heard) - len(needle)]))
    part = heard[at : at + len(needle)].astype(float)
    alike = part @ needle / (np.linalg.norm(part) * np.linalg.norm(needle) or 1)
    return at, float(alike)


def heard_by(running: Box) -> np.ndarray:
    return np.frombuffer((running.folder / "heard.raw").read_bytes(), np.int16)


def test_what_is_played_comes_back(own_server: PulseServer, tmp_path: Path) -> None:
    own_server.add_card("loop", loop=True)
    programme = np.concatenate([noise(0.25), np.zeros(36_000, np.int16)])
    with box(own_server.env, tmp_path, "loop", "loop", programme) as running:
        running.wait(lambda: running.last()["blocks"] > 300, "three seconds of sound")
        first_heard = running.last()["first_heard"]
        end = running.stop()
    at, alike = find(noise(0.25).astype(float), heard_by(running)[48_000:].astype(float))
    heard_at = first_heard + 1 + at / 48_000
    begun_at = max(s["t"] for s in running.said if s["event"] == "begin" and s["t"] < heard_at)
    print(f"alike {alike:.4f}, from pull to frame {1000 * (heard_at - begun_at):.1f} ms, {end}")
    assert alike > 0.95
    assert end["ended"] == [True, True]
    assert end["left"] == []
    assert end["dropped"] == 0
    assert (tmp_path / "stderr").read_text() == ""  # ALSA and JACK keep quiet


def test_another_program_hears_the_loudspeaker_and_talks_to_the_microphone(
    server: PulseServer, tmp_path: Path
) -> None:
    server.add_card("ana")
    programme = np.concatenate([noise(0.25), np.zeros(12_000, np.int16)])
    voice = (6_000 * np.sin(np.arange(480_000) * 2 * np.pi * 440 / 48_000)).astype(np.int16)
    with box(server.env, tmp_path, "ana", "ana", programme) as running:
        running.wait_running()
        assert running.last()["peak"] == 0
        with server.recording("ana") as recording, server.playing("ana", voice):
            running.wait(lambda: running.last()["peak"] > 5_000, "the voice")
            running.wait(lambda: recording.stat().st_size > 2 * 48_000 * 2, "the recording")
        running.stop()
    recorded = np.frombuffer(recording.read_bytes(), np.int16)
    assert find(noise(0.25).astype(float), recorded.astype(float))[1] > 0.95


def test_a_card_at_another_rate_and_in_stereo(own_server: PulseServer, tmp_path: Path) -> None:
    own_server.add_card("cd", loop=True, rate=44_100, channels=2)
    tone = (8_000 * np.sin(np.arange(48_000) * 2 * np.pi * 1000 / 48_000)).astype(np.int16)
    with box(own_server.env, tmp_path, "cd", "cd", tone) as running:
        running.wait_running()
        running.wait(lambda: running.last()["peak"] > 7_000, "the tone")
        running.wait(lambda: running.last()["blocks"] > 200, "two seconds")
        running.stop()
    heard = heard_by(running)[-24_000:].astype(float)
    strongest = np.argmax(np.abs(np.fft.rfft(heard * np.hanning(len(heard))))) * 2
    assert strongest == 1000


def test_a_card_is_pulled_out_and_put_back(own_server: PulseServer, tmp_path: Path) -> None:
    own_server.add_card("ana")
    with box(own_server.env, tmp_path, "ana", "ana") as running:
        running.wait_states("microphone", "ready")
        running.wait_states("loudspeaker", "ready")
        running.wait_running()
        own_server.unplug("ana")
        noticed = max(
            running.wait_states("microphone", "ready", "lost"),
            running.wait_states("loudspeaker", "ready", "lost"),
        )
        discarded = running.last()["discarded"]
        running.wait(lambda: running.last()["discarded"] > discarded + 50, "the programme goes on")
        own_server.plug("ana")
        back = running.wait_states("microphone", "ready", "lost", "ready")
        back += running.wait_states("loudspeaker", "ready", "lost", "ready")
        print(f"lost noticed after {noticed:.2f} s, back after {back:.2f} s")
        running.wait_running()
        assert running.stop()["left"] == []
    assert back < 10  # a person is promised five; the machine that tests may be slow


def test_a_card_that_was_not_there_at_the_start(own_server: PulseServer, tmp_path: Path) -> None:
    own_server.add_card("ana")
    own_server.unplug("ana")
    with box(own_server.env, tmp_path, "ana", "ana") as running:
        running.wait_states("microphone", "absent")
        running.wait_states("loudspeaker", "absent")
        own_server.plug("ana")
        running.wait_states("microphone", "absent", "ready")
        running.wait_states("loudspeaker", "absent", "ready")
        running.wait_running()
        assert running.stop()["left"] == []


def test_no_device_at_all(own_server: PulseServer, tmp_path: Path) -> None:
    with box(own_server.env, tmp_path, "ana", "ana") as running:
        running.wait_states("microphone", "absent")
        running.wait_states("loudspeaker", "absent")
        details = [s["detail"] for s in running.said if s["event"] == "device"]
        assert all("'ana'" in detail and "'default'" in detail for detail in details)
        end = running.stop()
    assert end["ended"] == [True, True]
    assert end["left"] == []


def test_the_sound_server_dies_and_is_started_again(
    own_server: PulseServer, tmp_path: Path
) -> None:
    """The devices leave PortAudio's list, so it must look for them again."""
    own_server.add_card("ana")
    with box(own_server.env, tmp_path, "ana", "ana") as running:
        running.wait_running()
        own_server.stop()
        running.wait_states("microphone", "ready", "lost")
        running.wait_states("loudspeaker", "ready", "lost")
        time.sleep(3)  # a search that finds nothing lies in between
        own_server.start()
        running.wait_states("microphone", "ready", "lost", "ready")
        running.wait_states("loudspeaker", "ready", "lost", "ready")
        running.wait_running()
        assert running.stop()["left"] == []


def test_one_device_is_searched_while_the_other_is_in_use(
    own_server: PulseServer, tmp_path: Path
) -> None:
    """The microphone steps aside for the search and goes on by itself."""
    own_server.add_card("ana")
    with pulse_server() as second:
        second.add_card("eve")
        config = tmp_path / "asound.conf"
        config.write_text(own_server.alsa_config() + second.alsa_config(default=False))
        env = {**own_server.env, "ALSA_CONFIG_PATH": str(config)}
        second.stop()
        with box(env, tmp_path, "ana", "eve") as running:
            running.wait_states("microphone", "ready")
            running.wait_states("loudspeaker", "absent")
            second.start()
            running.wait_states("loudspeaker", "absent", "ready")
            running.wait_running()
            assert running.states("microphone") == ["ready"]
            assert running.stop()["left"] == []


def test_a_loudspeaker_that_steps_aside_is_silent_for_a_moment(
    own_server: PulseServer, tmp_path: Path
) -> None:
    """For a microphone that PortAudio has never listed: how long, is printed."""
    own_server.add_card("ana")
    with pulse_server() as second:
        second.add_card("eve")
        config = tmp_path / "asound.conf"
        config.write_text(own_server.alsa_config() + second.alsa_config(default=False))
        env = {**own_server.env, "ALSA_CONFIG_PATH": str(config)}
        second.stop()
        with box(env, tmp_path, "eve", "ana", noise(1.0)) as running:
            running.wait_states("loudspeaker", "ready")
            running.wait_states("microphone", "absent")
            with listening(own_server, own_server.cards["ana"].playback) as ear:
                second.start()
                found = running.wait_states("microphone", "absent", "ready")
                running.wait_running()
                time.sleep(1)
                samples = np.abs(ear.recording.samples)
            assert running.states("loudspeaker") == ["ready"]
            assert running.stop()["left"] == []
    loud = np.flatnonzero(samples > 0.05)
    silence = float(np.diff(loud).max()) / 48_000
    print(f"found after {found:.1f} s, the loudspeaker silent for {1000 * silence:.0f} ms")
    assert silence < 3


def test_a_sound_server_that_hangs(own_server: PulseServer, tmp_path: Path) -> None:
    """Calls that never return cost their threads; the box goes on and recovers."""
    own_server.add_card("ana")
    with box(own_server.env, tmp_path, "ana", "ana") as running:
        running.wait_running()
        own_server.freeze()
        running.wait_states("microphone", "ready", "lost")
        running.wait_states("loudspeaker", "ready", "lost")
        ticks = len(running.said)
        discarded = running.last()["discarded"]
        running.wait(lambda: running.last()["discarded"] > discarded + 50, "the programme goes on")
        running.wait(lambda: len(running.said) > ticks + 5, "the loop goes on")
        own_server.thaw()
        running.wait_states("microphone", "ready", "lost", "ready")
        running.wait_states("loudspeaker", "ready", "lost", "ready")
        running.wait_running()
        end = running.stop()
    assert end["ended"] == [True, True]
    assert end["left"] == []
