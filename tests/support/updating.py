"""An updater on a disk of its own: real files, real launcher, a box and a clock that stand in.

As a program it is told what to do in lines of JSON on its standard input, and does each in a
process of its own that can be killed at any of its file operations.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from provisioning.package.recipe import launcher
from provisioning.update import program
from provisioning.update.fetch import HubReleases
from provisioning.update.machine import Update
from provisioning.update.model import Wish
from provisioning.update.perform import Hub, World
from provisioning.update.store import Releases
from stagebox.health import Health, HubAt
from stagebox.installed import architecture, python
from stagebox.release import Here, ReleaseRole
from stagebox.releasekeys import trusted
from tests.support.releases import lay_out

FALLBACK = Path(__file__).parents[2] / "provisioning" / "update" / "fallback.sh"
PACKAGE_BUILD = 100
# The unit's own times: until systemd gives a start up, and between two starts.
START_S, AGAIN_S, WATCHDOG_S = 60.0, 2.0, 25.0
# Before what this program answers; the updater says things, too.
SAYS = "=> "
# What is no change of the disk.
_READS = frozenset({"os.listdir", "os.scandir"})


@dataclass
class Place:
    """Where everything lies: below one folder."""

    root: Path

    def make(self) -> "Place":
        lay_out(self.root / "package", PACKAGE_BUILD)
        self.launcher.write_text(launcher(str(self.root / "package"), str(self.releases)))
        self.launcher.chmod(0o755)
        return self

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def launcher(self) -> Path:
        return self.root / "stagebox"

    def start(self) -> int:
        """What systemd does before each start, and then the launcher: return what runs."""
        subprocess.run(["/bin/sh", str(FALLBACK), str(self.releases)], check=True, timeout=30)
        said = subprocess.run(
            [str(self.launcher), "box"], check=True, timeout=30, capture_output=True, text=True
        )
        return int(said.stdout)


class Box:
    """A box that systemd starts again and again. ``bad``: how a release misbehaves.

    Time passes only by ``sleep``.
    """

    def __init__(self, place: Place, bad: dict[int, str]) -> None:
        self.place, self.bad = place, bad
        self.now = 1000.0
        self.number = 0
        self.since = 0.0
        self.build = 0
        self.starts: list[int] = []
        self.restart()

    def restart(self) -> None:
        self.number += 1
        self.since = self.now
        self.build = self.place.start()
        self.starts.append(self.build)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        lives = {"never ready": START_S, "crashes": 30.0, "hangs": 30.0 + WATCHDOG_S}
        life = lives.get(self.bad.get(self.build, ""))
        if life is not None and self.now - self.since >= life + AGAIN_S:
            self.restart()

    def pid(self) -> int:
        return 0 if self.bad.get(self.build) == "never ready" else self.number

    def health(self) -> Health | None:
        how = self.bad.get(self.build)
        if how == "never ready":
            return None
        return Health(
            pid=self.number,
            build=self.build,
            joined=how != "cannot log in",
            audio=how != "no sound",
        )


def world(place: Place, box: Box, hub: Callable[[], Hub], *, insist: bool = False) -> World:
    here = Here(role=ReleaseRole.BOX, architecture=architecture(), python=python())
    verify = trusted([place.keys])
    return World(Releases(place.releases), hub, box, box.health, verify, here, insist, box.sleep)


def update(place: Place, box: Box, hub: Callable[[], Hub], wish: Wish = Wish.UPDATE) -> Update:
    """Run the updater on the box's clock."""
    clock = SimpleNamespace(monotonic=lambda: box.now)
    kept = program.time
    program.time = clock  # type: ignore[assignment]
    try:
        return program.run(world(place, box, hub), wish, PACKAGE_BUILD)
    finally:
        program.time = kept


def die_at(number: int, folder: Path) -> list[str]:
    """Be killed before this change of a file below ``folder``; return the list of those so far."""
    seen: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith(("open", "os.", "shutil.")) or event in _READS or not arguments:
            return
        if event == "open" and (not isinstance(arguments[2], int) or not arguments[2] & _WRITES):
            return
        if any(str(folder) in str(each) for each in arguments[:2]):
            seen.append(event)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return seen


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _run(asked: dict[str, Any]) -> str:
    place = Place(Path(asked["root"]))
    box = Box(place, {int(build): how for build, how in asked["bad"].items()})
    at = HubAt(host=asked["host"], port=asked["port"], pin=asked["pin"])
    seen = die_at(asked["kill"], place.releases)
    over = update(place, box, lambda: HubReleases(at), Wish(asked["wish"]))
    return f"{over.outcome} {len(seen)}"


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                print(SAYS + _run(json.loads(line)), flush=True)
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                print(f"{SAYS}error {error!r}", flush=True)
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print(f"\n{SAYS}killed {os.WTERMSIG(status)}", flush=True)


if __name__ == "__main__":
    main()
