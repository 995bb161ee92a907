"""`stagebox profiles`, and boxes with a profile, as people call them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 25.0


def stagebox(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stagebox", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd())},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_the_list_and_one_whole() -> None:
    done = stagebox("profiles")
    assert (done.returncode, done.stderr) == (0, "")
    assert {line.split()[0] for line in done.stdout.splitlines() if line} >= {"bare", "codec-zero"}
    done = stagebox("profiles", "respeaker-2mic-v2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "dtoverlay=respeaker-2mic-v2_0" in done.stdout


def test_a_name_that_is_none() -> None:
    done = stagebox("profiles", "respeaker")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Nearest: respeaker-2mic-v1, respeaker-2mic-v2" in done.stderr
    done = stagebox("box", "--profile", "kodec-zero")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stagebox box: command line: profile: there is no profile 'kodec")
    assert "Nearest: codec-zero" in done.stderr


def test_a_box_whose_settings_do_not_fit_its_board(tmp_path: Path) -> None:
    (tmp_path / "box.toml").write_text('profile = "codec-zero"\n[panel]\nhand = 18\n')
    done = stagebox("box", "--config", "box.toml", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "stagebox box: box.toml:3: panel.hand: pin 18 is used by the Raspberry Pi Codec Zero itself"
        " (I2S sound); its free pins are 4, 5, 6, 12, 13, 16, 17, 22, 25, 26.\n"
    )
    (tmp_path / "mine.toml").write_text("[panel]\ntalk = 5\n[bord]\n")
    (tmp_path / "box.toml").write_text('profile = "mine.toml"\n')
    done = stagebox("box", "--config", "box.toml", folder=tmp_path)
    assert done.stderr.startswith("stagebox box: mine.toml:3: bord: there is no such key. Did you")


def test_a_profile_runs_in_the_simulator(tmp_path: Path) -> None:
    """A HAT, and a speaker that opens no microphone."""
    for name in ("respeaker-2mic-v2", "speaker"):
        state, events = tmp_path / name, tmp_path / f"{name}.jsonl"
        done = stagebox(
            *("box", "--simulate", "--profile", name, "--state", str(state)),
            *("--events", str(events), "--seconds", "1", "--hub", "ws://127.0.0.1:9"),
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "mic_started" not in events.read_text() or name != "speaker"
