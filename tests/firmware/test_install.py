"""``stagebox panel`` with the real mpremote and a real MicroPython on a pseudo-terminal."""

import os
import pty
import shutil
import subprocess
import sys
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.buttons.pico import link
from device.picotool.hearing import hear, wait_for
from tests.firmware.interpreter import MODULE, node
from tests.firmware.pico import FIRMWARE, HERE

pytestmark = pytest.mark.timeout(240)
# For a computer that has much else to do; nothing waits for it when all is well.
PATIENCE_S = 60
PlugIn = Callable[[Path], str]


@pytest.fixture
def plug_in(tmp_path: Path) -> Iterator[PlugIn]:
    """Plug a Pico in that has these files; return its serial line."""
    started: list[tuple[subprocess.Popen[bytes], int]] = []

    def start(files: Path) -> str:
        main, side = pty.openpty()
        tty.setraw(main)
        os.set_blocking(main, False)
        command = [*node(), str(HERE / "host.mjs"), str(MODULE), str(files)]
        process = subprocess.Popen(
            [*command, str(HERE / "doubles"), "main"], stdin=main, stdout=main
        )
        started.append((process, main))
        port = os.ttyname(side)
        os.close(side)
        return port

    yield start
    for process, main in started:
        process.kill()
        process.wait()
        os.close(main)


def stagebox(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stagebox", "panel", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    """A Pico as it is when MicroPython was put on it."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    return folder


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The firmware of a year ago."""
    folder = tmp_path / "older"
    shutil.copytree(FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "link.py").read_text()
    (folder / "link.py").write_text(text.replace(f'"{link.FIRMWARE}"', '"0.9"'))
    return folder


def test_the_firmware_is_put_on_a_new_pico(plug_in: PlugIn, nothing: Path) -> None:
    port = plug_in(nothing)
    done = stagebox("install", port)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"The panel is ready: firmware {link.FIRMWARE}."
    seen = stagebox("watch", port, "--seconds", "3")
    assert "The panel is there." in seen.stdout


def test_other_firmware_is_named_and_put_right(plug_in: PlugIn, older: Path) -> None:
    port = plug_in(older)
    wait_for(port, panel=True, seconds=PATIENCE_S)
    seen = stagebox("watch", port, "--seconds", "3")
    assert f"Its firmware is 0.9, this box brings {link.FIRMWARE}; the keys work." in seen.stdout
    assert "Run 'stagebox panel install'." in seen.stdout
    done = stagebox("install", port)
    assert done.returncode == 0, done.stderr
    heard = hear(port, PATIENCE_S)
    assert heard is not None
    assert heard.is_current
