"""The disks of a virtual appliance: Debian, Python packages, and this checkout.

Debian's is made by mmdebstrap and kept until its list of packages changes; the second holds
those packages of the environment that ``requirements/box.txt`` names, and is kept until those
change; the checkout's is made anew for each run. Python's are compiled: an emulated processor
would take most of a minute to compile what a box imports, each time anew.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
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
    "tests/support",
)
SYSTEM_MIB: Final = 1_200
# Where Debian's Python looks for packages that are not Debian's.
SITE: Final = "/usr/local/lib/python3.11/dist-packages"
# On a busy host a disk may be seen later than after systemd's 90 s; then it asks for a password
# at the console, and the machine waits for that until its time is up.
_LATE: Final = "x-systemd.device-timeout=10min"
FSTAB: Final = f"""/dev/vdb /opt/stagebox ext4 defaults,{_LATE} 0 0
/dev/vdc {SITE} ext4 ro,noatime,{_LATE} 0 0
"""
# Nothing that looks after a computer for years is wanted in one that lives for minutes.
MASKED: Final = (
    "serial-getty@ttyS0.service",  # nobody logs in at the console that the errand prints to
    "getty@tty1.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
)
UNIT: Final = """[Unit]
Description=The errand this machine was started for
After=multi-user.target sound.target
[Service]
Type=exec
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
    recipe = "\n".join((SUITE, MIRROR, *packages, UNIT, FSTAB, *MASKED))
    return _once("system", recipe, lambda disk: _made(disk, packages))


def packages_disk() -> Path:
    """Return the disk with the Python packages of a box, made now if there is none with these.

    Raises:
        ImageError: it cannot be made.
    """
    if sys.version_info[:2] != (3, 11):
        raise ImageError("The guest has Python 3.11; make the environment with that, too.")
    files = _files()
    recipe = "\n".join((SITE, *sorted({str(name.parts[0]) for _, name in files})))
    return _once("packages", recipe, lambda disk: _packed(disk, files))


def _once(kind: str, recipe: str, make: Callable[[Path], None]) -> Path:
    disk = CACHE / f"{kind}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.ext4"
    CACHE.mkdir(parents=True, exist_ok=True)
    with disk.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once make it once
        if not disk.exists():
            make(disk)
    return disk


def _packed(disk: Path, files: list[tuple[Path, Path]]) -> None:
    tree = disk.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    for path, name in files:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    _compile(tree, SITE)
    _filled(disk, tree, "700M")


def _compile(tree: Path, place: str) -> None:
    """Compile every module, as one that will lie in ``place`` and is not to be looked at again."""
    mode = "--invalidation-mode=unchecked-hash"
    _run(
        sys.executable,
        "-m",
        "compileall",
        "-qq",
        "-j2",
        mode,
        "-s",
        str(tree),
        "-p",
        place,
        str(tree),
    )


def _filled(disk: Path, tree: Path, size: str) -> None:
    made = disk.with_suffix(".part")
    made.unlink(missing_ok=True)
    _run("mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(made), size)
    shutil.rmtree(tree)
    made.rename(disk)


def _made(disk: Path, packages: tuple[str, ...]) -> None:
    tree = disk.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    names = ",".join(packages)
    _run("mmdebstrap", "--variant=minbase", f"--include={names}", SUITE, str(tree), MIRROR)
    _furnish(tree)
    _filled(disk, tree, f"{SYSTEM_MIB}M")


def stagebox_disk(folder: Path, errand: str, given: Path | None = None) -> Path:
    """Return a disk with Stagebox, the ``errand`` (a shell script) and the folder ``given``.

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
    (tree / "errand").write_text(errand)
    if given is not None:
        shutil.copytree(given, tree / "given")
    _compile(tree, "/opt/stagebox")
    disk = folder / "stagebox.ext4"
    _filled(disk, tree, "64M")
    return disk


def _furnish(tree: Path) -> None:
    (tree / "etc/systemd/system/errand.service").write_text(UNIT)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "errand.service").symlink_to("/etc/systemd/system/errand.service")
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    for place in ("/opt/stagebox", SITE):
        (tree / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
    (tree / "etc/fstab").write_text(FSTAB)


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
    return found


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageError(f"{command[0]}: {done.stderr.strip()[-500:]}")
