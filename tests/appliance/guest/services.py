"""Errand: the services under a real systemd, with their sandboxes, watchdogs and restarts.

The units are those of the package, with their own times; only more patience at the start, for
the processor is emulated. Box and hub know each other before, and are on one computer. What
they are made to suffer: to work for their living among programs that take every processor, to
be stopped whole, a loop that stands still, a microphone whose driver never answers.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.appliance.guest.gpiosim import Chip
from tests.appliance.guest.hanging import HUNG
from tests.support.enrolled import introduce

HERE = Path("/opt/stagebox")
HUB, BOX = "stagebox-hub", "stagebox-box"
UNITS = (HUB, BOX)
PATIENCE_S = 400.0
BUSY_S = 60.0
DROP_IN = """[Service]
TimeoutStartSec=300
{lacks}
"""
# A kernel of the least size has no users of its own for a service; Debian's and the Pi's have.
LACKS = "" if Path("/proc/self/ns/user").exists() else "PrivateUsers=no"
LAUNCHER = """#!/bin/sh
PYTHONPATH=/opt/stagebox PYTHONDONTWRITEBYTECODE=1 \\
    exec /usr/bin/python3 -m tests.appliance.guest.hanging "$@"
"""
SETTINGS = """name = "Kitchen"
hub = "wss://127.0.0.1:7443"
[panel]
kind = "none"
[sound]
microphone = "(hw:0,0)"
loudspeaker = "(hw:0,0)"
"""
# A process for the sound starts too slowly for the hub where the processor is emulated.
FRUGAL = "\n[media]\nprocesses = 0\n"


def run(*command: str) -> str:
    """Run a command; return what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def shown(unit: str, what: str) -> str:
    """Return a property of a unit."""
    return run("systemctl", "show", "--value", "--property", what, unit)


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> float:
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.5)
    return round(time.monotonic() - began, 1)


def install() -> None:
    """Put everything where the package puts it."""
    settings = Path("/etc/stagebox")
    settings.mkdir()
    for name in ("box.toml", "hub.toml"):
        shutil.copy(HERE / "systemd" / name, settings)
    (settings / "box.toml").write_text(SETTINGS)
    with (settings / "hub.toml").open("a") as file:
        file.write(FRUGAL)
    run("systemd-sysusers", str(HERE / "systemd/sysusers.d/stagebox.conf"))
    shutil.copy(HERE / "systemd/udev/60-stagebox.rules", "/etc/udev/rules.d")
    run("udevadm", "control", "--reload")
    run("udevadm", "trigger", "--settle")
    launcher = Path("/usr/bin/stagebox")
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    for unit in UNITS:
        shutil.copy(HERE / f"systemd/{unit}.service", "/etc/systemd/system")
        extra = Path(f"/etc/systemd/system/{unit}.service.d/test.conf")
        extra.parent.mkdir()
        extra.write_text(DROP_IN.format(lacks=LACKS))
    run("systemctl", "daemon-reload")
    acquaint()


def acquaint() -> None:
    """Let the two have been joined before."""
    places = {user: Path("/var/lib", user) for user in ("stagebox-hub", "stagebox")}
    introduce(places["stagebox-hub"], ("Kitchen", places["stagebox"]))
    for user, place in places.items():
        who = pwd.getpwnam(user)
        for each in (place, *place.rglob("*")):
            os.chown(each, who.pw_uid, who.pw_gid)


def is_free() -> bool:
    """Whether the box has its hub, and nobody talks."""
    return "floor is free" in shown(BOX, "StatusText")


def ready_s(unit: str) -> float:
    """Return how long the last start took until READY=1."""
    began = int(shown(unit, "ExecMainStartTimestampMonotonic"))
    return round((int(shown(unit, "ActiveEnterTimestampMonotonic")) - began) / 1e6, 1)


def restarts() -> dict[str, int]:
    """Return how often each unit was started anew."""
    return {unit: int(shown(unit, "NRestarts")) for unit in UNITS}


