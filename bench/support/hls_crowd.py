"""Many players of HLS, in a process of their own: each asks for the list, then for the part.

Speaks lines of JSON: asked ``{"port", "base", "count"}`` it opens so many more and says
``{"open": how many}`` once each has a part; asked ``{"tell": true}`` it says how many parts
and bytes came since it was asked last, how many answers were none, and how many parts the
one that is furthest behind is behind.
"""

import contextlib
import json
import re
import select
import socket
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

PARTS: Final = 8
_PATIENCE_S: Final = 60.0
_TURN_S: Final = 0.01
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Player:
    """One player. ``at``: the part, counted through all segments, that it wants."""

    end: socket.socket
    at: int
    wants_list: bool = True
    data: bytes = b""
    heard: bool = False

    def ask(self, base: str, tag: str) -> None:
        """Ask for what is next."""
        number, part = divmod(self.at, PARTS)
        name = f"{tag}-{number}-{part}.m4s"
        if self.wants_list:
            name = f"live.m3u8?_HLS_msn={number}&_HLS_part={part}"
        self.end.send(f"GET {base}{name} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


class Crowd:
    """All players, on one thread."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._players: dict[int, Player] = {}
        self._base = self._tag = ""
        self.parts = self.bytes = self.failed = 0

    def join(self, port: int, base: str, count: int) -> int:
        """Let so many more begin; return how many have a part."""
        self._base = base
        listed = urllib.request.urlopen(f"http://127.0.0.1:{port}{base}live.m3u8").read().decode()
        tag, number, part = re.findall(r'HINT:TYPE=PART,URI="(\w+)-(\d+)-(\d)', listed)[0]
        self._tag = tag
        for _ in range(count):
            end = socket.create_connection(("127.0.0.1", port))
            player = Player(end, int(number) * PARTS + int(part))
            self._players[end.fileno()] = player
            self._poll.register(end, select.EPOLLIN)
            player.ask(base, tag)
        until = time.monotonic() + _PATIENCE_S
        while not all(each.heard for each in self._players.values()) and time.monotonic() < until:
            self.play(_TURN_S)
        return sum(each.heard for each in self._players.values())

    def play(self, seconds: float) -> None:
        """Take what has come, and ask on."""
        for number, _event in self._poll.poll(seconds):
            player = self._players[number]
            data = b""
            with contextlib.suppress(ConnectionError):
                data = player.end.recv(1 << 16)
            player.data += data
            self.bytes += len(data)
            if not data or not self._taken(player):
                self.failed += not data
                if not data:
                    self._poll.unregister(number)
                    self._players.pop(number).end.close()

    def _taken(self, player: Player) -> bool:
        """Say whether an answer is complete; ask the next thing if it is."""
        head, found, body = player.data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return False
        player.data = b""
        if not head.startswith(b"HTTP/1.1 200"):
            self.failed += 1
        elif not player.wants_list:
            self.parts += 1
            player.heard = True
            player.at += 1
        player.wants_list = not player.wants_list
        player.ask(self._base, self._tag)
        return True

    def told(self) -> dict[str, int]:
        """Return what came since the last time."""
        places = [each.at for each in self._players.values()]
        told = {"parts": self.parts, "bytes": self.bytes, "failed": self.failed}
        self.parts = self.bytes = self.failed = 0
        return {**told, "behind": max(places) - min(places) if places else 0}


def main() -> None:
    """Do what is asked, line by line; play meanwhile."""
    crowd = Crowd()
    asked = select.poll()
    asked.register(sys.stdin, select.POLLIN)
    while True:
        # All at once now and then: who wakes for each packet takes the core it is to measure.
        time.sleep(_TURN_S)
        crowd.play(0)
        if asked.poll(0):
            line = sys.stdin.readline()
            if not line:
                return
            print(json.dumps(_answer(crowd, json.loads(line))), flush=True)


def _answer(crowd: Crowd, line: dict[str, Any]) -> dict[str, int]:
    if "tell" in line:
        return crowd.told()
    return {"open": crowd.join(line["port"], line["base"], line["count"])}


if __name__ == "__main__":
    main()
