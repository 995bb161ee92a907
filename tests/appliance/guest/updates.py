"""Errand: the updater under a real systemd: a good release, bad ones, a cut, and the way back.

Box, hub and updater run by the package's units, launcher and fallback. A release is a small
environment that finds this checkout's program, so that each is the real box, of another build;
a bad one ends at once, or says that it is ready and never joins its hub.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

from provisioning.package.recipe import launcher, release_file
from stagebox.health import read_health
from tests.appliance.guest import services
from tests.appliance.guest.services import BOX, HUB, LACKS, is_free, run, shown, tell, until
from tests.support.releases import SITE, Entry, Maker, entry, program

HERE: Final = Path("/opt/stagebox")
HOME: Final = Path("/usr/lib/stagebox")
SYSTEM: Final = Path("/etc/systemd/system")
KEYS: Final = Path("/etc/stagebox/release-keys")
SHELF: Final = Path("/var/lib/stagebox-hub/releases")
UPDATE: Final = "stagebox-update"
PACKAGE, GOOD, ENDS, DEAF, LATER = 100, 101, 102, 103, 104
ENVIRONMENT: Final = b"home = /usr/bin\ninclude-system-site-packages = true\n"
# Where the program lies that each release runs.
WAY: Final = f"{HERE}\n".encode()
CRASH: Final = b"raise SystemExit('this release does not work')\n"
# Alive for systemd and its watchdog, and nothing else.
SILENT: Final = b"""import os, socket, time
line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
line.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1))
line.send(b"READY=1")
while True:
    line.send(b"WATCHDOG=1")
    time.sleep(1)
"""
# What the processor makes slow is not what is looked at here.
PATIENT: Final = "[Service]\nTimeoutStartSec=400\nWatchdogSec=240\n{lacks}\n"
# A trial's four minutes, a start before and after it, and an emulated processor.
PATIENCE_S: Final = 1_200.0


def environment(build: int, main: bytes | None = None) -> list[Entry]:
    """Return a release that runs this checkout's program, or ``main`` in its place."""
    given = [each for each in program("1.0", build) if SITE not in _paths(each)]
    given = [
        entry("pyvenv.cfg", ENVIRONMENT) if each[0].name == "pyvenv.cfg" else each for each in given
    ]
    if main is None:
        return [*given, entry(f"{SITE.parent}/stagebox.pth", WAY)]
    folder = entry(str(SITE), kind=b"5")
    return [*given, folder, entry(f"{SITE}/__init__.py"), entry(f"{SITE}/__main__.py", main)]


def _paths(each: Entry) -> tuple[Path, ...]:
    path = Path(each[0].name)
    return (path, *path.parents)


def lay_out_package() -> None:
    """Put the package's own program, launcher and fallback where they belong."""
    for info, data in environment(PACKAGE):
        path = HOME / info.name
        if info.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif info.isreg():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o755)
    (HOME / "bin/python3").symlink_to("/usr/bin/python3")
    (HOME / "release.json").write_text(release_file("1.0", PACKAGE))
    fallback = HOME / "bin/stagebox-fallback"
    shutil.copy(HERE / "provisioning/update/fallback.sh", fallback)
    fallback.chmod(0o755)
    command = Path("/usr/bin/stagebox")
    command.write_text(launcher())
    command.chmod(0o755)


def install() -> None:
    """Make of this Debian a computer with the packages of box and hub, that know each other."""
    services.install()
    lay_out_package()
    shutil.copy(HERE / f"systemd/{UPDATE}.service", SYSTEM)
    for unit in (BOX, HUB):
        (SYSTEM / f"{unit}.service.d/test.conf").write_text(PATIENT.format(lacks=LACKS))
    extra = SYSTEM / f"{UPDATE}.service.d/test.conf"
    extra.parent.mkdir()
    extra.write_text(f"[Service]\n{LACKS}\n")
    run("systemctl", "daemon-reload")


def says(since: str) -> list[str]:
    """Return what the updater said, line by line."""
    said = run("journalctl", "--no-pager", "-o", "cat", "-u", UPDATE, f"--after-cursor={since}")
    return [line for line in said.splitlines() if line.startswith("stagebox update:")]


def cursor() -> str:
    """Return the journal's end."""
    return run("journalctl", "-n", "0", "--show-cursor").rpartition("cursor: ")[2].strip()


def build() -> int:
    """Return the build that the box says it is of; 0: it says nothing."""
    health = read_health()
    return health.build if health is not None and health.joined else 0


def updated(name: str) -> None:
    """Run the updater to its end, and tell what came of it."""
    since, began = cursor(), time.monotonic()
    subprocess.run(["systemctl", "start", UPDATE], check=False, timeout=PATIENCE_S)
    tell_outcome(name, since, time.monotonic() - began)


def tell_outcome(name: str, since: str, seconds: float) -> None:
    """Tell what the updater said, what runs when the box is back, and what lies there."""
    until(lambda: build() > 0 and is_free(), f"{name}: the box is in its space")
    left = sorted(path.name for path in Path("/var/lib/stagebox-releases").iterdir())
    outcome = {
        "said": says(since),
        "result": shown(UPDATE, "Result"),
        "build": build(),
        "left": left,
        "seconds": round(seconds),
    }
    tell(**{name: outcome})


def cut_off(name: str) -> None:
    """Kill the updater while its release is on trial, and start it again as the timer does."""
    since, began = cursor(), time.monotonic()
    run("systemctl", "start", "--no-block", UPDATE)
    until(lambda: build() == LATER, f"{name}: the release is on trial", PATIENCE_S)
    run("systemctl", "kill", "--signal=KILL", UPDATE)
    until(lambda: shown(UPDATE, "ActiveState") != "activating", f"{name}: it is dead")
    tell(trial=Path("/var/lib/stagebox-releases/trial").exists())
    subprocess.run(["systemctl", "start", UPDATE], check=False, timeout=PATIENCE_S)
    tell_outcome(name, since, time.monotonic() - began)


def offer(maker: Maker, number: int, main: bytes | None = None) -> None:
    """Put a release on the hub's shelf."""
    maker.put(number, environment(number, main))
    for path in (SHELF, *SHELF.iterdir()):
        shutil.chown(path, "stagebox-hub", "stagebox-hub")


def visit() -> None:
    """Update, fail to, and go back."""
    install()
    maker = Maker(SHELF, KEYS)
    run("systemctl", "start", HUB, BOX)
    until(lambda: build() == PACKAGE and is_free(), "the package's own box is in its space")
    updated("nothing")
    for name, number, main in (
        ("good", GOOD, None),
        ("ends", ENDS, CRASH),
        ("deaf", DEAF, SILENT),
    ):
        offer(maker, number, main)
        updated(name)
    offer(maker, LATER)
    cut_off("cut")
    for name in ("back", "package"):
        since, began = cursor(), time.monotonic()
        said = run("/usr/bin/stagebox", "update", "--rollback")
        tell(**{f"{name}_said": said.splitlines()})
        until(is_free, f"{name}: the box is in its space")
        tell_outcome(name, since, time.monotonic() - began)


def main() -> None:
    """Visit; if that fails, show the journal."""
    os.environ["PYTHONUNBUFFERED"] = "1"
    try:
        visit()
        tell(done=True)
    except Exception as error:  # noqa: BLE001 - what went wrong is the result
        tell(error=f"{type(error).__name__}: {error}")
        subprocess.run(["journalctl", "--no-pager", "-n", "200", "-o", "cat"], check=False)


if __name__ == "__main__":
    main()
