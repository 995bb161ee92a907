"""The disks of a virtual appliance: Debian, and this checkout with what it runs on.

The first is made by mmdebstrap and kept until its list of packages changes; the second is
made anew for each run, from the checkout and from those packages of the environment that
``requirements/box.txt`` names.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = ROOT / ".cache" / "appliance"
SUITE: Final = "bookworm"
MIRROR: Final = "http://deb.debian.org/debian"
PACKAGES: Final = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "python3",
    "alsa-utils",
    "libopus0",
    "libportaudio2",
    "espeak-ng",
    "iproute2",
    "procps",
    "gpiod",
    "ca-certificates",
)
# For errands about networks: NetworkManager as on the Pi, a boot partition, and what an access
# point is made of.
NETWORK: Final = (
    "network-manager",
    "polkitd",
    "wpasupplicant",
    "wireless-regdb",
    "dnsmasq-base",
    "iw",
    "hostapd",
    "dosfstools",
)
TOOLS: Final = ("mmdebstrap", "mke2fs", "tar", "qemu-system-x86_64")
# What runs in the guest besides the installed packages.
OURS: Final = (
    "stagebox",
    "device",
    "hub",
    "provisioning",
    "systemd",
    "tests/__init__.py",
    "tests/appliance",
)
SYSTEM_MIB: Final = 1_200
UNIT: Final = """[Unit]
Description=The errand this machine was started for
After=multi-user.target sound.target
[Service]
Type=oneshot
Environment=PYTHONPATH=/opt/stagebox PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WorkingDirectory=/opt/stagebox
ExecStart=/bin/sh /opt/stagebox/errand
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStopPost=/bin/systemctl poweroff --force
[Install]
WantedBy=multi-user.target
"""


class ImageError(Exception):
    """A disk cannot be made; the text says what is missing."""


def missing_tools() -> list[str]:
    """Return the programs that making and starting a machine needs and this computer has not."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def system_disk(extra: tuple[str, ...] = ()) -> Path:
    """Return Debian's disk, with ``extra`` packages, made now if there is none with these.

    Raises:
        ImageError: it cannot be made.
    """
    packages = PACKAGES + extra
    recipe = "\n".join((SUITE, MIRROR, *packages, UNIT))
    disk = CACHE / f"system-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.ext4"
    CACHE.mkdir(parents=True, exist_ok=True)
    with disk.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once make it once
        return disk if disk.exists() else _made(disk, packages)


def _made(disk: Path, packages: tuple[str, ...]) -> Path:
    tree = disk.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    names = ",".join(packages)
    _run("mmdebstrap", "--variant=minbase", f"--include={names}", SUITE, str(tree), MIRROR)
    _furnish(tree)
    made = disk.with_suffix(".part")
    made.unlink(missing_ok=True)
    _run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(made), f"{SYSTEM_MIB}M")
    shutil.rmtree(tree)
    made.rename(disk)
    return disk


def stagebox_disk(folder: Path, errand: str) -> Path:
    """Return a disk with Stagebox, its Python packages and the ``errand`` (a shell script).

    Raises:
        ImageError: it cannot be made.
    """
    tree = folder / "stagebox"
    for each in OURS:
        source, target = ROOT / each, tree / each
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    for path, name in _files():
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (tree / "errand").write_text(errand)
    disk = folder / "stagebox.ext4"
    _run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(disk), "700M")
    shutil.rmtree(tree)
    return disk


def _furnish(tree: Path) -> None:
    (tree / "etc/systemd/system/errand.service").write_text(UNIT)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "errand.service").symlink_to("/etc/systemd/system/errand.service")
    # Nobody logs in at the console that the errand prints to.
    (tree / "etc/systemd/system/serial-getty@ttyS0.service").symlink_to("/dev/null")
    (tree / "opt/stagebox").mkdir(parents=True, exist_ok=True)
    (tree / "etc/fstab").write_text("/dev/vdb /opt/stagebox ext4 defaults 0 0\n")


def _files() -> list[tuple[Path, Path]]:
    """Return the files of the installed packages of a box: where they are, and their names."""
    lock = (ROOT / "requirements" / "box.txt").read_text(encoding="utf-8")
    found: list[tuple[Path, Path]] = []
    for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, re.MULTILINE):
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another platform or version of Python
        found += [
            (Path(str(each.locate())), Path(*each.parts))
            for each in files
            if ".." not in each.parts and each.suffix != ".pyc"
        ]
    if sys.version_info[:2] != (3, 11):
        raise ImageError("The guest has Python 3.11; make the environment with that, too.")
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"{command[0]}: {done.stderr.strip()[-500:]}")
