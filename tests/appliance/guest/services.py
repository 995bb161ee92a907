"""Errand: the services under a real systemd, with their sandboxes, watchdogs and restarts.

The units are those of the package, but for where the program lies and for more patience: the
processor is emulated.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path("/opt/stagebox")
UNITS = ("stagebox-hub", "stagebox-box")
PATIENCE_S = 240.0
WATCHDOG_S = 16
DROP_IN = """[Service]
Environment=PYTHONPATH=/opt/stagebox PYTHONDONTWRITEBYTECODE=1
ExecStart=
ExecStart=/usr/bin/python3 -m stagebox {program} --config /etc/stagebox/{program}.toml
TimeoutStartSec=300
WatchdogSec={watchdog}
{lacks}
"""
# A kernel of the least size has no users of its own for a service; Debian's and the Pi's have.
LACKS = "" if Path("/proc/self/ns/user").exists() else "PrivateUsers=no"
BOX = 'name = "Kitchen"\nhub = "ws://127.0.0.1:7300"\n[panel]\nkind = "none"\n'


def run(*command: str) -> str:
    """Run a command; return what it said."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def shown(unit: str, what: str) -> str:
    """Return a property of a unit."""
    return run("systemctl", "show", "--value", "--property", what, unit)


def until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> float:
    """Wait until something is so; return how long that took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.2)
    return time.monotonic() - began


def install() -> None:
    """Put everything where the package puts it."""
    settings = Path("/etc/stagebox")
    settings.mkdir()
    for name in ("box.toml", "hub.toml"):
        shutil.copy(HERE / "systemd" / name, settings)
    run("systemd-sysusers", str(HERE / "systemd/sysusers.d/stagebox.conf"))
    shutil.copy(HERE / "systemd/udev/60-stagebox.rules", "/etc/udev/rules.d")
    run("udevadm", "control", "--reload")
    run("udevadm", "trigger", "--settle")
    Path("/etc/stagebox/box.toml").write_text(BOX)
    for unit in UNITS:
        shutil.copy(HERE / f"systemd/{unit}.service", "/etc/systemd/system")
        extra = Path(f"/etc/systemd/system/{unit}.service.d/test.conf")
        extra.parent.mkdir()
        program = unit.partition("-")[2]
        extra.write_text(DROP_IN.format(program=program, watchdog=WATCHDOG_S, lacks=LACKS))
    run("systemctl", "daemon-reload")


def ready_s(unit: str) -> float:
    """Return how long the last start took until READY=1."""
    began = int(shown(unit, "ExecMainStartTimestampMonotonic"))
    return (int(shown(unit, "ActiveEnterTimestampMonotonic")) - began) / 1e6


def stopped_and_restarted(unit: str) -> float:
    """Freeze the main process; return how long it took until a new one was ready."""
    old, count = shown(unit, "MainPID"), int(shown(unit, "NRestarts"))
    os.kill(int(old), signal.SIGSTOP)
    return until(
        lambda: (
            int(shown(unit, "NRestarts")) > count
            and shown(unit, "MainPID") not in {old, "0"}
            and shown(unit, "ActiveState") == "active"
        )
    )


def tell(**what: object) -> None:
    print("RESULT", json.dumps(what), flush=True)


def main() -> None:
    install()
    try:
        run("systemctl", "start", *UNITS)
    except subprocess.CalledProcessError:
        subprocess.run(["journalctl", "--no-pager", "-n", "60"], check=False)
        raise
    in_space_s = until(lambda: "floor is free" in shown("stagebox-box", "StatusText"))
    tell(
        ready={unit: ready_s(unit) for unit in UNITS},
        in_space_s=round(in_space_s, 1),
        users={unit: shown(unit, "User") for unit in UNITS},
        gpio=run("stat", "-c", "%G %a", "/dev/gpiochip0"),
        sound=shown("stagebox-box", "StatusText"),
    )
    # Working, and told so: nobody is restarted for being slow.
    time.sleep(2 * WATCHDOG_S)
    tell(calm={unit: int(shown(unit, "NRestarts")) for unit in UNITS})
    tell(frozen_s={unit: round(stopped_and_restarted(unit), 1) for unit in UNITS})
    until(lambda: "floor is free" in shown("stagebox-box", "StatusText"))
    for unit in UNITS:
        tell(**{f"results {unit}": shown(unit, "Result")})
    began = time.monotonic()
    run("systemctl", "stop", *UNITS)
    tell(stop_s=round(time.monotonic() - began, 1), done=True)


main()
