"""A space as a stream to a crowd: what 1,000 players cost the hub, and what they cost Icecast.

One box talks without pause, its packets are encoded once, by itself. The hub makes pages
of them for all players; Icecast is fed the same pages. Measured is the CPU time of each
server's processes while nobody listens and while so many do, in turns, and its memory;
and that every player gets the whole stream. The limit is the bare loop: one process that
writes such pieces to as many sockets and does nothing else.
"""

import argparse
import contextlib
import json
import socket
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from bench.support import pictures, report
from bench.support.footprint import Program
from tests.support import icecast
from tests.support.crew import Box, Hub, free_port
from tests.support.processes import family, family_rss_mib
from tests.support.voices import speaker

SIZES, QUICK_SIZES = (100, 400, 1_000), (100,)
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS, QUICK_SECONDS = 8.0, 4.0
PATH: Final = "/api/v1/spaces/main/stream.opus"
HUB: Final = """
[limits]
sockets_per_address = 100000
strangers = 10000
[web]
secure_port = 0
requests_per_s = 10000
request_burst = 100000
[streams]
listeners = 10000
[[space]]
id = "main"
name = "Main"
mode = "open"
[space.limits]
talk_limit_s = 0
silence_s = 86400
"""
# Pages of 0.2 s at 32 kbit/s, five a second.
PAGE: Final = bytes(820)
PAGES_PER_S: Final = 5
VOICE_S, LASTS_S = 12.0, 600.0
# No box lets anybody talk without an end: a new burst each minute.
PRESSES: Final = "".join(
    f"{at} talk down\n{at + 59} talk up\n" for at in range(1, round(LASTS_S), 60)
)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a program and all its processes so far."""
    threads = [each for one in family(pid) for each in Path(f"/proc/{one}/task").iterdir()]
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def memory_mib(pid: int) -> float:
    """Return the resident memory of a program and all its processes."""
    return family_rss_mib(pid)


def switch_on(hub: Hub) -> None:
    """Have the space streamed, as its administrator."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    for method, path, body in (
        ("POST", "/setup", {"password": "eight letters"}),
        ("PATCH", "/spaces/main", {"streamed": True}),
    ):
        request = urllib.request.Request(
            f"{hub.http}/api/v1{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Origin": hub.http},
            method=method,
        )
        opener.open(request, timeout=20).close()


