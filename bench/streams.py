"""A crowd in every format: what 1,000 players cost the hub when their stream is encoded for them.

One box talks without pause. MP3 and AAC are encoded once, by a process of the hub's that is
counted with it; Icecast is fed the very same frames and serves as many players at the same
time. HLS players ask nginx, which asks the hub: counted are both. The limit is one
encoder alone, which is what a crowd of one costs.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from bench.crowd import HUB, PRESSES, VOICE_S, Crowd, cpu_s, memory_mib, switch_on
from bench.support import pictures, report
from bench.support.footprint import Program
from tests.support import icecast, nginx
from tests.support.crew import Box, Hub, free_port
from tests.support.nginx import Nginx
from tests.support.voices import speaker

SIZE, QUICK_SIZE = 1_000, 60
ROUNDS, QUICK_ROUNDS = 3, 1
SECONDS, QUICK_SECONDS = 5.0, 2.0
BASE: Final = "/api/v1/spaces/main/"
KINDS: Final = {"opus": "audio/ogg", "mp3": "audio/mpeg", "aac": "audio/aac"}
_LASTS_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    players: int
    rounds: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One server with one crowd. ``cpu``: shares of a core with nobody, one, and all."""

    name: str
    none: float
    one: float
    all: float
    kib: float
    lost: int

    @property
    def each_us(self) -> float:
        """What each player after the first costs a second."""
        return max(0.0, self.all - self.one) * 1e6

    def line(self, players: int) -> tuple[str, ...]:
        """Return this as a line of the table."""
        return (
            self.name,
            f"{self.none * 100:.1f} %",
            f"{self.one * 100:.1f} %",
            f"{self.all * 100:.1f} %",
            f"{self.each_us / players:.0f}",
            f"{self.kib:.0f}",
            str(self.lost),
        )


def shares(pids: dict[str, int], sizes: Sizes) -> dict[str, float]:
    """Return the share of a core that each server takes, all watched at the same time."""
    found: dict[str, list[float]] = {name: [] for name in pids}
    for _ in range(sizes.rounds):
        before = {name: cpu_s(pid) for name, pid in pids.items()}
        begin = time.monotonic()
        time.sleep(sizes.seconds)
        lasted = time.monotonic() - begin
        for name, pid in pids.items():
            # An encoder that ended meanwhile took its time with it.
            found[name].append(max(0.0, cpu_s(pid) - before[name]) / lasted)
    return {name: median(each) for name, each in found.items()}


def connected(folder: Path, hub: Hub, kind: str, sizes: Sizes) -> list[Row]:
    """Measure players that stay connected, of the hub and of Icecast."""
    path = f"{BASE}stream.{kind}"
    none = shares({"Stagebox": hub.pid}, sizes) | {"Icecast": 0.0}
    home = folder / kind
    home.mkdir()
    with icecast.Icecast(home, sizes.players) as peer:
        peer.feed(hub.port, path, KINDS[kind])
        time.sleep(4)
        pids = {"Stagebox": hub.pid, "Icecast": peer.pid}
        crowds = {
            "Stagebox": Crowd(home, "hub-radio", hub.port, path),
            "Icecast": Crowd(home, "icecast-radio", peer.port, peer.path),
        }
        try:
            one = shares(pids, sizes)
            before = {name: memory_mib(pid) for name, pid in pids.items()}
            for crowd in crowds.values():
                crowd.grow(sizes.players)
            for crowd in crowds.values():
                crowd.told()
            all_ = shares(pids, sizes)
            return [
                Row(
                    f"{kind}, {name}",
                    none[name],
                    one[name],
                    all_[name],
                    (memory_mib(pid) - before[name]) * 1024 / sizes.players,
                    crowds[name].told()["lost"],
                )
                for name, pid in pids.items()
            ]
        finally:
            for crowd in crowds.values():
                crowd.stop()


def in_pieces(folder: Path, hub: Hub, sizes: Sizes) -> tuple[list[Row], dict[str, int]]:
    """Measure players of HLS behind nginx; return what they got, too."""
    base = f"{BASE}hls/opus/"
    with Nginx(folder, hub.port, logged=False) as cache:
        pids = {"Stagebox": hub.pid, "nginx": cache.pid}
        none = shares(pids, sizes)
        crowd = Program(folder, "hls", ["-m", "bench.support.hls_crowd"], piped=True)
        try:
            found: dict[int, dict[str, float]] = {}
            memory = dict.fromkeys(pids, 0.0)
            told: dict[str, int] = {}
            for grow in (1, sizes.players - 1):
                memory = {name: memory_mib(pid) for name, pid in pids.items()}
                crowd.ask(port=cache.port, base=base, count=grow)
                if crowd.hear()["open"] < grow:
                    raise RuntimeError("not all players of HLS hear something")
                crowd.ask(tell=True)
                crowd.hear()
                found[grow] = shares(pids, sizes)
                crowd.ask(tell=True)
                told = crowd.hear()
            rows = [
                Row(
                    f"hls, {name}",
                    none[name],
                    found[1][name],
                    found[sizes.players - 1][name],
                    (memory_mib(pid) - memory[name]) * 1024 / sizes.players,
                    told["failed"],
                )
                for name, pid in pids.items()
            ]
            return rows, told
        finally:
            crowd.stop()


def measure(folder: Path, sizes: Sizes) -> tuple[list[Row], dict[str, int]]:
    """Return all rows, and what players of HLS got."""
    settings = folder / "hub.toml"
    settings.write_text(HUB)
    hub = Hub(folder, free_port(), extra=("--config", str(settings)))
    talker = None
    try:
        hub.wait_up()
        switch_on(hub)
        said = np.tile(speaker(1, VOICE_S), round(_LASTS_S / VOICE_S))
        talker = Box(folder, "Talker", hub.url, mic=said, script=PRESSES, wait_joined=30)
        talker.wait_for(lambda one: one.last_state("floor") == "live", 60, "on air")
        rows = [row for kind in KINDS for row in connected(folder, hub, kind, sizes)]
        pieces, told = in_pieces(folder, hub, sizes)
        return rows + pieces, told
    finally:
        if talker is not None:
            talker.stop()
        hub.stop()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 players, once: some 45 s")
    quick = parser.parse_args().quick
    sizes = (
        Sizes(QUICK_SIZE, QUICK_ROUNDS, QUICK_SECONDS) if quick else Sizes(SIZE, ROUNDS, SECONDS)
    )
    started = report.load()
    if not nginx.is_here():
        raise SystemExit("nginx is not installed: apt install nginx")
    try:
        print(f"{icecast.version()}\n")
    except icecast.IcecastMissingError as error:
        raise SystemExit(str(error)) from None
    with tempfile.TemporaryDirectory() as folder:
        rows, told = measure(Path(folder), sizes)
    head = (
        "",
        "nobody",
        "one",
        f"{sizes.players}",
        "us a player and second",
        "KiB a player",
        "lost",
    )
    report.table(head, [row.line(sizes.players) for row in rows])
    print(
        f"\nplayers of HLS: {told['parts']} parts, {told['bytes'] / 1024:.0f} KiB, "
        f"the furthest behind by {told['behind']} parts"
    )
    pictures.bars(
        "streams",
        f"{sizes.players} players of one stream",
        "percent of a core",
        {row.name: row.all * 100 for row in rows},
    )
    found = [{"name": row.name, "none": row.none, "one": row.one, "all": row.all} for row in rows]
    report.finish("streams", {"found": found, "told": told}, started)


if __name__ == "__main__":
    main()
