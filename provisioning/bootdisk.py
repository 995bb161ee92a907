"""The boot file where it lies: found, read within bounds, and written anew without its key."""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from provisioning.bootfile import MOST_BYTES, BootFileError, parse, scrubbed

# Where Raspberry Pi OS mounts the partition that any computer can read: now, and before.
PLACES: Final = (Path("/boot/firmware"), Path("/boot"))
# Windows hides the ends of names, and its editor adds one of its own.
NAMES: Final = ("stagebox.toml", "stagebox.toml.txt")


def find(places: tuple[Path, ...] = PLACES) -> Path | None:
    """Return the boot file; None: there is none."""
    candidates = (place / name for place in places for name in NAMES)
    return next((path for path in candidates if path.is_file()), None)


def stamp(path: Path | None) -> tuple[str, int, int] | None:
    """Return what changes when the file does."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (str(path), found.st_mtime_ns, found.st_size)


def read(path: Path) -> bytes:
    """Return the file, or as much as shows that it is too long.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def scrub(path: Path) -> bool:
    """Write the file anew without its Wi-Fi key; return whether there was one.

    What a card has written once it may keep where nobody looks: only a card that was
    overwritten whole has forgotten the key.

    Raises:
        OSError: it cannot be written; the old file is as it was.
        BootFileError: it is no boot file.
    """
    before = read(path)
    after = scrubbed(before)
    if after == before:
        return False
    parse(after)
    # A leftover of a power cut is overwritten.
    temporary = path.with_name("stagebox.new")
    with temporary.open("wb") as file:
        file.write(after)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(OSError):  # FAT has no modes
        temporary.chmod(stat.S_IMODE(path.stat().st_mode))
    temporary.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return True


__all__ = ["PLACES", "BootFileError", "find", "read", "scrub", "stamp"]
