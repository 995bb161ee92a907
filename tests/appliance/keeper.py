"""An administrator at a hub that is in a network of its own.

As a program, which runs in that network, it asks what it is told to in lines of JSON.
"""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, cast

from tests.support.console import Chief
from tests.support.crew import Hub


class FarChief(Chief):
    """``Chief``, from another network. ``prefix``: what starts a program there."""

    def __init__(self, hub: Hub, prefix: tuple[str, ...]) -> None:
        self._program = subprocess.Popen(
            [*prefix, sys.executable, "-m", __name__, hub.http],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask over there."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        print(json.dumps([method, path, body]), file=self._program.stdin, flush=True)
        status, said = json.loads(self._program.stdout.readline())
        return status, said

    def close(self) -> None:
        """Log out."""
        self._program.communicate(timeout=20)


def main() -> None:
    """Ask."""
    chief = Chief(cast("Hub", SimpleNamespace(http=sys.argv[1])))
    for line in sys.stdin:
        print(json.dumps(chief.ask(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