class Bare:
    """The limit: a thread that writes a page to each socket, five times a second."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self.port = int(self._server.getsockname()[1])
        self._ends: list[socket.socket] = []
        self.spent_s = 0.0
        for work in (self._accept, self._write):
            threading.Thread(target=work, daemon=True).start()

    def _accept(self) -> None:
        while True:
            end, _address = self._server.accept()
            end.setblocking(False)
            self._ends.append(end)

    def _write(self) -> None:
        while True:
            time.sleep(1 / PAGES_PER_S)
            begin = time.thread_time()
            for end in self._ends:
                with contextlib.suppress(OSError):  # it was told to go
                    end.send(PAGE)
            self.spent_s += time.thread_time() - begin


class Crowd:
    """Players of one server."""

    def __init__(self, folder: Path, name: str, port: int, path: str) -> None:
        self._program = Program(folder, name, ["-m", "bench.support.radio"], piped=True)
        self._port, self._path = port, path
        self.count = 0

    def grow(self, count: int) -> None:
        """Have so many players in all."""
        self._program.ask(port=self._port, path=self._path, count=count - self.count)
        found = self._program.hear()["open"]
        if found != count:
            raise RuntimeError(f"{found} of {count} players hear {self._path}")
        self.count = count

    def told(self) -> dict[str, int]:
        """Return what they got since the last time."""
        self._program.ask(tell=True)
        return self._program.hear()

    def stop(self) -> None:
        """Let all go."""
        self._program.stop()


def measure(folder: Path, *, quick: bool) -> dict[str, dict[int, dict[str, float]]]:
    """Return the figures by server and number of players."""
    sizes = QUICK_SIZES if quick else SIZES
    settings = folder / "hub.toml"
    settings.write_text(HUB)
    hub = Hub(folder, free_port(), extra=("--config", str(settings)))
    talker = None
    crowds: dict[str, Crowd] = {}
    try:
        hub.wait_up()
        switch_on(hub)
        said = np.tile(speaker(1, VOICE_S), round(LASTS_S / VOICE_S))
        talker = Box(folder, "Talker", hub.url, mic=said, script=PRESSES, wait_joined=30)
        talker.wait_for(lambda one: one.last_state("floor") == "live", 60, "on air")
        with icecast.Icecast(folder, max(sizes)) as peer:
            peer.feed(hub.port, PATH)
            time.sleep(3)
            bare = Bare()
            crowds = {
                "Stagebox": Crowd(folder, "hub-radio", hub.port, PATH),
                "Icecast": Crowd(folder, "icecast-radio", peer.port, peer.path),
                "the limit": Crowd(folder, "bare-radio", bare.port, "/"),
            }
            pids = {"Stagebox": hub.pid, "Icecast": peer.pid}
            return by_size(crowds, pids, bare, sizes, quick=quick)
    finally:
        for crowd in crowds.values():
            crowd.stop()
        if talker is not None:
            talker.stop()
        hub.stop()


Figures = dict[str, float]


def by_size(
    crowds: dict[str, Crowd],
    pids: dict[str, int],
    bare: Bare,
    sizes: tuple[int, ...],
    *,
    quick: bool,
) -> dict[str, dict[int, Figures]]:
    """Let the crowds grow together; all are served at the same time, from the same second."""
    found: dict[str, dict[int, Figures]] = {name: {} for name in crowds}
    for size in (0, *sizes):
        for crowd in crowds.values():
            crowd.grow(size)
        for crowd in crowds.values():
            crowd.told()
        shares = [
            spent(pids, bare, QUICK_SECONDS if quick else SECONDS)
            for _ in range(QUICK_ROUNDS if quick else ROUNDS)
        ]
        for name, crowd in crowds.items():
            told = crowd.told()
            found[name][size] = {
                "cpu": median(each[name] for each in shares),
                "memory": memory_mib(pids[name]) if name in pids else 0.0,
                "bytes": told["bytes"] / max(1, size),
                "lost": told["lost"],
            }
    return found


def spent(pids: dict[str, int], bare: Bare, seconds: float) -> Figures:
    """Return the share of a core that each server takes."""
    before = {name: cpu_s(pid) for name, pid in pids.items()} | {"the limit": bare.spent_s}
    begin = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - begin
    after = {name: cpu_s(pid) for name, pid in pids.items()} | {"the limit": bare.spent_s}
    return {name: (after[name] - before[name]) / lasted for name in after}


def show(found: dict[str, dict[int, dict[str, float]]]) -> None:
    """Print the table and draw the picture."""
    rows = []
    sizes = [size for size in found["Stagebox"] if size]
    for size in sizes:
        for name, figures in found.items():
            none, some = figures[0], figures[size]
            each_us = (some["cpu"] - none["cpu"]) / size * 1e6
            kib = (some["memory"] - none["memory"]) * 1024 / size
            theirs = (found["Icecast"][size]["cpu"] - found["Icecast"][0]["cpu"]) / size * 1e6
            rows.append(
                (
                    f"{size} players, {name}",
                    f"{some['cpu'] * 100:.1f} %",
                    f"{each_us:.1f}",
                    report.ratio(each_us, theirs),
                    f"{kib:.0f}" if name != "the limit" else "-",
                    f"{some['bytes'] / 1024:.0f}",
                    int(some["lost"]),
                )
            )
    head = (
        "",
        "of a core",
        "us a player and second",
        "to Icecast",
        "KiB a player",
        "KiB got",
        "lost",
    )
    report.table(head, rows)
    pictures.bars(
        "crowd",
        "A stream to a crowd of players",
        "CPU for each player, microseconds a second",
        {row[0]: float(row[2]) for row in rows},
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 players, once: some 40 s")
    quick = parser.parse_args().quick
    started = report.load()
    try:
        print(f"{icecast.version()}\n")
    except icecast.IcecastMissingError as error:
        raise SystemExit(str(error)) from None
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), quick=quick)
    show(found)
    report.finish("crowd", {"found": found}, started)


if __name__ == "__main__":
    main()
