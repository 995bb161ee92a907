"""One talker, many muted listeners: what each of them costs the hub.

Three questions, each put to Stagebox and to its peers in turns:

- What does a packet cost? Frames are sent as fast as they go, to receivers that media
  does not wake: on a network that is no work of the sender's machine. The same with
  receivers awake stands beside it. The peer is aiortc as it comes; the limit is one
  loop around libsrtp and ``sendto``.
- What does a listener cost at the real pace, ICE checks and RTCP and wake-ups and all?
  The peers are Janus's AudioBridge, which mixes for each member, and its VideoRoom.
- How much memory does a listener take?

All connections are real: ICE, DTLS, SRTP. Listeners only empty their sockets.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.hub import line
from bench.support import pictures, report
from bench.support.house import HubSenders
from bench.support.pace import STAGEBOX, Contender, Paced, measure_pace, per_listener
from bench.support.receivers import Receivers
from bench.support.report import Spread
from bench.support.senders import StockSenders, connect
from bench.support.workers import Worker
from stagebox.media.frames import FRAME_S

LIMIT, AIORTC = "limit", "aiortc"

# Between two frames, so that receivers who are awake keep up.
AWAKE_PAUSE_S = 0.003
# Fewer listeners need more frames for a good median.
PACKETS = 2_000
DRAIN_S = 10.0

# By contender and number of listeners.
Samples = dict[str, dict[int, list[float]]]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; listeners of each contender.

    A mixer that encodes for each fills a core with a hundred; aiortc connects slowly.
    """

    bare: tuple[int, ...] = (25, 50, 100, 200, 400)
    awake: tuple[int, ...] = (25, 100, 400)
    stock: tuple[int, ...] = (25, 100)
    paced: tuple[int, ...] = (25, 100, 400)
    room: tuple[int, ...] = (25, 100)
    bridge: tuple[int, ...] = (25, 60)
    rounds: int = 6
    frames: int = 20
    paced_rounds: int = 3
    paced_frames: int = 100


QUICK = Sizes(
    bare=(5, 10, 20),
    awake=(20,),
    stock=(20,),
    paced=(20,),
    room=(20,),
    bridge=(10,),
    rounds=3,
    paced_rounds=2,
    paced_frames=50,
)


# --- what a packet costs ----------------------------------------------------------------


class Sending:
    """A sender and its receivers, and how many packets went from the one to the others."""

    def __init__(self, sender: Worker, ears: Worker) -> None:
        self.sender = sender
        self.ears = ears
        self.sent = 0

    def cost(self, sent: int, awake: bool, method: str, *arguments: object) -> dict[str, Any]:
        """Send ``sent`` packets each way; return CPU seconds of each frame, by way."""
        self.ears.ask("listen", awake)
        pause = AWAKE_PAUSE_S if awake else 0.0
        found: dict[str, Any] = self.sender.ask(method, *arguments, pause)
        self.sent += sent * len(found)
        self._drain()
        return found

    def _drain(self) -> None:
        """Wait until everything has arrived."""
        until = time.monotonic() + DRAIN_S
        while self.ears.ask("media") < self.sent:
            if time.monotonic() > until:
                lost = self.sent - self.ears.ask("media")
                raise RuntimeError(f"{lost} packets never arrived; the figures mean nothing")
            time.sleep(0.02)


