"""``stagebox profiles``: the boards a box can be built on."""

import argparse
import sys
from pathlib import Path
from typing import Final

from device.profiles.pages import pages
from device.profiles.shelf import names, profile
from device.profiles.words import listing, whole
from stagebox.config import ConfigError

OK: Final = 0
REFUSED: Final = 2


def main(arguments: argparse.Namespace) -> int:
    """Print the list, or one profile whole; 2: there is no such profile, or it is wrong."""
    try:
        if arguments.write is not None:
            write(arguments.write)
        elif arguments.name is None:
            print(listing({name: profile(name) for name in names()}))
        else:
            print(whole(arguments.name, profile(arguments.name)))
    except ConfigError as error:
        print(f"stagebox profiles: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"stagebox profiles: {arguments.write}: {error.strerror}.", file=sys.stderr)
        return REFUSED
    return OK


def write(folder: Path) -> None:
    """Write the pages and pictures of all profiles.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages({name: profile(name) for name in names()}).items():
        (folder / name).write_text(text, encoding="utf-8")
