"""Carrying out what the updater decided: each effect whole and on the disk, or an error."""

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from provisioning.update.archive import unpack
from provisioning.update.model import (
    Ask,
    ClearTrial,
    Done,
    Effect,
    Event,
    Failed,
    Fetch,
    Look,
    NoteFailed,
    Offered,
    Point,
    RestartBox,
    Seen,
    Sweep,
    Unpack,
    VerifyArchive,
    WriteTrial,
)
from provisioning.update.store import Releases
from stagebox.health import Health
from stagebox.release import Here, Manifest, Reason, ReleaseError, Verify, check, unseal

# What must stay free besides a release: state, and the system's own needs.
SPARE_BYTES: Final = 64 * 2**20
_PIECE: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Hub(Protocol):
    """Where releases come from. Its methods raise ReleaseError if it cannot be asked."""

    def offer(self, here: Here) -> bytes | None:
        """Return the envelope of the newest release for such a machine, or None."""

    def download(self, manifest: Manifest, target: Path) -> None:
        """Load its archive."""


class BoxService(Protocol):
    """The box, as systemd runs it."""

    def restart(self) -> None:
        """Start it anew. Raises ReleaseError."""

    def pid(self) -> int:
        """Return the process that said it is ready; 0 for none."""


@dataclass(frozen=True, slots=True)
class World:
    """All that an updater works on. ``insist``: what failed before is tried again."""

    releases: Releases
    hub: Callable[[], Hub]
    box: BoxService
    health: Callable[[], Health | None]
    verify: Verify
    here: Here
    insist: bool = False
    sleep: Callable[[float], None] = time.sleep


def perform(world: World, effect: Effect) -> Event:
    """Carry out an effect; return what came of it."""
    try:
        return _HOW[type(effect)](world, effect)
    except ReleaseError as error:
        return Failed(error.reason, error.detail)
    except OSError as error:
        reason = Reason.NO_SPACE if error.errno in _FULL else Reason.DISK
        return Failed(reason, f"The disk does not do it: {error}.")


def _ask(world: World, _effect: Ask) -> Event:
    envelope = world.hub().offer(world.here)
    if envelope is None:
        return Offered(None)
    manifest = unseal(envelope, world.verify)
    try:
        check(manifest, world.here, insist=world.insist)
    except ReleaseError as error:
        if manifest.build == world.here.build and error.reason is Reason.OLDER:
            return Offered(None)  # what runs here is the newest
        raise
    return Offered(manifest)


def _fetch(world: World, effect: Fetch) -> Event:
    manifest, free = effect.manifest, shutil.disk_usage(world.releases.folder).free
    if free < manifest.size + manifest.unpacked + SPARE_BYTES:
        missing = (manifest.size + manifest.unpacked + SPARE_BYTES - free) >> 20
        detail = f"The disk is too full for the release: {missing + 1} MiB are missing."
        raise ReleaseError(Reason.NO_SPACE, detail)
    world.hub().download(manifest, world.releases.archive)
    return Done()


def _verify(world: World, effect: VerifyArchive) -> Event:
    digest, size = hashlib.sha256(), 0
    with world.releases.archive.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    if size != effect.manifest.size:
        detail = f"The archive has {size} bytes and should have {effect.manifest.size}."
        raise ReleaseError(Reason.WRONG_SIZE, detail)
    if digest.hexdigest() != effect.manifest.sha256:
        detail = "The archive is not the one that was signed."
        raise ReleaseError(Reason.WRONG_HASH, detail)
    return Done()


def _unpack(world: World, effect: Unpack) -> Event:
    releases = world.releases
    unpack(releases.archive, effect.manifest, releases.unpacked)
    releases.adopt(effect.manifest.build)
    return Done()


def _trial(world: World, effect: WriteTrial) -> Event:
    world.releases.write_trial(effect.trial)
    return Done()


def _point(world: World, effect: Point) -> Event:
    world.releases.point(effect.build)
    return Done()


def _restart(world: World, _effect: RestartBox) -> Event:
    world.box.restart()
    return Done()


def _clear(world: World, _effect: ClearTrial) -> Event:
    world.releases.clear_trial()
    return Done()


def _note(world: World, effect: NoteFailed) -> Event:
    world.releases.note_failed(effect.build)
    return Done()


def _sweep(world: World, effect: Sweep) -> Event:
    world.releases.sweep(effect.keep)
    return Done()


def _look(world: World, effect: Look) -> Event:
    world.sleep(effect.after_s)
    current, pid, health = world.releases.current(), world.box.pid(), world.health()
    if health is None:
        return Seen(current, pid, well=False, audio=False)
    # What another process, or another release, wrote says nothing of this one.
    well = health.joined and health.pid == pid and health.build == current
    return Seen(current, pid, well, health.audio, health.busy)


_HOW: Final[Mapping[type, Callable[[World, Any], Event]]] = {
    Ask: _ask,
    Fetch: _fetch,
    VerifyArchive: _verify,
    Unpack: _unpack,
    WriteTrial: _trial,
    Point: _point,
    RestartBox: _restart,
    ClearTrial: _clear,
    NoteFailed: _note,
    Sweep: _sweep,
    Look: _look,
}
