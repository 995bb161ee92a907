"""Unpacking a release: only plain files, folders and links that stay inside.

The archive's signature and hash hold already; this is the second wall. What is unpacked has the
usual rights and no owner of its own, and the one link that must lead out, to the system's
Python, is made here.
"""

import lzma
import posixpath
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from provisioning.update.store import sync_tree
from stagebox.installed import RELEASE_FILE, Installed, installed
from stagebox.release import Manifest, Reason, ReleaseError

SYSTEM_PYTHON: Final = "/usr/bin/python3"
# A release has some 6000 entries.
MAX_ENTRIES: Final = 50_000
MAX_PATH: Final = 300
_PIECE: Final = 1 << 20
# What reading raises, and what names that do not go together do.
_NO_ARCHIVE: Final = (
    tarfile.TarError,
    lzma.LZMAError,
    EOFError,
    UnicodeError,
    ValueError,
    FileExistsError,
    FileNotFoundError,
    NotADirectoryError,
    IsADirectoryError,
)


def bad(why: str) -> ReleaseError:
    """Return the error of an archive that is not unpacked."""
    return ReleaseError(Reason.BAD_ARCHIVE, f"The release's archive is refused: {why}.")


def unpack(archive: Path, manifest: Manifest, target: Path) -> None:
    """Unpack into ``target``, which is new, and wait until all of it is on the disk.

    Raises:
        ReleaseError: something in it is not what a release has.
        OSError: the disk does not take it.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o755)
    try:
        with lzma.open(archive, "rb") as packed:
            _entries(packed, manifest.unpacked, target)
    except _NO_ARCHIVE as error:
        raise bad(str(error)[:120]) from None
    _complete(target, manifest)
    sync_tree(target)


def _entries(packed: IO[bytes], limit: int, target: Path) -> None:
    left, links = limit, []
    with tarfile.open(fileobj=cast("IO[bytes]", _Capped(packed, limit)), mode="r|") as tar:
        for number, entry in enumerate(tar):
            if number >= MAX_ENTRIES:
                raise bad("it has too many entries")
            path = target / _inside(entry.name)
            if entry.isdir():
                path.mkdir(mode=0o755, exist_ok=True)
            elif entry.isreg():
                left -= entry.size
                if left < 0:
                    raise bad("it unpacks to more than it says")
                _file(tar, entry, path)
            elif entry.issym():
                links.append((path, _link(entry)))
            else:
                raise bad(f"{entry.name[:80]!r} is neither file nor folder")
    # Last, so that nothing is ever written through one.
    for path, where in links:
        path.symlink_to(where)


class _Capped:
    """A stream that gives no more than a release of such a size can have in all its blocks."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = limit + MAX_ENTRIES * 2048

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise bad("it unpacks to more than it says")
        return data


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or len(name) > MAX_PATH or "\0" in name:
        raise bad(f"{name[:80]!r} lies outside")
    return path


def _link(entry: tarfile.TarInfo) -> str:
    where = posixpath.normpath(posixpath.join(posixpath.dirname(entry.name), entry.linkname))
    if entry.linkname.startswith("/") or where == ".." or where.startswith("../"):
        raise bad(f"the link {entry.name[:80]!r} leads outside")
    return entry.linkname


def _file(tar: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(entry)
    if source is None:
        raise bad(f"{entry.name[:80]!r} has no content")
    with source, path.open("xb") as file:  # never over a file, or through a link
        shutil.copyfileobj(source, file, _PIECE)
    path.chmod(0o755 if entry.mode & 0o100 else 0o644)


def _complete(target: Path, manifest: Manifest) -> None:
    """Give it the system's Python, and look whether it is the release that was announced."""
    python = target / "bin" / "python3"
    try:
        python.parent.mkdir(exist_ok=True)
        python.symlink_to(SYSTEM_PYTHON)
    except FileExistsError:
        raise bad("it has a Python of its own") from None
    wanted = Installed(version=manifest.version, build=manifest.build)
    if (target / RELEASE_FILE).is_symlink() or installed(target) != wanted:
        raise bad(f"its {RELEASE_FILE} is that of another release")
    if not (target / "pyvenv.cfg").is_file():
        raise bad("it holds no Python environment")
