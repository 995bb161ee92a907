"""``stagebox support``: a bundle that helps to help, shown before it is written."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from provisioning.support.gather import Machine, bundle

NAME: Final = "stagebox-support.txt"
_ABOUT: Final = """\
This is the whole of it: versions, settings without names and keys, what the services and
the doctor say. It holds no keys, codes or passwords. Read it before you pass it on.
"""


def main(arguments: argparse.Namespace) -> int:
    """Collect, show, and write it if the person wants that; return the exit status."""
    if os.geteuid():
        print("stagebox support: without sudo much of it is missing.", file=sys.stderr)
    text = bundle(Machine())
    print(text)
    print(_ABOUT)
    path: Path = arguments.out or Path(NAME)
    if not arguments.yes and not _agreed(path):
        print("Nothing was written.")
        return 0
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"stagebox support: {path}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"Written to {path}.")
    return 0


def _agreed(path: Path) -> bool:
    try:
        return input(f"Write it to {path}? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
