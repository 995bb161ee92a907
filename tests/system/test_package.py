"""The Debian packages: built twice, judged by Debian's checker, and put into a clean Debian.

Everything here happens without a network once the clean Debian is there; what is installed is
all that there is. A few minutes: marked pairs.
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
from provisioning.release import making
from provisioning.update.archive import unpack
from provisioning.update.model import Trial
from provisioning.update.store import Releases
from stagebox.release import unseal
from stagebox.releasekeys import trusted
from tests.security.figures import figure

pytestmark = [pytest.mark.pairs, pytest.mark.timeout(900)]

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
    named = ",".join(sorted({*needs, "iproute2", "openssl"}))
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


def a_release_runs_beside_the_package(package: Path, debian: Debian, folder: Path) -> None:
    """Make a release of a package, sign it, unpack it as a box does, start it, and go back."""
    private, public = making.make_key(folder / "key")
    archive, text = making.make_release(package, folder / "release")
    envelope = making.sign_release(text, private)
    (folder / "keys").mkdir()
    shutil.move(public, folder / "keys")
    manifest = unseal(envelope.read_bytes(), trusted([folder / "keys"]))
    print(f"release: {manifest.size >> 20} MiB, unpacked {manifest.unpacked >> 20} MiB")
    releases = Releases(debian.root / "var/lib/stagebox-releases")
    releases.prepare()
    unpack(archive, manifest, releases.unpacked)
    releases.adopt(manifest.build)
    releases.write_trial(Trial(manifest.build, 0, audio=False))
    releases.point(manifest.build)
    for start in range(3):
        debian.do("/usr/lib/stagebox/bin/stagebox-fallback")
        assert debian.do("stagebox", "--version").endswith("+101\n"), start
    assert "voice codec" in debian.do("stagebox", "doctor", ok=False)
    said = debian.do("/usr/lib/stagebox/bin/stagebox-fallback")
    assert "back to build 0" in said
    assert debian.do("stagebox", "--version").endswith("+100\n")
    releases.point(manifest.build)


def test_case_65_installed_run_upgraded_never_downgraded_removed_and_purged(
    made: list[Path], debian: Debian, tmp_path: Path
) -> None:
    debian.install(*made)
    assert re.fullmatch(r"stagebox [0-9.]+\+100\n", debian.do("stagebox", "--version"))
    assert debian.do("systemctl", "is-enabled", "stagebox-update.timer").strip() == "enabled"
    debian.do("systemd-analyze", "verify", "stagebox-update.timer")
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
    a_release_runs_beside_the_package(newer[0], debian, tmp_path)
    debian.do("systemctl", "disable", "stagebox-box")
    debian.install(*newer)
    assert "Kept" in (debian.root / "etc/stagebox/box.toml").read_text()
    assert not debian.holds("/var/lib/stagebox-releases/current"), (
        "a package gives way to a release"
    )
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
        "/var/lib/stagebox-releases",
        "/usr/bin/stagebox",
    ):
        assert not debian.holds(path), path


def test_case_65_the_installer_takes_only_what_is_signed(
    made: list[Path], debian: Debian, tmp_path: Path
) -> None:
    folder = debian.root / "tmp/release"
    folder.mkdir()
    for path in made:
        shutil.copy(path, folder)
    private, public = making.make_key(tmp_path / "key")
    making.sign_sums(folder, private)
    making.make_installer(public, folder)
    script = ("sh", "/tmp/release/install.sh")

    (debian.root / "etc/os-release").rename(debian.root / "etc/os-release.kept")
    (debian.root / "etc/os-release").write_text('ID=ubuntu\nVERSION_ID="24.04"\n')
    assert "this is ubuntu24.04" in debian.do(*script, "box", ok=False)
    (debian.root / "etc/os-release.kept").rename(debian.root / "etc/os-release")

    sums, signature = folder / making.SUMS, folder / f"{making.SUMS}.sig"
    good = signature.read_bytes()
    signature.write_bytes(bytes(64))
    assert "not by the release key" in debian.do(*script, "box", ok=False)
    signature.unlink()
    assert "nothing there can be trusted" in debian.do(*script, "box", ok=False)
    signature.write_bytes(good)
    kept = sums.read_bytes()
    sums.write_bytes(kept.replace(b"0", b"1"))
    assert "not by the release key" in debian.do(*script, "box", ok=False)
    sums.write_bytes(kept)
    role = next(path for path in folder.glob("stagebox-box_*"))
    whole = role.read_bytes()
    role.write_bytes(whole + b"x")
    assert "not the file that was signed" in debian.do(*script, "box", ok=False)
    role.write_bytes(whole)
    assert not debian.holds("/usr/bin/stagebox"), "something was installed all the same"

    assert "installed: " in debian.do(*script, "box", "hub")
    assert debian.do("systemctl", "is-enabled", "stagebox-box").strip() == "enabled"
    assert "installed already" in debian.do(*script, "box", "hub")
    assert "still there" in debian.do(*script, "--uninstall")
    assert debian.holds("/etc/stagebox/box.toml")
    assert not debian.holds("/usr/bin/stagebox")
    debian.do(*script, "--purge")
    assert not debian.holds("/etc/stagebox")
    figure(
        65, "Debian 12: installed, again, upgraded, never downgraded, removed, purged; no unit left"
    )
    units = [path.name for path in (debian.root / "etc/systemd").rglob("stagebox*")]
    assert units == []
