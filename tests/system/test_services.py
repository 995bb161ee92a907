"""The services: their units judged by systemd itself, and what the real programs tell it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from device.config import BoxConfig
from hub.config import HubConfig
from stagebox.config import load_config

UNITS = Path(__file__).parents[2] / "systemd"
# What systemd may find exposed: the figures of the issue are the bound, the units are better.
EXPOSED = {
    "stagebox-box": 1.8,
    "stagebox-hub": 1.3,
    "stagebox-update": 2.6,
    "stagebox-provision": 2.0,
    "stagebox-bootfile": 2.0,
}
_ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    _ANALYZE is None, reason="systemd is missing: apt install systemd"
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert _ANALYZE is not None
    return subprocess.run(
        [_ANALYZE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@needs_systemd
@pytest.mark.parametrize("name", EXPOSED)
def test_a_service_is_hardly_exposed(name: str) -> None:
    done = analyze("security", "--offline=yes", str(UNITS / f"{name}.service"))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    print(f"{name}: exposed {found[1]} of 10")
    assert float(found[1]) <= EXPOSED[name]


@needs_systemd
@pytest.mark.parametrize("name", EXPOSED)
def test_systemd_understands_every_line_of_a_unit(name: str, tmp_path: Path) -> None:
    text = (UNITS / f"{name}.service").read_text()
    unit = tmp_path / f"{name}.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_settings_are_settings() -> None:
    load_config(UNITS / "box.toml", BoxConfig)
    load_config(UNITS / "hub.toml", HubConfig)


class Systemd:
    """The one end of a service's socket that systemd has, and the service."""

    def __init__(self, folder: Path, *arguments: str, patience_s: float = 4.0) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(str(folder / "notify"))
        self.line.settimeout(40)
        words = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": str(round(patience_s * 1e6)),
        }
        self.program = subprocess.Popen(
            [sys.executable, "-m", "stagebox", *arguments],
            env={**os.environ, **words},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def await_word(self, wanted: str) -> None:
        while not self.line.recv(4096).decode().startswith(wanted):
            pass

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing more comes; what was said before is taken away first."""
        self.line.setblocking(False)
        try:
            while self.line.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.line.settimeout(seconds)
        try:
            self.line.recv(4096)
        except TimeoutError:
            return True
        finally:
            self.line.settimeout(40)
        return False

    def close(self) -> str:
        """End the service if it has not ended; return what it wrote to its log."""
        if self.program.poll() is None:
            self.program.kill()
        log = self.program.communicate(timeout=30)[1]
        self.line.close()
        return log


def commands(folder: Path) -> dict[str, list[str]]:
    return {
        "hub": ["hub", "--port", "0", "--no-advertise", "--data", str(folder / "hub")],
        "box": ["box", "--simulate", "--hub", "ws://127.0.0.1:9", "--state", str(folder / "box")],
    }


@pytest.mark.parametrize("name", ["hub", "box"])
def test_a_program_is_ready_works_and_stops(name: str, tmp_path: Path) -> None:
    systemd = Systemd(tmp_path, *commands(tmp_path)[name])
    try:
        systemd.await_word("READY=1")  # a box without a hub, too
        systemd.await_word("WATCHDOG=1")
        systemd.program.send_signal(signal.SIGTERM)
        systemd.await_word("STOPPING=1")
        assert systemd.program.wait(20) == 0
    finally:
        systemd.close()


@pytest.mark.parametrize("name", ["hub", "box"])
def test_a_program_that_stands_still_is_silent_and_shows_where(name: str, tmp_path: Path) -> None:
    systemd = Systemd(tmp_path, *commands(tmp_path)[name])
    try:
        systemd.await_word("READY=1")
        systemd.await_word("WATCHDOG=1")
        systemd.program.send_signal(signal.SIGSTOP)
        time.sleep(0.2)  # what was on its way
        assert systemd.silent_for(4.0)  # so long systemd would wait, and then send this:
        systemd.program.send_signal(signal.SIGABRT)
        systemd.program.send_signal(signal.SIGCONT)
        assert systemd.program.wait(20) == -signal.SIGABRT
    finally:
        log = systemd.close()
    assert "most recent call first" in log  # where each thread stood
