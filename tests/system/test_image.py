"""The image recipe: the system it makes, looked at file by file, and the parts of a card.

Made for a PC's processor, without kernel and firmware, so nothing is emulated. It says nothing
of whether a Raspberry Pi starts with it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.package import build as builder

pytestmark = [pytest.mark.pairs, pytest.mark.timeout(1200)]

IMAGE = builder.ROOT / "provisioning" / "image"
TOOLS = ("mmdebstrap", "mke2fs", "mkfs.vfat", "mcopy", "sfdisk", "debugfs", "dpkg-deb")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
if not os.environ.get("STAGEBOX_IMAGE"):
    why = "an image takes minutes and the network: STAGEBOX_IMAGE=1 makes one"
    pytestmark.append(pytest.mark.skip(reason=why))
elif MISSING or os.geteuid():
    why = f"needs root and {', '.join(TOOLS)}: apt install mmdebstrap mtools dosfstools fdisk"
    pytestmark.append(pytest.mark.skip(reason=why))


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1000, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("image")
    cache = builder.ROOT / ".cache" / "package"
    builder.build_all(folder / "debs", cache, 100, packing=("gzip", "1"))
    image, tree = folder / "card.img", folder / "root"
    what = ("--debs", str(folder / "debs"), "--out", str(image), "--tree", str(tree))
    run(str(IMAGE / "make.sh"), "--architecture", "amd64", *what)
    yield image, tree
    shutil.rmtree(folder, ignore_errors=True)


def test_the_system_is_what_it_should_be(card: tuple[Path, Path]) -> None:
    _image, root = card
    mounts = [line.split() for line in (root / "etc/fstab").read_text().splitlines() if line]
    by_place = {words[1]: words for words in mounts if not words[0].startswith("#")}
    assert by_place["/"][3].startswith("ro,")
    assert "nofail" in by_place["/data"][3]
    for place in by_place:
        assert (root / place.lstrip("/")).is_dir(), place
    bound = (root / "usr/lib/stagebox-image/bind").read_text()
    for name in re.search(r"^for name in (.*); do$", bound, re.MULTILINE)[1].split():  # type: ignore[index]
        assert (root / "data" / name).is_dir(), name
        assert (root / "var/lib" / name).is_dir(), name
    overlay = (root / "etc/overlayroot.local.conf").read_text()
    assert 'overlayroot="tmpfs:recurse=0"' in overlay
    assert (root / "usr/share/initramfs-tools/scripts/init-bottom/overlayroot").is_file()
    shadow = (root / "etc/shadow").read_text()
    assert not re.search(r"^[^:]+:\$", shadow, re.MULTILINE), "somebody has a password"
    assert not (root / "usr/sbin/sshd").exists()
    assert (root / "etc/machine-id").read_text() == ""
    enabled = root / "etc/systemd/system"
    for unit in ("stagebox-box.service", "stagebox-grow.service", "stagebox-provision.service"):
        assert (enabled / "multi-user.target.wants" / unit).is_symlink(), unit
    assert (enabled / "local-fs.target.wants/stagebox-data.service").is_symlink()
    assert (enabled / "timers.target.wants/stagebox-update.timer").is_symlink()
    assert "RuntimeWatchdogSec=15s" in (enabled.parent / "system.conf.d/stagebox.conf").read_text()
    assert "Storage=volatile" in (enabled.parent / "journald.conf.d/stagebox.conf").read_text()


def test_what_lies_on_the_data_partition_belongs_to_whom_it_should(
    card: tuple[Path, Path],
) -> None:
    _image, root = card
    users = {
        fields[0]: int(fields[2])
        for fields in (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    }
    state = (root / "data/stagebox").stat()
    assert (state.st_uid, state.st_mode & 0o777) == (users["stagebox"], 0o700)
    assert (root / "data/networks").stat().st_mode & 0o777 == 0o700
    assert (root / "data/stagebox-releases").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_is_lost_begins_anew_and_the_others_are_bound(
    card: tuple[Path, Path],
) -> None:
    _image, root = card
    (root / "data/stagebox/kept").write_text("")
    (root / "data/stagebox-login").rmdir()
    script = (
        f"mount --bind {root} {root} && mount --bind {root}/data {root}/data"
        f" && mount -t proc proc {root}/proc && chroot {root} /usr/lib/stagebox-image/bind"
        f" && chroot {root} sh -c"
        " 'ls /var/lib/stagebox; findmnt -no SOURCE /var/lib/stagebox-login'"
    )
    said = run("unshare", "--mount", "sh", "-c", script)
    (root / "data/stagebox/kept").unlink()
    assert said.split()[0] == "kept"
    assert said.split()[1].endswith("/data/stagebox-login]")


def test_its_program_starts(card: tuple[Path, Path]) -> None:
    _image, root = card
    assert run("chroot", str(root), "stagebox", "--version").endswith("+100\n")
    run("chroot", str(root), "systemd-analyze", "verify", "stagebox-grow.service")


def test_the_card_has_its_three_parts(card: tuple[Path, Path], tmp_path: Path) -> None:
    image, _root = card
    table = run("sfdisk", "--dump", str(image))
    parts = [
        (int(start), int(size))
        for start, size in re.findall(r"start=\s*(\d+), size=\s*(\d+)", table)
    ]
    assert len(parts) == 3
    labels = []
    for number, (start, size) in enumerate(parts):
        part = tmp_path / f"{number}"
        run("dd", f"if={image}", f"of={part}", "bs=512", f"skip={start}", f"count={size}")
        labels.append(run("blkid", "-o", "value", "-s", "LABEL", str(part)).strip())
    assert labels == ["STAGEBOX", "stagebox-root", "stagebox-data"]
    run("e2fsck", "-fn", str(tmp_path / "1"))
    inside = run("debugfs", "-R", "cat /etc/fstab", str(tmp_path / "1"))
    assert "LABEL=stagebox-data" in inside
    assert "stagebox-releases" in run("debugfs", "-R", "ls /", str(tmp_path / "2"))
