"""Where two places must say the same, they do."""

import re
import subprocess
import sys
from pathlib import Path

from bench.page import KEPT, PAGE, filled
from stagebox.wire.causes import CloseCode
from tests.architecture.pure import ROOT
from tests.unit.wire.spec import sections


def test_the_specification_lists_the_close_codes_of_the_hub() -> None:
    listed = {int(row[0]): row[1] for row in sections()["Close codes"].rows}
    assert listed == {int(code): code.name.lower().replace("_", " ") for code in CloseCode}


def test_every_locked_version_is_the_same_in_all_locks() -> None:
    locks = {path.stem: pins(path) for path in (ROOT / "requirements").glob("*.txt")}
    assert {"build", "box", "dev", "run"} <= set(locks)
    for name in ("build", "box", "run"):
        assert locks[name]
        assert locks[name] <= locks["dev"], name


def test_every_locked_package_has_a_hash_and_nothing_tells_where_it_was_made() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        entries = text.replace("\\\n", " ").splitlines()[1:]
        assert entries
        assert all("--hash=sha256:" in entry for entry in entries), path.name


def pins(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.split(" ")[0] + line.partition(";")[2] for line in lines if "==" in line}


def tally(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.tally", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def report(path: Path, tests: int, skipped: int) -> Path:
    path.write_text(
        f'<testsuites><testsuite tests="{tests}" skipped="{skipped}" failures="0" errors="0">'
        + '<testcase><skipped message="no card"/></testcase>' * skipped
        + "</testsuite></testsuites>"
    )
    return path


def test_a_run_that_executed_something_counts(tmp_path: Path) -> None:
    result = tally(report(tmp_path / "a.xml", 3, 1))
    assert result.returncode == 0, result.stderr
    assert "a.xml: 2 run, 0 failed, 1 skipped" in result.stdout
    assert "skipped 1: no card" in result.stdout


def test_a_run_that_executed_nothing_fails(tmp_path: Path) -> None:
    full, empty = report(tmp_path / "a.xml", 3, 0), report(tmp_path / "b.xml", 2, 2)
    assert tally(full, empty).returncode == 1
    assert tally(full, tmp_path / "missing.xml").returncode == 1


def test_the_page_of_figures_shows_the_runs_that_are_kept() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(text, ROOT / KEPT) == text
    for name in re.findall(r"\(performance/([\w-]+\.svg)\)", text):
        assert (ROOT / KEPT / name).is_file(), name
