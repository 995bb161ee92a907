"""``stagebox update``: fetch the newest release from this box's hub and try it.

Runs as root, from the package and never from a release: what judges a release is none of it.
"""

import argparse
import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from provisioning.update.fetch import HubReleases, unreachable
from provisioning.update.machine import Update, step
from provisioning.update.model import (
    Begin,
    Effect,
    Fetch,
    NoteFailed,
    Outcome,
    RestartBox,
    Unpack,
    Wish,
)
from provisioning.update.perform import Hub, World, perform
from provisioning.update.service import SystemdBox
from provisioning.update.store import Releases
from stagebox.health import read_health
from stagebox.installed import architecture, installed, python
from stagebox.release import Here, Reason, ReleaseError, ReleaseRole
from stagebox.releasekeys import trusted

_REFUSED: Final = 2
# No fault of this machine's: the unit takes it for a success.
_NO_HUB: Final = 3
# What a person, or the journal, is told on the way.
_SAYS: Final[Mapping[type[Effect], str]] = {
    Fetch: "fetching the release",
    Unpack: "unpacking it",
    RestartBox: "restarting the box",
    NoteFailed: "it does not work: going back",
}
_OUTCOMES: Final = {
    Outcome.UP_TO_DATE: "this is the newest release",
    Outcome.AVAILABLE: "there is a newer release",
    Outcome.COMMITTED: "the new release works and is kept",
    Outcome.ROLLED_BACK: "back on the release before",
    Outcome.REFUSED: "nothing was changed",
    Outcome.FAILED: "nothing was changed",
    Outcome.DEFERRED: "not now",
}
_BAD: Final = frozenset({Outcome.FAILED, Outcome.REFUSED})


def main(arguments: argparse.Namespace) -> int:
    """Run the updater once; return its exit status."""
    wish = Wish(arguments.wish)
    try:
        world = _world(insist=wish is Wish.NOW)
        if wish is not Wish.CHECK and os.geteuid():
            print("stagebox update: this changes the system: sudo stagebox update", file=sys.stderr)
            return _REFUSED
        over = run(world, wish, installed().build)
    except (ReleaseError, OSError) as error:
        print(f"stagebox update: {error}", file=sys.stderr)
        return _REFUSED
    outcome = over.outcome or Outcome.FAILED
    if wish is Wish.ROLLBACK and outcome is Outcome.ROLLED_BACK:
        print("stagebox update: back on the release before", flush=True)
        return 0
    why = f" ({over.why})" if over.why else ""
    print(f"stagebox update: {_OUTCOMES[outcome]}{why}", flush=True)
    if over.reason is Reason.UNREACHABLE:
        return _NO_HUB
    return 1 if outcome in _BAD or outcome is Outcome.ROLLED_BACK else 0


def run(world: World, wish: Wish, package: int) -> Update:
    """Go through one update; return how it ended.

    Raises:
        ReleaseError: another updater is at work.
        OSError: the folder of releases cannot be used.
    """
    if wish is Wish.CHECK:
        return _through(world, wish, package)
    world.releases.prepare()
    with _alone(world.releases.folder):
        world.releases.tidy()
        return _through(world, wish, package)


def _through(world: World, wish: Wish, package: int) -> Update:
    disk, health = world.releases.look(package), world.health()
    world = replace(world, here=_at(world.here, disk.current or package, disk.failed))
    audio, running = (health.audio, health.build) if health else (False, 0)
    update, effect = step(Update(), Begin(disk, wish, audio, running), time.monotonic())
    while effect is not None:
        _say(effect)
        update, effect = step(update, perform(world, effect), time.monotonic())
    return update


def _at(here: Here, build: int, failed: Mapping[int, int]) -> Here:
    return Here(
        role=here.role,
        architecture=here.architecture,
        python=here.python,
        build=build,
        failed=failed,
    )


def _world(*, insist: bool) -> World:
    here = Here(role=ReleaseRole.BOX, architecture=architecture(), python=python())
    return World(Releases(), _hub, SystemdBox(), read_health, trusted(), here, insist)


def _hub() -> Hub:
    """Return the hub that the box is connected to.

    Raises:
        ReleaseError: it is connected to none.
    """
    health = read_health()
    if health is None or health.hub is None:
        raise unreachable("the box is not connected to one")
    return HubReleases(health.hub)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise unreachable("another updater is at work") from None
        yield


def _say(effect: Effect) -> None:
    if text := _SAYS.get(type(effect)):
        print(f"stagebox update: {text}", flush=True)
