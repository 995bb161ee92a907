"""Errand: make of this Debian what the image is, so that the next start is a box's first.

The package's units as they are, its users, rules and settings, where it puts them; the boot
partition is a file, and around it stands the world of ``world.sh``.

    python -m tests.appliance.guest.flash NETWORK_NAME KEY
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from provisioning.package.recipe import BOX, STARTED, UNITS

HERE: Final = Path("/opt/stagebox")
SYSTEM: Final = Path("/etc/systemd/system")
LAUNCHER: Final = """#!/bin/sh
PYTHONPATH=/opt/stagebox PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -m stagebox "$@"
"""
# Two ends of a cable: what the box plays on this device, and hears there, is heard and played
# on the card's other device.
SETTINGS: Final = """[sound]
microphone = "(hw:0,0)"
loudspeaker = "(hw:0,0)"
prompts = "/opt/stagebox/given/prompts"
"""
WORLD: Final = """[Unit]
Before=NetworkManager.service stagebox-provision.service stagebox-box.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /opt/stagebox/tests/appliance/guest/world.sh "{name}" "{key}"
[Install]
WantedBy=multi-user.target
"""
MOUNT: Final = "/boot.img /boot/firmware vfat loop,rw,noatime,gid={group},umask=0027 0 0\n"
# An emulated processor that others want, too, may take minutes for what a Pi does in seconds, and
# stand still for longer than a watchdog waits; the units' own times are another test's.
PATIENT: Final = "[Service]\nTimeoutStartSec=400\nWatchdogSec=240\n"
PINS: Final = PATIENT + "BindReadOnlyPaths=/run/cpuinfo:/proc/cpuinfo\n"
DROP_INS: Final = {
    "stagebox-box": PINS,
    "stagebox-provision": PATIENT,
    "stagebox-bootfile": "[Service]\nTimeoutStartSec=400\n",
}
BOOT_FILE: Final = 'country = "DE"\nssid = "{name}"\nkey = "{key}"\nname = "Kitchen"\n'


def run(*command: str) -> str:
    """Run a command; return what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def units() -> None:
    """Put the package's units where they belong, and let those start that do."""
    for unit in UNITS[BOX]:
        shutil.copy(HERE / "systemd" / unit, SYSTEM)
    run("systemctl", "enable", *STARTED[BOX], "world.service")


def files(name: str, key: str) -> None:
    """Put everything else there."""
    for source, target in (
        ("systemd/polkit/60-stagebox.rules", "/etc/polkit-1/rules.d"),
        ("systemd/udev/60-stagebox.rules", "/etc/udev/rules.d"),
        ("systemd/networkmanager/dnsmasq-shared.conf", "/etc/NetworkManager/dnsmasq-shared.d"),
    ):
        Path(target).mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / source, target)
    settings = Path("/etc/stagebox")
    settings.mkdir()
    (settings / "box.toml").write_text(SETTINGS)
    launcher = Path("/usr/bin/stagebox")
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    (SYSTEM / "world.service").write_text(WORLD.format(name=name, key=key))
    for unit, text in DROP_INS.items():
        extra = SYSTEM / f"{unit}.service.d/test.conf"
        extra.parent.mkdir()
        extra.write_text(text)


def boot_partition(name: str, key: str) -> None:
    """Make the partition that a person's computer shows, with what that person wrote on it."""
    with Path("/boot.img").open("wb") as image:
        image.truncate(32 << 20)
    run("mkfs.vfat", "/boot.img")
    mount = Path("/boot/firmware")
    mount.mkdir(parents=True)
    group = run("getent", "group", "stagebox").split(":")[2]
    with Path("/etc/fstab").open("a") as table:
        table.write(MOUNT.format(group=group))
    run("mount", str(mount))
    (mount / "stagebox.toml").write_text(BOOT_FILE.format(name=name, key=key))
    run("umount", str(mount))


def main() -> None:
    """Flash."""
    name, key = sys.argv[1:]
    run("systemd-sysusers", str(HERE / "systemd/sysusers.d/stagebox.conf"))
    # This kernel has its radio built in and looks for the rules before there is a disk; Debian's
    # own signature on them is not among its keys.
    run("update-alternatives", "--set", "regulatory.db", "/lib/firmware/regulatory.db-upstream")
    files(name, key)
    boot_partition(name, key)
    units()
    run("sync")
    print('RESULT {"flashed": true}', flush=True)


if __name__ == "__main__":
    main()
