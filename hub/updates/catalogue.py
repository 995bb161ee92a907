"""The hub's folder of releases: looked through again when something in it changes.

A release is two files, ``NAME.release`` and ``NAME.tar.xz``. The hub checks the signature by
the same keys as a box does; what it cannot vouch for it does not pass on, and says why.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.updates.choice import offer
from stagebox.release import MAX_ENVELOPE, Here, Manifest, ReleaseError, Verify, unseal
from stagebox.releasekeys import trusted

# Two architectures, two versions of Debian, and a few releases of each.
MAX_RELEASES: Final = 64
# A slow network must not keep all boxes waiting, nor all boxes at once fill a fast one.
MAX_DOWNLOADS: Final = 4
# Asked for ahead of time, so that a read takes what is in memory already.
_AHEAD: Final = 2 << 20


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that is no release to pass on, and why."""

    file: str
    detail: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was found: envelopes by the manifests in them."""

    releases: dict[str, tuple[Manifest, bytes]]
    troubles: tuple[Trouble, ...]


class Catalogue:
    """The releases of one folder, which need not exist."""

    def __init__(self, folder: Path, keys: Callable[[], Verify] = trusted) -> None:
        self.folder = folder
        self.downloads = 0
        self._keys = keys
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._shelf = Shelf({}, ())

    def shelf(self) -> Shelf:
        """Return what there is now."""
        seen = self._names()
        if seen != self._seen:
            self._shelf, self._seen = self._look(), seen
        return self._shelf

    def offer(self, here: Here) -> bytes | None:
        """Return the envelope of the newest release for a machine, or None."""
        releases = self.shelf().releases
        found = offer((manifest for manifest, _ in releases.values()), here)
        return None if found is None else releases[found.stem][1]

    def archive(self, stem: str) -> Path | None:
        """Return the archive of a release that the hub vouches for."""
        return self._archive(stem) if stem in self.shelf().releases else None

    def _archive(self, stem: str) -> Path:
        return self.folder / f"{stem}.tar.xz"

    def _names(self) -> tuple[tuple[str, int, int], ...]:
        try:
            entries = sorted(os.scandir(self.folder), key=lambda entry: entry.name)
            stats = ((each.name, each.stat()) for each in entries[: 4 * MAX_RELEASES])
            return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
        except OSError:
            return ()

    def _look(self) -> Shelf:
        releases: dict[str, tuple[Manifest, bytes]] = {}
        troubles = []
        paths = sorted(self.folder.glob("*.release"))[:MAX_RELEASES]
        try:
            verify = self._keys() if paths else None
        except ReleaseError as error:
            return Shelf({}, (Trouble("", error.detail),))
        for path in paths:
            try:
                manifest, envelope = self._read(path, verify)
                releases[manifest.stem] = manifest, envelope
            except (ReleaseError, OSError) as error:
                troubles.append(Trouble(path.name, str(error)))
        return Shelf(releases, tuple(troubles))

    def _read(self, path: Path, verify: Verify | None) -> tuple[Manifest, bytes]:
        with path.open("rb") as file:
            envelope = file.read(MAX_ENVELOPE + 1)
        manifest = unseal(envelope, verify or _nobody)
        size = self._archive(manifest.stem).stat().st_size
        if size != manifest.size:
            detail = f"Its archive has {size} bytes and should have {manifest.size}."
            raise OSError(detail)
        return manifest, envelope


def _nobody(_signature: bytes, _data: bytes) -> bool:
    return False


class Pieces:
    """An archive, read in pieces that were asked for ahead."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size = os.fstat(self._file.fileno()).st_size

    async def read(self, at: int, most: int) -> bytes:
        """Return up to ``most`` bytes from a position on."""
        handle = self._file.fileno()
        os.posix_fadvise(handle, at + most, _AHEAD, os.POSIX_FADV_WILLNEED)
        return os.pread(handle, most, at)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