def measure_packets(
    house: Sending, stocks: dict[int, Sending], sizes: Sizes, *, awake: bool
) -> Samples:
    """Return microseconds of CPU per packet, a sample for each frame."""
    samples: Samples = {AIORTC: {}, STAGEBOX: {}, LIMIT: {}}
    turns: dict[str, Callable[[], tuple[int, dict[str, Any]]]] = {}
    for count in sizes.awake if awake else sizes.bare:
        frames = max(sizes.frames, PACKETS // count)
        turns[f"{STAGEBOX} {count}"] = partial(_ours, house, count, frames, awake)
    for count, stock in stocks.items():
        if not awake or count in sizes.awake:
            turns[f"{AIORTC} {count}"] = partial(_theirs, stock, count, sizes.frames, awake)
    for turn in range(sizes.rounds + 1):
        names = list(turns)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            count, found = turns[name]()
            for way, costs in found.items() if turn else ():  # the first round warms up
                per_packet = [cost / count * 1e6 for cost in costs]
                samples[way].setdefault(count, []).extend(per_packet)
    return samples


def _ours(house: Sending, count: int, frames: int, awake: bool) -> tuple[int, dict[str, Any]]:
    return count, house.cost(frames * count, awake, "hub_cost", frames, count)


def _theirs(stock: Sending, count: int, frames: int, awake: bool) -> tuple[int, dict[str, Any]]:
    return count, stock.cost(frames * count, awake, "cost", frames)


# --- results ----------------------------------------------------------------------------


def show_packets(by_size: dict[str, dict[int, Spread]]) -> None:
    """Print one line for each contender and number of listeners."""
    counts = sorted({count for spreads in by_size.values() for count in spreads})
    rows = []
    for count in counts:
        stock = by_size[AIORTC].get(count)
        limit = by_size[LIMIT].get(count)
        for name, spreads in by_size.items():
            if count in spreads:
                each = spreads[count]
                faster = report.ratio(stock.median, each.median) if stock else "-"
                of_limit = report.ratio(each.median, limit.median) if limit else "-"
                row = (name, count, f"{each.median:.1f}", f"{each.p99:.1f}", faster, of_limit)
                rows.append(row)
    head = ("sender", "listeners", "us/packet", "p99", "cheaper than aiortc", "of the limit")
    report.table(head, rows)


def show_pace(found: Paced) -> dict[str, dict[int, Spread]]:
    """Print what a listener costs at the real pace; return it."""
    each = {name: per_listener(costs) for name, costs in found.cpu.items()}
    best = each[STAGEBOX][max(each[STAGEBOX])].median
    rows = [
        (
            name,
            count,
            f"{report.spread(found.cpu[name][count]).median / FRAME_S:.1%}",
            f"{spread.median:.1f}",
            report.ratio(spread.median, best),
        )
        for name, spreads in each.items()
        for count, spread in spreads.items()
    ]
    head = ("", "listeners", "of a core", "us/listener and frame", "of Stagebox")
    report.table(head, rows)
    for count, cost in found.idle.items():
        if count:
            rest = (cost - found.idle[0]) / count * 1e6
            print(f"Of it at rest, {count} connected: {rest:.1f} us a listener and frame.")
    return each


def show_memory(memory: dict[str, dict[int, int]]) -> dict[str, float]:
    """Print the memory of a listener; return KiB by contender."""
    each = {
        name: (sizes[max(sizes)] - sizes[0]) / max(sizes) / 1024 for name, sizes in memory.items()
    }
    head = ("", "listeners", "KiB/listener", "whole process, MiB")
    rows = [
        (name, max(memory[name]), f"{kib:.0f}", f"{memory[name][max(memory[name])] / 2**20:.0f}")
        for name, kib in each.items()
    ]
    report.table(head, rows)
    return each


def draw(
    bare: dict[str, dict[int, Spread]], pace: dict[str, dict[int, Spread]], paced: Paced
) -> None:
    """Draw cost over listeners for all, and the cost of one for each."""
    series = {
        f"{name}, packets": [(n, each.median * n / 1e3) for n, each in sorted(spreads.items())]
        for name, spreads in bare.items()
    } | {
        f"{name}, real pace": [
            (n, report.spread(costs).median * 1e3) for n, costs in sorted(by_size.items()) if n
        ]
        for name, by_size in paced.cpu.items()
    }
    title = "One talker: CPU of the hub per 20 ms frame"
    pictures.lines("fanout", title, "listeners", "ms per frame", series, log=True)
    values = {f"{name}, packet": spreads[max(spreads)].median for name, spreads in bare.items()} | {
        f"{name}, real pace": spreads[max(spreads)].median for name, spreads in pace.items()
    }
    pictures.bars("fanout-each", "CPU per listener and frame", "us", values)


def plain(by_size: dict[str, dict[int, Spread]]) -> dict[str, Any]:
    """Return one part's figures for the file."""
    return {
        name: {
            str(count): {"median_us": each.median, "p99_us": each.p99, "samples": each.samples}
            for count, each in spreads.items()
        }
        for name, spreads in by_size.items()
    }


def spreads_of(samples: Samples) -> dict[str, dict[int, Spread]]:
    """Sum up the samples of each contender and size."""
    return {
        name: {count: report.spread(costs) for count, costs in by_size.items()}
        for name, by_size in samples.items()
    }


def measure(sizes: Sizes) -> tuple[Samples, Samples, Paced]:
    """Measure everything."""
    with ExitStack() as stack:
        house = Sending(stack.enter_context(Worker(HubSenders)), _ears(stack))

        def talk(frames: int, listeners: int) -> None:
            house.sender.ask("paced_cost", frames, listeners)
            house.sent += frames * listeners

        ours = Contender(house.sender.pid, house.sender, house.ears, talk, sizes.paced)
        paced = measure_pace(ours, sizes.room, sizes.bridge, sizes.paced_rounds, sizes.paced_frames)
        stocks = {count: _stock(stack, count, paced) for count in sizes.stock}
        house.sender.ask("check")
        bare = measure_packets(house, stocks, sizes, awake=False)
        awake = measure_packets(house, stocks, sizes, awake=True)
        house.sender.ask("check")
    return bare, awake, paced


def _stock(stack: ExitStack, count: int, paced: Paced) -> Sending:
    stock = Sending(stack.enter_context(Worker(StockSenders)), _ears(stack))
    stock.sender.ask("offers", 0)
    paced.weigh(AIORTC, 0, stock.sender.pid)
    connect(stock.sender, stock.ears, count)
    paced.weigh(AIORTC, count, stock.sender.pid)
    return stock


def _ears(stack: ExitStack) -> Worker:
    return stack.enter_context(Worker(Receivers))


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a smoke test")
    load = report.load()
    packets, awake, paced = measure(QUICK if parser.parse_args().quick else Sizes())
    bare, awakened = spreads_of(packets), spreads_of(awake)
    print("\nA packet, to receivers that it does not wake:\n")
    show_packets(bare)
    base, each, misfit = line({str(n): {STAGEBOX: s} for n, s in bare[STAGEBOX].items()})
    print(f"\nA frame costs {base:.0f} us and {each:.2f} us a listener (misfit {misfit:.0%}).")
    print("\nA packet, to receivers awake:\n")
    show_packets(awakened)
    print("\nOne talker at the real pace, everything else included:\n")
    pace = show_pace(paced)
    print("\nMemory that is the process's own:\n")
    kib = show_memory(paced.memory)
    draw(bare, pace, paced)
    data = {
        "us_per_packet": plain(bare),
        "awake_us_per_packet": plain(awakened),
        "line_us": {"base": base, "each": each, "worst_misfit": misfit},
        "paced_us_per_listener_and_frame": plain(pace),
        "idle_us_per_frame": {str(n): cost * 1e6 for n, cost in paced.idle.items()},
        "memory_kib_per_listener": kib,
    }
    report.finish("fanout", data, load)


if __name__ == "__main__":
    main()
