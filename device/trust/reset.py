"""``stagebox reset``: have a box forget its hub, its key and, with ``--all``, its networks."""

import argparse
import sys
from pathlib import Path
from typing import Final

from device.profiles.shelf import load_settings
from device.trust.wiping import wipe
from stagebox.config import ConfigError
from stagebox.statefile import remove, state_dir

# What the set-up of the network has made; other networks are somebody else's.
NETWORKS: Final = Path("/etc/NetworkManager/system-connections")
OWN_NETWORKS: Final = "stagebox*.nmconnection"

_REFUSED: Final = 2
_KEPT: Final = 1


def main(arguments: argparse.Namespace) -> int:
    """Ask, wipe, and say what is gone; return the exit status: 1 where somebody said no."""
    try:
        given = {"state_dir": str(arguments.state) if arguments.state else None}
        config = load_settings(arguments.config, given)
    except ConfigError as error:
        print(f"stagebox reset: {error}", file=sys.stderr)
        return _REFUSED
    place = state_dir(Path(config.state_dir))
    if not arguments.yes and not _is_meant(place):
        print("Nothing was changed.")
        return _KEPT
    try:
        gone = wipe(place)
        gone += _forget_networks(NETWORKS) if arguments.all else []
    except OSError as error:
        why = (error.strerror or "unknown error").lower()
        print(f"stagebox reset: {error.filename}: {why}; use sudo.", file=sys.stderr)
        return _REFUSED
    for path in gone:
        print(f"removed {path}")
    print("The box has forgotten everything. Restart it, and remove it at its hub, too.")
    return 0


def _is_meant(place: Path) -> bool:
    try:
        answer = input(f"Forget the hub and the key in {place}? Type yes: ")
    except EOFError:
        return False
    return answer.strip().lower() == "yes"


def _forget_networks(folder: Path) -> list[Path]:
    found = sorted(folder.glob(OWN_NETWORKS))
    for path in found:
        remove(path)
    return found
