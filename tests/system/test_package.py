"""The Debian packages: built twice, judged by Debian's checker, and put into a clean Debian.

Everything here happens without a network once the clean Debian is there; what is installed is
all that there is. A few minutes: marked heavy.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.package import build as builder

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

TOOLS = ("mmdebstrap", "unshare", "lintian", "dpkg-deb")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
if MISSING or os.geteuid():
    why = f"needs root and {', '.join(TOOLS)}: apt install mmdebstrap lintian"
    pytestmark.append(pytest.mark.skip(reason=why))
LARGEST_MIB = 350
CACHE = builder.ROOT / ".cache" / "package"
# What is packed is the same; how hard it is pressed is not what is tested.
QUICK = ("gzip", "1")


def run(*command: str, ok: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is ok, said
    return said


class Debian:
    """A clean Debian in a folder, with what the packages depend on, and without a network."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def do(self, *command: str, ok: bool = True) -> str:
        way = ("unshare", "--net", "chroot", str(self.root), "/usr/bin/env", "-i")
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return run(*way, path, "DEBIAN_FRONTEND=noninteractive", *command, ok=ok)

    def install(self, *files: Path, ok: bool = True) -> str:
        for path in files:
            shutil.copy(path, self.root / "tmp")
        return self.do("dpkg", "--install", *(f"/tmp/{path.name}" for path in files), ok=ok)

    def holds(self, path: str) -> bool:
        return (self.root / path.lstrip("/")).exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return builder.build_all(tmp_path_factory.mktemp("made"), CACHE, 100, packing=QUICK)


@pytest.fixture(scope="module")
def debian(made: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    needs: set[str] = set()
    for path in made:
        depends = run("dpkg-deb", "--field", str(path), "Depends").strip()
        alternatives = (re.split(r"[ |(]", each.strip())[0] for each in depends.split(","))
        needs |= {name for name in alternatives if not name.startswith("stagebox")}
    root = tmp_path_factory.mktemp("debian") / "root"
    named = ",".join(sorted({*needs, "iproute2"}))
    suite = run("sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME").strip()
    run("mmdebstrap", "--variant=minbase", f"--include={named}", suite, str(root))
    yield Debian(root)
    shutil.rmtree(root, ignore_errors=True)


def test_the_same_checkout_gives_the_same_bytes(made: list[Path], tmp_path: Path) -> None:
    again = builder.build_all(tmp_path, CACHE, 100, packing=QUICK)
    for first, second in zip(made, again, strict=True):
        assert first.name == second.name
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second)}
        assert len(digests) == 1, first.name


def test_debians_checker_finds_no_error(made: list[Path]) -> None:
    said = run("lintian", "--fail-on", "error", "--display-level", ">=warning", *map(str, made))
    assert not re.search(r"^E:", said, re.MULTILINE), said


def test_what_is_installed_is_not_too_large(made: list[Path]) -> None:
    kib = sum(int(run("dpkg-deb", "--field", str(path), "Installed-Size")) for path in made)
    print(f"installed: {kib / 1024:.0f} MiB")
    assert kib < LARGEST_MIB * 1024


def test_installed_run_upgraded_never_downgraded_removed_and_purged(
    made: list[Path], debian: Debian, tmp_path: Path
) -> None:
    debian.install(*made)
    assert re.fullmatch(r"stagebox [0-9.]+\n", debian.do("stagebox", "--version"))
    for program in ("box", "hub"):
        assert debian.holds(f"/etc/stagebox/{program}.toml")
        assert debian.do("systemctl", "is-enabled", f"stagebox-{program}").strip() == "enabled"
        debian.do("systemd-analyze", "verify", f"stagebox-{program}.service")
    said = debian.do("stagebox", "doctor", "--config", "/etc/stagebox/box.toml", ok=False)
    assert "voice codec" in said
    assert "Traceback" not in said
    assert "stagebox" in debian.do("getent", "passwd", "stagebox", "stagebox-hub")
    # A whole program, and not only its command line: the hub serves until it is told to stop.
    hub = "timeout --signal=TERM 20 stagebox hub --port 7399 --no-advertise --data /tmp/hub"
    ask = "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:7399/api/v1/hub\").read())'"
    lines = f"ip link set lo up 2>/dev/null; {hub} & sleep 12; {ask}; wait"
    assert "Stagebox hub" in debian.do("sh", "-c", lines)

    (debian.root / "etc/stagebox/box.toml").write_text('name = "Kept"\n')
    newer = builder.build_all(tmp_path / "newer", CACHE, 101, packing=QUICK)
    debian.do("systemctl", "disable", "stagebox-box")
    debian.install(*newer)
    assert "Kept" in (debian.root / "etc/stagebox/box.toml").read_text()
    state = debian.do("systemctl", "is-enabled", "stagebox-box", ok=False).strip()
    assert state == "disabled", "an update switched on what somebody had switched off"
    said = debian.install(*made, ok=False)
    assert "newer than" in said
    assert "STAGEBOX_ALLOW_DOWNGRADE" in said
    assert "+101" in debian.do("dpkg-query", "--show", "stagebox")

    debian.do("dpkg", "--remove", "stagebox-box", "stagebox-hub", "stagebox")
    assert debian.holds("/etc/stagebox/box.toml")
    assert not debian.holds("/usr/lib/stagebox")
    (debian.root / "var/lib/stagebox").mkdir(exist_ok=True)
    debian.do("dpkg", "--purge", "stagebox-box", "stagebox-hub", "stagebox")
    for path in (
        "/etc/stagebox",
        "/var/lib/stagebox",
        "/var/lib/stagebox-hub",
        "/usr/bin/stagebox",
    ):
        assert not debian.holds(path), path
