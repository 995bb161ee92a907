"""Small files that survive a power cut: the old text or the new one, never half of it."""

import contextlib
import os
from pathlib import Path
from typing import Final

# Where systemd keeps the state of services; it belongs to root.
SYSTEM_STATE: Final = Path("/var/lib")


def state_dir(wanted: Path, system: Path = SYSTEM_STATE) -> Path:
    """Return where to keep state: ``wanted``, or for somebody who tries things out at home.

    A place below ``system`` that this user may neither use nor make is replaced by the
    one of the same name in the user's own state directory (XDG base directories).
    """
    place = wanted.expanduser()
    if place.parent != system or os.access(place if place.exists() else system, os.W_OK):
        return place
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / place.name


def make_state_dir(path: Path) -> None:
    """Make the directory and its parents, private to this user, unless it is there.

    Raises:
        OSError: it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file by ``data``, readable by this user only, and wait for the disk.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    # One fixed name, so that power cuts in the middle cannot pile up leftovers.
    temporary = path.with_name(f".{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(path.parent)


def remove(path: Path) -> None:
    """Remove the file, and wait for the disk; one that is not there is no error.

    Raises:
        OSError: it cannot be removed.
    """
    if not path.parent.is_dir():
        return
    path.with_name(f".{path.name}.new").unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
