"""``stagebox profiles``: the boards a box can be built on."""

import argparse
import sys
from typing import Final

from device.profiles.shelf import names, profile
from device.profiles.words import listing, whole
from stagebox.config import ConfigError

OK: Final = 0
REFUSED: Final = 2


def main(arguments: argparse.Namespace) -> int:
    """Print the list, or one profile whole; 2: there is no such profile, or it is wrong."""
    try:
        if arguments.name is None:
            print(listing({name: profile(name) for name in names()}))
        else:
            print(whole(arguments.name, profile(arguments.name)))
    except ConfigError as error:
        print(f"stagebox profiles: {error}", file=sys.stderr)
        return REFUSED
    return OK
