"""`stagebox doctor` on machines that lack things: each is named, and nothing breaks."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import netns
from tests.support.crew import Hub, free_port, running
from tests.support.pulse import missing, pulse_server

pytestmark = pytest.mark.timeout(120)

# What a person waits for gladly; a loaded machine takes twice as long.
PATIENCE_S = 40.0
LONGEST_S = 20.0

# Three libraries that are not installed, as the import system itself would have it.
HIDE = """
import importlib.machinery
HIDDEN = {hidden!r}
found = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in HIDDEN else found(name, path, target)
importlib.machinery.PathFinder.find_spec = staticmethod(find_spec)
"""
HARDWARE = ("pyaudio", "gpiozero", "lgpio", "RPi", "spidev", "serial")
# These run on the Pico, where they have its pins.
FIRMWARE = "device.buttons.pico."
# With no device at all in ALSA's settings PortAudio ends the process.
NO_SOUND = "pcm.nowhere { type hw card 31 }\n"


class Visit:
    """One run of the doctor: its verdicts by part, and what it said of each."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        hidden: tuple[str, ...] = (),
        longest: float = LONGEST_S,
        **env: str,
    ) -> None:
        self.longest = longest
        prefix = env.pop("prefix", "").split()
        (folder / "sitecustomize.py").write_text(HIDE.format(hidden=hidden))
        (folder / "box.toml").write_text(f'state_dir = "{folder / "state"}"\n')
        if "--config" not in arguments:
            arguments = ("--config", str(folder / "box.toml"), *arguments)
        began = time.monotonic()
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "stagebox", "doctor", *arguments],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(folder), str(Path.cwd())]),
                **env,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=longest + PATIENCE_S,
            check=False,
        )
        self.seconds = time.monotonic() - began
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.verdicts: dict[str, str] = {}
        self.said: dict[str, str] = {}
        for line in self.out.partition("\n\n")[0].splitlines():
            verdict, name, sentence = line[:5].strip(), line[7:23].strip(), line[23:].strip()
            if verdict in {"ok", "LACKS", "note"}:
                self.verdicts[name], self.said[name], last = verdict, sentence, name
            elif line.startswith(" " * 24):
                self.said[last] += f"\n{sentence}" if sentence.startswith("-> ") else f" {sentence}"

    def lacking(self) -> set[str]:
        return {name for name, verdict in self.verdicts.items() if verdict == "LACKS"}

    def reads_well(self) -> None:
        """Every part has a verdict and a sentence, every lack a remedy, and nothing broke."""
        assert "Traceback" not in self.out + self.err
        assert self.err == ""
        assert len(self.verdicts) == 27
        # A path is to be copied and is never broken, however long it is.
        short = [
            line for line in self.out.splitlines() if max(map(len, line.split()), default=0) < 60
        ]
        assert max(map(len, short)) <= 100
        for name, verdict in self.verdicts.items():
            sentences = self.said[name].splitlines()
            assert len(sentences) == (1 if verdict == "ok" else 2), self.said[name]
            assert sentences[0].endswith("."), sentences
        assert self.seconds < self.longest
        last = self.out.rpartition("\n\n")[2].replace("\n", " ").strip()
        if self.lacking():
            assert self.status == 1
            assert last.startswith("This machine cannot be a box yet. It lacks: ")
            assert all(name in last for name in self.lacking())
        else:
            assert self.status == 0
            assert last == "This machine can be a box."


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine without a sound card, whatever this one has."""
    config = tmp_path / "asound.conf"
    config.write_text(NO_SOUND)
    return {"ALSA_CONFIG_PATH": str(config), "PULSE_SERVER": "unix:/nonexistent"}


def test_a_machine_with_nothing_attached(tmp_path: Path, bare: dict[str, str]) -> None:
    visit = Visit(tmp_path, "--hub", f"http://127.0.0.1:{free_port()}", **bare)
    visit.reads_well()
    assert visit.status == 1
    assert visit.lacking() >= {"microphone", "loudspeaker", "hub"}
    assert visit.said["microphone"].startswith("There is no microphone (found: none).\n-> Plug in")
    assert "the machine is there, but no hub runs on it." in visit.said["hub"]
    if not list(Path("/dev").glob("gpiochip*")):
        assert visit.said["pins"].startswith(
            "This machine has no GPIO pins.\n-> Use a Raspberry Pi"
        )
    assert not (tmp_path / "state").exists(), "the doctor changes nothing"


def test_without_any_hardware_library(tmp_path: Path, bare: dict[str, str]) -> None:
    visit = Visit(tmp_path, hidden=HARDWARE, **bare)
    visit.reads_well()
    assert visit.lacking() >= {
        *("sound library", "microphone", "loudspeaker", "button library", "pin library"),
    }
    for part, module in (
        ("sound library", "pyaudio"),
        ("button library", "gpiozero"),
        ("pin library", "lgpio"),
    ):
        assert visit.said[part].startswith(f"{module} is not installed.\n-> Install it with: pip")
    assert "PyAudio cannot be loaded" in visit.said["microphone"]


@pytest.mark.netns
def test_without_a_network(tmp_path: Path, bare: dict[str, str]) -> None:
    why = netns.why_not()
    if why is not None:
        pytest.skip(why)
    visit = Visit(tmp_path, prefix="unshare --net", **bare)
    visit.reads_well()
    assert visit.lacking() >= {"network", "microphone"}
    assert visit.said["network"].startswith("This machine has no address.\n-> Plug in a cable")
    assert visit.verdicts["hub"] == "note"
    assert visit.said["hub"].startswith("This box belongs to no hub yet.")


@pytest.mark.sound
def test_a_machine_that_has_everything(tmp_path: Path) -> None:
    """All but the pins, which no machine but the Pi has: the settings do without them."""
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    config = tmp_path / "everything.toml"
    hub = Hub(tmp_path, free_port())
    with pulse_server() as server, running(hub):
        server.add_card("ana")
        hub.wait_up()
        config.write_text(
            f'hub = "{hub.url}"\nstate_dir = "{tmp_path}"\n'
            '[sound]\nmicrophone = "ana"\nloudspeaker = "ana"\n[panel]\nkind = "none"\n'
        )
        sound = {k: v for k, v in server.env.items() if k not in os.environ or "ALSA" in k}
        visit = Visit(tmp_path, "--config", str(config), **sound)
        visit.reads_well()
        assert visit.status == 0, visit.out
        assert "ana" in visit.said["microphone"]
        assert f"answers at {hub.url}" in visit.said["hub"]
        assert hub.members() == 0, "nobody is disturbed"
        config.write_text(f'state_dir = "{tmp_path}"\n[sound]\nmicrophone = "eve"\n')
        visit = Visit(tmp_path, "--config", str(config), **sound)
        visit.reads_well()
        assert "No microphone is called 'eve'" in visit.said["microphone"]


@pytest.mark.sound
def test_a_sound_server_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    with pulse_server() as server:
        server.add_card("ana")
        sound = {k: v for k, v in server.env.items() if k not in os.environ or "ALSA" in k}
        server.freeze()
        visit = Visit(tmp_path, "--hub", f"http://127.0.0.1:{free_port()}", longest=60.0, **sound)
        server.thaw()
        visit.reads_well()
        for part in ("microphone", "loudspeaker"):
            assert visit.said[part].startswith("The sound system does not answer; ")


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('name = "A"\n\n[sound]\nvolume = 200\n')
    visit = Visit(tmp_path, "--config", str(config))
    assert visit.status == 2
    assert visit.out == ""
    assert visit.err == (
        f"stagebox doctor: {config}:4: sound.volume:"
        " 200 is not allowed; use a percentage, 0 to 100.\n"
    )


@pytest.mark.parametrize("package", ["device", "hub"])
def test_every_module_loads_without_hardware_libraries(tmp_path: Path, package: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HIDE.format(hidden=HARDWARE))
    program = (
        "import importlib, pkgutil, sys\n"
        f"import {package}\n"
        f"names = [m.name for m in pkgutil.walk_packages({package}.__path__, '{package}.')]\n"
        f"names = [name for name in names if not name.startswith({FIRMWARE!r})]\n"
        "for name in names: importlib.import_module(name)\n"
        f"print(len(names), sorted(set(sys.modules) & set({HARDWARE!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, hardware = done.stdout.split(maxsplit=1)
    assert int(loaded) > 20
    assert hardware.strip() == "[]"
