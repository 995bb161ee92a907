"""The files of one recording that runs. Made, used and ended on the recording's thread."""

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hub.recording import journal
from hub.recording.remake import remade
from hub.recording.take import JOURNAL, PROGRAMME, Append, Cleanse, Remake, Remove, Step, Take
from stagebox.statefile import write_atomic

# A power cut may cost this much; what the system keeps in memory outlives any program.
SYNC_S: Final = 5.0
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_PRIVATE: Final = 0o600


class Deck:
    """Carries out what a take says, in a folder of its own.

    Every call may raise ``OSError``: then the disk is full or broken, and ``close`` is
    to be called. What is in the folder by then is a recording all the same.
    """

    def __init__(self, folder: Path, take: Take) -> None:
        self.take = take
        self.folder = folder
        self._files: dict[str, int] = {}
        self._synced_at = 0.0
        folder.mkdir(mode=0o700, parents=True)

    def do(self, steps: Iterable[Step]) -> None:
        """Carry out steps in their order."""
        for step in steps:
            match step:
                case Append(file, data):
                    self._append(file, data)
                case Remove(file):
                    self._let_go(file)
                    (self.folder / file).unlink(missing_ok=True)
                case Remake(ranges):
                    self._let_go(PROGRAMME)
                    remake(self.folder, ranges)
                case Cleanse(member):
                    self._let_go(JOURNAL)
                    lines = journal.lines((self.folder / JOURNAL).read_bytes())
                    kept = map(journal.encode, journal.without(lines, member))
                    write_atomic(self.folder / JOURNAL, b"".join(kept))

    def sync(self, now: float) -> None:
        """Wait for the disk, once in a while."""
        if now - self._synced_at >= SYNC_S:
            self._synced_at = now
            for descriptor in self._files.values():
                os.fdatasync(descriptor)

    def close(self) -> None:
        """Let all files go; what can be is on the disk then."""
        for descriptor in self._files.values():
            with contextlib.suppress(OSError):
                os.fsync(descriptor)
            os.close(descriptor)
        self._files.clear()

    def _append(self, file: str, data: bytes) -> None:
        if file not in self._files:
            self._files[file] = os.open(self.folder / file, _FLAGS, _PRIVATE)
        view = memoryview(data)
        while view:
            view = view[os.write(self._files[file], view) :]

    def _let_go(self, file: str) -> None:
        descriptor = self._files.pop(file, None)
        if descriptor is not None:
            os.close(descriptor)


def remake(folder: Path, ranges: Iterable[tuple[int, int]]) -> None:
    """Make ranges of a folder's programme anew from the voices that are in it."""
    programme = folder / PROGRAMME
    voices = [path.read_bytes() for path in sorted(folder.glob("*.opus")) if path != programme]
    with programme.open("rb") as file:
        data = file.read()
    write_atomic(programme, b"".join(remade(data, ranges, voices)))


def free_bytes(folder: Path) -> int:
    """Return how much room the disk has."""
    return shutil.disk_usage(folder).free


def used_bytes(folder: Path) -> int:
    """Return how much a folder and those in it hold."""
    used = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            used += path.stat().st_size
    return used
