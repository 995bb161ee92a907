"""The console's pure modules, by their own tests under node."""

import shutil
import subprocess
from pathlib import Path

import pytest

_TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))
_NODE = shutil.which("node")


@pytest.mark.skipif(_NODE is None, reason="node is not installed: apt install nodejs")
@pytest.mark.parametrize("path", _TESTS, ids=lambda path: path.name)
def test_module(path: Path) -> None:
    assert _NODE is not None
    command = [_NODE, "--test", "--test-reporter=tap", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout, "nothing was tested"
