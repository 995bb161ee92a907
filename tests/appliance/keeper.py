"""An administrator at a hub that is in a network of its own.

As a program, which runs in that network, it asks what it is told to in lines of JSON.
"""

import json
import re
import subprocess
import sys
import urllib.request
from typing import Any, Final

from tests.support.console import PASSWORD, Chief
from tests.support.crew import Hub

# Who is not at the hub itself reads this in its log.
_CODE: Final = re.compile(r"needs the set-up code (\w+)")


class FarChief(Chief):
    """``Chief``, from another network. ``prefix``: what starts a program there."""

    def __init__(self, hub: Hub, prefix: tuple[str, ...]) -> None:
        code = _CODE.search(hub.logged())
        assert code, hub.logged()
        self._program = subprocess.Popen(
            [*prefix, sys.executable, "-m", __name__, hub.http, code[1]],
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


class Appointed(Chief):
    """Somebody who is not at the hub, and becomes its first administrator."""

    def __init__(self, origin: str, code: str) -> None:
        self._origin = origin
        cookies = urllib.request.HTTPCookieProcessor()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        status, said = self.ask("POST", "/setup", {"password": PASSWORD, "code": code})
        assert status == 200, said


def main() -> None:
    """Ask."""
    chief = Appointed(*sys.argv[1:])
    for line in sys.stdin:
        print(json.dumps(chief.ask(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
