"""The console's pure modules, by their own tests under node."""

import gzip
import posixpath
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hub.spaces.effects import Happening

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


def test_everything_that_happens_has_a_sentence() -> None:
    text = (_CONSOLE / "js/core/deeds.js").read_text()
    assert set(re.findall(r"^  ([a-z_]+): \(", text, re.MULTILINE)) == set(Happening)


_CONSOLE = Path(__file__).parents[2] / "hub/web/console"
_CORE = sorted((_CONSOLE / "js/core").glob("*.js"))
# What a module that only decides cannot reach for: clocks, chance, the page, the network.
_WORLD = re.compile(
    r"\b(document|window|location|localStorage|navigator|fetch|performance|crypto|WebSocket"
    r"|setTimeout|setInterval|requestAnimationFrame|console|await|async)\b|Date\.now|Math\.random"
)
_STATIC = re.compile(r'^(?:import|export)\b[^;(]*? from "([^"]+)";', re.MULTILINE | re.DOTALL)
_ANY = re.compile(
    r'(?:^(?:import|export)\b[^;(]*? from |\bimport\()"([^"]+)"', re.MULTILINE | re.DOTALL
)
_IMPORT = re.compile(r'^import .*? from "([^"]+)";', re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", _CORE, ids=lambda path: path.name)
def test_core_only_decides(path: Path) -> None:
    text = re.sub(r"//[^\n]*|/\*.*?\*/|\"[^\"]*\"", "", path.read_text(), flags=re.DOTALL)
    assert not _WORLD.findall(text), _WORLD.findall(text)
    assert all(found.startswith("./") for found in _IMPORT.findall(path.read_text()))


def _closure(first: str, imports: re.Pattern[str]) -> set[str]:
    """Return every module that ``first`` needs, by its path from the root."""
    found: set[str] = set()
    due = {first}
    while due:
        path = due.pop()
        found.add(path)
        text = (_CONSOLE / path[1:]).read_text()
        named = {
            posixpath.normpath(posixpath.join(path, "..", each)) for each in imports.findall(text)
        }
        due |= named - found
    return found


def test_the_page_names_what_its_first_view_needs_and_holds_no_script() -> None:
    page = (_CONSOLE / "index.html").read_text()
    named = re.findall(r'<(?:link|script)[^>]* (?:href|src)="(/js/[^"]+)"', page)
    assert len(named) == len(set(named))
    assert set(named) == _closure("/js/app.js", _STATIC)
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert re.findall(r"\sstyle=|\son[a-z]+=", page) == []


def test_every_module_is_fetched_at_the_start_or_later() -> None:
    modules = {f"/{path.relative_to(_CONSOLE)}" for path in (_CONSOLE / "js").rglob("*.js")}
    # The heartbeat's thread is no module.
    assert _closure("/js/app.js", _ANY) == modules - {"/js/shell/beat.js"}


def test_the_console_weighs_less_than_150_kib() -> None:
    sent = sum(
        len(gzip.compress(path.read_bytes(), 9, mtime=0))
        for path in _CONSOLE.rglob("*")
        if path.is_file()
    )
    assert sent < 150 * 1024
