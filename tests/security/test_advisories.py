"""Known holes in what is installed besides: the locked versions against the advisories.

The versions in which holes were mended that this product was open to stand here, so that no
lock goes back behind them. With ``STAGEBOX_ADVISORIES=1`` and pip-audit, all packages are
asked about at the Python Packaging Authority's service.
"""

import importlib.util
import os
import re
import subprocess
import sys
from datetime import date
from typing import Final

import pytest

from stagebox.calendar import utc_now
from tests.security.figures import ROOT, figure

LOCKS: Final = ("run", "box", "dev")
# Package, first version without it, and what it was.
MENDED: Final = (
    ("aiohttp", "3.13.3", "CVE-2025-69223: a small body that unpacks to a large one"),
    ("aiohttp", "3.14.1", "CVE-2026-54274, CVE-2026-54278: incomplete frames pass limits"),
    ("aiohttp", "3.14.3", "CVE-2026-59881, CVE-2026-69243"),
    ("zeroconf", "0.149.17", "CVE-2026-48487, PYSEC-2026-3435 to 3437: memory, recursion, cache"),
)
# Advisories that do no harm here: id, until when that is believed, why.
EXCEPTIONS: Final[tuple[tuple[str, date, str], ...]] = ()


def locked(name: str) -> dict[str, tuple[int, ...]]:
    """Return the versions in a lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    found = re.findall(r"^([a-z0-9._-]+)==([0-9]+(?:\.[0-9]+)*)", text, re.MULTILINE)
    return {package: _version(version) for package, version in found}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("lock", LOCKS)
def test_case_67_no_lock_goes_back_behind_a_mended_hole(lock: str) -> None:
    versions = locked(lock)
    assert len(versions) > 10
    for package, mended, what in MENDED:
        assert versions[package] >= _version(mended), what
    if lock == LOCKS[0]:
        shown = ", ".join(sorted({f"{p} {'.'.join(map(str, versions[p]))}" for p, _, _ in MENDED}))
        figure(67, f"{shown}; the rest when asked for, with the network")


def test_exceptions_have_a_date_and_end() -> None:
    for advisory, until, why in EXCEPTIONS:
        assert why, advisory
        assert utc_now().date() <= until, f"{advisory}: look at it again"


@pytest.mark.skipif(
    not os.environ.get("STAGEBOX_ADVISORIES"),
    reason="asks a service on the network: STAGEBOX_ADVISORIES=1 turns it on",
)
@pytest.mark.timeout(300)
def test_case_67_no_advisory_is_known_for_the_locked_versions() -> None:
    if importlib.util.find_spec("pip_audit") is None:
        pytest.skip("pip-audit is not installed: pip install pip-audit")
    ignored = [part for advisory, _, _ in EXCEPTIONS for part in ("--ignore-vuln", advisory)]
    lock = str(ROOT / "requirements" / "run.txt")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip_audit",
            "--disable-pip",
            "--require-hashes",
            "-r",
            lock,
            *ignored,
        ],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