def started_anew(harm: dict[str, Callable[[int], object]]) -> dict[str, dict[str, float]]:
    """Harm the main process of each unit, all at once.

    Return, by unit, when it was gone and when a new one was ready, in seconds.
    """
    old = {unit: int(shown(unit, "MainPID")) for unit in harm}
    began = time.monotonic()
    for unit, do in harm.items():
        do(old[unit])
    gone: dict[str, float] = {}
    found: dict[str, dict[str, float]] = {}

    def are_back() -> bool:
        now = round(time.monotonic() - began, 1)
        for unit in harm:
            if unit not in gone and not Path(f"/proc/{old[unit]}").exists():
                gone[unit] = now
            if unit in gone and unit not in found and is_new(unit, old[unit]):
                found[unit] = {"gone": gone[unit], "ready": now}
        return len(found) == len(harm)

    until(are_back, f"ready again: {', '.join(harm)}")
    return found


def is_new(unit: str, old: int) -> bool:
    """Whether another process than that one is ready."""
    return shown(unit, "MainPID") not in {str(old), "0"} and shown(unit, "ActiveState") == "active"


def busy() -> dict[str, int]:
    """Take every processor twice for a while; return how often the units were started anew."""
    before = restarts()
    code = "while True: pass"
    others = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    time.sleep(BUSY_S)
    for each in others:
        each.kill()
        each.wait()
    return {unit: count - before[unit] for unit, count in restarts().items()}


def harms() -> None:
    """Do each kind of harm once, and tell what came of it."""
    tell(stopped=started_anew(dict.fromkeys(UNITS, lambda pid: os.kill(pid, signal.SIGSTOP))))
    tell(loop=started_anew(dict.fromkeys(UNITS, lambda pid: os.kill(pid, signal.SIGUSR1))))
    until(has_sound, "the box has its microphone")
    tell(microphone=started_anew({BOX: lambda pid: HUNG.write_text(str(pid))}))
    until(is_free, "the box is back")


def has_sound() -> bool:
    """Whether the microphone of the box that runs now works, or did."""
    pid = shown(BOX, "MainPID")
    log = run("journalctl", "--no-pager", "-o", "cat", "-u", BOX, f"_PID={pid}")
    return "capture: Loopback: PCM (hw:0,0) is ready" in log


def tell(**what: object) -> None:
    """Print a result."""
    print("RESULT", json.dumps(what), flush=True)


def visit() -> None:
    """Start, watch, harm and stop the services."""
    install()
    chip = Path("/dev", Chip().chip)
    run("udevadm", "settle")
    run("systemctl", "start", *UNITS)
    in_space_s = until(is_free, "the floor is free")
    tell(
        ready_s={unit: ready_s(unit) for unit in UNITS},
        in_space_s=in_space_s,
        users={unit: shown(unit, "User") for unit in UNITS},
        patience={unit: shown(unit, "WatchdogUSec") for unit in UNITS},
        gpio=run("stat", "-c", "%G %a", str(chip)),
    )
    tell(busy=busy(), free_after=is_free() or until(is_free, "the floor is free after all"))
    harms()
    log = run("journalctl", "--no-pager", "-o", "cat", "-u", BOX, "-u", HUB)
    tell(shows_where=log.count("most recent call first"), spoke=log.count("does not work:"))
    began = time.monotonic()
    run("systemctl", "stop", *UNITS)
    tell(stop_s=round(time.monotonic() - began, 1), left=[shown(unit, "Result") for unit in UNITS])


def main() -> None:
    """Visit; if that fails, show the journal."""
    try:
        visit()
        tell(done=True)
    except Exception as error:  # noqa: BLE001 - what went wrong is the result
        tell(error=f"{type(error).__name__}: {error}")
        for unit in UNITS:
            print(subprocess.run(["systemctl", "status", unit], check=False, text=True))
        subprocess.run(["journalctl", "--no-pager", "-n", "150", "-o", "cat"], check=False)


if __name__ == "__main__":
    main()
