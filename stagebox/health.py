"""How a running box does, in a file that whoever looks after it may read.

The updater decides by it whether a new release works, and finds the hub by it. There is no
secret in it. The file goes with the box: what an ended program wrote tells nobody anything.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

HEALTH_FILE: Final = Path("/run/stagebox/health.json")
# Often enough to tell 60 s of health from less; a file in memory costs nothing.
EVERY_S: Final = 2.0
_MAX_BYTES: Final = 4096


class HubAt(Struct, frozen=True, kw_only=True):
    """The hub that the box is connected to. ``pin``: its certificate's SHA-256, in hex."""

    host: str
    port: int
    pin: str = ""


class Health(Struct, frozen=True, kw_only=True):
    """One look. ``build``: of the release that runs. ``joined``: the hub let the box in.

    ``audio``: no sound device that is wanted is missing. ``busy``: somebody talks, or is heard.
    """

    pid: int
    build: int
    joined: bool
    audio: bool
    busy: bool = False
    hub: HubAt | None = None


def read_health(path: Path = HEALTH_FILE) -> Health | None:
    """Return the last look, or None if there is none that can be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=Health)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


async def keep(look: Callable[[], Health], path: Path = HEALTH_FILE) -> None:
    """Write each look until cancelled; where the folder is missing nobody wants to know."""
    last: Health | None = None
    try:
        while _is_wanted(path):
            if (now := look()) != last:
                last = now
                _write(path, msgspec.json.encode(now))
            await asyncio.sleep(EVERY_S)
    finally:
        _forget(path)


def _is_wanted(path: Path) -> bool:
    return path.parent.is_dir()


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Replace the file; it is in memory, so nothing is waited for."""
    temporary = path.with_name(f".{path.name}.new")
    with contextlib.suppress(OSError):  # a full disk ends no conversation
        temporary.write_bytes(data)
        temporary.chmod(0o644)
        temporary.replace(path)
