"""`stagebox test-panel` as a program: scripted fingers, no hub, a report and an exit status."""

import subprocess
import sys
from pathlib import Path

import pytest

from stagebox.media.frames import SAMPLE_RATE
from stagebox.speech import write_wav
from tests.support.signals import voice

pytestmark = pytest.mark.timeout(120)

# Every key that a simulated panel has, each after the one before was let go.
KEYS = (
    "1 talk tap\n2.5 hand tap\n4 mute on\n5 mute off\n"
    "6.5 volume_up tap\n8 volume_down tap\n9.5 status tap\n"
)
PATIENCE_S = 90.0


def try_panel(folder: Path, script: str, *arguments: str, config: str = "") -> tuple[int, str]:
    (folder / "fingers.script").write_text(script)
    (folder / "box.toml").write_text(config)
    write_wav(folder / "mic.wav", voice(120, 5))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "stagebox", "test-panel", "--simulate", "--yes"),
            *("--config", str(folder / "box.toml"), "--script", str(folder / "fingers.script")),
            *("--mic", str(folder / "mic.wav"), "--speaker", str(folder / "speaker.wav")),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def verdicts(out: str) -> dict[str, str]:
    lines = out.rpartition("\n\n")[2].splitlines()
    return {line[5:].partition("  ")[0].strip(): line[:4].strip() for line in lines}


def test_a_good_panel_is_all_right(tmp_path: Path) -> None:
    status, out = try_panel(tmp_path, KEYS)
    assert status == 0, out
    assert set(verdicts(out).values()) == {"ok"}
    assert list(verdicts(out))[:6] == [
        *("TALK", "HAND", "MUTE", "VOLUME UP", "VOLUME DOWN", "STATUS")
    ]
    assert "queued: Your hand is up." in out
    assert "The panel is all right." in out
    assert (tmp_path / "speaker.wav").stat().st_size > SAMPLE_RATE, "tones were played"


def test_a_dead_key_and_two_swapped_ones_are_named(tmp_path: Path) -> None:
    swapped = "1 hand tap\n1.5 hand tap\n3 talk tap\n3.5 talk tap\n"
    status, out = try_panel(tmp_path, swapped)
    assert status == 1
    found = verdicts(out)
    assert [found[key] for key in ("TALK", "HAND", "MUTE")] == ["BAD", "BAD", "BAD"]
    assert "was pressed, and HAND answered" in out
    assert "was pressed, and TALK answered" in out
    assert "was not noticed: look at its wire" in out


def test_a_listening_box_with_one_language_more(tmp_path: Path) -> None:
    config = 'role = "speaker"\n[panel]\nlamp = "none"\nlamp_rec = 0\n[sound]\nlanguage = "de"\n'
    _, out = try_panel(tmp_path, KEYS, config=config)
    found = verdicts(out)
    assert "Bitte TALK drücken." in out
    assert "Lampe" not in found
    assert "Mikrofon" not in found
    assert found["Lautsprecher"] == "ok"


def test_settings_that_are_wrong_are_told_with_their_line(tmp_path: Path) -> None:
    status, out = try_panel(tmp_path, KEYS, config="[sound]\nvolume = 200\n")
    assert status == 2
    assert out == ""
