"""The folder of releases on the disk: what is there, and each change of it in one step.

``build-N`` is a whole release, ``current`` the link to the one that runs (no link: the
package's own), ``trial`` the release on trial in one line, ``failed`` a line for each time that
one did not work. Names that begin with a dot are half made, and may go at any time.
"""

import contextlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from provisioning.update.model import PACKAGE, OnDisk, Trial
from stagebox.installed import RELEASE_FILE
from stagebox.statefile import write_atomic

RELEASES: Final = Path("/var/lib/stagebox-releases")
ARCHIVE: Final = ".archive"
UNPACKED: Final = ".unpacked"
_TRIAL: Final = re.compile(r"(\d{1,9}) (\d{1,9}) (\d) (\d{1,9})\n?")
_NAME: Final = re.compile(r"build-(\d{1,9})")
_MAX_BYTES: Final = 4096
_READABLE: Final = 0o644


class Releases:
    """The folder. Every method raises OSError if the disk does not do it."""

    def __init__(self, folder: Path = RELEASES) -> None:
        self.folder = folder
        self.archive = folder / ARCHIVE
        self.unpacked = folder / UNPACKED

    def prepare(self) -> None:
        """Make the folder; others may read it, for the box runs as a user of its own."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)

    def tidy(self) -> None:
        """Delete what a run that was broken off left half made."""
        for path in self.folder.glob(".*"):
            _delete(path)

    def home(self, build: int) -> Path:
        """Return where a release lies."""
        return self.folder / f"build-{build}"

    def look(self, package: int) -> OnDisk:
        """Return what is there; ``package``: the package's own build."""
        return OnDisk(self.current(), self.trial(), self.builds(), self.failed(), package)

    def current(self) -> int:
        """Return which release ``current`` points to, if it is whole."""
        try:
            name = (self.folder / "current").readlink().name
        except OSError:
            return PACKAGE
        found = _NAME.fullmatch(name)
        whole = found is not None and (self.folder / name / RELEASE_FILE).is_file()
        return int(found[1]) if found and whole else PACKAGE

    def trial(self) -> Trial | None:
        """Return the release on trial; a line that is none is no trial."""
        found = _TRIAL.fullmatch(_text(self.folder / "trial"))
        if not found:
            return None
        new, old, audio, starts = map(int, found.groups())
        return Trial(new, old, bool(audio), starts)

    def builds(self) -> frozenset[int]:
        """Return the releases that are there."""
        names = (_NAME.fullmatch(path.name) for path in self.folder.glob("build-*"))
        return frozenset(int(found[1]) for found in names if found)

    def failed(self) -> dict[int, int]:
        """Return how often which release did not work."""
        lines = _text(self.folder / "failed").split("\n")
        return dict(Counter(int(line) for line in lines if re.fullmatch(r"\d{1,9}", line)))

    # --- changes, each in one step ----------------------------------------------------

    def write_trial(self, trial: Trial) -> None:
        """Note that a release is on trial."""
        line = f"{trial.new} {trial.old} {int(trial.audio)} {trial.starts}\n"
        write_atomic(self.folder / "trial", line.encode())

    def clear_trial(self) -> None:
        """Note that none is."""
        (self.folder / "trial").unlink(missing_ok=True)
        sync(self.folder)

    def note_failed(self, build: int) -> None:
        """Note that a release did not work. The oldest lines go, so that the file stays small."""
        lines = [line for line in _text(self.folder / "failed").split("\n") if line][-63:]
        path = self.folder / "failed"
        write_atomic(path, "".join(f"{x}\n" for x in (*lines, build)).encode())
        path.chmod(_READABLE)  # the box tells its user

    def point(self, build: int) -> None:
        """Let ``current`` point to a release.

        Raises:
            FileNotFoundError: that release is not there.
        """
        link, made = self.folder / "current", self.folder / ".current"
        if build == PACKAGE:
            link.unlink(missing_ok=True)
        else:
            if not (self.home(build) / RELEASE_FILE).is_file():
                raise FileNotFoundError(2, "no such release", str(self.home(build)))
            made.unlink(missing_ok=True)
            made.symlink_to(f"build-{build}")
            made.replace(link)
        sync(self.folder)

    def adopt(self, build: int) -> None:
        """Give what lies in ``unpacked``, and is on the disk, its name."""
        home = self.home(build)
        if home.exists():  # of a run that was broken off
            shutil.rmtree(self.unpacked.with_name(".old"), ignore_errors=True)
            home.rename(self.unpacked.with_name(".old"))
        self.unpacked.rename(home)
        sync(self.folder)

    def sweep(self, keep: frozenset[int]) -> None:
        """Delete the other releases, never the one that runs, and what is half made."""
        running = self.current()
        for path in self.folder.iterdir():
            found = _NAME.fullmatch(path.name)
            unwanted = found and int(found[1]) not in keep and int(found[1]) != running
            if unwanted or path.name.startswith("."):
                _delete(path)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(top: Path) -> None:
    """Wait until all files and folders below ``top`` are on the disk, the deepest first."""
    for path in _deepest_first(top):
        sync(path)


def _deepest_first(top: Path) -> Iterator[Path]:
    for folder, _folders, files in os.walk(top, topdown=False):
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                yield path
        yield Path(folder)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        # Out of its name first: half a release never has one.
        gone = path.with_name(f".gone-{path.name.strip('.')}")
        with contextlib.suppress(OSError):
            path.rename(gone)
            path = gone
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("ascii", "replace")
    except OSError:
        return ""
