"""Many players of one stream, in a process of their own: sockets that are read and forgotten.

Speaks lines of JSON: asked ``{"port", "path", "count"}`` it opens so many more and says
``{"open": how many}`` once each has heard something; asked ``{"tell": true}`` it says how
many bytes came since it was asked last, and how many players lost their stream.
"""

import contextlib
import json
import select
import socket
import sys
import time
from typing import Any, Final

_PIECE: Final = 1 << 16
# A second of a stream: by then each that is served has heard something.
_PATIENCE_S: Final = 30.0
_TURN_S: Final = 0.02


class Players:
    """All players, on one thread."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._deaf: set[int] = set()  # have heard nothing yet
        self.bytes = 0
        self.lost = 0

    def __len__(self) -> int:
        """Return how many have a stream."""
        return len(self._open) - len(self._deaf)

    def join(self, port: int, path: str, count: int) -> None:
        """Let so many more begin to listen, and wait until they hear something."""
        asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: radio\r\n\r\n".encode()
        for _ in range(count):
            player = socket.create_connection(("127.0.0.1", port))
            player.sendall(asked)
            player.setblocking(False)
            self._open[player.fileno()] = player
            self._deaf.add(player.fileno())
            self._poll.register(player, select.EPOLLIN)
            self.listen(0)
        until = time.monotonic() + _PATIENCE_S
        while self._deaf and time.monotonic() < until:
            self.listen(_TURN_S)

    def listen(self, seconds: float) -> None:
        """Read what has come."""
        for number, _event in self._poll.poll(seconds):
            player = self._open[number]
            data = b""
            with contextlib.suppress(ConnectionError):
                data = player.recv(_PIECE)
            self._deaf.discard(number)
            self.bytes += len(data)
            if not data:
                self._poll.unregister(player)
                del self._open[number]
                player.close()
                self.lost += 1


def main() -> None:
    """Do what is asked, line by line; listen meanwhile."""
    players = Players()
    asked = select.poll()
    asked.register(sys.stdin, select.POLLIN)
    while True:
        # All at once now and then: who wakes for each packet takes the core it is to measure.
        time.sleep(_TURN_S)
        players.listen(0)
        if asked.poll(0):
            line = sys.stdin.readline()
            if not line:
                return
            print(json.dumps(_answer(players, json.loads(line))), flush=True)


def _answer(players: Players, line: dict[str, Any]) -> dict[str, int]:
    if "tell" not in line:
        players.join(line["port"], line["path"], line["count"])
        return {"open": len(players)}
    told = {"bytes": players.bytes, "lost": players.lost}
    players.bytes = players.lost = 0
    return told


if __name__ == "__main__":
    main()
