"""What is installed: which release this program is of, on what kind of machine."""

import platform
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from stagebox import __version__
from stagebox.release import Architecture

# Lies beside the program in a package and in an update; a checkout has none.
RELEASE_FILE: Final = "release.json"
_MAX_BYTES: Final = 4096
_MACHINES: Final = {"x86_64": Architecture.AMD64, "aarch64": Architecture.ARM64}


class Installed(Struct, frozen=True, kw_only=True):
    """Which release. ``build`` 0: a checkout."""

    version: str
    build: int = 0


def installed(home: Path | None = None) -> Installed:
    """Return which release lies at ``home``, by default the one that runs."""
    path = Path(sys.prefix if home is None else home) / RELEASE_FILE
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=Installed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Installed(version=__version__)


def software(found: Installed | None = None) -> str:
    """Return what this program calls itself to others: ``stagebox 0.6.0+412``."""
    found = installed() if found is None else found
    return f"stagebox {found.version}" + (f"+{found.build}" if found.build else "")


def architecture() -> str:
    """Return this machine's processor in Debian's words, or in its own where Debian has none."""
    machine = platform.machine()
    return _MACHINES.get(machine, machine)


def python() -> str:
    """Return this program's Python, as releases name it: ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
