"""A server at the other end of a cable that can be pulled out. Needs root.

The server runs in a network namespace that one link joins with this machine's own network.
A cable that is out closes no connection and answers nothing: packets are simply gone.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator

from tests.support.netns import Namespace, run_ip

# For how long tests leave one out.
CUT_S = float(os.environ.get("STAGEBOX_CUT_S", "3"))


class Cable:
    """``near``: this machine's address; ``far``: the server's; ``prefix`` begins its command."""

    def __init__(self) -> None:
        token = secrets.token_hex(3)
        self._link = f"sb{token}"
        net = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(250)}"
        self.near, self.far = f"{net}.1", f"{net}.2"
        self._there = Namespace(f"stagebox-{os.getpid()}-{token}")
        self.prefix = self._there.prefix
        run_ip("link", "add", self._link, "type", "veth", "peer", "eth0", "netns", self._there.name)
        run_ip("address", "add", f"{self.near}/24", "dev", self._link)
        run_ip("link", "set", self._link, "up")
        self._there.ip("address", "add", f"{self.far}/24", "dev", "eth0")
        self.mend()

    def cut(self) -> None:
        """Pull it out at the far end."""
        self._there.ip("link", "set", "eth0", "down")

    def mend(self) -> None:
        """Put it back."""
        self._there.ip("link", "set", "eth0", "up")

    def close(self) -> None:
        """Take it away, and what still runs at its end."""
        self._there.close()


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Lay a cable."""
    made = Cable()
    try:
        yield made
    finally:
        made.close()
